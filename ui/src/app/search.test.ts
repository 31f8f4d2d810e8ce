import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseSearch, safeNext, stringifySearch } from './search';

test('a query means the same after a round trip', () => {
  const value = fc.oneof(fc.string(), fc.array(fc.string(), { minLength: 2, maxLength: 4 }));
  // `__proto__` can't be a key of an object literal.
  const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__');
  fc.assert(
    fc.property(fc.dictionary(name, value), (search) => {
      expect(parseSearch(stringifySearch(search))).toEqual({ ...search });
    }),
  );
});

test('a query has the names and values of the API', () => {
  expect(stringifySearch({ namespace: ['a', 'b'], problem: true, page: 2, search: undefined })).toBe(
    '?namespace=a&namespace=b&problem=true&page=2',
  );
  expect(stringifySearch({})).toBe('');
  expect(parseSearch('?search=web+1&namespace=a&namespace=b')).toEqual({ search: 'web 1', namespace: ['a', 'b'] });
});

test('a log-in continues only at a path of this page', () => {
  for (const path of ['/', '/pods?namespace=shop', '/c/prod/ns/shop/pods/web/logs']) {
    expect(safeNext(path)).toBe(path);
  }
  for (const foreign of [
    undefined,
    3,
    '',
    'pods',
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
    '/login?next=/login',
  ]) {
    expect(safeNext(foreign), String(foreign)).toBe('/');
  }
});
