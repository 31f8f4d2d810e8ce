import { base } from '../app/base';

/** Returns the version of the page that the server has now; empty if it can't be had. */
export async function readVersion(): Promise<string> {
  try {
    const response = await fetch(`${base}/api/version`, { signal: AbortSignal.timeout(30_000) });
    const answer: unknown = await response.json();
    const isVersion = typeof answer === 'object' && answer !== null && 'ui' in answer;
    return isVersion && typeof answer.ui === 'string' ? answer.ui : '';
  } catch {
    return '';
  }
}
