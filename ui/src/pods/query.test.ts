import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseSearch, stringifySearch } from '../app/search';
import { EVERYTHING, LISTS, NOT_WELL, type PodQuery, readQuery, SORTS, sortedBy, writeQuery } from './query';

const texts = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 3 });
const query: fc.Arbitrary<PodQuery> = fc
  .record({
    lists: fc.tuple(...LISTS.map(() => texts)),
    labelSelector: fc.string(),
    problem: fc.boolean(),
    restartedSince: fc.string(),
    sort: fc.constantFrom(...SORTS, '' as const),
    order: fc.constantFrom('asc' as const, 'desc' as const, '' as const),
  })
  .map(({ lists, ...rest }) => ({
    ...EVERYTHING,
    ...Object.fromEntries(LISTS.map((name, place) => [name, lists[place] ?? []])),
    ...rest,
  }));

test('a query survives the way into a URL and back', () => {
  fc.assert(
    fc.property(query, (one) => {
      expect(readQuery(parseSearch(stringifySearch(writeQuery(one))))).toEqual(one);
    }),
  );
});

test('a URL has the names of the API, and nothing for what is not set', () => {
  expect(stringifySearch(writeQuery(EVERYTHING))).toBe('');
  expect(stringifySearch(writeQuery({ ...NOT_WELL, namespace: ['shop', 'jobs'] }))).toBe(
    '?namespace=shop&namespace=jobs&problem=true&sort=problem',
  );
});

test('what a URL has besides is left out', () => {
  expect(readQuery({ sort: 'colour', order: 'up', problem: 'maybe', other: 'x', cluster: ['a', 'a', ''] })).toEqual({
    ...EVERYTHING,
    cluster: ['a'],
  });
});

test('a click on a head sorts in its usual direction first, then in the other', () => {
  const byName = sortedBy(EVERYTHING, 'name');
  expect([byName.sort, byName.order]).toEqual(['name', 'asc']);
  expect(sortedBy(byName, 'name').order).toBe('desc');
  expect(sortedBy(EVERYTHING, 'createdAt').order).toBe('asc');
  expect(sortedBy(byName, 'problem').order).toBe('desc');
});
