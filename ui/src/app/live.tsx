import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';

import { ApiError, call, session } from '../api/client';
import { browser, CLOCK } from '../live/browser';
import type { ServerFrame } from '../live/frames';
import { LiveList, type ListState } from '../live/list';
import { LiveSocket, type Verdict } from '../live/socket';
import type { Pod } from '../pods/pod';
import { base } from './base';

/** The live queries of the page: the list, and the counts beside it. */
export interface Live {
  readonly pods: LiveList<Pod>;
  readonly summary: LiveList<Pod>;
}

/** How often in a row the server has answered though no WebSocket opened. */
let answered = 0;
/** After how many of them the way of WebSockets counts as blocked. */
const BLOCKED = 3;

/** Says why a WebSocket did not open: a browser reports only that it did not. */
async function judge(): Promise<Verdict> {
  try {
    await call('GET', '/api/auth/me');
    answered += 1;
    return answered >= BLOCKED ? 'blocked' : 'again';
  } catch (error) {
    answered = 0;
    return error instanceof ApiError && Math.floor(error.code / 1000) === 401 ? 'over' : 'again';
  }
}

function open(rows: number): LiveList<Pod> {
  return new LiveList<Pod>(
    (listener) =>
      new LiveSocket<ServerFrame>(browser(`${base}/ws/pods`, judge), {
        ...listener,
        opened: () => {
          answered = 0;
          listener.opened();
        },
      }),
    CLOCK,
    rows,
  );
}

const LiveContext = createContext<Live | undefined>(undefined);

/** Keeps the live queries open for as long as it is shown. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const [live, setLive] = useState<Live>();
  useEffect(() => {
    const opened: Live = { pods: open(100), summary: open(1) };
    opened.summary.ask({ query: {}, facets: ['cluster', 'problem'] });
    setLive(opened);
    const retry = () => {
      opened.pods.retry();
      opened.summary.retry();
    };
    window.addEventListener('online', retry);
    window.addEventListener('focus', retry);
    const endReturn = session.onReturn(retry);
    return () => {
      endReturn();
      window.removeEventListener('online', retry);
      window.removeEventListener('focus', retry);
      opened.pods.close();
      opened.summary.close();
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

/** Returns what is known of a live query, and follows it. */
export function useList(list: LiveList<Pod>): ListState {
  return useSyncExternalStore(list.subscribe, list.state);
}

/** Returns how many pods are not well anywhere; `undefined` until it is known. */
export function useNotWell(): number | undefined {
  const { facets, answered: isKnown } = useList(useLive().summary);
  if (isKnown === undefined) return undefined;
  return facets['problem']?.find(({ value }) => value === 'true')?.count ?? 0;
}
