import { base } from '../app/base';
import { now } from '../app/clock';
import { type Method, send, sendForText, sendTagged, type Tagged } from './send';
import { type News, Session } from './session';
import type { Login } from './types';

export { ApiError } from './error';

/** The name of the lock and of the channel that the tabs of this server's page share. */
const SHARED = `podgate${base}`;

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(SHARED) : undefined;

/** The session of this tab. */
export const session = new Session({
  now,
  isSeen: () => document.visibilityState === 'visible',
  refresh: async () => {
    const { user, expire } = await send<Login>('POST', '/api/auth/refresh', {});
    return { user, expire: Date.parse(expire) };
  },
  // Locks exist on https and on localhost only. The server forgives tabs that refresh at once.
  alone: async (work) => {
    if ('locks' in navigator) await navigator.locks.request(SHARED, work);
    else await work();
  },
  tell: (news) => channel?.postMessage(news),
});

channel?.addEventListener('message', ({ data }: MessageEvent<News>) => {
  session.heard(data);
});

/**
 * Calls the API and returns the `data` of its answer, whose type the caller takes from schema.d.ts.
 * The session's cookie goes along by itself. A call whose access token has expired refreshes it and
 * is tried once more.
 *
 * @throws {ApiError} for every other outcome, also if there is no connection.
 */
export function call<T>(method: Method, path: string, body?: unknown): Promise<T> {
  return session.run(() => send<T>(method, path, body));
}

/** Reads a text of a media type from the API, as {@link call} reads data. */
export function callForText(path: string, accept: string): Promise<string> {
  return session.run(() => sendForText(path, accept));
}

/** Calls the API about something that has an `ETag`, as {@link call} does. See {@link sendTagged}. */
export function callTagged<T>(method: Method, path: string, body?: unknown, tag?: string): Promise<Tagged<T>> {
  return session.run(() => sendTagged<T>(method, path, body, tag));
}
