import { breakLine } from './break';
import { byteLength, Flag } from './chunk';
import { clean } from './clean';
import type { Mark } from './feed';
import { readFields } from './fields';
import type { Level } from './level';
import { type Look, PLAIN, type Run } from './look';
import { show } from './show';
import type { Place } from './store';
import type { Zone } from './time';
import type { Measure, Widths } from './width';

/** How lines are laid out. */
export interface Layout {
  /** Columns of one row, at least 1. */
  columns: number;
  /** Whether a line that is wider takes several rows. */
  wrap: boolean;
  /** Whether JSON and logfmt lines are shown as message and fields. */
  structured: boolean;
  /** Rows that a mark takes, and the rule where a day begins. */
  markRows: number;
  /** Where days begin at midnight. */
  zone: Zone;
  widths: Widths;
}

/** A piece of a row. Neighbours differ. */
export interface Span {
  text: string;
  look: Look;
  /** 1 where it was found, 2 in the current hit, else 0. */
  hit: 0 | 1 | 2;
}

/** Where a row is: a line and a place in it. It stays true when the layout changes. */
export interface Anchor {
  line: number;
  /**
   * For text, where the row begins in what is shown; other rows have numbers before or behind.
   * Numbers of one line ascend.
   */
  at: number;
}

interface OfLine extends Anchor {
  level: Level;
  source: number;
}

/** A visual row, with all that is needed to draw it. */
export type Row =
  | (OfLine & {
      kind: 'text';
      spans: Span[];
      /** The line's time, in milliseconds; `NaN` where it has none. */
      ms: number;
      nanos: number;
      isFirst: boolean;
      hasFields: boolean;
      /** Whether its fields are shown below it. */
      isUnfolded: boolean;
    })
  /** Behind the text of a line that is cut: its full size in UTF-8. */
  | (OfLine & { kind: 'cut'; bytes: number })
  /** A row of an unfolded line's field. `key` is empty from the second row of a field on. */
  | (OfLine & { kind: 'field'; key: string; text: string; isText: boolean; isLast: boolean })
  /** `part` counts the rows of one mark. */
  | (OfLine & { kind: 'mark'; mark: Mark; part: number })
  | (OfLine & { kind: 'day'; ms: number; part: number });

/** A hit in what is shown of a line; `to` is exclusive. */
export interface Hit {
  from: number;
  to: number;
  isCurrent: boolean;
}

const AT_CUT = 1_000_000;
const AT_FIELDS = 2_000_000;

/** Returns the looks and hits of one row as spans. */
function spansOf(text: string, from: number, to: number, runs: readonly Run[], hits: readonly Hit[]): Span[] {
  const cuts = new Set([from, to]);
  for (const range of [...runs, ...hits]) {
    if (range.from > from && range.from < to) cuts.add(range.from);
    if (range.to > from && range.to < to) cuts.add(range.to);
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  const spans: Span[] = [];
  let run = 0;
  let hit = 0;
  for (const [index, start] of sorted.entries()) {
    const end = sorted[index + 1];
    if (end === undefined) break;
    while ((runs[run]?.to ?? Infinity) <= start) run += 1;
    while ((hits[hit]?.to ?? Infinity) <= start) hit += 1;
    const look = (runs[run]?.from ?? Infinity) <= start ? (runs[run]?.look ?? PLAIN) : PLAIN;
    const found = hits[hit];
    const isHit = found !== undefined && found.from <= start;
    spans.push({ text: text.slice(start, end), look, hit: isHit ? (found.isCurrent ? 2 : 1) : 0 });
  }
  return spans;
}

/** Draws lines as rows, in one layout. */
export class Renderer {
  constructor(
    readonly layout: Layout,
    readonly measure: Measure,
  ) {}

  /** Returns all rows of a line or mark. `hits` are in order. */
  rows({ chunk, at: place }: Place, isUnfolded: boolean, hits: readonly Hit[]): Row[] {
    const of = {
      line: chunk.first + place,
      level: (chunk.levels[place] ?? 0) as Level,
      source: chunk.sources[place] ?? 0,
    };
    const parts = Array.from({ length: this.layout.markRows }, (_, part) => part);
    const mark = chunk.marks.get(place);
    if (mark !== undefined) return parts.map((part): Row => ({ ...of, kind: 'mark', at: part, mark, part }));
    const ms = chunk.ms[place] ?? Number.NaN;
    const rows: Row[] = [];
    if (chunk.has(place, Flag.day)) {
      for (const part of parts) rows.push({ ...of, kind: 'day', at: part - parts.length, ms, part });
    }
    const raw = chunk.raw(place);
    const shown = show(raw, this.layout.structured);
    const starts = this.layout.wrap ? breakLine(shown.text, this.layout.columns, this.measure) : [0];
    const nanos = chunk.nanos[place] ?? 0;
    const hasFields = chunk.has(place, Flag.structured);
    for (const [index, from] of starts.entries()) {
      const spans = spansOf(shown.text, from, starts[index + 1] ?? shown.text.length, shown.runs, hits);
      rows.push({ ...of, kind: 'text', at: from, spans, ms, nanos, isFirst: index === 0, hasFields, isUnfolded });
    }
    if (shown.isCut) rows.push({ ...of, kind: 'cut', at: AT_CUT, bytes: byteLength(raw) });
    if (isUnfolded) this.#addFields(rows, of, raw);
    return rows;
  }

  #addFields(rows: Row[], of: Omit<OfLine, 'at'>, raw: string) {
    const fields = readFields(raw) ?? [];
    let at = AT_FIELDS;
    for (const [index, { key, value, isText }] of fields.entries()) {
      const pieces = value.split(/\r?\n/).flatMap((part) => this.#broken(clean(part).text));
      for (const [piece, text] of pieces.entries()) {
        const isLast = index === fields.length - 1 && piece === pieces.length - 1;
        rows.push({ ...of, kind: 'field', at, key: piece === 0 ? clean(key).text : '', text, isText, isLast });
        at += 1;
      }
    }
  }

  #broken(text: string): string[] {
    if (!this.layout.wrap) return [text];
    const starts = breakLine(text, this.layout.columns, this.measure);
    return starts.map((from, index) => text.slice(from, starts[index + 1]));
  }
}
