import type { Item } from './frames';

/** A run of rows of the list: the rows' keys, and how many rows stand before the first. */
export interface Place {
  readonly offset: number;
  readonly keys: readonly string[];
}

/** Returns the key of a row, which is the same wherever and whenever the row is shown. */
export function keyOf({ cluster, uid }: Item): string {
  return `${cluster}/${uid}`;
}

/** How long a row whose pod is gone stays, in milliseconds. */
export const GONE_STAYS = 2000;

const EMPTY: Place = { offset: 0, keys: [] };

/**
 * The rows of a live query's window: as the server last said, and as they are shown.
 *
 * Values change at once. The order that is shown changes only by {@link apply}, so that its caller
 * decides when rows may move.
 */
export class LiveWindow<Row extends Item> {
  readonly #rows = new Map<string, Row>();
  /** The keys whose pod is gone, with the time until which they stay. */
  readonly #gone = new Map<string, number>();
  #latest: Place = EMPTY;
  #shown: Place = EMPTY;
  #total = 0;
  #shownTotal = 0;

  /** The order that is shown. It may hold rows that have left the server's window. */
  get shown(): Place {
    return this.#shown;
  }

  /** The window as the server last sent it. */
  get latest(): Place {
    return this.#latest;
  }

  /** The number of matches, as the server last said. */
  get total(): number {
    return this.#total;
  }

  /** The number of rows of the list that is shown. */
  get shownTotal(): number {
    return this.#shownTotal;
  }

  /** The row of a key, as the server last said. */
  row(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  /** Returns whether the row's pod is gone. */
  isGone(key: string): boolean {
    return this.#gone.has(key);
  }

  /** Returns the keys of shown rows that have left the window though their pod may live. */
  left(): ReadonlySet<string> {
    if (this.#shown === this.#latest) return new Set();
    const latest = new Set(this.#latest.keys);
    return new Set(this.#shown.keys.filter((key) => !latest.has(key) && !this.#gone.has(key)));
  }

  /** Returns how many rows of the server's window are not shown yet, and whether the order differs at all. */
  waiting(): { fresh: number; isDifferent: boolean } {
    if (this.#shown === this.#latest) return { fresh: 0, isDifferent: false };
    const shown = new Set(this.#shown.keys);
    const fresh = this.#latest.keys.filter((key) => !shown.has(key)).length;
    const known = this.#shown.keys.filter((key) => !this.#gone.has(key));
    return { fresh, isDifferent: !isSame(known, this.#latest.keys) };
  }

  /** Takes the whole window. Rows that are no longer in it are forgotten once they are not shown. */
  snapshot(offset: number, total: number, items: readonly Row[]): void {
    for (const item of items) this.#rows.set(keyOf(item), item);
    this.#latest = { offset, keys: items.map(keyOf) };
    this.#total = total;
  }

  /**
   * Takes a change of the window.
   *
   * @param order The uids of the window's rows, if their order has changed. The server sends a
   * snapshot instead where a uid occurs twice.
   * @param gone The uids left out by `order` whose pod no longer exists.
   */
  delta(
    total: number,
    upsert: readonly Row[],
    order: readonly string[] | undefined,
    gone: readonly string[],
    now: number,
  ): void {
    for (const item of upsert) this.#rows.set(keyOf(item), item);
    this.#total = total;
    if (order === undefined) return;
    const keys = new Map<string, string>();
    for (const key of this.#latest.keys) keys.set(uidOf(key), key);
    for (const uid of gone) {
      const key = keys.get(uid);
      if (key !== undefined) this.#gone.set(key, now + GONE_STAYS);
    }
    for (const item of upsert) keys.set(item.uid, keyOf(item));
    const known = order.flatMap((uid) => keys.get(uid) ?? []);
    this.#latest = { offset: this.#latest.offset, keys: known };
  }

  /**
   * Shows the server's order. Rows of gone pods keep their place until their time is over.
   *
   * @returns The time at which the next of them is to leave, if there is any.
   */
  apply(now: number): number | undefined {
    for (const [key, until] of this.#gone) if (until <= now) this.#gone.delete(key);
    const latest = new Set(this.#latest.keys);
    for (const key of this.#gone.keys()) if (latest.has(key)) this.#gone.delete(key);
    const staying = this.#shown.keys.filter((key) => this.#gone.has(key));
    this.#shown = staying.length === 0 ? this.#latest : this.#withGone(latest);
    this.#shownTotal = Math.max(this.#total, this.#latest.offset + this.#latest.keys.length) + staying.length;
    const shown = new Set(this.#shown.keys);
    for (const key of this.#rows.keys()) if (!shown.has(key)) this.#rows.delete(key);
    for (const key of this.#gone.keys()) if (!shown.has(key)) this.#gone.delete(key);
    return this.#gone.size === 0 ? undefined : Math.min(...this.#gone.values());
  }

  /** Returns the server's order with each gone row after the row that it stood behind. */
  #withGone(latest: ReadonlySet<string>): Place {
    const behind = new Map<string | undefined, string[]>();
    let before: string | undefined;
    for (const key of this.#shown.keys) {
      if (latest.has(key)) before = key;
      else if (this.#gone.has(key)) behind.set(before, [...(behind.get(before) ?? []), key]);
    }
    const keys = [...(behind.get(undefined) ?? [])];
    for (const key of this.#latest.keys) keys.push(key, ...(behind.get(key) ?? []));
    return { offset: this.#latest.offset, keys };
  }
}

/**
 * Returns by how many rows the list has to be scrolled so that the first row that was seen stays
 * where it is. If that row is not in `after`, the next one that is decides.
 *
 * @param first The place in the list of the first row that was seen whole.
 */
export function shiftOf(before: Place, after: Place, first: number): number {
  const places = new Map(after.keys.map((key, place) => [key, after.offset + place]));
  for (let place = Math.max(first - before.offset, 0); place < before.keys.length; place += 1) {
    const key = before.keys[place];
    const found = key === undefined ? undefined : places.get(key);
    if (found !== undefined) return found - (before.offset + place);
  }
  return 0;
}

function uidOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((key, place) => key === others[place]);
}
