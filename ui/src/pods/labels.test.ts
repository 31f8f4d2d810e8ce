import { expect, test } from 'vitest';

import { choiceOf, withChoice } from './labels';

test.each([
  ['app=web', ['web']],
  ['app==web', ['web']],
  ['tier=front,app in (web, api)', ['web', 'api']],
  ['!app', ['']],
  ['tier=front', []],
  ['app!=web', []],
  ['', []],
])('%j lets through', (selector, values) => {
  expect(choiceOf(selector, 'app')).toEqual(values);
});

test.each([
  ['', ['web'], 'app=web'],
  ['tier=front,app=web', ['web', 'api'], 'tier=front,app in (web, api)'],
  ['app in (web, api),tier', ['api'], 'tier,app=api'],
  ['app=web', [], ''],
  ['app=web', [''], '!app'],
  ['app=web', ['', 'api'], 'app=api'],
])('%j with %j', (selector, chosen, after) => {
  expect(withChoice(selector, 'app', chosen)).toBe(after);
});
