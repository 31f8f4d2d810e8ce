/** The first and the longest wait before another try, in milliseconds. */
const FIRST = 500;
const LONGEST = 15_000;

/**
 * Returns how long to wait before try `attempt`, counted from 1, in milliseconds: at least half of a
 * length that doubles each time, and at most all of it, by chance. So the clients of a server that
 * was away do not all return at once.
 */
export function wait(attempt: number, random: () => number): number {
  const full = Math.min(LONGEST, FIRST * 2 ** attempt);
  return Math.max(FIRST, full * (0.5 + random() / 2));
}
