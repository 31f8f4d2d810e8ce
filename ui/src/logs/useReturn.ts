import { useEffect } from 'react';

import { call, session } from '../api/client';
import type { FeedState } from '../lines/feed';
import type { Log } from './useLog';

/** The wait before another try, in milliseconds, so that refusals don't become a flood. */
const PAUSE = 1_000;

/** Connects a log again when the reader has logged in again, or may be connected again. */
export function useReturn({ client }: Log, feed: FeedState | undefined): void {
  useEffect(() => {
    const retry = () => {
      client.send({ type: 'retry' });
    };
    window.addEventListener('online', retry);
    window.addEventListener('focus', retry);
    const endReturn = session.onReturn(retry);
    return () => {
      endReturn();
      window.removeEventListener('online', retry);
      window.removeEventListener('focus', retry);
    };
  }, [client]);
  const isLoggedOut = feed?.kind === 'loggedOut';
  useEffect(() => {
    if (!isLoggedOut) return undefined;
    const timer = setTimeout(() => {
      // The worker has no part in the session: the page renews it, or asks for the password.
      call('GET', '/api/auth/me').then(
        () => {
          client.send({ type: 'retry' });
        },
        () => undefined,
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
    };
  }, [client, isLoggedOut]);
}
