import fc from 'fast-check';
import { expect, test } from 'vitest';

import { GONE_STAYS, keyOf, LiveWindow, shiftOf } from './window';

interface Row {
  cluster: string;
  uid: string;
  value: number;
}

const row = (uid: string, value = 0, cluster = 'a'): Row => ({ cluster, uid, value });
const uids = (keys: readonly string[]) => keys.map((key) => key.slice(key.indexOf('/') + 1));

/** The list as a server without a window would see it. */
type Step =
  | { kind: 'put'; uid: number; place: number }
  | { kind: 'change'; uid: number }
  | { kind: 'remove'; uid: number }
  | { kind: 'snapshot'; offset: number; limit: number }
  | { kind: 'apply' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), uid: fc.nat(30), place: fc.nat(30) }),
  fc.record({ kind: fc.constant('change' as const), uid: fc.nat(30) }),
  fc.record({ kind: fc.constant('remove' as const), uid: fc.nat(30) }),
  fc.record({ kind: fc.constant('snapshot' as const), offset: fc.nat(20), limit: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('apply' as const) }),
);

/** Plays a server's list and what it sends of it. Checks the window after each step. */
class Play {
  readonly window = new LiveWindow<Row>();
  #list: Row[] = [];
  #offset = 0;
  #limit = 10;
  #sent = new Map<string, Row>();
  #value = 0;
  now = 0;

  constructor() {
    this.#snapshot();
    this.window.apply(this.now);
  }

  run(step: Step): void {
    this.now += 100;
    this.#value += 1;
    const at = 'uid' in step ? this.#list.findIndex(({ uid }) => uid === String(step.uid)) : -1;
    switch (step.kind) {
      case 'put':
        if (at >= 0) this.#list.splice(at, 1);
        this.#list.splice(step.place, 0, row(String(step.uid), this.#value));
        this.#delta([]);
        break;
      case 'change':
        if (at >= 0) this.#list[at] = row(String(step.uid), this.#value);
        this.#delta([]);
        break;
      case 'remove':
        if (at >= 0) this.#list.splice(at, 1);
        this.#delta(at >= 0 ? [String(step.uid)] : []);
        break;
      case 'snapshot':
        this.#offset = step.offset;
        this.#limit = step.limit;
        this.#snapshot();
        this.window.apply(this.now);
        break;
      case 'apply':
        this.window.apply(this.now);
        break;
    }
    this.#check();
  }

  #seen(): Row[] {
    return this.#list.slice(this.#offset, this.#offset + this.#limit);
  }

  #snapshot(): void {
    const seen = this.#seen();
    this.#sent = new Map(seen.map((one) => [one.uid, one]));
    this.window.snapshot(this.#offset, this.#list.length, seen);
  }

  #delta(removed: string[]): void {
    const seen = this.#seen();
    const upsert = seen.filter((one) => this.#sent.get(one.uid) !== one);
    const order = seen.map(({ uid }) => uid);
    const before = [...this.#sent.keys()];
    const isSame = order.length === before.length && order.every((uid, place) => uid === before[place]);
    this.#sent = new Map(seen.map((one) => [one.uid, one]));
    const gone = removed.filter((uid) => before.includes(uid));
    this.window.delta(this.#list.length, upsert, isSame ? undefined : order, gone, this.now);
  }

  #check(): void {
    const seen = this.#seen();
    expect(this.window.total).toBe(this.#list.length);
    expect(uids(this.window.latest.keys)).toEqual(seen.map(({ uid }) => uid));
    for (const one of seen) expect(this.window.row(keyOf(one))).toBe(one);
    // Every row that is shown has its data.
    for (const key of this.window.shown.keys) expect(this.window.row(key), key).toBeDefined();
    const { isDifferent } = this.window.waiting();
    if (!isDifferent) {
      const shown = this.window.shown.keys.filter((key) => !this.window.isGone(key));
      expect(uids(shown)).toEqual(seen.map(({ uid }) => uid));
    }
  }
}

test('the rows equal those of a naive list after any sequence of frames', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const play = new Play();
      for (const one of steps) play.run(one);
    }),
    { numRuns: 2000 },
  );
});

test('the first row that is seen stays where it is', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(12), (steps, seen) => {
      const play = new Play();
      for (const one of steps) {
        const before = play.window.shown;
        const first = before.offset + seen;
        play.run(one);
        const after = play.window.shown;
        const shift = shiftOf(before, after, first);
        const anchor = before.keys.slice(seen).find((key) => after.keys.includes(key));
        if (anchor === undefined) expect(shift).toBe(0);
        else {
          const y = (place: typeof before) => place.offset + place.keys.indexOf(anchor);
          expect(y(after) - shift).toBe(y(before));
        }
      }
    }),
    { numRuns: 1000 },
  );
});

test('an order is shown only once it is applied, and values at once', () => {
  const window = new LiveWindow<Row>();
  window.snapshot(0, 2, [row('1'), row('2')]);
  window.apply(0);
  window.delta(3, [row('3'), row('2', 7)], ['3', '1', '2'], [], 0);
  expect(uids(window.shown.keys)).toEqual(['1', '2']);
  expect(window.row('a/2')?.value).toBe(7);
  expect(window.waiting()).toEqual({ fresh: 1, isDifferent: true });
  window.apply(0);
  expect(uids(window.shown.keys)).toEqual(['3', '1', '2']);
  expect(window.waiting()).toEqual({ fresh: 0, isDifferent: false });
});

test('the row of a gone pod stays in its place for a while, and the row of a pod that moved away leaves', () => {
  const window = new LiveWindow<Row>();
  window.snapshot(0, 3, [row('1'), row('2'), row('3')]);
  window.apply(0);
  window.delta(1, [], ['3'], ['2'], 100);
  expect([...window.left()]).toEqual(['a/1']);
  expect(window.apply(100)).toBe(100 + GONE_STAYS);
  expect(uids(window.shown.keys)).toEqual(['2', '3']);
  expect(window.isGone('a/2')).toBe(true);
  expect(window.shownTotal).toBe(2);
  expect(window.apply(100 + GONE_STAYS)).toBeUndefined();
  expect(uids(window.shown.keys)).toEqual(['3']);
  expect(window.row('a/2')).toBeUndefined();
});

test('two clusters that are one have two rows of the same uid', () => {
  const window = new LiveWindow<Row>();
  window.snapshot(0, 2, [row('1', 1, 'a'), row('1', 2, 'b')]);
  window.apply(0);
  expect(window.shown.keys).toEqual(['a/1', 'b/1']);
  expect(window.row('b/1')?.value).toBe(2);
});
