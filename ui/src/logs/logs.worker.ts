import { serve } from '../lines/serve';
import { browser } from '../live/browser';
import type { Verdict } from '../live/socket';
import { type LogConfig, podFeed } from './podFeed';

/** Says why the stream did not open: whether the session is over. */
async function judge(account: string): Promise<Verdict> {
  try {
    const { status } = await fetch(account);
    return status === 401 ? 'over' : 'again';
  } catch {
    return 'again';
  }
}

serve<LogConfig>((config) => {
  const account = `${config.path.replace(/\/ws\/.*/, '')}/api/auth/me`;
  return podFeed(
    config,
    browser(config.path, () => judge(account)),
  );
});
