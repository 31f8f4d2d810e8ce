import { isPlain } from './clean';
import type { Measure } from './width';

/**
 * Characters that may belong to a cluster with others (Unicode TR 29): marks, joiners, selectors,
 * modifiers, flags, Hangul parts, and letters that take the next one in.
 */
const JOINING = new RegExp(
  '[\\p{M}\\p{Grapheme_Extend}\\p{Emoji_Modifier}\\p{Regional_Indicator}\\u200c\\u200d\\u0e33\\u0eb3' +
    '\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u0d4e' +
    '\\u{110bd}\\u{110cd}\\u{111c2}\\u{111c3}\\u{113d1}\\u{1193f}\\u{11941}\\u{11a3a}\\u{11a84}-\\u{11a89}' +
    '\\u{11d46}\\u{11f02}\\u{16d63}\\u{16d67}-\\u{16d6a}]',
  'u',
);
const PART = /[\x20-\x7e]+|[^\x20-\x7e]+/gu;

let segmenter: Intl.Segmenter | undefined;

/** Returns the clusters of a text. Only characters that may join need the segmenter. */
function clustersOf(text: string): Iterable<string> {
  if (!JOINING.test(text)) return text;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Columns by which a row may be too wide, so that sums of fractions don't break a row early. */
const SLACK = 1e-6;

/** Lays clusters one after the other into rows. */
class Rows {
  readonly starts = [0];
  /** Columns in the last row. */
  x = 0;
  #at = 0;

  constructor(
    readonly columns: number,
    readonly measure: Measure,
  ) {}

  #begin() {
    this.starts.push(this.#at);
    this.x = 0;
  }

  /** Lays text of which each unit fills one column. */
  addNarrow(length: number) {
    let left = length;
    while (left > 0) {
      const room = Math.floor(this.columns - this.x + SLACK);
      const taken = Math.min(left, this.x === 0 ? Math.max(room, 1) : room);
      if (taken < 1) this.#begin();
      else {
        this.x += taken;
        this.#at += taken;
        left -= taken;
      }
    }
  }

  addOther(text: string) {
    for (const cluster of clustersOf(text)) {
      const width = this.measure(cluster);
      if (this.x > 0 && this.x + width > this.columns + SLACK) this.#begin();
      this.x += width;
      this.#at += cluster.length;
    }
  }
}

/**
 * Returns where each visual row of a shown text begins; the first at 0.
 *
 * A row has at most `columns` columns, or one cluster that is wider. A cluster is never parted.
 * Work is proportional to the length of the text.
 */
export function breakLine(text: string, columns: number, measure: Measure): number[] {
  const rows = new Rows(columns, measure);
  // A mark joins the last of the ASCII characters before it.
  let held = '';
  for (const [part] of text.matchAll(PART)) {
    if (part.charCodeAt(0) > 0x7e || part.charCodeAt(0) < 0x20) {
      rows.addOther(held + part);
      held = '';
    } else {
      rows.addNarrow(held.length + part.length - 1);
      held = part.slice(-1);
    }
  }
  rows.addNarrow(held.length);
  return rows.starts;
}

/**
 * Returns about how many columns a shown text has in one row, and exactly how many if it is ASCII.
 * Clusters of several characters count for their parts: to find them takes ten times as long.
 */
export function columnsOf(text: string, measure: Measure): number {
  if (isPlain(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += character >= ' ' && character <= '~' ? 1 : measure(character);
  return columns;
}
