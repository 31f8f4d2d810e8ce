import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

import { call } from '../api/client';
import type { components } from '../api/schema';
import type { PodList } from '../api/types';
import { useList, useLive } from '../app/live';
import type { Row, Stats } from './cluster';

/** The least time between two reads of what the sidebar's live query says has changed, in milliseconds. */
const LEAST = 5000;
const KEY = ['clusters'] as const;

/** The clusters, with what is known of each. */
export interface Clusters {
  readonly rows: readonly Row[] | undefined;
  readonly error: Error | null;
  /** Reads them again, as after a change. */
  readonly refresh: () => Promise<void>;
}

/** Reads the clusters, and again when the live counts or states change. */
export function useClusters(): Clusters {
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: [...KEY, 'all'],
    queryFn: () => call<components['schemas']['ClusterPage']>('GET', '/api/clusters?pageSize=1000'),
  });
  const problems = useQuery({
    queryKey: [...KEY, 'problems'],
    queryFn: () => call<PodList>('GET', '/api/pods?problem=true&facets=cluster&pageSize=1'),
  });
  const { clusters, facets } = useList(useLive().summary);
  useChanged(JSON.stringify([clusters, facets]), () => void queries.invalidateQueries({ queryKey: KEY }));
  const counts = new Map(problems.data?.facets?.['cluster']?.map(({ value, count }) => [value, count]));
  return {
    rows: data?.items.map((cluster) => ({ cluster, notWell: counts.get(cluster.name) ?? 0 })),
    error,
    refresh: () => queries.invalidateQueries({ queryKey: KEY }),
  };
}

/** Reads how many pods of a cluster have which status. */
export function useStats(id: number, isKnown: boolean): Stats | undefined {
  const { data } = useQuery({
    queryKey: [...KEY, 'stats', id],
    queryFn: () => call<Stats>('GET', `/api/clusters/${id}/stats`),
    enabled: isKnown,
  });
  return data;
}

/** Acts when a text changes, at most every {@link LEAST}. */
function useChanged(text: string, act: () => void): void {
  const last = useRef({ text, at: 0 });
  const current = useRef(act);
  useEffect(() => {
    current.current = act;
  }, [act]);
  useEffect(() => {
    if (last.current.text === text) return undefined;
    const wait = Math.max(0, last.current.at + LEAST - Date.now());
    const timer = setTimeout(() => {
      last.current = { text, at: Date.now() };
      current.current();
    }, wait);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
}
