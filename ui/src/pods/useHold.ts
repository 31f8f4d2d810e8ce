import { useCallback, useEffect, useRef } from 'react';

import type { LiveList } from '../live/list';
import type { Pod } from './pod';

/** For how long no key and no pointer must have moved before rows may, in milliseconds. */
const STILL = 600;

/** Whether a menu, a list or a dialog is open: rows behind it stay where they are. */
function isSomethingOpen(): boolean {
  return document.querySelector('[role="menu"], [role="dialog"], [role="alertdialog"], [role="listbox"]') !== null;
}

/**
 * Holds the order of a list while somebody works in it.
 *
 * At its top a list follows at once. Elsewhere an order waits until no key and no pointer has moved
 * for 600 ms and nothing is open over the list.
 *
 * @returns What takes the news that the list is at its top, or no longer.
 */
export function useHold(list: LiveList<Pod>): (isTop: boolean) => void {
  const isTop = useRef(true);
  useEffect(() => {
    let movedAt = Number.NEGATIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isHeld = () => !isTop.current && (performance.now() - movedAt < STILL || isSomethingOpen());
    const release = () => {
      timer = undefined;
      if (list.state().waiting === undefined) return;
      if (isHeld()) timer = setTimeout(release, STILL);
      else list.apply();
    };
    const moved = () => {
      movedAt = performance.now();
      timer ??= setTimeout(release, STILL);
    };
    list.holdWhile(isHeld);
    const stop = list.subscribe(() => {
      if (list.state().waiting !== undefined) timer ??= setTimeout(release, STILL);
    });
    const events = ['pointermove', 'pointerdown', 'wheel', 'keydown'] as const;
    for (const event of events) window.addEventListener(event, moved, { passive: true, capture: true });
    return () => {
      clearTimeout(timer);
      stop();
      list.holdWhile(() => false);
      for (const event of events) window.removeEventListener(event, moved, { capture: true });
    };
  }, [list]);
  return useCallback(
    (top: boolean) => {
      isTop.current = top;
      if (top && list.state().waiting !== undefined) list.apply();
    },
    [list],
  );
}
