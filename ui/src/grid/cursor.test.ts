import { expect, test } from 'vitest';

import { follow, keyAt } from './cursor';

const place = (offset: number, ...keys: string[]) => ({ offset, keys });

test.each([
  ['moves with its row', { key: 'b', index: 1 }, place(0, 'x', 'a', 'b'), { key: 'b', index: 2 }],
  [
    'takes the row that took the place of one that has left',
    { key: 'b', index: 1 },
    place(0, 'a', 'c'),
    { key: 'c', index: 1 },
  ],
  ['takes the last row if the last one has left', { key: 'c', index: 2 }, place(0, 'a', 'b'), { key: 'b', index: 1 }],
  [
    'stays on a row that the window has moved away from',
    { key: 'b', index: 1 },
    place(50, 'x', 'y'),
    { key: 'b', index: 1 },
  ],
  ['ends with the last row', { key: 'b', index: 0 }, place(0), undefined],
])('the cursor %s', (_, cursor, after, expected) => {
  expect(follow(cursor, after)).toEqual(expected);
});

test('a place outside of the window has no key', () => {
  expect([9, 10, 11, 12].map((index) => keyAt(place(10, 'a', 'b'), index))).toEqual([undefined, 'a', 'b', undefined]);
});
