import { Flag } from './chunk';
import { hasUnseen, withoutSequences } from './clean';
import { LEVEL_WORDS } from './level';
import { show } from './show';

/** What is looked for. */
export interface Query {
  text: string;
  /** Whether `text` is a regular expression of JavaScript. */
  isPattern: boolean;
  isCaseSensitive: boolean;
}

/** Neighbouring lines, as they are sent to be searched. */
export interface Piece {
  /** Their texts, one after the other. */
  text: string;
  /** Where each begins in `text`, and where the last ends. */
  offsets: Uint32Array<ArrayBuffer>;
  /** Their bits of `Flag`. */
  flags: Uint8Array<ArrayBuffer>;
  /** Whether JSON and logfmt lines are searched as they are shown structured. */
  structured: boolean;
}

/** Numbers for each hit: the line's place in its piece, and the hit's start and end in the line. */
export const HIT_SIZE = 3;
/** A longer line is searched up to here. In UTF-16 units. */
const SEARCHED = 1_048_576;

/** What is looked for, compiled. */
export interface Needle {
  expression: RegExp;
  /** Whether a line that is shown in another form than it is stored may have a hit. It is fast. */
  mayBeIn: (raw: string) => boolean;
}

/** Returns a query compiled; `undefined` if its pattern is not valid. */
export function compile({ text, isPattern, isCaseSensitive }: Query): Needle | undefined {
  const flags = isCaseSensitive ? 'g' : 'gi';
  const expression = expressionOf(isPattern ? text : text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), flags);
  return expression && { expression, mayBeIn: isPattern ? () => true : filterOf(text, flags) };
}

/** The words that stand in what is shown, but perhaps not in what is stored. */
const OWN_WORDS = LEVEL_WORDS.join(' ');

/**
 * Returns a test that most lines without `text` fail. It looks for the words of the text, which
 * stand in the line as it is stored, too, unless they are escaped there or are of our making.
 */
function filterOf(text: string, flags: string): (raw: string) => boolean {
  const words = (text.match(/[a-z0-9]+/gi) ?? []).filter((word) => !OWN_WORDS.includes(word.toUpperCase()));
  const expressions = words.map((word) => new RegExp(word, flags.replace('g', 'u')));
  return (raw) => {
    const line = withoutSequences(raw);
    return expressions.every((expression) => expression.test(line)) || line.includes('\\') || hasUnseen(line);
  };
}

function expressionOf(source: string, flags: string): RegExp | undefined {
  // Escapes that mean nothing, such as `\-`, are errors with `u`, but people write them.
  for (const all of [`${flags}u`, flags]) {
    try {
      return new RegExp(source, all);
    } catch {
      // The next one is more lenient.
    }
  }
  return undefined;
}

/**
 * Searches a piece from its first line on, for at most `limit` hits.
 * Returns {@link HIT_SIZE} numbers for each hit, in order. Empty matches are not hits.
 */
export function search(piece: Piece, { expression, mayBeIn }: Needle, limit: number): Uint32Array<ArrayBuffer> {
  const hits: number[] = [];
  for (let at = 0; at < piece.flags.length && hits.length < limit * HIT_SIZE; at += 1) {
    const flags = piece.flags[at] ?? 0;
    if ((flags & Flag.mark) !== 0) continue;
    const raw = piece.text.slice(piece.offsets[at], piece.offsets[at + 1]);
    const isSpecial = (flags & Flag.special) !== 0;
    if (isSpecial && !mayBeIn(raw)) continue;
    // What is shown is searched, but beyond the cut, too.
    const text = isSpecial ? show(raw, piece.structured, SEARCHED).text : raw;
    expression.lastIndex = 0;
    for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
      const [found] = match;
      if (found === '') expression.lastIndex += 1;
      else if (hits.push(at, match.index, match.index + found.length) >= limit * HIT_SIZE) break;
    }
  }
  return Uint32Array.from(hits);
}

/** What a search worker is asked. */
export interface SearchRequest {
  id: number;
  query: Query;
  piece: Piece;
  limit: number;
}

/** What it answers: that it is ready to be asked, once; then the hits of each request. */
export type SearchReply = { type: 'ready' } | { type: 'hits'; id: number; hits: Uint32Array<ArrayBuffer> };
