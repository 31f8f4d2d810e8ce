import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';

import { ApiError, call, session } from '../api/client';
import type { PodList } from '../api/types';
import { readVersion } from '../api/version';
import { onWake } from '../api/wake';
import { whySocketFailed } from '../api/whySocketFailed';
import { browser, CLOCK } from '../live/browser';
import type { ClientFrame, ServerFrame } from '../live/frames';
import { LiveList, type ListState } from '../live/list';
import { reader } from '../live/reader';
import { LiveSocket } from '../live/socket';
import type { Pod } from '../pods/pod';
import { base } from './base';
import { release } from './release';

/** The live queries of the page: the list, and the counts beside it. */
export interface Live {
  readonly pods: LiveList<Pod>;
  readonly summary: LiveList<Pod>;
  /** Tries to connect at once. */
  readonly retry: () => void;
}

/** Returns what answers a live query by calls, where no WebSocket gets through. */
function answer(): (frame: object) => Promise<ServerFrame> {
  const read = reader((query) => call<PodList>('GET', `/api/pods?${query}`));
  return async (frame) => {
    try {
      return await read(frame as ClientFrame);
    } catch (error) {
      const { code, message } = error instanceof ApiError ? error : new ApiError(0, String(error), '', undefined);
      return { type: 'error', code, message };
    }
  };
}

/** For how long a hidden page keeps its list current, in milliseconds. */
const UNSEEN = 600_000;

/**
 * Gets changes of lists less often while the page is hidden, and after a while none, except of those that
 * `lasting` names. Returns what ends this.
 */
function followSight(resting: readonly LiveList<Pod>[], lasting: readonly LiveList<Pod>[] = []): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    const isHidden = document.visibilityState === 'hidden';
    clearTimeout(timer);
    for (const list of [...resting, ...lasting]) list.hide(isHidden);
    if (isHidden) {
      timer = setTimeout(() => {
        for (const list of resting) list.rest();
      }, UNSEEN);
    }
  };
  document.addEventListener('visibilitychange', look);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}

function open(rows: number, onOpen: () => void): LiveList<Pod> {
  return new LiveList<Pod>(
    (listener) =>
      new LiveSocket<ServerFrame>(browser(`${base}/ws/pods`, whySocketFailed, answer()), {
        ...listener,
        opened: () => {
          onOpen();
          listener.opened();
        },
      }),
    CLOCK,
    rows,
  );
}

/** Compares this page with the one that the server has now. */
async function compare(): Promise<void> {
  release.seen(await readVersion());
}

const LiveContext = createContext<Live | undefined>(undefined);

/** Keeps the live queries open for as long as it is shown. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const [live, setLive] = useState<Live>();
  useEffect(() => {
    const pods = open(100, () => undefined);
    const summary = open(1, () => void compare());
    const lists = [pods, summary];
    const retry = () => {
      for (const list of lists) list.retry();
    };
    summary.ask({ query: {}, facets: ['cluster', 'problem'] });
    setLive({ pods, summary, retry });
    const ends = [
      followSight([pods], [summary]),
      session.onReturn(retry),
      onWake(() => {
        for (const list of lists) list.wake();
      }),
    ];
    return () => {
      for (const end of ends) end();
      for (const list of lists) list.close();
      setLive(undefined);
    };
  }, []);
  return live === undefined ? null : <LiveContext value={live}>{children}</LiveContext>;
}

/** Returns the live queries. */
export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error('useLive stands outside of LiveProvider');
  return live;
}

/** Opens a live query of one pod for as long as its user is shown; `undefined` until then. */
export function usePodList(): LiveList<Pod> | undefined {
  const [list, setList] = useState<LiveList<Pod>>();
  useEffect(() => {
    // Two clusters may be one, so a name can lead to more than one row.
    const opened = open(10, () => undefined);
    setList(opened);
    const ends = [followSight([opened]), session.onReturn(opened.retry), onWake(opened.wake)];
    return () => {
      for (const end of ends) end();
      opened.close();
      setList(undefined);
    };
  }, []);
  return list;
}

const NOTHING = () => () => undefined;

/** Returns what is known of a live query, and follows it. */
export function useList(list: LiveList<Pod>): ListState;
export function useList(list: LiveList<Pod> | undefined): ListState | undefined;
export function useList(list: LiveList<Pod> | undefined): ListState | undefined {
  return useSyncExternalStore(list?.subscribe ?? NOTHING, () => list?.state());
}

/** Returns how many pods are not well anywhere; `undefined` until it is known. */
export function useNotWell(): number | undefined {
  const { facets, answered: isKnown } = useList(useLive().summary);
  if (isKnown === undefined) return undefined;
  return facets['problem']?.find(({ value }) => value === 'true')?.count ?? 0;
}
