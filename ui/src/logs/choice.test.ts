import { expect, test } from 'vitest';

import { ALL, configOf, downloadOf, type LogChoice, NEWEST } from './choice';

const POD = { cluster: 'prod', namespace: 'shop', name: 'cart-1' };
const CHOICE: LogChoice = { container: 'api', isPrevious: false, since: 'newest' };

test('a choice says what is read', () => {
  const path = '/base/ws/clusters/prod/namespaces/shop/pods/cart-1/logs';
  const of = (choice: Partial<LogChoice>) => configOf('/base', POD, { ...CHOICE, ...choice });
  expect(of({})).toEqual({ path, containers: ['api'], previous: false, tailLines: NEWEST });
  expect(of({ since: 'start', container: ALL })).toEqual({ path, containers: ['*'], previous: false });
  expect(of({ since: '5', isPrevious: true })).toEqual({
    path,
    containers: ['api'],
    previous: true,
    sinceSeconds: 300,
  });
});

test('one container can be downloaded', () => {
  expect(downloadOf('', { ...POD, name: 'a/b' }, CHOICE)).toBe(
    '/api/clusters/prod/namespaces/shop/pods/a%2Fb/logs?container=api&download=true',
  );
  expect(downloadOf('', POD, { ...CHOICE, isPrevious: true })).toMatch(/download=true&previous=true$/);
  expect(downloadOf('', POD, { ...CHOICE, container: ALL })).toBeUndefined();
});
