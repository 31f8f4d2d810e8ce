import { expect, test } from 'vitest';

import { wait } from './backoff';

const attempts = Array.from({ length: 40 }, (_, n) => n + 1);

test('the longest wait doubles up to 15 s', () => {
  expect(attempts.slice(0, 7).map((attempt) => wait(attempt, () => 1))).toEqual([
    1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
  ]);
});

test('the shortest wait is half of it, and never below 0.5 s', () => {
  expect(attempts.slice(0, 7).map((attempt) => wait(attempt, () => 0))).toEqual([
    500, 1000, 2000, 4000, 7500, 7500, 7500,
  ]);
});

test('clients of a server that was away spread over the wait', () => {
  const waits = new Set(attempts.map((n) => wait(5, () => n / 41)));
  expect(waits.size).toBe(attempts.length);
  for (const one of waits) expect(one).toBeGreaterThanOrEqual(7500);
  for (const one of waits) expect(one).toBeLessThanOrEqual(15_000);
});
