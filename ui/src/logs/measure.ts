import type { Widths } from '../lines/width';

/** What the page must know of a font to lay rows out. All in pixels but for the widths. */
export interface Font {
  /** The width of a column. */
  readonly column: number;
  /** The height of a row. */
  readonly row: number;
  readonly widths: Widths;
}

/** Characters of each class that the monospaced font has not. */
const SAMPLES = {
  wide: ['中', '한', 'あ', '，'],
  emoji: ['😀', '👩\u200d💻', '🇨🇳'],
  other: ['ع', 'ก', 'क', 'ש', 'ა'],
};

/** Measures the font of an element, which shows log lines. */
export function measureFont(element: HTMLElement): Font {
  const style = getComputedStyle(element);
  const row = Number.parseFloat(style.lineHeight);
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return { column: row * 0.36, row, widths: { wide: 2, emoji: 2, other: 2 } };
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const column = context.measureText('0'.repeat(64)).width / 64;
  const widest = (samples: readonly string[]) =>
    Math.max(...samples.map((sample) => context.measureText(sample).width)) / column;
  const { wide, emoji, other } = SAMPLES;
  return { column, row, widths: { wide: widest(wide), emoji: widest(emoji), other: widest(other) } };
}
