import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Days, readTime, writeTime } from './time';

test('a time keeps its nanoseconds through reading and writing', () => {
  const ms = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2200, 0) });
  fc.assert(
    fc.property(ms, fc.integer({ min: 0, max: 999_999 }), (ms, nanos) => {
      const text = writeTime({ ms, nanos });
      expect(readTime(`${text} a line`)).toEqual({ ms, nanos, length: text.length });
    }),
  );
});

test('a time is written with the digits that it has, as the kubelet writes it', () => {
  for (const text of [
    '2026-01-07T10:00:00Z',
    '2026-01-07T10:00:00.1Z',
    '2026-01-07T10:00:00.000000001Z',
    '2024-02-29T23:59:59.999999999Z',
  ]) {
    expect(writeTime(readTime(text) ?? { ms: 0, nanos: 0 })).toBe(text);
  }
});

test('text that does not begin with a time in UTC has none', () => {
  for (const text of [
    '',
    'line',
    '2026-01-07',
    ' 2026-01-07T10:00:00Z',
    '2026-01-07T10:00:00+02:00',
    '2026-01-07T10:00:00.Z',
  ]) {
    expect(readTime(text), text).toBeUndefined();
  }
});

test('two times are of one day if they have the same date in the zone', () => {
  const utc = new Days('utc');
  const local = new Days('local');
  const day = (ms: number) => new Date(ms).toDateString();
  const time = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) });
  fc.assert(
    fc.property(time, fc.integer({ min: -100_000_000, max: 100_000_000 }), (ms, step) => {
      expect(utc.start(ms) === utc.start(ms + step)).toBe(
        new Date(ms).toISOString().slice(0, 10) === new Date(ms + step).toISOString().slice(0, 10),
      );
      expect(local.start(ms) === local.start(ms + step)).toBe(day(ms) === day(ms + step));
    }),
  );
});
