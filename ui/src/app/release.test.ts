import { expect, test } from 'vitest';

import { Release } from './release';

function watched(): { release: Release; changes: () => number } {
  const release = new Release();
  let changes = 0;
  release.subscribe(() => (changes += 1));
  return { release, changes: () => changes };
}

test('another version than the first is an update, and a server without a page is not', () => {
  const { release, changes } = watched();
  for (const version of ['', 'a', 'a', '']) release.seen(version);
  expect(release.isOutdated()).toBe(false);
  release.seen('b');
  expect(release.isOutdated()).toBe(true);
  // A roll-out may be taken back, or the next answer may come from a replica that is still old.
  release.seen('a');
  expect(release.isOutdated()).toBe(true);
  expect(changes()).toBe(1);
});

test('a part that fails once is loaded again after a pause', async () => {
  const { release } = watched();
  const steps: string[] = [];
  const part = () => {
    steps.push('load');
    return steps.length === 1 ? Promise.reject(new Error('lost')) : Promise.resolve('part');
  };
  const pause = () => {
    steps.push('pause');
    return Promise.resolve();
  };
  expect(await release.load(part, pause)).toBe('part');
  expect(steps).toEqual(['load', 'pause', 'load']);
  expect(release.isOutdated()).toBe(false);
});

test('a part that fails twice is gone', async () => {
  const { release, changes } = watched();
  const part = () => Promise.reject(new Error('gone'));
  await expect(release.load(part, () => Promise.resolve())).rejects.toThrow('gone');
  expect(release.isOutdated()).toBe(true);
  expect(changes()).toBe(1);
});
