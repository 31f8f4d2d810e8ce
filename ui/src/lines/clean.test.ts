import Anser from 'anser';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { clean } from './clean';
import { type Look, PLAIN, type Shown, TRUE_COLOUR } from './look';

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** Returns a colour by the names of the oracle. */
function nameOf(colour: number): string {
  if (colour < 0) return '';
  if (colour < 16) return `ansi-${colour < 8 ? '' : 'bright-'}${NAMES[colour % 8] ?? ''}`;
  if (colour < 256) return `ansi-palette-${colour}`;
  return [colour >> 16, colour >> 8, colour].map((part) => part & 255).join(', ');
}

/** Returns each unit of a shown text with its look. */
function units({ text, runs }: Shown): [string, Look][] {
  return [...Array(text.length).keys()].map((at) => {
    const run = runs.find(({ from, to }) => from <= at && at < to);
    return [text[at] ?? '', run?.look ?? PLAIN];
  });
}

/** Returns each unit with its colours and decorations, as the oracle sees them. */
function oracle(raw: string): string[] {
  return Anser.ansiToJson(raw, { use_classes: true }).flatMap((piece) => {
    const colour = (name: string, exact: string) => (name === 'ansi-truecolor' ? exact : name) as string | null;
    const looks = [colour(piece.fg, piece.fg_truecolor), colour(piece.bg, piece.bg_truecolor)].map((one) => one ?? '');
    const marks = [...new Set(piece.decorations)].sort().join(' ');
    return [...Array(piece.content.length).keys()].map(
      (at) => `${piece.content[at] ?? ''}|${looks.join('|')}|${marks}`,
    );
  });
}

function ours(raw: string): string[] {
  return units(clean(raw)).map(([unit, look]) => {
    const marks = (['bold', 'dim', 'italic', 'underline'] as const).filter((mark) => look[mark]);
    return `${unit}|${nameOf(look.fg)}|${nameOf(look.bg)}|${marks.join(' ')}`;
  });
}

const byte = fc.integer({ min: 0, max: 255 });
const code = fc.oneof(
  fc.constantFrom('', '0', '1', '2', '3', '4', '22', '23', '24', '39', '49'),
  fc.constantFrom(30, 40, 90, 100).chain((first) => fc.integer({ min: first, max: first + 7 }).map(String)),
  fc.tuple(fc.constantFrom('38;5', '48;5'), byte).map(([kind, n]) => `${kind};${n}`),
  fc.tuple(fc.constantFrom('38;2', '48;2'), byte, byte, byte).map((parts) => parts.join(';')),
);
const codes = fc.array(code, { minLength: 1, maxLength: 4 });
const sequence = (list: readonly string[]) => `\u001b[${list.join(';')}m`;
const sgr = codes.map(sequence);

/** What ends a mark. */
const ENDS: Readonly<Record<string, string>> = { '1': '22', '2': '22', '3': '23', '4': '24' };

/** Leaves out codes of marks that are on already: the oracle counts them, and ends only one. */
function once(): (list: readonly string[]) => string[] {
  let on = new Set<string>();
  return (list) =>
    list.filter((one) => {
      const isRepeated = on.has(one);
      if (one === '' || one === '0') on = new Set();
      on = new Set([...on].filter((mark) => ENDS[mark] !== one));
      if (one in ENDS) on.add(one);
      return !isRepeated;
    });
}

test('colours and styles are those that anser finds', () => {
  const words = fc.stringMatching(/^[ -~中é]{0,6}$/);
  fc.assert(
    fc.property(fc.array(fc.oneof(words, codes), { maxLength: 20 }), (parts) => {
      const write = (change: (list: readonly string[]) => readonly string[]) =>
        parts.map((part) => {
          if (typeof part === 'string') return part;
          const left = change(part);
          return left.length === 0 ? '' : sequence(left);
        });
      expect(ours(write((list) => list).join(''))).toEqual(oracle(write(once()).join('')));
    }),
    { numRuns: 500 },
  );
});

test('sequences change what follows them', () => {
  const look = (raw: string) => units(clean(raw)).at(-1)?.[1];
  expect(look('\u001b[7mx')).toEqual({ ...PLAIN, inverse: true });
  expect(look('\u001b[7m\u001b[27mx')).toEqual(PLAIN);
  expect(look('\u001b[38:2::1:2:3mx')).toEqual({ ...PLAIN, fg: TRUE_COLOUR | 0x010203 });
  expect(look('\u001b[48:2:1:2:3mx')).toEqual({ ...PLAIN, bg: TRUE_COLOUR | 0x010203 });
  expect(look('\u001b[38:5:200;1mx')).toEqual({ ...PLAIN, fg: 200, bold: true });
  expect(look('\u001b[4:3mx')).toEqual({ ...PLAIN, underline: true });
  expect(look('\u001b[4m\u001b[4:0mx')).toEqual(PLAIN);
  // Colours that are none change nothing, and text never hides.
  expect(look('\u001b[38;5;999mx')).toEqual(PLAIN);
  expect(look('\u001b[38;2;1mx')).toEqual(PLAIN);
  expect(look('\u001b[8mx')).toEqual(PLAIN);
  expect(look('\u001b[>4;1mx')).toEqual(PLAIN);
});

test('other control sequences are dropped, and none hides text that is not its own', () => {
  for (const [raw, text] of [
    ['a\u001b[2Kb', 'ab'],
    ['a\u001b[?25lb', 'ab'],
    ['a\u001b[1;2Hb', 'ab'],
    ['a\u001b]0;title\u0007b', 'ab'],
    ['a\u001b]8;;http://x\u001b\\b', 'ab'],
    ['a\u001bPdata\u001b\\b', 'ab'],
    ['a\u001b(Bb', 'ab'],
    ['a\u001b7b', 'ab'],
    // Strings without an end, and sequences that are cut off.
    ['a\u001b]0;title', 'a0;title'],
    ['a\u001bPdata', 'adata'],
    ['a\u001b[31', 'a'],
    ['a\u001b', 'a'],
    ['a\u001b[31\u4e2d', 'a\u4e2d'],
  ] as const) {
    expect(clean(raw).text, JSON.stringify(raw)).toBe(text);
  }
});

test('what can not be seen is named', () => {
  for (const [raw, text] of [
    ['user\u202egnp.exe', 'user⟨U+202E⟩gnp.exe'],
    ['a\u2066b\u2069', 'a⟨U+2066⟩b⟨U+2069⟩'],
    ['a\u0000b\u0007\u007f', 'a⟨U+0000⟩b⟨U+0007⟩⟨U+007F⟩'],
    ['10%\r20%\r', '10%⟨U+000D⟩20%'],
    ['a\u200bb\ufeff', 'a⟨U+200B⟩b⟨U+FEFF⟩'],
    ['a\u2028b', 'a⟨U+2028⟩b'],
    ['\ud800', '⟨U+D800⟩'],
    ['\u{e0041}', '⟨U+E0041⟩'],
    ['👩\u200d💻 e\u0301', '👩\u200d💻 e\u0301'],
  ] as const) {
    expect(clean(raw).text, JSON.stringify(raw)).toBe(text);
  }
});

test('a tab leads to the next column of eight, whatever is before it', () => {
  for (const [raw, text] of [
    ['\tx', '        x'],
    ['a\tx', 'a       x'],
    ['1234567\tx', '1234567 x'],
    ['12345678\tx', '12345678        x'],
    ['中文\tx', '中文    x'],
    ['e\u0301\tx', 'e\u0301       x'],
    ['\u001b[31ma\tb\tx', 'a       b       x'],
  ] as const) {
    expect(clean(raw).text, JSON.stringify(raw)).toBe(text);
  }
});

test('runs are in order, within the text, and of several looks', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), sgr), { maxLength: 20 }), (parts) => {
      const { text, runs } = clean(parts.join(''));
      let end = 0;
      for (const { from, to, look } of runs) {
        expect(from).toBeGreaterThanOrEqual(end);
        expect(to).toBeGreaterThan(from);
        expect(look).not.toEqual(PLAIN);
        end = to;
      }
      expect(end).toBeLessThanOrEqual(text.length);
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});
