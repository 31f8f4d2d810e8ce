import { type RefObject, useCallback, useEffect, useRef } from 'react';

import type { Cursor } from '../grid/cursor';
import type { GridHandle } from '../grid/Grid';
import type { LiveList, ListState } from '../live/list';
import { keyOf } from '../live/window';
import type { Place, Tab } from '../pod/place';
import type { Pod } from './pod';
import type { PodUrl } from './usePodQuery';

interface OpenPodContext {
  readonly list: LiveList<Pod>;
  readonly state: ListState;
  readonly url: PodUrl;
  readonly grid: RefObject<GridHandle | null>;
  readonly onCursor: (cursor: Cursor) => void;
}

/**
 * Returns the key of the open pod, what opens another one, and what opens the list's next or previous.
 *
 * The list may have its window elsewhere: it is then placed around the open pod first, and the step is
 * made when its neighbours have come.
 */
export function useOpenPod({ list, state, url, grid, onCursor }: OpenPodContext) {
  const { shown } = state;
  const { place, setPlace } = url;
  const isOpen = place !== undefined;
  const openKey = isOpen ? keyOf(place) : undefined;
  const tab = place?.tab;
  const open = useCallback(
    (key: string, at: Tab = 'overview', isPrevious = false) => {
      const pod = list.row(key);
      if (pod !== undefined) setPlace(placeOf(pod, at, isPrevious), isOpen);
    },
    [list, setPlace, isOpen],
  );
  const pending = useRef<Pending>(undefined);
  const step = useCallback(
    (by: Pending['by']): boolean => {
      const at = openKey === undefined ? -1 : shown.keys.indexOf(openKey);
      const key = by === 0 ? openKey : shown.keys[at + by];
      if (at < 0 || key === undefined || list.row(key) === undefined) return false;
      const index = shown.offset + at + by;
      onCursor({ key, index });
      grid.current?.reveal(index);
      if (by !== 0) open(key, tab);
      return true;
    },
    [list, openKey, shown, grid, onCursor, open, tab],
  );
  const move = useCallback(
    (by: 1 | -1) => {
      if (place === undefined || step(by)) return;
      const at = shown.keys.indexOf(keyOf(place));
      const index = at < 0 ? undefined : shown.offset + at + by;
      // There is nothing before the first row and after the last.
      if (index !== undefined && (index < 0 || index >= state.shownTotal)) return;
      pending.current = { by, shown };
      list.find(place);
    },
    [list, place, shown, state.shownTotal, step],
  );
  // A link to a pod shows where it stands in the list, too.
  const first = useRef(place);
  useEffect(() => {
    if (first.current === undefined) return;
    pending.current = { by: 0, shown };
    list.find(first.current);
    first.current = undefined;
  }, [list, shown]);
  useEffect(() => {
    const wish = pending.current;
    if (wish === undefined || wish.shown === shown || state.isAsking) return;
    pending.current = undefined;
    step(wish.by);
  }, [shown, state.isAsking, step]);
  return { openKey, isOpen, open, move };
}

/** A step to make when another window has come than the one that was shown. */
interface Pending {
  readonly by: 1 | 0 | -1;
  readonly shown: ListState['shown'];
}

/** Returns the place of a pod of the list. */
export function placeOf({ cluster, namespace, name, uid }: Pod, tab: Tab, isPrevious = false): Place {
  return { cluster, namespace, name, uid, tab, container: '', isPrevious, find: '' };
}
