import { expect, test } from 'vitest';

import { PLAIN, TRUE_COLOUR } from '../lines/look';
import { colourOf, styleOf } from './looks';

test('colours are those of the palette, the first sixteen the page’s own', () => {
  for (const [colour, value] of [
    [-1, undefined],
    [1, 'var(--bad-text)'],
    [9, 'var(--bad-text)'],
    [16, '000000'],
    [21, '0000ff'],
    [196, 'ff0000'],
    [208, 'ff8700'],
    [231, 'ffffff'],
    [232, '080808'],
    [255, 'eeeeee'],
    [TRUE_COLOUR | 0x00010a, '00010a'],
  ] as const) {
    expect(colourOf(colour)?.replace('#', ''), String(colour)).toBe(value);
  }
});

test('a plain look has no style, and an inverse one changes text and ground', () => {
  expect(styleOf(PLAIN)).toBeUndefined();
  expect(styleOf({ ...PLAIN, inverse: true })).toEqual({ color: 'var(--bg-1)', background: 'var(--text-1)' });
  expect(styleOf({ ...PLAIN, fg: 2, bg: 1, bold: true })).toEqual({
    color: 'var(--ok-text)',
    background: 'var(--bad-text)',
    fontWeight: 'var(--weight-strong)',
  });
});
