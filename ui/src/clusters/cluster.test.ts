import { expect, test } from 'vitest';

import {
  bodyOf,
  changesOf,
  type Cluster,
  draftOf,
  EMPTY,
  faultOf,
  filtered,
  NAME,
  segmentsOf,
  sorted,
} from './cluster';

const cluster = (name: string, state = 'synced'): Cluster =>
  ({
    id: 1,
    name,
    description: 'd',
    apiServer: `https://${name}.example:6443`,
    namespaces: ['a', 'b'],
    sync: { state, syncedAt: '', error: '' },
  }) as unknown as Cluster;

const rows = [
  { cluster: cluster('build'), notWell: 0 },
  { cluster: cluster('athens'), notWell: 0 },
  { cluster: cluster('prod'), notWell: 4 },
  { cluster: cluster('oslo', 'stale'), notWell: 0 },
  { cluster: cluster('lab', 'syncing'), notWell: 0 },
];
const names = (some: { cluster: Cluster }[]) => some.map(({ cluster: { name } }) => name);

test('what is not live comes first, then what is not well, then the alphabet', () => {
  expect(names(sorted(rows))).toEqual(['lab', 'oslo', 'prod', 'athens', 'build']);
});

test('a table is filtered by name, address, state and problems', () => {
  const none = { text: '', isNotLive: false, isNotWell: false };
  expect(names(filtered(rows, { ...none, text: ' OSLO ' }))).toEqual(['oslo']);
  expect(names(filtered(rows, { ...none, text: 'lab.example:6443' }))).toEqual(['lab']);
  expect(names(filtered(rows, { ...none, isNotLive: true }))).toEqual(['oslo', 'lab']);
  expect(names(filtered(rows, { ...none, isNotWell: true }))).toEqual(['prod']);
});

test('a bar is worst first, and words that say nothing are plain', () => {
  const byStatus = [
    { status: 'Running', count: 9 },
    { status: 'Completed', count: 3 },
    { status: 'ImagePullBackOff', count: 2 },
    { status: 'CrashLoopBackOff', count: 1 },
  ];
  const segments = segmentsOf({ pods: 15, byStatus, byNamespace: [] });
  expect(segments.map(({ status }) => status)).toEqual([
    'CrashLoopBackOff',
    'ImagePullBackOff',
    'Running',
    'Completed',
  ]);
  expect(segments[2]?.isPlain).toBe(true);
});

test.each([
  ['shop-dr', true],
  ['a', true],
  ['1a', true],
  ['12', false],
  ['Shop', false],
  ['-a', false],
  ['a-', false],
  ['', false],
  ['a'.repeat(64), false],
])('the name “%s”', (name, isValid) => {
  expect(NAME.test(name)).toBe(isValid);
});

test('a draft says what is missing first', () => {
  expect(faultOf(EMPTY)).toBe('name');
  expect(faultOf({ ...EMPTY, name: 'a' })).toBe('kubeConfig');
  expect(faultOf({ ...EMPTY, name: 'a', kubeConfig: 'x' })).toBeUndefined();
  const token = { ...EMPTY, name: 'a', by: 'token' } as const;
  expect(faultOf({ ...token, apiServer: 'http://a' })).toBe('apiServer');
  expect(faultOf({ ...token, apiServer: 'https://a' })).toBe('token');
  expect(faultOf({ ...token, apiServer: 'https://a', token: 't' })).toBeUndefined();
});

test('one way in is sent, never both', () => {
  const draft = { ...EMPTY, name: 'a', kubeConfig: 'k', apiServer: 'https://a', token: 't', namespaces: 'x, y  z' };
  expect(bodyOf(draft)).toEqual({ name: 'a', description: '', kubeConfig: 'k', namespaces: ['x', 'y', 'z'] });
  expect(bodyOf({ ...draft, by: 'token' })).toEqual({
    name: 'a',
    description: '',
    apiServer: 'https://a',
    token: 't',
    namespaces: ['x', 'y', 'z'],
  });
});

test('a change sends only what is another, and no credential unless one was typed', () => {
  const before = cluster('prod');
  const draft = draftOf(before);
  expect(changesOf(draft, before)).toEqual({});
  expect(changesOf({ ...draft, by: 'token' }, before)).toEqual({});
  expect(changesOf({ ...draft, description: 'new', namespaces: '' }, before)).toEqual({
    description: 'new',
    namespaces: [],
  });
  expect(changesOf({ ...draft, by: 'token', token: ' t ' }, before)).toEqual({ token: 't' });
});
