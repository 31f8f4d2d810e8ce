import { columnsOf } from './break';
import { isPlain } from './clean';
import type { Line, Mark } from './feed';
import type { Level } from './level';
import { CUT, show } from './show';
import type { Measure } from './width';

/** The bits of a line in {@link Chunk.flags}. */
export const Flag = {
  /** What is shown may differ from what is stored. */
  special: 1,
  /** Rows can't be counted from columns alone, because clusters of several columns don't part. */
  uneven: 2,
  /** The line is cut when it is shown structured. */
  cut: 4,
  /** The line is cut when it is shown raw. */
  cutRaw: 8,
  /** It is a mark and has no text. */
  mark: 16,
  /** It is the first of its day. */
  day: 32,
  /** It has fields. */
  structured: 64,
} as const;

/** What is found out once about each line. */
export interface Facts {
  flags: number;
  level: Level;
  /** Columns in one row, when shown structured. */
  columns: number;
  /** Columns in one row, when shown raw. */
  rawColumns: number;
}

/** The most that an array of columns can hold. A shown line has at most eight times {@link CUT}. */
const MOST_COLUMNS = 65_535;

function ceilColumns(text: string, measure: Measure): number {
  return Math.min(Math.ceil(columnsOf(text, measure)), MOST_COLUMNS);
}

/** Finds out what the store keeps about a line beside its text. */
export function factsOf(text: string, measure: Measure): Facts {
  const shown = show(text, true);
  const columns = ceilColumns(shown.text, measure);
  const isSpecial = shown.isStructured || shown.isCut || shown.text !== text;
  const raw = shown.isStructured ? show(text, false) : shown;
  const isEven = isPlain(shown.text) && isPlain(raw.text);
  return {
    flags:
      (isSpecial ? Flag.special : 0) |
      (isEven ? 0 : Flag.uneven) |
      (shown.isCut ? Flag.cut : 0) |
      (text.length > CUT ? Flag.cutRaw : 0) |
      (shown.isStructured ? Flag.structured : 0),
    level: shown.level,
    columns,
    rawColumns: raw === shown ? columns : ceilColumns(raw.text, measure),
  };
}

/** Returns the bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair counts for two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

const LATIN = /^[\u0000-\u00ff]*$/;
/** Bytes for each line in the arrays of a chunk. */
const LINE_BYTES = 4 + 8 + 4 + 2 + 1 + 1 + 2 + 2 + 4;

/**
 * Neighbouring lines: their text in one string once it is full, and a typed array for each fact.
 *
 * An array has a place for each line; `offsets` has one more, for the end of the last line.
 */
export class Chunk {
  count = 0;
  offsets: Uint32Array<ArrayBuffer>;
  /** Milliseconds; `NaN` without a time. */
  ms: Float64Array<ArrayBuffer>;
  nanos: Uint32Array<ArrayBuffer>;
  sources: Uint16Array<ArrayBuffer>;
  levels: Uint8Array<ArrayBuffer>;
  flags: Uint8Array<ArrayBuffer>;
  columns: Uint16Array<ArrayBuffer>;
  rawColumns: Uint16Array<ArrayBuffer>;
  /** Visual rows, exact where the line was looked at and else as its columns have it. */
  rows: Uint32Array<ArrayBuffer>;
  /** The sum of `rows`. */
  total = 0;
  readonly marks = new Map<number, Mark>();
  #texts: string[] = [];
  #text: string | undefined;
  #isLatin = true;

  /** @param latest The latest time of all lines before, in milliseconds; `NaN` if there is none. */
  constructor(
    /** The number of the first line. */
    readonly first: number,
    readonly latest: number,
    readonly size: number,
  ) {
    this.offsets = new Uint32Array(size + 1);
    this.ms = new Float64Array(size);
    this.nanos = new Uint32Array(size);
    this.sources = new Uint16Array(size);
    this.levels = new Uint8Array(size);
    this.flags = new Uint8Array(size);
    this.columns = new Uint16Array(size);
    this.rawColumns = new Uint16Array(size);
    this.rows = new Uint32Array(size);
  }

  /** UTF-16 units of all lines. */
  get units(): number {
    return this.offsets[this.count] ?? 0;
  }

  /** Bytes of memory, as the engines of browsers lay strings out. */
  get bytes(): number {
    return this.units * (this.#isLatin ? 1 : 2) + this.ms.length * LINE_BYTES;
  }

  get isSealed(): boolean {
    return this.#text !== undefined;
  }

  /** Appends a line with its facts, and returns its place. */
  add(line: Line, facts: Facts): number {
    const at = this.count;
    this.offsets[at + 1] = this.units + line.text.length;
    this.ms[at] = line.ms;
    this.nanos[at] = line.nanos;
    this.sources[at] = line.source;
    this.levels[at] = facts.level;
    this.flags[at] = facts.flags;
    this.columns[at] = facts.columns;
    this.rawColumns[at] = facts.rawColumns;
    this.#texts.push(line.text);
    this.#isLatin &&= LATIN.test(line.text);
    this.count += 1;
    return at;
  }

  /** Appends a mark, and returns its place. */
  addMark(mark: Mark): number {
    const source = 'source' in mark ? mark.source : 0;
    this.marks.set(this.count, mark);
    const facts: Facts = { flags: Flag.mark, level: 0, columns: 0, rawColumns: 0 };
    return this.add({ ms: Number.NaN, nanos: 0, source, text: '' }, facts);
  }

  /** Joins the lines into one string. Nothing can be appended afterwards. */
  seal() {
    if (this.#text !== undefined) return;
    this.#text = this.#texts.join('');
    this.#texts = [];
    if (this.count === this.size) return;
    this.offsets = this.offsets.slice(0, this.count + 1);
    this.ms = this.ms.slice(0, this.count);
    this.nanos = this.nanos.slice(0, this.count);
    this.sources = this.sources.slice(0, this.count);
    this.levels = this.levels.slice(0, this.count);
    this.flags = this.flags.slice(0, this.count);
    this.columns = this.columns.slice(0, this.count);
    this.rawColumns = this.rawColumns.slice(0, this.count);
    this.rows = this.rows.slice(0, this.count);
  }

  /** Returns the text of the line at a place. */
  raw(at: number): string {
    return this.#text?.slice(this.offsets[at], this.offsets[at + 1]) ?? this.#texts[at] ?? '';
  }

  /** Returns the text of the lines from a place on, one after the other. */
  textFrom(at: number): string {
    return this.#text?.slice(this.offsets[at]) ?? this.#texts.slice(at).join('');
  }

  has(at: number, flag: number): boolean {
    return ((this.flags[at] ?? 0) & flag) !== 0;
  }
}
