import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseSearch, stringifySearch } from '../app/search';
import { type Place, readPlace, TABS, writePlace } from './place';

test('an open pod survives the way into a URL and back', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/);
  const place: fc.Arbitrary<Place> = fc.record({
    cluster: name,
    namespace: name,
    name,
    uid: name,
    tab: fc.constantFrom(...TABS),
    container: fc.oneof(fc.constant(''), name),
    isPrevious: fc.boolean(),
  });
  fc.assert(
    fc.property(place, (one) => {
      // Which log is read matters on its tab alone.
      const expected = one.tab === 'logs' ? one : { ...one, container: '', isPrevious: false };
      expect(readPlace(parseSearch(stringifySearch(writePlace(one))))).toEqual(expected);
    }),
  );
});

test.each([{}, { pod: 'a/b' }, { pod: 'a/b/c/d' }, { pod: '//c' }, { pod: ['a/b/c', 'd'] }])(
  '%j opens none',
  (search) => {
    expect(readPlace(search)).toBeUndefined();
  },
);
