import fc from 'fast-check';
import { expect, test } from 'vitest';

import { EVERYTHING } from './query';
import { chipsOf, requirements, searchWords, takeWords, textOf, withoutChip } from './searchText';

test.each([
  ['ns:shop ', { namespace: ['shop'] }, ''],
  ['cart ns:shop ', { namespace: ['shop'] }, 'cart '],
  ['ns:shop', {}, 'ns:shop'],
  ['cluster:prod node:n-1 web', { cluster: ['prod'], nodeName: ['n-1'] }, 'web'],
  ['status:Error owner:ReplicaSet/web ', { status: ['Error'], owner: ['ReplicaSet/web'] }, ''],
  ['is:problem ', { problem: true }, ''],
  ['label:app=cart label:tier=front ', { labelSelector: 'app=cart,tier=front' }, ''],
  ['label: ', {}, 'label: '],
  ['fd00::1 ', {}, 'fd00::1 '],
  ['unknown:x ', {}, 'unknown:x '],
])('%j makes chips', (text, filters, left) => {
  expect(takeWords(EVERYTHING, text, false)).toEqual({ query: { ...EVERYTHING, ...filters }, text: left });
});

test('enter takes the last word, too', () => {
  expect(takeWords(EVERYTHING, 'ns:shop', true)).toEqual({ query: { ...EVERYTHING, namespace: ['shop'] }, text: '' });
});

test('a selector is split at the commas outside of parentheses', () => {
  expect(requirements('app=cart,tier in (front, back),!debug')).toEqual([
    'app=cart',
    'tier in (front, back)',
    '!debug',
  ]);
});

test('each word is searched for once, and at most eight are', () => {
  expect(searchWords('  web  api web ')).toEqual(['web', 'api']);
  expect(searchWords('web ns:sh fd00::1')).toEqual(['web', 'fd00::1']);
  expect(searchWords('1 2 3 4 5 6 7 8 9')).toHaveLength(8);
});

test('a chip turns back into the text that made it', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
  const prefix = fc.constantFrom('ns', 'cluster', 'node', 'owner', 'label', 'qos', 'phase');
  fc.assert(
    fc.property(prefix, name, (word, value) => {
      const typed = `${word}:${value}`;
      const { query } = takeWords(EVERYTHING, typed, true);
      const [chip] = chipsOf(query);
      expect(chip).toBeDefined();
      if (chip === undefined) return;
      expect(textOf(chip)).toBe(typed);
      expect(withoutChip(query, chip)).toEqual(EVERYTHING);
    }),
  );
});
