import fc from 'fast-check';
import { expect, test } from 'vitest';

import { breakLine, columnsOf } from './break';
import { clean } from './clean';
import { CELLS, measureBy, nominalColumns } from './width';

const measure = measureBy(CELLS);
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Breaks a text as the definition says: cluster by cluster. */
function naive(text: string, columns: number, width: (cluster: string) => number): number[] {
  const starts = [0];
  let x = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    if (x > 0 && x + width(segment) > columns + 1e-6) {
      starts.push(index);
      x = 0;
    }
    x += width(segment);
  }
  return starts;
}

const piece = fc.oneof(
  fc.stringMatching(/^[ -~]{0,12}$/),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom(
    '中文',
    'e\u0301',
    'क्षि',
    'กำ',
    '👩\u200d👩\u200d👧',
    '🇨🇳🇩🇪',
    '1\ufe0f\u20e3',
    '👍🏽',
    '한글',
    '\u1112\u1161\u11ab',
    '\u0600١',
  ),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => clean(pieces.join('')).text);

test('rows are those of a layout cluster by cluster', () => {
  const widths = fc.constantFrom(CELLS, { wide: 5 / 3, emoji: 1.9, other: 1.25 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 30 }), widths, (text, columns, widths) => {
      const measure = measureBy(widths);
      expect(breakLine(text, columns, measure)).toEqual(naive(text, columns, measure));
    }),
    { numRuns: 1000 },
  );
});

test('the columns of a line are those of its characters', () => {
  for (const [text, columns] of [
    ['', 0],
    ['abc', 3],
    ['a中文b', 6],
    ['e\u0301', 1],
    ['😀', 2],
    ['👩\u200d💻', 4],
  ] as const) {
    expect(columnsOf(text, measure), text).toBe(columns);
  }
});

test('no character joins another one without being taken for one that may', () => {
  // Every character beyond ASCII, twice and between others, in one text.
  for (let from = 0x80; from < 0x20000; from += 0x80) {
    if (from >= 0xd800 && from < 0xe000) continue;
    const all = Array.from({ length: 0x80 }, (_, at) => String.fromCodePoint(from + at));
    for (const character of all) {
      const text = `中${character}${character}é${character}`;
      expect(
        breakLine(text, 1, () => 1),
        from.toString(16),
      ).toEqual(naive(text, 1, () => 1));
    }
  }
});

test('characters have the width of their class', () => {
  const widths = { wide: 20, emoji: 30, other: 40 };
  for (const [cluster, width] of [
    ['a', 1],
    ['é', 1],
    ['e\u0301', 1],
    ['я', 1],
    ['λ', 1],
    ['─', 1],
    ['…', 1],
    ['⟨', 1],
    ['中', 20],
    ['한', 20],
    ['ア', 20],
    ['，', 20],
    ['Ａ', 20],
    ['𠀀', 20],
    ['😀', 30],
    ['❤️', 30],
    ['👩\u200d💻', 30],
    ['🇨🇳', 30],
    ['1\ufe0f\u20e3', 30],
    ['ع', 40],
    ['ก', 40],
    ['क', 40],
    ['\u0301', 0],
  ] as const) {
    expect(measureBy(widths)(cluster), cluster).toBe(width);
  }
});

test('columns of a terminal are counted by code points', () => {
  for (const [text, columns] of [
    ['', 0],
    ['abc', 3],
    ['中a', 3],
    ['e\u0301', 1],
    ['😀', 2],
  ] as const) {
    expect(nominalColumns(text), text).toBe(columns);
  }
});
