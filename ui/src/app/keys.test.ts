import { expect, test } from 'vitest';

import { chordOf, KEYS, KeyReader, type KeyPress } from './keys';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  getModifierState: () => false,
  ...more,
});
const action = (event: KeyPress, isMac = false) => new KeyReader().read(event, 'list', 0, isMac);

test('no chord is one that a browser keeps', () => {
  const kept = [
    'Ctrl+t',
    'Ctrl+w',
    'Ctrl+n',
    'Mod+t',
    'Mod+w',
    'Mod+n',
    'Ctrl+Shift+t',
    'Ctrl+Shift+w',
    'Ctrl+Shift+n',
    'Ctrl+Tab',
  ];
  for (const keys of Object.values(KEYS)) for (const chord of kept) expect(Object.keys(keys)).not.toContain(chord);
});

test.each([
  ['a letter', press('j'), 'next'],
  ['a capital', press('G', { shiftKey: true }), 'last'],
  ['a slash, which needs Shift on a German keyboard', press('/', { shiftKey: true }), 'search'],
  ['a bracket by AltGr, which types', press('[', { ctrlKey: true, altKey: true }), undefined],
  ['Ctrl with a', press('a', { ctrlKey: true }), 'pickAll'],
  ['Ctrl with d', press('d', { ctrlKey: true }), 'delete'],
  ['Shift with an arrow', press('ArrowDown', { shiftKey: true }), 'pickDown'],
  ['an unknown letter', press('ü'), undefined],
])('%s', (_, event, expected) => {
  expect(action(event)).toBe(expected);
});

test.each([
  ['s', {}, 'follow'],
  ['E', { shiftKey: true }, 'nextError'],
  ['N', { shiftKey: true }, 'previousHit'],
  ['3', {}, 'since5'],
  // German and French keyboards have it on Shift.
  ['/', { shiftKey: true }, 'find'],
] as const)('in a log, %s has its own meaning', (key, more, expected) => {
  expect(new KeyReader().read(press(key, more), 'log', 0, false)).toBe(expected);
});

test('on a Mac, Ctrl and ⌘ are two keys', () => {
  expect(action(press('a', { metaKey: true }), true)).toBe('pickAll');
  expect(action(press('d', { ctrlKey: true }), true)).toBe('delete');
  expect(chordOf(press('a', { ctrlKey: true }), true)).toBe('Ctrl+a');
});

test('two keys one after the other', () => {
  const reader = new KeyReader();
  expect(reader.read(press('g'), 'list', 0, false)).toBeUndefined();
  expect(reader.read(press('g'), 'list', 500, false)).toBe('first');
  expect(reader.read(press('g'), 'list', 1000, false)).toBeUndefined();
  expect(reader.read(press('p'), 'list', 1500, false)).toBe('goPods');
  expect(reader.read(press('g'), 'list', 2000, false)).toBeUndefined();
  expect(reader.read(press('j'), 'list', 9000, false)).toBe('next');
});
