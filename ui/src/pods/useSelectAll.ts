import { useCallback } from 'react';

import { call } from '../api/client';
import type { Target } from './deletion';
import { type PodQuery, writeQuery } from './query';
import { added, type Selection } from './selection';

/** The most identities that one answer has (docs/api.md). */
const MOST = 5000;

/**
 * Returns how many matches there are besides those that are picked, and what picks all of them: one
 * answer of identities, so that no page races another.
 */
export function useSelectAll(
  query: PodQuery,
  total: number,
  selection: Selection,
  onSelection: (change: (selection: Selection) => Selection) => void,
) {
  const select = useCallback(() => {
    const search = new URLSearchParams({ fields: 'id', pageSize: String(MOST) });
    for (const [name, value] of Object.entries(writeQuery(query))) {
      for (const one of Array.isArray(value) ? value : [value]) search.append(name, one);
    }
    void call<{ items: Target[] }>('GET', `/api/pods?${search.toString()}`).then(
      ({ items }) => {
        onSelection((now) => added(now, items));
      },
      // The offer stays, and so does what is picked.
      () => undefined,
    );
  }, [query, onSelection]);
  return { count: total > selection.size && total <= MOST ? total : undefined, select };
}
