import { useCallback } from 'react';

import type { Cursor } from '../grid/cursor';
import type { LiveList, ListState } from '../live/list';
import { keyOf } from '../live/window';
import type { Tab } from '../pod/place';
import type { Pod } from './pod';
import type { PodUrl } from './usePodQuery';

/** Returns the key of the open pod, what opens another one, and what opens the list's next or previous. */
export function useOpenPod(
  list: LiveList<Pod>,
  { shown }: ListState,
  { place, setPlace }: PodUrl,
  onCursor: (cursor: Cursor) => void,
) {
  const isOpen = place !== undefined;
  const openKey = isOpen ? keyOf(place) : undefined;
  const tab = place?.tab;
  const open = useCallback(
    (key: string, at: Tab = 'overview', isPrevious = false) => {
      const pod = list.row(key);
      if (pod === undefined) return;
      const { cluster, namespace, name, uid } = pod;
      setPlace({ cluster, namespace, name, uid, tab: at, container: '', isPrevious }, isOpen);
    },
    [list, setPlace, isOpen],
  );
  const move = useCallback(
    (step: 1 | -1) => {
      const at = openKey === undefined ? -1 : shown.keys.indexOf(openKey);
      const key = shown.keys[at + step];
      if (at < 0 || key === undefined) return;
      onCursor({ key, index: shown.offset + at + step });
      open(key, tab);
    },
    [openKey, shown, onCursor, open, tab],
  );
  return { openKey, isOpen, open, move };
}
