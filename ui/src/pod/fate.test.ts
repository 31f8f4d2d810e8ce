import { expect, test } from 'vitest';

import { fateOf } from './fate';

const THERE = { uid: 'a', other: 'a', isMissing: false, isListed: true };

test.each([
  ['it is read and listed', THERE, 'there'],
  ['nothing is known yet', { uid: 'a', other: '', isMissing: false, isListed: undefined }, 'there'],
  ['a link without a uid', { uid: '', other: 'b', isMissing: false, isListed: undefined }, 'there'],
  ['the cluster has no such name', { ...THERE, isMissing: true }, 'gone'],
  ['it has left the live query', { ...THERE, isListed: false }, 'gone'],
  ['another has its name', { ...THERE, other: 'b' }, 'replaced'],
  ['another has its name and it has left the live query', { ...THERE, other: 'b', isListed: false }, 'replaced'],
] as const)('%s', (_, known, fate) => {
  expect(fateOf(known)).toBe(fate);
});
