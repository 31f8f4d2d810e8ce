import fc from 'fast-check';
import { expect, test } from 'vitest';

import { byteLength, Chunk, factsOf, Flag } from './chunk';
import type { Line } from './feed';
import { CUT } from './show';
import { Store } from './store';
import { CELLS, measureBy } from './width';

const measure = measureBy(CELLS);
const SMALL = { lines: 20, bytes: 1e9, chunkLines: 5, chunkUnits: 100 };

function line(text: string, ms = Number.NaN, nanos = 0, source = 0): Line {
  return { text, ms, nanos, source };
}

/** Returns all lines that a store has, by their numbers. */
function all(store: Store): [number, Line][] {
  return Array.from({ length: store.count }, (_, index) => {
    const number = store.first + index;
    const place = store.find(number);
    if (place === undefined) throw new Error(`line ${number} is not found`);
    const { chunk, at } = place;
    const facts = { ms: chunk.ms[at] ?? 0, nanos: chunk.nanos[at] ?? 0, source: chunk.sources[at] ?? 0 };
    return [number, { ...facts, text: chunk.raw(at) }];
  });
}

const anyLine = fc.record({
  text: fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 30, maxLength: 200 })),
  ms: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: 0, max: 1e12 })),
  nanos: fc.integer({ min: 0, max: 999_999 }),
  source: fc.integer({ min: 0, max: 65_535 }),
});

test('the newest lines are here, whole and by their numbers', () => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 80 }), (lines) => {
      const store = new Store(SMALL);
      for (const one of lines) {
        store.append(one, measure);
        store.trim();
        expect(store.count).toBeLessThanOrEqual(SMALL.lines);
      }
      expect(store.end).toBe(lines.length);
      expect(store.hasLetGo).toBe(store.first > 0);
      expect(all(store)).toEqual(lines.map((one, at): [number, Line] => [at, one]).slice(store.first));
      // No more is let go than a chunk.
      expect(store.count).toBeGreaterThanOrEqual(Math.min(lines.length, SMALL.lines - SMALL.chunkLines + 1));
      for (const beyond of [store.first - 1, store.end]) expect(store.find(beyond)).toBeUndefined();
    }),
  );
});

test('the oldest chunk goes first when bytes are too many, and the one being filled stays', () => {
  const store = new Store({ lines: 1000, bytes: 1000, chunkLines: 2, chunkUnits: 1e9 });
  for (let at = 0; at < 20; at += 1) {
    store.append(line(`${at}:${'x'.repeat(100)}`), measure);
    store.trim();
    expect(store.bytes).toBeLessThanOrEqual(1000);
  }
  expect(store.find(19)).toBeDefined();
  store.append(line('中'.repeat(5000)), measure);
  expect(store.trim().length).toBeGreaterThan(0);
  expect(store.chunks).toHaveLength(1);
  expect(store.count).toBe(1);
});

test('text beyond Latin takes two bytes a unit', () => {
  const of = (text: string) => {
    const store = new Store({ lines: 10, bytes: 1e9, chunkLines: 1, chunkUnits: 1e9 });
    store.append(line(text), measure);
    return store.bytes;
  };
  expect(of('é'.repeat(100))).toBe(of('x'.repeat(100)));
  expect(of('中'.repeat(100))).toBe(of('x'.repeat(200)));
});

test('a chunk ends after so much text', () => {
  const store = new Store({ ...SMALL, lines: 1000 });
  for (let at = 0; at < 4; at += 1) store.append(line('x'.repeat(60)), measure);
  expect(store.chunks.map(({ count }) => count)).toEqual([2, 2]);
  expect(store.chunks[0]?.ms).toHaveLength(2);
  expect(all(store).map(([, { text }]) => text)).toEqual(Array(4).fill('x'.repeat(60)));
});

test('the store says from which time on it has lines', () => {
  const store = new Store({ ...SMALL, lines: 5, chunkLines: 2 });
  expect(store.from).toBeNull();
  store.append(line('no time'), measure);
  expect(store.from).toBeNull();
  for (let at = 1; at < 9; at += 1) store.append(line('x', at * 1000, at), measure);
  expect(store.from).toEqual({ ms: 1000, nanos: 1 });
  store.trim();
  expect(store.from).toEqual({ ms: 4000, nanos: 4 });
});

test('a mark has a number between the lines', () => {
  const store = new Store(SMALL);
  store.append(line('a'), measure);
  store.mark({ kind: 'user', at: { ms: 1, nanos: 0 } });
  store.append(line('b'), measure);
  const place = store.find(1);
  expect(place?.chunk.marks.get(place.at)).toEqual({ kind: 'user', at: { ms: 1, nanos: 0 } });
  expect(all(store).map(([, { text }]) => text)).toEqual(['a', '', 'b']);
});

test('facts of lines', () => {
  for (const [text, facts] of [
    ['plain', { flags: 0, level: 0, columns: 5, rawColumns: 5 }],
    ['ERROR plain', { flags: 0, level: 5, columns: 11, rawColumns: 11 }],
    ['a\tb', { flags: Flag.special, level: 0, columns: 9, rawColumns: 9 }],
    ['\u001b[31mred', { flags: Flag.special, level: 0, columns: 3, rawColumns: 3 }],
    ['中文', { flags: Flag.uneven, level: 0, columns: 4, rawColumns: 4 }],
    ['{"level":"warn","msg":"m"}', { flags: Flag.special | Flag.structured, level: 4, columns: 7, rawColumns: 26 }],
    ['x'.repeat(CUT + 1), { flags: Flag.special | Flag.cut | Flag.cutRaw, level: 0, columns: CUT, rawColumns: CUT }],
    [
      `{"msg":"中",${' '.repeat(CUT)}"a":1}`,
      {
        flags: Flag.special | Flag.structured | Flag.uneven | Flag.cutRaw,
        level: 0,
        columns: 6,
        rawColumns: CUT + 1,
      },
    ],
  ] as const) {
    expect(factsOf(text, measure), text.slice(0, 30)).toEqual(facts);
  }
});

test('bytes are those of UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(byteLength(text)).toBe(new TextEncoder().encode(text).length);
    }),
  );
});

test('text from a place on is that of the lines from there, open or sealed', () => {
  const chunk = new Chunk(0, Number.NaN, 10);
  for (const text of ['a', 'bc', 'def']) chunk.add(line(text), factsOf(text, measure));
  expect([0, 1, 3].map((at) => chunk.textFrom(at))).toEqual(['abcdef', 'bcdef', '']);
  chunk.seal();
  expect([0, 1, 3].map((at) => chunk.textFrom(at))).toEqual(['abcdef', 'bcdef', '']);
  expect(chunk.raw(1)).toBe('bc');
});
