import { expect, test } from 'vitest';

import { count, Deletion, MOST, type Target } from './deletion';

const target = (n: number): Target => ({ cluster: 'prod', namespace: 'shop', name: `web-${n}`, uid: `uid-${n}` });
const read = (error: unknown) => ({ code: 403_001, message: String(error), requestId: 'r' });

/** Calls whose answers the test gives. */
class Calls {
  readonly paths: string[] = [];
  readonly #waiting: { path: string; end: (error?: string) => void }[] = [];

  readonly call = (path: string): Promise<unknown> => {
    this.paths.push(path);
    return new Promise((resolve, reject) => {
      const end = (error?: string) => {
        if (error === undefined) resolve(undefined);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        else reject(error);
      };
      this.#waiting.push({ path, end });
    });
  };

  get waiting(): number {
    return this.#waiting.length;
  }

  async answer(error?: string): Promise<void> {
    this.#waiting.shift()?.end(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('each call names the uid, and four are on their way at a time', async () => {
  const calls = new Calls();
  const deletion = new Deletion([1, 2, 3, 4, 5, 6].map(target), calls.call, read);
  const done = deletion.run({ gracePeriod: 0 });
  expect(calls.waiting).toBe(4);
  expect(calls.paths[0]).toBe('/api/clusters/prod/namespaces/shop/pods/web-1?uid=uid-1&gracePeriod=0');
  await calls.answer();
  expect(calls.waiting).toBe(4);
  for (let n = 0; n < 5; n += 1) await calls.answer();
  await done;
  expect(deletion.state().phase).toBe('done');
  expect(count(deletion.state().fates, 'deleted')).toBe(6);
});

test('what is refused when it is tried is not deleted', async () => {
  const calls = new Calls();
  const deletion = new Deletion([target(1), target(2)], calls.call, read);
  const tried = deletion.try();
  expect(calls.paths).toEqual([
    '/api/clusters/prod/namespaces/shop/pods/web-1?uid=uid-1&dryRun=true',
    '/api/clusters/prod/namespaces/shop/pods/web-2?uid=uid-2&dryRun=true',
  ]);
  await calls.answer('you may not');
  await calls.answer();
  await tried;
  expect(deletion.state()).toEqual({
    phase: 'choosing',
    fates: [{ kind: 'refused', code: 403_001, message: 'you may not', requestId: 'r' }, { kind: 'may' }],
  });
  const done = deletion.run({ force: true });
  expect(calls.paths.slice(2)).toEqual(['/api/clusters/prod/namespaces/shop/pods/web-2?uid=uid-2&force=true']);
  await calls.answer('too late');
  await done;
  expect(deletion.state().fates[1]).toMatchObject({ kind: 'failed', message: 'too late' });
});

test('a stop ends what has not begun', async () => {
  const calls = new Calls();
  const deletion = new Deletion([1, 2, 3, 4, 5, 6].map(target), calls.call, read);
  const done = deletion.run({});
  deletion.stop();
  for (let n = 0; n < 4; n += 1) await calls.answer();
  await done;
  expect(calls.paths).toHaveLength(4);
  expect(count(deletion.state().fates, 'deleted')).toBe(4);
  expect(count(deletion.state().fates, 'stopped')).toBe(2);
});

test('many pods are not tried first, and there is an end to how many', async () => {
  const calls = new Calls();
  const many = new Deletion(
    Array.from({ length: 300 }, (_, n) => target(n)),
    calls.call,
    read,
  );
  expect(many.targets).toHaveLength(MOST);
  await many.try();
  expect(calls.paths).toEqual([]);
});
