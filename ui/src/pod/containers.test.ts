import { expect, test } from 'vitest';

import { containersOf, type Detail, forLogs } from './containers';

const detail = {
  spec: {
    initContainers: [
      { name: 'migrate', image: 'shop/cart:1' },
      { name: 'mesh', image: 'mesh:2', restartPolicy: 'Always' },
    ],
    containers: [
      {
        name: 'app',
        image: 'shop/cart:1',
        resources: { limits: { memory: '256Mi', cpu: 1 }, requests: { memory: '128Mi' } },
      },
      { name: 'new', image: 'x' },
    ],
  },
  status: {
    initContainerStatuses: [
      {
        name: 'migrate',
        restartCount: 0,
        state: { terminated: { exitCode: 0, reason: 'Completed', finishedAt: 't1' } },
      },
      { name: 'mesh', ready: true, restartCount: 0, state: { running: { startedAt: 't2' } } },
    ],
    containerStatuses: [
      {
        name: 'app',
        ready: false,
        restartCount: 7,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: 't3', finishedAt: 't4' } },
      },
    ],
  },
} as unknown as Detail;

test('each container has its kind, its state and how its last run ended', () => {
  const views = containersOf(detail);
  expect(views.map(({ name, kind, state, restarts }) => [name, kind, state, restarts])).toEqual([
    ['migrate', 'init', 'ended', 0],
    ['mesh', 'sidecar', 'running', 0],
    ['app', 'regular', 'waiting', 7],
    ['new', 'regular', 'unknown', 0],
  ]);
  const [migrate, , app] = views;
  expect(migrate?.end).toMatchObject({ exitCode: 0, finishedAt: 't1' });
  expect(app).toMatchObject({
    reason: 'CrashLoopBackOff',
    end: { exitCode: 137, reason: 'OOMKilled', startedAt: 't3', finishedAt: 't4' },
    limits: { memory: '256Mi', cpu: '1' },
    requests: { memory: '128Mi' },
  });
});

test('logs begin with the container that does the work', () => {
  expect(forLogs(containersOf(detail))).toEqual(['app', 'new', 'mesh', 'migrate']);
});

test('a pod without a status has its containers all the same', () => {
  expect(containersOf({ spec: { containers: [{ name: 'a' }] }, status: {} } as unknown as Detail)).toMatchObject([
    { name: 'a', state: 'unknown', limits: {} },
  ]);
});
