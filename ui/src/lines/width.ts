import { eastAsianWidth } from 'get-east-asian-width';

/**
 * How wide the characters of a font are, in columns. Characters that the monospaced font lacks come
 * from other fonts and fill no whole columns, so the page measures one of each class.
 */
export interface Widths {
  /** An ideograph, such as `中`. */
  wide: number;
  /** An emoji. */
  emoji: number;
  /** The widest of the other scripts, such as Arabic or Thai. Too large a number clips nothing. */
  other: number;
}

/** The widths of a terminal. */
export const CELLS: Widths = { wide: 2, emoji: 2, other: 1 };

/** Returns the width of one grapheme cluster, in columns. */
export type Measure = (cluster: string) => number;

const EMOJI = /^\p{Emoji_Presentation}|\ufe0f|\u20e3/u;
const KNOWN = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]/u;
const ZERO = /^[\p{M}\u200c\u200d]/u;

/** Returns a cluster's class in {@link Widths}, or its width where no font changes it. */
function classOf(cluster: string): keyof Widths | 0 | 1 {
  if (EMOJI.test(cluster)) return 'emoji';
  if (ZERO.test(cluster)) return 0;
  if (eastAsianWidth(cluster.codePointAt(0) ?? 0) === 2) return 'wide';
  return KNOWN.test(cluster) ? 1 : 'other';
}

/** Returns a measure by classes. It remembers clusters of one unit, which are nearly all. */
export function measureBy(widths: Widths): Measure {
  const known = new Map<string, number>();
  const fresh = (cluster: string) => {
    const found = classOf(cluster);
    return typeof found === 'number' ? found : widths[found];
  };
  return (cluster) => {
    // Clusters of several characters are measured each time, because their number has no bound.
    if (cluster.length > 2) return fresh(cluster);
    const remembered = known.get(cluster);
    if (remembered !== undefined) return remembered;
    const width = fresh(cluster);
    known.set(cluster, width);
    return width;
  };
}

/** Returns the columns of a text in a terminal, by code points. Tab stops are counted in these. */
export function nominalColumns(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (character >= ' ' && character <= '~') columns += 1;
    else if (!ZERO.test(character)) columns += eastAsianWidth(character.codePointAt(0) ?? 0);
  }
  return columns;
}
