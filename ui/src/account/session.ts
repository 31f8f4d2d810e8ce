import { type QueryClient, queryOptions } from '@tanstack/react-query';

import { ApiError, call } from '../api/client';
import type { Login, User } from '../api/types';

/** Who is logged in. Fails if nobody is. */
export const me = queryOptions({
  queryKey: ['me'],
  queryFn: () => call<User>('GET', '/api/auth/me'),
});

/** Returns whether a call failed because nobody is logged in, or no longer. */
export function isLoggedOut(error: unknown): boolean {
  return error instanceof ApiError && Math.floor(error.code / 1000) === 401;
}

/** Opens a session. The server sets its cookie; the page keeps no token. */
export async function logIn(queries: QueryClient, username: string, password: string): Promise<void> {
  const { user } = await call<Login>('POST', '/api/auth/login', { username, password });
  queries.setQueryData(me.queryKey, user);
}

/** Ends the session. Nothing of it stays in the page. */
export async function logOut(queries: QueryClient): Promise<void> {
  try {
    await endSession();
  } catch (error) {
    // A session that has ended is as good as one that ends now.
    if (!isLoggedOut(error)) throw error;
  }
  queries.clear();
}

async function endSession(): Promise<void> {
  try {
    await call('POST', '/api/auth/logout', {});
  } catch (error) {
    if (!isLoggedOut(error)) throw error;
    // The access token has expired, but the session may not have: its refresh cookie is still good.
    await call('POST', '/api/auth/refresh', {});
    await call('POST', '/api/auth/logout', {});
  }
}
