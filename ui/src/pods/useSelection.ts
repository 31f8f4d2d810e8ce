import { useCallback, useMemo, useRef, useState } from 'react';

import type { LiveList, ListState } from '../live/list';
import type { Pod } from './pod';
import { added, between, NOTHING, removed, type Selection, toggled } from './selection';

/** Returns the pods that are picked, and what picks them. */
export function useSelection(list: LiveList<Pod>, { shown }: ListState) {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const last = useRef<string>(undefined);
  const toggle = useCallback(
    (key: string) => {
      const pod = list.row(key);
      if (pod === undefined) return;
      last.current = key;
      setSelection((now) => toggled(now, pod));
    },
    [list],
  );
  /** Picks the rows from one to another; without the first, from the one that was picked last. */
  const pickRange = useCallback(
    (to: string, from = last.current) => {
      const range = between(list.state().shown.keys, from ?? to, to).flatMap((key) => list.row(key) ?? []);
      last.current = to;
      setSelection((now) => added(now, range));
    },
    [list],
  );
  const toggleAll = useCallback(() => {
    const keys = list.state().shown.keys;
    const rows = keys.flatMap((key) => list.row(key) ?? []);
    setSelection((now) => (keys.every((key) => now.has(key)) ? removed(now, keys) : added(now, rows)));
  }, [list]);
  const clear = useCallback(() => {
    setSelection(NOTHING);
  }, []);
  const here = shown.keys.filter((key) => selection.has(key)).length;
  const all = here === 0 ? false : here === shown.keys.length ? true : ('mixed' as const);
  const picking = useMemo(
    () => ({ isPicked: (key: string) => selection.has(key), toggle, all, toggleAll }),
    [selection, toggle, all, toggleAll],
  );
  return { selection, setSelection, picking, here, pickRange, clear };
}
