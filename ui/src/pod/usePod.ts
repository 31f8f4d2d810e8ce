import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { ApiError, call } from '../api/client';
import type { components } from '../api/schema';
import type { PodList } from '../api/types';
import { now } from '../app/clock';
import { useList, usePodList } from '../app/live';
import type { Pod } from '../pods/pod';
import type { Detail } from './containers';
import { type Fate, fateOf } from './fate';
import { text } from './json';
import { apiPath, type Place } from './place';

export type PodEvent = components['schemas']['PodEvent'];

/** How long after a change of the row the pod is read again, and the least time between two reads, in milliseconds. */
const AFTER = 300;
const LEAST = 2000;
/** How often events are read while they are seen, in milliseconds. */
const EVENTS = 10_000;

/** What is known of a pod that is open. */
export interface OpenPod {
  /** Its row as it was last known. */
  readonly row: Pod | undefined;
  /** The pod itself as it was last read, with when that was (0 for never) and what went wrong since. */
  readonly detail: Detail | undefined;
  readonly readAt: number;
  readonly error: Error | null;
  readonly events: readonly PodEvent[] | undefined;
  readonly eventsAt: number;
  readonly eventsError: Error | null;
  readonly fate: Fate;
  /** When it was seen that the pod is gone; `undefined` if it was gone from the start. */
  readonly goneAt: number | undefined;
}

/**
 * Follows the pod of a place for as long as it is shown: its row live, and the pod and its events soon
 * after the row has changed.
 *
 * @param listed The pod's row in a list beside it, which is there before the first answer.
 */
export function usePod(place: Place, listed: Pod | undefined): OpenPod {
  const { cluster, namespace, name } = place;
  const list = usePodList();
  useEffect(() => {
    list?.ask({ query: { cluster: [cluster], namespace: [namespace], name }, facets: [] });
  }, [list, cluster, namespace, name]);
  const state = useList(list);
  const path = apiPath(place);
  const answered = state?.answered;
  const isAnswered =
    answered?.name === name && answered.namespace?.[0] === namespace && answered.cluster?.[0] === cluster;
  const rows = isAnswered && list !== undefined ? (state?.shown.keys.map((key) => list.row(key)) ?? []) : [];
  const uid = place.uid === '' ? (rows[0]?.uid ?? '') : place.uid;
  const found = rows.find((row) => row?.uid === uid && row.name === name) ?? listed;
  const row = useKept(found, `${path} ${uid}`);
  const isSynced = state?.clusters.find((one) => one.name === cluster)?.state === 'synced';

  const detail = useQuery({ queryKey: ['pod', path], queryFn: () => call<Detail>('GET', path) });
  const own = useKept(uid === '' || detail.data?.uid === uid ? detail.data : undefined, `${path} ${uid}`);
  const fate = fateOf({
    uid,
    other: detail.data?.uid ?? '',
    isMissing: detail.error instanceof ApiError && detail.error.code === 404_001,
    isListed: isAnswered && isSynced && !state.isAsking ? rows.some((one) => one?.uid === uid) : undefined,
  });
  const goneAt = useGoneAt(fate !== 'there', own !== undefined || row !== undefined, `${path} ${uid}`);
  const events = useQuery({
    queryKey: ['pod', path, 'events'],
    queryFn: () => call<PodEvent[]>('GET', `${path}/events`),
    enabled: place.tab !== 'logs' && fate === 'there',
    refetchInterval: EVENTS,
  });
  useFollow(path, found);
  return {
    row,
    detail: own,
    readAt: detail.dataUpdatedAt,
    error: detail.error,
    events: events.data,
    eventsAt: events.dataUpdatedAt,
    eventsError: events.error,
    fate,
    goneAt,
  };
}

/** Returns a value, or the last one under the same name once it is no longer known. */
function useKept<Value>(value: Value | undefined, name: string): Value | undefined {
  const [kept, setKept] = useState<{ name: string; value: Value }>();
  useEffect(() => {
    if (value !== undefined) setKept({ name, value });
  }, [value, name]);
  return value ?? (kept?.name === name ? kept.value : undefined);
}

/** Returns when it was first seen that a pod that had been there is gone. */
function useGoneAt(isGone: boolean, wasThere: boolean, name: string): number | undefined {
  const [gone, setGone] = useState<{ name: string; at: number }>();
  useEffect(() => {
    if (isGone && wasThere) setGone((before) => (before?.name === name ? before : { name, at: now() }));
    else setGone((before) => (before?.name === name ? undefined : before));
  }, [isGone, wasThere, name]);
  return gone?.name === name ? gone.at : undefined;
}

/** Reads a pod and its events again soon after its row has changed. */
function useFollow(path: string, row: Pod | undefined): void {
  const queries = useQueryClient();
  const last = useRef({ path, row, readAt: 0 });
  useEffect(() => {
    const before = last.current;
    const isSame = before.path === path;
    last.current = { path, row, readAt: isSame ? before.readAt : 0 };
    if (!isSame || before.row === row || before.row === undefined) return undefined;
    const wait = Math.max(AFTER, before.readAt + LEAST - Date.now());
    const timer = setTimeout(() => {
      last.current.readAt = Date.now();
      void queries.invalidateQueries({ queryKey: ['pod', path] });
    }, wait);
    return () => {
      clearTimeout(timer);
    };
  }, [path, row, queries]);
}

/** Returns the pod that its owner started after it, once it is gone; `null` if there is none. */
export function useSuccessor({ row, detail, fate }: OpenPod, { cluster, namespace, name, uid }: Place): Pod | null {
  const reference = detail?.ownerReferences.find((one) => one['controller'] === true);
  const owner = row?.owner ?? (reference && { kind: text(reference['kind']), name: text(reference['name']) });
  const query = new URLSearchParams({ cluster, namespace, pageSize: '2', sort: 'createdAt', order: 'desc' });
  if (fate === 'replaced') query.set('name', name);
  else if (owner != null) query.set('owner', `${owner.kind}/${owner.name}`);
  const found = useQuery({
    queryKey: ['successor', cluster, namespace, name, uid, query.toString()],
    queryFn: () => call<PodList>('GET', `/api/pods?${query}`),
    enabled: fate !== 'there' && (fate === 'replaced' || owner != null),
  });
  return (found.data?.items as Pod[] | undefined)?.find((pod) => pod.uid !== uid) ?? null;
}
