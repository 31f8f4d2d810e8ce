import { type Chunk, Flag } from './chunk';
import { type Anchor, type Hit, type Layout, Renderer, type Row } from './render';
import type { Place, Store } from './store';
import { Days } from './time';
import { type Measure, measureBy } from './width';

/** Where the first row to show is. */
export type Target =
  /** The last rows. */
  | { to: 'end' }
  /** A row by number, as a scroll bar knows it. */
  | { to: 'row'; row: number }
  /** So many rows below an anchor, or above it. */
  | { to: 'anchor'; anchor: Anchor; delta: number };

/** Neighbouring rows, and where they are among all. */
export interface Window {
  rows: Row[];
  /** The place in `rows` of the first row to show: the target, or the nearest that can be first. */
  top: number;
  /** How many rows further the target was: positive beyond the end, negative above the start. */
  over: number;
  /** The number of `rows[0]` among all rows. */
  first: number;
  /** All rows. Lines that nobody looked at count by their columns, so it may be off by a little. */
  total: number;
}

/** A row of a line, by its number in the line. */
interface Cursor {
  line: number;
  row: number;
}

/**
 * The visual rows of a store: how many there are, which line each shows, and how they look.
 *
 * A place in the log is a line and a position in it, never a number of rows, so nothing moves by
 * new lines, by lines let go, or by another width. Numbers of rows only place the scroll bar.
 */
export class Rows {
  readonly #unfolded = new Set<number>();
  #days: Days;
  #renderer: Renderer;
  #latest = Number.NaN;
  hitsOf: (line: number) => readonly Hit[] = () => [];

  constructor(
    readonly store: Store,
    layout: Layout,
  ) {
    this.#days = new Days(layout.zone);
    this.#renderer = new Renderer(layout, measureBy(layout.widths));
  }

  get layout(): Layout {
    return this.#renderer.layout;
  }

  get measure(): Measure {
    return this.#renderer.measure;
  }

  get total(): number {
    return this.store.chunks.reduce((sum, { total }) => sum + total, 0);
  }

  /** Columns of the widest line. */
  get widest(): number {
    let widest = 0;
    for (const chunk of this.store.chunks) {
      const all = this.layout.structured ? chunk.columns : chunk.rawColumns;
      for (let at = 0; at < chunk.count; at += 1) widest = Math.max(widest, all[at] ?? 0);
    }
    return widest;
  }

  /** Counts the rows of a line that was appended. */
  added({ chunk, at }: Place) {
    this.#setDay(chunk, at);
    this.#count(chunk, at);
  }

  /** Forgets what was kept about lines that were let go. */
  trimmed() {
    for (const line of this.#unfolded) if (line < this.store.first) this.#unfolded.delete(line);
  }

  /** Lays everything out anew. */
  setLayout(layout: Layout) {
    const isMeasured = JSON.stringify(layout.widths) === JSON.stringify(this.layout.widths);
    this.#days = new Days(layout.zone);
    this.#renderer = new Renderer(layout, isMeasured ? this.measure : measureBy(layout.widths));
    this.#latest = this.store.chunks[0]?.latest ?? Number.NaN;
    for (const chunk of this.store.chunks) {
      chunk.total = 0;
      for (let at = 0; at < chunk.count; at += 1) {
        chunk.rows[at] = 0;
        this.#setDay(chunk, at);
        this.#count(chunk, at);
      }
    }
  }

  /** Shows a line's fields below it, or hides them. */
  setUnfolded(line: number, isUnfolded: boolean) {
    const place = this.store.find(line);
    if (place?.chunk.has(place.at, Flag.structured) !== true) return;
    if (isUnfolded) this.#unfolded.add(line);
    else this.#unfolded.delete(line);
    this.#draw(line);
  }

  isUnfolded(line: number): boolean {
    return this.#unfolded.has(line);
  }

  /** Returns the number of a line's first row; that of the oldest line for one that was let go. */
  rowOf(line: number): number {
    let rows = 0;
    for (const chunk of this.store.chunks) {
      if (line >= chunk.first + chunk.count) rows += chunk.total;
      else {
        for (let at = 0; at < line - chunk.first; at += 1) rows += chunk.rows[at] ?? 0;
        break;
      }
    }
    return rows;
  }

  /**
   * Returns the rows around a target: `before` rows above it, `count` from it on, and `after` more.
   * The target moves up so far that `count` rows can be shown, where there are as many.
   */
  window(target: Target, before: number, count: number, after: number): Window {
    const drawn = new Map<number, Row[]>();
    const rowsOf = (line: number) => {
      const rows = drawn.get(line) ?? this.#draw(line);
      drawn.set(line, rows);
      return rows;
    };
    if (this.store.count === 0) return { rows: [], top: 0, over: 0, first: 0, total: 0 };
    const wanted = this.#step(this.#find(target, rowsOf), target.to === 'anchor' ? target.delta : 0, rowsOf);
    const end = this.#step(wanted, count - 1, rowsOf);
    const top = this.#step(end, 1 - count, rowsOf);
    const last = this.#step(end, after, rowsOf);
    const start = this.#step(top, -before, rowsOf);
    // Where there are fewer than `count` rows, no row is beyond.
    const over = wanted.left + (top.left === 0 ? end.left : 0);
    const rows: Row[] = [];
    let index = 0;
    for (let line = start.line; line <= last.line; line += 1) {
      const all = rowsOf(line);
      const from = line === start.line ? start.row : 0;
      if (line === top.line) index = rows.length + top.row - from;
      rows.push(...all.slice(from, line === last.line ? last.row + 1 : undefined));
    }
    // Only now, because drawing has corrected the counts.
    return { rows, top: index, over, first: this.rowOf(start.line) + start.row, total: this.total };
  }

  /** Returns the rows of a line, and corrects its count. */
  #draw(line: number): Row[] {
    const place = this.store.find(line);
    if (place === undefined) return [];
    const rows = this.#renderer.rows(place, this.#unfolded.has(line), this.hitsOf(line));
    this.#set(place.chunk, place.at, rows.length);
    return rows;
  }

  #find(target: Target, rowsOf: (line: number) => Row[]): Cursor {
    const newest = this.store.end - 1;
    if (target.to === 'end') return { line: newest, row: rowsOf(newest).length - 1 };
    if (target.to === 'row') return this.#locate(target.row, rowsOf);
    const { line, at } = target.anchor;
    if (line < this.store.first) return { line: this.store.first, row: 0 };
    if (line > newest) return { line: newest, row: rowsOf(newest).length - 1 };
    return {
      line,
      row: Math.max(
        0,
        rowsOf(line).findLastIndex((row) => row.at <= at),
      ),
    };
  }

  #locate(row: number, rowsOf: (line: number) => Row[]): Cursor {
    let left = Math.max(0, Math.floor(row));
    for (const chunk of this.store.chunks) {
      if (left >= chunk.total) {
        left -= chunk.total;
        continue;
      }
      for (let at = 0; at < chunk.count; at += 1) {
        const rows = chunk.rows[at] ?? 0;
        const line = chunk.first + at;
        if (left < rows) return { line, row: Math.min(left, rowsOf(line).length - 1) };
        left -= rows;
      }
    }
    const newest = this.store.end - 1;
    return { line: newest, row: rowsOf(newest).length - 1 };
  }

  /** Moves by rows, to the first or last row at most; `left` is by how many it could not move. */
  #step(from: Cursor, delta: number, rowsOf: (line: number) => Row[]): Cursor & { left: number } {
    let { line } = from;
    let row = from.row + delta;
    while (row < 0 && line > this.store.first) {
      line -= 1;
      row += rowsOf(line).length;
    }
    while (row >= rowsOf(line).length && line < this.store.end - 1) {
      row -= rowsOf(line).length;
      line += 1;
    }
    const reached = Math.min(Math.max(row, 0), rowsOf(line).length - 1);
    return { line, row: reached, left: row - reached };
  }

  #setDay(chunk: Chunk, at: number) {
    const ms = chunk.ms[at] ?? Number.NaN;
    const flags = (chunk.flags[at] ?? 0) & ~Flag.day;
    // Sources write at once, so times may step back; a day begins only once.
    const isLater = !Number.isNaN(ms) && !(ms <= this.#latest);
    const isFirst = isLater && (Number.isNaN(this.#latest) || this.#days.start(ms) > this.#days.start(this.#latest));
    chunk.flags[at] = isFirst ? flags | Flag.day : flags;
    if (isLater) this.#latest = ms;
  }

  /** Counts a line's rows by its columns, or exactly if it is unfolded. */
  #count(chunk: Chunk, at: number) {
    if (this.#unfolded.has(chunk.first + at)) {
      this.#draw(chunk.first + at);
      return;
    }
    const { wrap, columns, structured, markRows } = this.layout;
    if (chunk.has(at, Flag.mark)) {
      this.#set(chunk, at, markRows);
      return;
    }
    const wide = (structured ? chunk.columns[at] : chunk.rawColumns[at]) ?? 0;
    const text = wrap ? Math.max(1, Math.ceil(wide / columns)) : 1;
    const cut = chunk.has(at, structured ? Flag.cut : Flag.cutRaw) ? 1 : 0;
    this.#set(chunk, at, text + cut + (chunk.has(at, Flag.day) ? markRows : 0));
  }

  #set(chunk: Chunk, at: number, rows: number) {
    chunk.total += rows - (chunk.rows[at] ?? 0);
    chunk.rows[at] = rows;
  }
}
