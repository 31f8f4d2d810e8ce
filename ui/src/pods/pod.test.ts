import { expect, test } from 'vitest';

import { ago, short } from './age';
import { shortImage, splitName } from './pod';

test.each([
  ['checkout-6d8f7b9c4-mx2kp', { kind: 'ReplicaSet', name: 'checkout-6d8f7b9c4' }, 'checkout', '-6d8f7b9c4-mx2kp'],
  ['agent-x7d2k', { kind: 'DaemonSet', name: 'agent' }, 'agent', '-x7d2k'],
  ['sync-29401020-8vfcj', { kind: 'Job', name: 'sync-29401020' }, 'sync-29401020', '-8vfcj'],
  ['ledger-0', { kind: 'StatefulSet', name: 'ledger' }, 'ledger-0', ''],
  ['web', null, 'web', ''],
  ['other', { kind: 'ReplicaSet', name: 'web-6d8f7b9c4' }, 'other', ''],
])('%s is split by its owner', (name, owner, workload, suffix) => {
  expect(splitName({ name, owner })).toEqual({ workload, suffix });
});

test.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [7_200_000, '2h'],
  [86_400_000 * 3, '3d'],
  [-5000, '0s'],
])('%i ms are %s', (millis, text) => {
  expect(short(millis)).toBe(text);
});

test('how long ago it was has words in both languages', () => {
  expect(ago(180_000, 'en')).toBe('3m ago');
  expect(ago(180_000, 'zh')).toBe('3分钟前');
});

test('an image is shown by its last part', () => {
  expect(shortImage('registry.example.com:5000/team/cart:1.2@sha256:0123')).toBe('cart:1.2');
});
