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
    find: fc.oneof(fc.constant(''), name),
  });
  fc.assert(
    fc.property(place, (one) => {
      // Each part matters on its own tabs alone.
      const { tab } = one;
      const expected = {
        ...one,
        container: tab === 'logs' || tab === 'yaml' ? one.container : '',
        isPrevious: tab === 'logs' && one.isPrevious,
        find: tab === 'yaml' ? one.find : '',
      };
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
