import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Finder, type HitPlace, MOST_HITS, PATIENCE } from './finder';
import { compile, HIT_SIZE, type Query, search, type SearchReply, type SearchRequest } from './search';
import { show } from './show';
import { Store } from './store';
import { CELLS, measureBy } from './width';

const measure = measureBy(CELLS);
const LIMITS = { lines: 30, bytes: 1e9, chunkLines: 4, chunkUnits: 1e6 };
const TEXT: Query = { text: 'a', isPattern: false, isCaseSensitive: true };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A store that is searched by hand: `step` lets the worker answer. */
class Scene {
  readonly store: Store;
  readonly finder: Finder;
  readonly requests: SearchRequest[] = [];
  started = 0;
  ended = 0;
  changes = 0;
  #ready = 0;
  #answer: (reply: SearchReply) => void = () => undefined;

  constructor(limits = LIMITS) {
    this.store = new Store(limits);
    const start = (answer: (reply: SearchReply) => void) => {
      this.started += 1;
      this.#answer = answer;
      return {
        ask: (request: SearchRequest) => this.requests.push(structuredClone(request)),
        end: () => {
          this.ended += 1;
          this.requests.length = 0;
        },
      };
    };
    this.finder = new Finder(this.store, start, () => (this.changes += 1));
  }

  add(...texts: string[]) {
    for (const text of texts) {
      this.store.append({ text, ms: Number.NaN, nanos: 0, source: 0 }, measure);
      this.store.trim();
      this.finder.trimmed();
    }
    this.finder.next();
  }

  find(query: Query | undefined, near = 0) {
    this.finder.find(query, true, near);
    this.#getReady();
  }

  /** Answers the request that is on its way; returns whether there was one. */
  step(): boolean {
    this.#getReady();
    const request = this.requests.shift();
    if (request === undefined) return false;
    const needle = compile(request.query);
    if (needle === undefined) throw new Error('not valid');
    this.#answer({ type: 'hits', id: request.id, hits: search(request.piece, needle, request.limit) });
    return true;
  }

  #getReady() {
    if (this.#ready === this.started) return;
    this.#ready = this.started;
    this.#answer({ type: 'ready' });
  }

  /** Answers until nothing is asked. */
  run() {
    while (this.step());
  }

  /** Walks once around the hits. */
  walk(direction: 1 | -1): HitPlace[] {
    const count = this.finder.status?.count ?? 0;
    return Array.from({ length: count }, () => this.finder.move(direction, this.store.first) ?? { line: -1, from: -1 });
  }
}

/** Returns the hits in all lines of a store, by looking into each. */
function naive(store: Store, query: Query): HitPlace[] {
  const expression = compile(query)?.expression;
  if (expression === undefined) return [];
  return Array.from({ length: store.count }, (_, at) => store.first + at).flatMap((line) => {
    const place = store.find(line);
    const { text } = show(place?.chunk.raw(place.at) ?? '', true);
    return [...text.matchAll(expression)].flatMap(({ 0: found, index }) =>
      found === '' ? [] : [{ line, from: index }],
    );
  });
}

const text = fc.oneof(
  fc.stringMatching(/^[abA .]{0,12}$/),
  fc.constantFrom(
    '\u001b[31ma\u001b[0mb',
    '{"level":"warn","msg":"a","b":"ab"}',
    'level=error msg="a b" b=ab',
    '{"msg":"\\u0061b\\tc"}',
    'a\u0000b\r',
    'a\tb',
    '中a文',
  ),
);
const query = fc.record({
  text: fc.constantFrom(
    'a',
    'ab',
    '.',
    'b*',
    'b=',
    '^a',
    'a$',
    '(?:)',
    '中',
    'WARN',
    'arn',
    'error a',
    '0000',
    'ab"',
    ' ',
  ),
  isPattern: fc.boolean(),
  isCaseSensitive: fc.boolean(),
});

test('the hits are those in every line that is here, whenever it came', () => {
  fc.assert(
    fc.property(fc.array(text), fc.array(text), query, fc.nat(40), fc.nat(6), (before, after, query, near, steps) => {
      const scene = new Scene();
      scene.add(...before);
      scene.find(query, near);
      for (let step = 0; step < steps; step += 1) scene.step();
      for (const one of after) scene.add(one);
      scene.run();
      const expected = naive(scene.store, query);
      expect(scene.finder.status).toEqual({ state: 'done', count: expected.length, current: 0 });
      expect(scene.walk(1)).toEqual(expected);
      if (expected.length > 0) expect(scene.finder.status?.current).toBe(expected.length);
      const { finder } = scene;
      const lines = scene.store.chunks.flatMap((chunk) => [...finder.placesIn(chunk)].map((at) => chunk.first + at));
      expect(lines).toEqual([...new Set(expected.map(({ line }) => line))]);
      for (const line of lines) {
        expect(scene.finder.hitsOf(line).map(({ from }) => ({ line, from }))).toEqual(
          expected.filter((hit) => hit.line === line),
        );
      }
    }),
    { numRuns: 200 },
  );
});

test('hits are walked in both directions, and around the ends', () => {
  const scene = new Scene();
  scene.add('aba', 'x', 'a', 'x', 'x', 'x', 'a');
  scene.find(TEXT);
  scene.run();
  const { finder } = scene;
  expect(finder.move(1, 2)).toEqual({ line: 2, from: 0 });
  expect(finder.status?.current).toBe(3);
  expect(finder.hitsOf(2)).toEqual([{ from: 0, to: 1, isCurrent: true }]);
  expect(finder.move(-1, 0)).toEqual({ line: 0, from: 2 });
  expect(finder.move(-1, 0)).toEqual({ line: 0, from: 0 });
  expect(finder.move(-1, 0)).toEqual({ line: 6, from: 0 });
  expect(finder.status?.current).toBe(4);
  expect(finder.move(1, 0)).toEqual({ line: 0, from: 0 });
});

test('without a current hit, the way back begins above the line that is looked at', () => {
  const scene = new Scene();
  scene.add('a', 'x', 'a');
  scene.find(TEXT);
  scene.run();
  expect(scene.finder.move(-1, 2)).toEqual({ line: 0, from: 0 });
});

test('the search begins at the chunk that is looked at', () => {
  const scene = new Scene();
  scene.add(...Array.from({ length: 12 }, (_, at) => `line ${at}`));
  scene.find({ ...TEXT, text: 'line' }, 5);
  const firsts: string[] = [];
  for (let [request] = scene.requests; request !== undefined; [request] = scene.requests) {
    firsts.push(request.piece.text.slice(0, 6));
    scene.step();
  }
  expect(firsts).toEqual(['line 4', 'line 8', 'line 0']);
});

test('one chunk is on its way at a time, and of an open chunk only what is new', () => {
  const scene = new Scene();
  scene.add('a1', 'a2');
  scene.find(TEXT);
  scene.add('a3');
  expect(scene.requests.map(({ piece }) => piece.text)).toEqual(['a1a2']);
  scene.step();
  expect(scene.requests.map(({ piece }) => piece.text)).toEqual(['a3']);
  expect(scene.requests[0]?.piece.offsets).toEqual(Uint32Array.of(0, 2));
});

test('a pattern that takes too long ends the worker, not the page', () => {
  const scene = new Scene();
  scene.add('a', 'a', 'a', 'a', 'a');
  scene.find({ text: '(a+)+$', isPattern: true, isCaseSensitive: true });
  scene.step();
  vi.advanceTimersByTime(PATIENCE - 1);
  expect(scene.finder.status?.state).toBe('searching');
  vi.advanceTimersByTime(1);
  expect(scene.finder.status).toEqual({ state: 'slow', count: 4, current: 0 });
  expect(scene.ended).toBe(1);
  // It stays ended until there is another pattern.
  scene.add('a');
  expect(scene.started).toBe(1);
  scene.find(TEXT);
  scene.run();
  expect([scene.started, scene.finder.status?.state, scene.finder.status?.count]).toEqual([2, 'done', 6]);
});

test('a worker that is stuck with an older pattern is replaced', () => {
  const scene = new Scene();
  scene.add('a');
  scene.find({ text: '(a+)+$', isPattern: true, isCaseSensitive: true });
  scene.find(TEXT);
  expect(scene.requests).toHaveLength(1);
  vi.advanceTimersByTime(PATIENCE);
  expect([scene.started, scene.ended, scene.finder.status?.state]).toEqual([2, 1, 'searching']);
});

test('the start of a worker does not count against the pattern', () => {
  const scene = new Scene();
  scene.add('a');
  scene.finder.find(TEXT, true, 0);
  vi.advanceTimersByTime(PATIENCE * 10);
  expect(scene.finder.status?.state).toBe('searching');
  expect(scene.requests).toHaveLength(0);
});

test('an answer to an older query is dropped', () => {
  const scene = new Scene();
  scene.add('ab');
  scene.find(TEXT);
  scene.find({ ...TEXT, text: 'x' });
  scene.run();
  expect(scene.finder.status).toEqual({ state: 'done', count: 0, current: 0 });
});

test('a pattern that is not valid is reported, and nothing is asked', () => {
  const scene = new Scene();
  scene.add('a');
  scene.find({ text: '(', isPattern: true, isCaseSensitive: true });
  expect(scene.finder.status?.state).toBe('invalid');
  expect(scene.requests).toHaveLength(0);
});

test('hits go with their lines', () => {
  const scene = new Scene();
  scene.add(...Array<string>(8).fill('a'));
  scene.find(TEXT);
  scene.run();
  scene.finder.move(1, 0);
  scene.add(...Array<string>(30).fill('x'));
  scene.run();
  expect(scene.store.first).toBe(8);
  expect(scene.finder.status).toEqual({ state: 'done', count: 0, current: 0 });
});

test('a search ends at so many hits', () => {
  const scene = new Scene({ ...LIMITS, lines: 1000 });
  scene.add(...Array<string>(20).fill('a'.repeat(10_000)));
  scene.find(TEXT);
  scene.run();
  expect(scene.finder.status).toMatchObject({ state: 'full', count: MOST_HITS });
});

test('without a query nothing is found, and closing ends the worker', () => {
  const scene = new Scene();
  scene.add('a');
  scene.find({ ...TEXT, text: '' });
  expect([scene.finder.status, scene.started]).toEqual([null, 0]);
  scene.find(TEXT);
  scene.finder.close();
  expect([scene.finder.status, scene.ended]).toEqual([null, 1]);
});

test('text is found as it stands, a pattern by its meaning', () => {
  for (const [text, isPattern, isCaseSensitive, line, hits] of [
    ['a.b', false, true, 'axb a.b', ['a.b']],
    ['a.b', true, true, 'axb a.b', ['axb', 'a.b']],
    ['ERROR', false, false, 'error Error', ['error', 'Error']],
    ['ERROR', false, true, 'error Error', []],
    ['[(+*?^${}|/\\', false, true, 'x [(+*?^${}|/\\', ['[(+*?^${}|/\\']],
    ['x*', true, true, 'axx', ['xx']],
    ['\\-', true, true, 'a-b', ['-']],
    ['😀|é', true, false, 'É😀', ['É', '😀']],
    ['.', true, true, '😀', ['😀']],
  ] as const) {
    const needle = compile({ text, isPattern, isCaseSensitive });
    if (needle === undefined) throw new Error(text);
    const piece = { text: line, offsets: Uint32Array.of(0, line.length), flags: Uint8Array.of(0), structured: true };
    const found = search(piece, needle, 10);
    const texts = Array.from({ length: found.length / HIT_SIZE }, (_, at) =>
      line.slice(found[at * HIT_SIZE + 1], found[at * HIT_SIZE + 2]),
    );
    expect(texts, text).toEqual(hits);
  }
});

test('a cut line is searched beyond its cut, within bounds', () => {
  const store = new Store(LIMITS);
  const text = `${'x'.repeat(10_000)}needle${'x'.repeat(16 * 1024 * 1024)}needle`;
  const { chunk } = store.append({ text, ms: Number.NaN, nanos: 0, source: 0 }, measure);
  const piece = { text, offsets: chunk.offsets.slice(0, 2), flags: chunk.flags.slice(0, 1), structured: true };
  const needle = { expression: /needle/g, mayBeIn: () => true };
  expect([...search(piece, needle, 10)]).toEqual([0, 10_000, 10_006]);
});
