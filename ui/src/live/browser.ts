import type { Clock } from './list';
import type { Surroundings, Verdict, Wire } from './socket';

/** The browser's clock. */
export const CLOCK: Clock = {
  now: () => Date.now(),
  after: (millis, action) => {
    const timer = setTimeout(action, millis);
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * Returns the browser as the surroundings of a connection to a path of this server.
 *
 * @param judge Says why a WebSocket was closed before it opened.
 * @param read Answers a frame by a call, where no WebSocket gets through.
 */
export function browser(path: string, judge: () => Promise<Verdict>, read?: Surroundings['read']): Surroundings {
  return {
    ...CLOCK,
    open: () => {
      const url = new URL(path, location.href);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      // A WebSocket has what is needed, with wider types of its handlers.
      return new WebSocket(url) as unknown as Wire;
    },
    judge,
    ...(read && { read }),
    random: Math.random,
  };
}
