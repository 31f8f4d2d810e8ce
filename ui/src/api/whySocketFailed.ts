import type { Verdict } from '../live/socket';
import { call, session } from './client';
import type { Account } from './types';

/** Says why a WebSocket did not open, of which a browser reports only that it did not. */
export async function whySocketFailed(): Promise<Verdict> {
  const { grants } = session;
  try {
    const account = await call<Account>('GET', '/api/auth/me');
    const isFresh = session.grants !== grants;
    // The cookies may be somebody else's by now.
    session.found({ user: account, expire: Date.parse(account.expire) });
    if (session.state().phase !== 'over') return isFresh ? 'again' : 'answers';
  } catch {
    if (session.state().phase !== 'over') return 'again';
  }
  return 'over';
}
