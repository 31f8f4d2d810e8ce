import type { CSSProperties } from 'react';

import { type Look, TRUE_COLOUR } from '../lines/look';

/** The tokens for the eight colours of a terminal; the bright ones are the same. */
const TOKENS = ['text-1', 'bad-text', 'ok-text', 'warn-text', 'busy-text', 'leaving-text', 'src-3', 'text-2'];
/** The six steps of a part of a colour in the palette's cube. */
const STEPS = [0, 95, 135, 175, 215, 255];

/** Returns the colour of the palette from 16 on, as a number: a cube of 216, then 24 greys. */
function ofPalette(index: number): number {
  if (index >= 232) return (8 + (index - 232) * 10) * 0x010101;
  const at = index - 16;
  const [red = 0, green = 0, blue = 0] = [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map(
    (step) => STEPS[step],
  );
  return (red << 16) | (green << 8) | blue;
}

/** Returns a colour that a line asks for, as a value of CSS; `undefined` for the default. */
export function colourOf(colour: number): string | undefined {
  if (colour < 0) return undefined;
  if (colour < 16) return `var(--${TOKENS[colour % 8] ?? 'text-1'})`;
  const value = colour < TRUE_COLOUR ? ofPalette(colour) : colour - TRUE_COLOUR;
  return `#${value.toString(16).padStart(6, '0')}`;
}

/**
 * Returns the style of a look. Colours of the log's own are mixed with those of the page, so that
 * they can be read on it in both themes.
 */
export function styleOf(look: Look): CSSProperties | undefined {
  const text = colourOf(look.inverse ? look.bg : look.fg) ?? (look.inverse ? 'var(--bg-1)' : undefined);
  const back = colourOf(look.inverse ? look.fg : look.bg) ?? (look.inverse ? 'var(--text-1)' : undefined);
  const style: CSSProperties = {};
  if (text !== undefined) style.color = mixed(text, look.inverse ? 'var(--bg-1)' : 'var(--text-1)', 70);
  if (back !== undefined) style.background = mixed(back, look.inverse ? 'var(--text-1)' : 'var(--bg-1)', 35);
  if (look.bold) style.fontWeight = 'var(--weight-strong)';
  if (look.dim) style.opacity = 0.7;
  if (look.italic) style.fontStyle = 'italic';
  if (look.underline) style.textDecoration = 'underline';
  return Object.keys(style).length === 0 ? undefined : style;
}

/** Mixes a colour of the log's own with one of the page; a token stays as it is. */
function mixed(colour: string, page: string, percent: number): string {
  return colour.startsWith('var(') ? colour : `color-mix(in oklab, ${colour} ${percent}%, ${page})`;
}
