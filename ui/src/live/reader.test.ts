import { expect, test } from 'vitest';

import type { ServerFrame } from './frames';
import { reader } from './reader';

/** A list of 100 pods, and the queries with which it was read. */
function list() {
  const queries: string[] = [];
  const read = reader((query) => {
    queries.push(query);
    const pairs = new URLSearchParams(query);
    const [page, pageSize] = [Number(pairs.get('page')), Number(pairs.get('pageSize'))];
    const all = Array.from({ length: 100 }, (_, n) => ({ uid: String(n) }));
    const items = all.slice((page - 1) * pageSize, page * pageSize);
    return Promise.resolve({ items: items as never, page, pageSize, total: 100, clusters: [] });
  });
  return { read, queries };
}

const uids = (frame: ServerFrame) => (frame.type === 'snapshot' ? frame.items.map(({ uid }) => uid) : undefined);
const numbers = (first: number, end: number) => Array.from({ length: end - first }, (_, n) => String(first + n));

test('a query is read as the list takes it', async () => {
  const { read, queries } = list();
  const query = { namespace: ['a', 'b'], problem: true, search: ['x y'] };
  const answer = await read({ type: 'subscribe', query, facets: ['status', 'problem'], offset: 0, limit: 30 });
  expect(answer).toMatchObject({ type: 'snapshot', seq: 1, offset: 0, limit: 30, total: 100, facets: {} });
  expect(uids(answer)).toEqual(numbers(0, 30));
  const pairs = 'namespace=a&namespace=b&problem=true&search=x+y&facets=status%2Cproblem&page=1&pageSize=30';
  expect(queries).toEqual([pairs]);
});

test('a window between two pages has exactly its rows, of the query before', async () => {
  const { read, queries } = list();
  await read({ type: 'subscribe', query: { sort: 'name' }, limit: 30 });
  const answer = await read({ type: 'window', offset: 40, limit: 25 });
  expect(answer).toMatchObject({ type: 'snapshot', offset: 40, limit: 25, total: 100 });
  expect(uids(answer)).toEqual(numbers(40, 65));
  expect(queries.slice(1)).toEqual(['sort=name&page=2&pageSize=25', 'sort=name&page=3&pageSize=25']);
  expect(uids(await read({ type: 'window', offset: 90, limit: 25 }))).toEqual(numbers(90, 100));
});

test('a window before any query is no question', async () => {
  const { read, queries } = list();
  expect(await read({ type: 'window', offset: 0, limit: 25 })).toEqual({ type: 'pong' });
  expect(queries).toEqual([]);
});
