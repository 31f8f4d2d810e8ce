import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';

import { ApiError, call, session } from '../api/client';
import { send } from '../api/send';
import type { SessionState } from '../api/session';
import type { Account, Login, User } from '../api/types';

/** Who is logged in. Fails if nobody is. */
export const me = queryOptions({
  queryKey: ['me'],
  queryFn: async (): Promise<User> => {
    const account = await call<Account>('GET', '/api/auth/me');
    session.found({ user: account, expire: Date.parse(account.expire) });
    return account;
  },
});

/** Returns what this tab knows of its session, and follows it. */
export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.state);
}

/** Returns whether a call failed because nobody is logged in, or no longer. */
export function isLoggedOut(error: unknown): boolean {
  return error instanceof ApiError && Math.floor(error.code / 1000) === 401;
}

/** Opens a session. The server sets its cookies; the page keeps no token. */
export async function logIn(queries: QueryClient, username: string, password: string): Promise<void> {
  const { user, expire } = await send<Login>('POST', '/api/auth/login', { username, password });
  queries.setQueryData(me.queryKey, user);
  session.loggedIn({ user, expire: Date.parse(expire) });
}

/** Ends the session, in every tab. Nothing of it stays in this one. */
export async function logOut(queries: QueryClient): Promise<void> {
  try {
    await endSession();
  } catch (error) {
    // A session that has ended is as good as one that ends now.
    if (!isLoggedOut(error)) throw error;
  }
  forget(queries);
}

/** Forgets a session in this tab, whether it has ended or not. */
export function forget(queries: QueryClient): void {
  session.loggedOut();
  queries.clear();
}

async function endSession(): Promise<void> {
  try {
    await send('POST', '/api/auth/logout', {});
  } catch (error) {
    if (!isLoggedOut(error)) throw error;
    // The access token has expired, but the session may not have: its refresh cookie is still good.
    await send('POST', '/api/auth/refresh', {});
    await send('POST', '/api/auth/logout', {});
  }
}
