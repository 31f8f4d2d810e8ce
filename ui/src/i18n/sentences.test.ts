import { expect, test } from 'vitest';

import { en } from './en';
import { zh } from './zh';

/** Returns every sentence with its key. */
function flat(sentences: object): [string, string][] {
  return Object.entries(sentences).flatMap(([group, keys]) =>
    Object.entries(keys as Record<string, string>).map(([key, text]): [string, string] => [`${group}.${key}`, text]),
  );
}

/** Returns the placeholders and tags of a sentence, sorted. */
function places(text: string): string[] {
  return [...text.matchAll(/\{\{\w+\}\}|<\/?\w+>/g)].map(([place]) => place).sort();
}

test('every sentence is there in both languages, with the same placeholders', () => {
  const chinese = new Map(flat(zh));
  expect([...chinese.keys()].sort()).toEqual(
    flat(en)
      .map(([key]) => key)
      .sort(),
  );
  for (const [key, text] of flat(en)) {
    const other = chinese.get(key) ?? '';
    expect(places(other), key).toEqual(places(text));
    expect(other.trim(), key).not.toBe('');
  }
});

test('no sentence says please, oops or successfully, or shouts', () => {
  for (const [key, text] of flat(en)) {
    expect(text, key).not.toMatch(/please|oops|successfully|!/i);
  }
});
