import { expect, test } from 'vitest';

import { ApiError } from '../api/error';
import { type Kept, type Preferences, PreferenceStore, renamed, withoutView, withView } from './preferences';

/** A server in the test's hands. */
class Server {
  value: Preferences = {};
  version = 1;
  reads = 0;
  refusal: ApiError | undefined;

  read(): Promise<Kept> {
    this.reads += 1;
    return Promise.resolve({ value: this.value, tag: String(this.version) });
  }

  write(value: Preferences, tag: string): Promise<Kept> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    if (tag !== String(this.version)) return Promise.reject(new ApiError(409_001, 'changed', '', undefined));
    this.value = value;
    this.version += 1;
    return this.read();
  }
}

const jobs = { name: 'jobs', query: 'namespace=jobs' };
const shop = { name: 'shop', query: 'namespace=shop' };
const add = (view: typeof jobs) => (before: Preferences) => withView(before, view);

test('a change shows at once and is kept', async () => {
  const server = new Server();
  const store = new PreferenceStore(server);
  await store.load('ann');
  const change = store.change(add(jobs));
  expect(store.value()?.views).toEqual([jobs]);
  await change;
  expect(server.value).toEqual({ views: [jobs] });
});

test('a change elsewhere is not lost, and words of other versions stay', async () => {
  const server = new Server();
  server.value = { other: { a: 1 } };
  const store = new PreferenceStore(server);
  await store.load('ann');
  server.value = { other: { a: 1 }, views: [shop] };
  server.version += 1;
  await store.change(add(jobs));
  expect(server.value).toEqual({ other: { a: 1 }, views: [shop, jobs] });
  expect(store.value()).toEqual(server.value);
});

test('changes are written one after the other', async () => {
  const server = new Server();
  const store = new PreferenceStore(server);
  await store.load('ann');
  await Promise.all([store.change(add(jobs)), store.change(add(shop))]);
  expect(server.value).toEqual({ views: [jobs, shop] });
});

test('a change that can’t be kept is undone', async () => {
  const server = new Server();
  const store = new PreferenceStore(server);
  await store.load('ann');
  server.refusal = new ApiError(413_001, 'too large', '', undefined);
  await expect(store.change(add(jobs))).rejects.toThrow('too large');
  expect(store.value()).toEqual({});
});

test('another account never sees those of the one before', async () => {
  const server = new Server();
  server.value = { views: [jobs] };
  const store = new PreferenceStore(server);
  await store.load('ann');
  await store.load('ann');
  expect(server.reads).toBe(1);
  server.value = {};
  const load = store.load('ben');
  expect(store.value()).toBeUndefined();
  await load;
  expect(store.value()).toEqual({});
});

test('views are saved, renamed and removed by name', () => {
  const both = { views: [jobs, shop] };
  expect(withView(both, { name: 'jobs', query: 'x=1' }).views).toEqual([{ name: 'jobs', query: 'x=1' }, shop]);
  expect(renamed(both, 'jobs', 'work').views).toEqual([{ ...jobs, name: 'work' }, shop]);
  expect(renamed(both, 'jobs', 'shop').views).toEqual([{ ...jobs, name: 'shop' }]);
  expect(withoutView(both, 'jobs').views).toEqual([shop]);
  expect(withoutView({}, 'jobs').views).toEqual([]);
});
