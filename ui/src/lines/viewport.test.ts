import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Status, View } from './messages';
import type { Layout, Row } from './render';
import { Rows } from './rows';
import { heightOf, HIGHEST, isProportional, rowAt, topOf } from './scale';
import { Store } from './store';
import { Viewport } from './viewport';
import { CELLS } from './width';

const LAYOUT: Layout = { columns: 20, wrap: true, structured: true, markRows: 2, zone: 'utc', widths: CELLS };
const LIMITS = { lines: 200, bytes: 1e9, chunkLines: 10, chunkUnits: 1e6 };

/** A viewport over a log, with time in the hand of the test. */
class Scene {
  store: Store;
  rows: Rows;
  readonly view: Viewport;
  asks = 0;
  #due: (() => void) | undefined;

  constructor(limits = LIMITS, height = 100) {
    this.store = new Store(limits);
    this.rows = new Rows(this.store, LAYOUT);
    this.view = new Viewport(
      {
        ask: ({ target, before, count, after }) => {
          this.asks += 1;
          const window = this.rows.window(target, before, count, after);
          const status = { end: this.store.end } as Status;
          return Promise.resolve<View>(structuredClone({ ...window, status }));
        },
        schedule: (run) => (this.#due = run),
        drawn: () => undefined,
      },
      20,
      height,
    );
  }

  add(...texts: string[]) {
    for (const text of texts) {
      this.rows.added(this.store.append({ text, ms: Number.NaN, nanos: 0, source: 0 }, this.rows.measure));
    }
    this.store.trim();
    this.view.refresh();
  }

  /** Lets frames pass until nothing is asked. */
  async rest() {
    for (let due = this.#due; due !== undefined; due = this.#due) {
      this.#due = undefined;
      due();
      await new Promise((done) => setImmediate(done));
    }
  }

  /** Returns the rows that are seen, each with its place on the screen. */
  seen(): string[] {
    const { rows, offset } = this.view.draw();
    const inside = rows.filter((_, at) => at * 20 - offset < this.view.height);
    return inside.map((row, at) => `${at * 20 - offset} ${row.line}:${row.at} ${textOf(row)}`);
  }
}

function textOf(row: Row): string {
  return row.kind === 'text' ? row.spans.map(({ text }) => text).join('') : row.kind;
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, at) => `line ${from + at}`);
}

test('the newest line is at the lower edge while it is followed', async () => {
  const scene = new Scene(LIMITS, 110);
  scene.add(...numbered(0, 3));
  await scene.rest();
  expect(scene.seen()).toEqual(['0 0:0 line 0', '20 1:0 line 1', '40 2:0 line 2']);
  scene.add(...numbered(3, 50));
  await scene.rest();
  expect(scene.seen()).toEqual([44, 45, 46, 47, 48, 49].map((at, row) => `${row * 20 - 10} ${at}:0 line ${at}`));
  scene.add('line 50');
  await scene.rest();
  expect(scene.seen().at(-1)).toBe('90 50:0 line 50');
  expect(scene.view.draw()).toMatchObject({ isFollowing: true, newLines: 0 });
});

test('scrolling up holds, and scrolling to the end follows', async () => {
  const scene = new Scene();
  scene.add(...numbered(0, 50));
  await scene.rest();
  scene.view.scrollBy(-30);
  expect(scene.seen()[0]).toBe('-10 43:0 line 43');
  scene.add(...numbered(50, 60));
  await scene.rest();
  expect(scene.seen()[0]).toBe('-10 43:0 line 43');
  expect(scene.view.draw()).toMatchObject({ isFollowing: false, newLines: 10 });
  scene.view.scrollBy(1000);
  await scene.rest();
  expect(scene.view.draw()).toMatchObject({ isFollowing: true, newLines: 0 });
  expect(scene.seen().at(-1)).toBe('80 59:0 line 59');
});

const text = fc.oneof(fc.constantFrom('short', 'x'.repeat(50), '中文'.repeat(15)), fc.string({ maxLength: 30 }));
type Step = { scroll: number } | { add: string[] } | { rest: true };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ scroll: fc.integer({ min: -300, max: 300 }) }),
  fc.record({ add: fc.array(text, { maxLength: 60 }) }),
  fc.record({ rest: fc.constant(true as const) }),
);

test('while it is held, nothing moves but by the hand, and by as much as the hand', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const scene = new Scene({ ...LIMITS, lines: 10_000 });
      scene.add(...numbered(0, 100));
      await scene.rest();
      scene.view.scrollBy(-500);
      await scene.rest();
      for (const one of steps) {
        const before = scene.seen();
        const wasFollowing = scene.view.isFollowing;
        if ('rest' in one) await scene.rest();
        else if ('add' in one) scene.add(...one.add);
        else {
          await scene.rest();
          const [first = ''] = scene.seen();
          const { rows } = scene.view.draw();
          scene.view.scrollBy(one.scroll);
          await scene.rest();
          if (scene.view.isFollowing || wasFollowing) continue;
          // A row that is seen before and after has moved by what the hand moved.
          const line = first.split(' ')[1];
          const after = scene.seen().find((row) => row.split(' ')[1] === line);
          const isAtStart = scene.view.draw().rows[0]?.line === 0;
          if (after !== undefined && rows.length > 0 && !isAtStart) {
            expect(Number.parseFloat(after)).toBeCloseTo(Number.parseFloat(first) - one.scroll);
          }
          continue;
        }
        if (!wasFollowing && !scene.view.isFollowing) expect(scene.seen()).toEqual(before);
      }
    }),
    { numRuns: 100 },
  );
});

test('lines that are let go above move nothing, and what is seen stays when the place itself goes', async () => {
  const scene = new Scene();
  scene.add(...numbered(0, 200));
  await scene.rest();
  scene.view.scrollBy(-2000);
  await scene.rest();
  const held = scene.seen();
  expect(held[0]).toBe('0 95:0 line 95');
  const bar = scene.view.draw().scrollTop;
  scene.add(...numbered(200, 280));
  await scene.rest();
  expect(scene.store.first).toBe(80);
  expect(scene.seen()).toEqual(held);
  expect(scene.view.draw().scrollTop).toBe(bar - 80 * 20);
  scene.add(...numbered(280, 600));
  await scene.rest();
  expect(scene.store.first).toBe(400);
  expect(scene.seen()).toEqual(held);
  expect(scene.view.draw()).toMatchObject({ newLines: 400, scrollTop: 0 });
  // What was read before can still be seen; beyond it are the lines that are left.
  scene.view.scrollBy(20);
  await scene.rest();
  expect(scene.seen()[0]).toBe('0 96:0 line 96');
  scene.view.scrollBy(400);
  await scene.rest();
  expect(scene.view.line).toBeGreaterThanOrEqual(400);
});

test('a change of width keeps the row at the top', async () => {
  const scene = new Scene();
  scene.add(...Array.from({ length: 50 }, (_, at) => `${at} ${'x'.repeat(50)}`));
  await scene.rest();
  scene.view.scrollBy(-1005);
  await scene.rest();
  const { line, at } = scene.view.draw().rows[0] ?? { line: -1, at: -1 };
  scene.rows.setLayout({ ...LAYOUT, columns: 13 });
  scene.view.refresh();
  await scene.rest();
  const [first, second] = scene.view.draw().rows;
  expect(first?.line).toBe(line);
  expect(first?.at).toBeLessThanOrEqual(at);
  expect(second !== undefined && (second.line > line || second.at > at)).toBe(true);
});

test('one question is on its way at a time, and small steps need none', async () => {
  const scene = new Scene();
  scene.add(...numbered(0, 100));
  await scene.rest();
  const before = scene.asks;
  scene.view.scrollBy(-40);
  scene.view.scrollBy(-40);
  expect(scene.asks).toBe(before);
  expect(scene.seen()[0]).toBe('0 91:0 line 91');
  await scene.rest();
  expect(scene.asks).toBe(before + 1);
});

test('a long way is gone in one step, by the bar or by a jump', async () => {
  const scene = new Scene({ ...LIMITS, lines: 10_000 });
  scene.add(...numbered(0, 2000));
  await scene.rest();
  scene.view.toStart();
  await scene.rest();
  expect(scene.seen()[0]).toBe('0 0:0 line 0');
  scene.view.scrollTo(1000 * 20);
  await scene.rest();
  expect(scene.seen()[0]).toBe('0 1000:0 line 1000');
  scene.view.reveal({ line: 1500, at: 0 });
  await scene.rest();
  expect(scene.seen()[1]).toBe('20 1500:0 line 1500');
  // What is seen already does not move.
  scene.view.reveal({ line: 1501, at: 0 });
  await scene.rest();
  expect(scene.seen()[1]).toBe('20 1500:0 line 1500');
  // Lines may come before the answer does: the end of the bar means the newest line.
  scene.view.scrollTo(2000 * 20 - 100);
  scene.add('line 2000');
  await scene.rest();
  expect(scene.seen().at(-1)).toBe('80 2000:0 line 2000');
  expect(scene.view.isFollowing).toBe(true);
});

test('both ends of the bar are both ends of the log, and the way back is the way there', () => {
  const scale = fc.record({
    total: fc.integer({ min: 1, max: 3_000_000 }),
    row: fc.constantFrom(20, 25),
    view: fc.integer({ min: 20, max: 2000 }),
  });
  fc.assert(
    fc.property(scale, fc.double({ min: 0, max: 1, noNaN: true }), (scale, part) => {
      const room = heightOf(scale) - scale.view;
      const last = scale.total - scale.view / scale.row;
      if (room <= 0) {
        expect(topOf(scale, 0)).toBe(0);
        return;
      }
      expect(heightOf(scale)).toBeLessThanOrEqual(HIGHEST);
      expect(rowAt(scale, 0)).toBe(0);
      expect(rowAt(scale, room)).toBeCloseTo(last);
      expect(topOf(scale, last)).toBeCloseTo(room);
      expect(topOf(scale, rowAt(scale, part * room))).toBeCloseTo(part * room);
      // Short of the limit, a pixel is a pixel.
      if (!isProportional(scale)) expect(rowAt(scale, part * room)).toBeCloseTo((part * room) / scale.row);
    }),
  );
});
