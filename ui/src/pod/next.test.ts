import { expect, test } from 'vitest';

import { nextStart, stepsOf } from './next';

const steps = (reasonCode: string, restarts = 0) => stepsOf({ reasonCode, reasonArgs: { container: 'api' }, restarts });

test.each([
  ['OutOfMemory', 7, ['lastLog', 'limitsInYaml']],
  ['OutOfMemory', 0, ['log', 'limitsInYaml']],
  ['Crash', 3, ['lastLog', 'log']],
  ['NotReady', 0, ['log', 'probeInYaml']],
  ['NotStarted', 0, ['log', 'probeInYaml']],
  ['Image', 0, ['events', 'imageInYaml']],
  ['CannotStart', 0, ['events', 'volumesInYaml']],
  ['Unscheduled', 0, ['events', 'requestsInYaml']],
  ['a code of another version', 0, ['events']],
])('after %s with %i restarts', (code, restarts, words) => {
  expect(steps(code, restarts).map((step) => step.words)).toEqual(words);
});

test('a step leads to the container that is meant', () => {
  expect(steps('OutOfMemory', 1).map(({ spot }) => spot)).toEqual([
    { tab: 'logs', container: 'api', isPrevious: true },
    { tab: 'yaml', container: 'api', find: 'limits' },
  ]);
});

test.each([
  ['back-off 5m0s restarting failed container=api pod=x', '2026-01-01T00:05:00.000Z'],
  ['back-off 10s restarting failed container=api pod=x', '2026-01-01T00:00:10.000Z'],
  ['back-off 1h0m0s restarting', '2026-01-01T01:00:00.000Z'],
  ['back-off restarting failed container', undefined],
  ['', undefined],
])('the next start after “%s”', (message, time) => {
  const next = nextStart('2026-01-01T00:00:00Z', message);
  expect(next === undefined ? undefined : new Date(next).toISOString()).toBe(time);
});
