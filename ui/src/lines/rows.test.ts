import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Line } from './feed';
import { type Layout, type Row } from './render';
import { Rows, type Window } from './rows';
import { CUT } from './show';
import { Store } from './store';
import { CELLS } from './width';

const LAYOUT: Layout = { columns: 10, wrap: true, structured: true, markRows: 2, zone: 'utc', widths: CELLS };
const LIMITS = { lines: 30, bytes: 1e9, chunkLines: 4, chunkUnits: 1e6 };
const DAY = 86_400_000;

/** A log with its rows, as the engine keeps them. */
class Log {
  readonly store: Store;
  readonly rows: Rows;

  constructor(limits = LIMITS, layout = LAYOUT) {
    this.store = new Store(limits);
    this.rows = new Rows(this.store, layout);
  }

  add(text: string, ms = Number.NaN) {
    const line: Line = { text, ms, nanos: 0, source: 0 };
    this.rows.added(this.store.append(line, this.rows.measure));
    this.trim();
  }

  mark() {
    this.rows.added(this.store.mark({ kind: 'user', at: { ms: 0, nanos: 0 } }));
    this.trim();
  }

  trim() {
    this.store.trim();
    this.rows.trimmed();
  }

  /** Returns every row, by looking at everything. */
  all(): Row[] {
    return this.rows.window({ to: 'row', row: 0 }, 0, 1, 1e6).rows;
  }
}

function textOf(row: Row | undefined): string {
  return row?.kind === 'text' ? row.spans.map(({ text }) => text).join('') : `(${row?.kind ?? 'nothing'})`;
}

function key(row: Row | undefined): string {
  return row === undefined ? '' : `${row.line}:${row.at}`;
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('', 'short', '中文'.repeat(20), 'x'.repeat(35), '{"level":"warn","msg":"slow and long","a":1}'),
);
const layout = fc.record({
  columns: fc.integer({ min: 5, max: 40 }),
  wrap: fc.boolean(),
  structured: fc.boolean(),
  markRows: fc.constantFrom(1, 2),
});
type Step =
  | { do: 'line'; text: string; ms: number }
  | { do: 'mark' }
  | { do: 'unfold'; line: number; open: boolean }
  | { do: 'layout'; layout: Partial<Layout> };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('line' as const), text, ms: fc.integer({ min: 0, max: 3 * DAY }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mark' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unfold' as const), line: fc.nat(60), open: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('layout' as const), layout }) },
);

function take(log: Log, step: Step) {
  if (step.do === 'line') log.add(step.text, step.ms);
  else if (step.do === 'mark') log.mark();
  else if (step.do === 'unfold') log.rows.setUnfolded(step.line, step.open);
  else log.rows.setLayout({ ...LAYOUT, ...step.layout });
}

test('a window is a part of all rows', () => {
  const target = fc.oneof(
    fc.constant({ to: 'end' as const }),
    fc.record({ to: fc.constant('row' as const), row: fc.nat(200) }),
    fc.record({
      to: fc.constant('anchor' as const),
      anchor: fc.record({ line: fc.nat(60), at: fc.nat(60) }),
      delta: fc.integer({ min: -50, max: 50 }),
    }),
  );
  const size = fc.nat(20);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), target, size, size, size, (steps, target, before, count, after) => {
      const log = new Log();
      for (const one of steps) take(log, one);
      const all = log.all();
      // Everything was looked at, so all counts are exact.
      const window = log.rows.window(target, before, count + 1, after);
      expect(window.total).toBe(all.length);
      expect(window.rows).toEqual(all.slice(window.first, window.first + window.rows.length));
      const top = window.first + window.top;
      const wanted =
        target.to === 'end'
          ? Infinity
          : target.to === 'row'
            ? target.row
            : Math.max(
                0,
                all.findLastIndex(
                  ({ line, at }) =>
                    line < target.anchor.line || (line === target.anchor.line && at <= target.anchor.at),
                ),
              ) + target.delta;
      if (
        all.length > 0 &&
        (target.to !== 'anchor' || (log.store.find(target.anchor.line) !== undefined && target.anchor.at >= 0))
      ) {
        expect(top).toBe(Math.max(0, Math.min(wanted, all.length - count - 1)));
        expect(window.top).toBe(Math.min(before, top));
        expect(window.rows.length).toBe(Math.min(all.length, top + count + 1 + after) - window.first);
      }
    }),
    { numRuns: 300 },
  );
});

test('nothing that is shown moves while the view is held', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 20, maxLength: 40 }),
      fc.array(step, { maxLength: 40 }),
      fc.nat(60),
      (before, steps, row) => {
        const log = new Log({ ...LIMITS, lines: 1000 });
        for (const one of before) take(log, one);
        // Lines below, so that the view is never at the end.
        for (let at = 0; at < 10; at += 1) log.add('below');
        const count = 4;
        let held = log.rows.window({ to: 'row', row }, 0, count, 0);
        for (const one of steps.filter((one) => one.do === 'line' || one.do === 'mark')) {
          take(log, one);
          const top = held.rows[0];
          if (top === undefined) throw new Error('no row');
          const next = log.rows.window({ to: 'anchor', anchor: top, delta: 0 }, 0, count, 0);
          expect(next.rows).toEqual(held.rows);
          held = next;
        }
      },
    ),
  );
});

test('lines that are let go above change the numbers of rows, not the rows', () => {
  const log = new Log();
  for (let at = 0; at < 30; at += 1) log.add(`line ${at}`);
  const held = log.rows.window({ to: 'anchor', anchor: { line: 20, at: 0 }, delta: 0 }, 2, 3, 2);
  for (let at = 30; at < 45; at += 1) log.add(`line ${at}`);
  const next = log.rows.window({ to: 'anchor', anchor: { line: 20, at: 0 }, delta: 0 }, 2, 3, 2);
  expect(next.rows).toEqual(held.rows);
  expect(next.top).toBe(held.top);
  expect(next.first).toBeLessThan(held.first);
  expect(log.store.first).toBe(16);
  // The anchor itself goes: the oldest line is what is left.
  for (let at = 45; at < 70; at += 1) log.add(`line ${at}`);
  const left = log.rows.window({ to: 'anchor', anchor: { line: 20, at: 0 }, delta: 0 }, 2, 3, 2);
  expect(left.first).toBe(0);
  expect(left.rows[left.top]?.line).toBe(log.store.first);
});

test('at another width the top row is the one with the same character', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 5, maxLength: 20 }), layout, layout, fc.nat(60), (texts, from, to, row) => {
      const log = new Log(LIMITS, { ...LAYOUT, ...from });
      for (const one of [...texts, ...Array<string>(10).fill('below')]) log.add(one);
      const [top] = log.rows.window({ to: 'row', row }, 0, 1, 0).rows;
      if (top === undefined) throw new Error('no row');
      log.rows.setLayout({ ...LAYOUT, ...to, structured: from.structured });
      const [first, second] = log.rows.window({ to: 'anchor', anchor: top, delta: 0 }, 0, 1, 1).rows;
      expect(first?.line).toBe(top.line);
      expect(first?.at).toBeLessThanOrEqual(top.at);
      if (second?.line === top.line) expect(second.at).toBeGreaterThan(top.at);
    }),
  );
});

test('counts by columns are near, and exact where a line was looked at', () => {
  const log = new Log();
  log.add('x'.repeat(25));
  log.add('中'.repeat(9));
  log.add('中'.repeat(9));
  log.rows.setLayout({ ...LAYOUT, columns: 9 });
  // 18 columns are two rows of nine, but four ideographs fill a row.
  expect(log.rows.total).toBe(3 + 2 + 2);
  log.rows.window({ to: 'anchor', anchor: { line: 1, at: 0 }, delta: 0 }, 0, 1, 0);
  expect(log.rows.total).toBe(3 + 3 + 2);
});

test('a day begins with a rule, once', () => {
  const log = new Log();
  for (const [day, hour] of [
    [1, 10],
    [1, 11],
    [2, 0],
    [1, 23],
    [2, 1],
    [2, 2],
  ] as const) {
    log.add('x', day * DAY + hour * 3_600_000);
  }
  log.add('no time');
  const kinds = () => log.all().map(({ kind, line }) => `${kind} ${line}`);
  const expected = [
    'day 0',
    'day 0',
    'text 0',
    'text 1',
    'day 2',
    'day 2',
    'text 2',
    'text 3',
    'text 4',
    'text 5',
    'text 6',
  ];
  expect(kinds()).toEqual(expected);
  log.rows.setLayout({ ...LAYOUT, markRows: 1 });
  log.rows.setLayout(LAYOUT);
  expect(kinds()).toEqual(expected);
});

test('an unfolded line shows its fields below it', () => {
  const log = new Log();
  log.add('{"level":"warn","msg":"m","stack":"one\\ntwo","n":12345678901234567890}');
  log.add('plain');
  log.rows.setUnfolded(0, true);
  log.rows.setUnfolded(1, true);
  expect(log.rows.isUnfolded(1)).toBe(false);
  const fields = log.all().flatMap((row) => (row.kind === 'field' ? [[row.key, row.text, row.isLast]] : []));
  expect(fields).toEqual([
    ['level', 'warn', false],
    ['msg', 'm', false],
    ['stack', 'one', false],
    ['', 'two', false],
    ['n', '1234567890', false],
    ['', '1234567890', true],
  ]);
  log.rows.setUnfolded(0, false);
  expect(log.all().every(({ kind }) => kind === 'text')).toBe(true);
});

test('a cut line says its size below its text', () => {
  const log = new Log();
  log.add('é'.repeat(CUT + 1));
  log.rows.setLayout({ ...LAYOUT, wrap: false });
  expect(log.all().map(({ kind }) => kind)).toEqual(['text', 'cut']);
  expect(log.all()[1]).toMatchObject({ bytes: 2 * (CUT + 1) });
});

test('spans have looks and hits', () => {
  const log = new Log(LIMITS, { ...LAYOUT, columns: 100 });
  log.add('a\u001b[31mred\u001b[0mb');
  log.rows.hitsOf = () => [
    { from: 0, to: 2, isCurrent: true },
    { from: 4, to: 5, isCurrent: false },
  ];
  const [row] = log.all();
  const spans = row?.kind === 'text' ? row.spans : [];
  expect(spans.map(({ text, look, hit }) => [text, look.fg, hit])).toEqual([
    ['a', -1, 2],
    ['r', 1, 2],
    ['ed', 1, 0],
    ['b', -1, 1],
  ]);
});

test('a row keeps its parts when a hit or a colour spans two rows', () => {
  const log = new Log(LIMITS, { ...LAYOUT, columns: 5 });
  log.add('\u001b[31m0123456789\u001b[0m');
  log.rows.hitsOf = () => [{ from: 3, to: 7, isCurrent: false }];
  const spans = log.all().map((row) => (row.kind === 'text' ? row.spans.map(({ text, hit }) => `${text}${hit}`) : []));
  expect(spans).toEqual([
    ['0120', '341'],
    ['561', '7890'],
  ]);
});

test('an empty log has no rows, and an empty line has one', () => {
  const log = new Log();
  const none: Window = { rows: [], top: 0, over: 0, first: 0, total: 0 };
  expect(log.rows.window({ to: 'end' }, 5, 5, 5)).toEqual(none);
  log.add('');
  expect(log.all().map((row) => [key(row), textOf(row)])).toEqual([['0:0', '']]);
});
