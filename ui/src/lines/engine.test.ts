import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Client } from './client';
import { Engine } from './engine';
import type { Line, Sink } from './feed';
import type { FromEngine, ToEngine } from './messages';
import { HIGHEST } from './scale';
import { compile, search } from './search';
import { LIMITS } from './store';
import { CELLS } from './width';

const LAYOUT = { columns: 20, wrap: true, structured: true, markRows: 1, zone: 'utc', widths: CELLS } as const;

/** An engine with a page's client, of which every message is copied on its way, as by workers. */
class Scene {
  readonly sinks: Sink[] = [];
  readonly closed: number[] = [];
  readonly sent: FromEngine[] = [];
  readonly client: Client<number>;
  readonly engine: Engine<number>;
  now = 1_000_000;
  changes = 0;
  retries = 0;
  #receive: (message: FromEngine) => void = () => undefined;

  constructor(limits = { ...LIMITS, lines: 40, chunkLines: 8 }) {
    this.engine = new Engine<number>(
      {
        send: (message) => {
          this.sent.push(message);
          this.#receive(structuredClone(message));
        },
        feed: (config) => (sink) => {
          this.sinks.push(sink);
          return {
            retry: () => (this.retries += 1),
            close: () => this.closed.push(config),
          };
        },
        startSearcher: (answer) => {
          queueMicrotask(() => {
            answer({ type: 'ready' });
          });
          return {
            ask: ({ id, query, piece, limit }) => {
              queueMicrotask(() => {
                const needle = compile(query);
                answer({ type: 'hits', id, hits: needle ? search(piece, needle, limit) : new Uint32Array() });
              });
            },
            end: () => undefined,
          };
        },
        now: () => this.now,
      },
      limits,
    );
    this.client = new Client<number>(
      (receive) => {
        this.#receive = receive;
        return {
          post: (message: ToEngine<number>) => {
            this.engine.receive(structuredClone(message));
          },
          end: () => undefined,
        };
      },
      () => (this.changes += 1),
    );
    this.client.send({ type: 'layout', layout: LAYOUT });
    this.client.send({ type: 'open', config: 1 });
  }

  get sink(): Sink {
    const sink = this.sinks.at(-1);
    if (sink === undefined) throw new Error('no feed');
    return sink;
  }

  add(...texts: string[]) {
    this.sink.lines(texts.map((text): Line => ({ text, ms: Number.NaN, nanos: 0, source: 0 })));
  }

  /** Returns all rows as text. */
  async texts(): Promise<string[]> {
    const { rows } = await this.client.ask('view', { target: { to: 'row', row: 0 }, before: 0, count: 1, after: 1e6 });
    return rows.map((row) => (row.kind === 'text' ? row.spans.map(({ text }) => text).join('') : row.kind));
  }

  async status() {
    return (await this.client.ask('view', { target: { to: 'end' }, before: 0, count: 1, after: 0 })).status;
  }
}

test('a fast feed is announced once until the page looks', async () => {
  const scene = new Scene();
  await scene.status();
  const before = scene.sent.length;
  for (let at = 0; at < 1000; at += 1) scene.add('line');
  expect(scene.sent.slice(before)).toEqual([{ type: 'changed' }]);
  expect(scene.changes).toBe(2);
  await scene.status();
  expect(scene.changes).toBe(2);
  scene.add('line');
  expect(scene.changes).toBe(3);
});

test('the status says what is here', async () => {
  const scene = new Scene();
  scene.sink.sources(['api', 'proxy']);
  scene.sink.state({ kind: 'following' });
  for (let second = 0; second < 10; second += 1) {
    scene.sink.lines(Array.from({ length: 6 }, (_, at) => ({ text: 'x', ms: second * 1000, nanos: at, source: 1 })));
    scene.now += 1000;
  }
  expect(await scene.status()).toMatchObject({
    feed: { kind: 'following' },
    sources: ['api', 'proxy'],
    lines: 36,
    hasLetGo: true,
    from: { ms: 4000, nanos: 0 },
    end: 60,
    rate: 6,
    widest: 0,
    find: null,
  });
  scene.now += 3000;
  expect((await scene.status()).rate).toBeCloseTo(12 / 5);
  scene.now += 60_000;
  expect((await scene.status()).rate).toBe(0);
});

test('another feed takes the place of the one before, of which nothing comes after that', async () => {
  const scene = new Scene();
  scene.add('old');
  const old = scene.sink;
  scene.client.send({ type: 'open', config: 2 });
  expect(scene.closed).toEqual([1]);
  old.lines([{ text: 'late', ms: Number.NaN, nanos: 0, source: 0 }]);
  old.state({ kind: 'ended' });
  scene.add('new');
  expect(await scene.texts()).toEqual(['new']);
  expect((await scene.status()).feed).toEqual({ kind: 'opening' });
  scene.client.send({ type: 'retry' });
  expect(scene.retries).toBe(1);
  scene.client.close();
  expect(scene.closed).toEqual([1, 2]);
});

test('marks stand between the lines', async () => {
  const scene = new Scene();
  scene.add('a');
  scene.sink.mark({ kind: 'gap', source: 0, before: null, after: null, reason: 'lost' });
  scene.add('b');
  scene.client.send({ type: 'mark' });
  expect(await scene.texts()).toEqual(['a', 'mark', 'b', 'mark']);
});

test('a hit is marked in its row, and can be gone to', async () => {
  const scene = new Scene();
  scene.add('one', 'two', `${'x'.repeat(30)}two`);
  scene.client.send({ type: 'find', query: { text: 'two', isPattern: false, isCaseSensitive: false }, near: 0 });
  await new Promise((done) => setTimeout(done));
  expect((await scene.status()).find).toEqual({ state: 'done', count: 2, current: 0 });
  expect(await scene.client.ask('hit', { direction: 1, line: 0 })).toEqual({ line: 1, at: 0 });
  expect(await scene.client.ask('hit', { direction: 1, line: 0 })).toEqual({ line: 2, at: 30 });
  const { rows, top } = await scene.client.ask('view', {
    target: { to: 'anchor', anchor: { line: 2, at: 30 }, delta: 0 },
    before: 0,
    count: 1,
    after: 0,
  });
  const row = rows[top];
  expect(row?.kind === 'text' ? row.spans.map(({ text, hit }) => [text, hit]) : []).toEqual([
    ['x'.repeat(10), 0],
    ['two', 2],
  ]);
});

test('errors are found in both directions', async () => {
  const scene = new Scene();
  scene.add('x', 'ERROR a', 'x', 'FATAL b', 'x');
  const error = (direction: 1 | -1, line: number) => scene.client.ask('error', { direction, line });
  expect(await error(1, 0)).toEqual({ line: 1, at: 0 });
  expect(await error(1, 1)).toEqual({ line: 3, at: 0 });
  expect(await error(1, 3)).toBeNull();
  expect(await error(-1, 3)).toEqual({ line: 1, at: 0 });
  expect(await error(-1, 1)).toBeNull();
});

test('a time is found', async () => {
  const scene = new Scene();
  scene.sink.lines([Number.NaN, 1000, 2000].map((ms) => ({ text: 'x', ms, nanos: 0, source: 0 })));
  expect(await scene.client.ask('time', { ms: 1500 })).toEqual({ line: 2, at: 0 });
  expect(await scene.client.ask('time', { ms: 2001 })).toBeNull();
});

test('copied lines are what was written, with exact times on request', async () => {
  const scene = new Scene();
  scene.sink.lines([
    { text: 'a\t\u001b[31mb\u001b[0m\r', ms: Date.UTC(2026, 0, 7), nanos: 1, source: 0 },
    { text: '{"msg":"m"}', ms: Number.NaN, nanos: 0, source: 0 },
  ]);
  scene.client.send({ type: 'mark' });
  scene.add('last');
  expect(await scene.client.ask('copy', { from: 0, to: 3, withTimes: false })).toEqual({
    text: 'a\tb\n{"msg":"m"}\nlast',
    lines: 3,
    isCut: false,
  });
  expect((await scene.client.ask('copy', { from: 0, to: 1, withTimes: true })).text).toBe(
    '2026-01-07T00:00:00.000000001Z a\tb\n{"msg":"m"}',
  );
});

test('a copy that is too long ends with a whole line', async () => {
  const scene = new Scene();
  const long = 'x'.repeat(9 * 1024 * 1024);
  scene.add(long, long, 'short');
  expect(await scene.client.ask('copy', { from: 0, to: 2, withTimes: false })).toMatchObject({ lines: 1, isCut: true });
});

test('a long line can be read in parts', async () => {
  const scene = new Scene();
  scene.add(`${'x'.repeat(100_000)}end`);
  const part = await scene.client.ask('part', { line: 0, from: 100_000, length: 10 });
  expect(part).toEqual({ text: 'end', length: 100_003 });
});

test('the strip has hits and errors at their places', async () => {
  const scene = new Scene();
  scene.add('hit', 'x', 'x', 'ERROR hit');
  scene.client.send({ type: 'find', query: { text: 'hit', isPattern: false, isCaseSensitive: true }, near: 0 });
  await new Promise((done) => setTimeout(done));
  expect([...(await scene.client.ask('strip', { parts: 4 }))]).toEqual([1, 0, 0, 3]);
  expect([...(await scene.client.ask('strip', { parts: 1 }))]).toEqual([3]);
});

test('fields unfold below their line, and hits are sought again in the other form', async () => {
  const scene = new Scene();
  scene.add('{"level":"info","a":1}');
  scene.client.send({ type: 'unfold', line: 0 });
  expect(await scene.texts()).toEqual(['INFO  a=1', 'field', 'field']);
  scene.client.send({ type: 'unfold', line: 0 });
  scene.client.send({ type: 'find', query: { text: '"level"', isPattern: false, isCaseSensitive: true }, near: 0 });
  await new Promise((done) => setTimeout(done));
  expect((await scene.status()).find?.count).toBe(0);
  scene.client.send({ type: 'layout', layout: { ...LAYOUT, structured: false } });
  await new Promise((done) => setTimeout(done));
  expect((await scene.status()).find?.count).toBe(1);
});

test('lines and sequences of any size leave an engine that answers', async () => {
  const scene = new Scene();
  scene.add('\u001b[31m'.repeat(100_000), 'x'.repeat(16 * 1024 * 1024), '中'.repeat(1024 * 1024), 'last');
  expect((await scene.texts()).at(-1)).toBe('last');
  expect((await scene.status()).lines).toBe(4);
});

test('what a feed may bring never breaks the engine', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 30 }), async (texts) => {
      const scene = new Scene();
      scene.add(...texts);
      const { rows, total } = await scene.client.ask('view', {
        target: { to: 'end' },
        before: 1000,
        count: 10,
        after: 0,
      });
      expect(rows.length).toBe(total);
      expect(total * 20).toBeLessThan(HIGHEST);
    }),
  );
});
