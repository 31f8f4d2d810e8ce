import { expect, test } from 'vitest';

import { classOf, compareWords, isKnown, type Standing, type StatusClass } from './status';

const running = { phase: 'Running', reason: '', ready: 1, readyTotal: 1 };

const TABLE: [StatusClass, Partial<Standing> & { status: string }][] = [
  ['bad', { status: 'CrashLoopBackOff', reason: 'x' }],
  ['bad', { status: 'OOMKilled' }],
  ['bad', { status: 'ImagePullBackOff' }],
  ['bad', { status: 'ErrImagePull' }],
  ['bad', { status: 'ErrImageNeverPull' }],
  ['bad', { status: 'CreateContainerConfigError' }],
  ['bad', { status: 'CreateContainerError' }],
  ['bad', { status: 'InvalidImageName' }],
  ['bad', { status: 'RunContainerError' }],
  ['bad', { status: 'Init:Error' }],
  ['bad', { status: 'Init:CrashLoopBackOff' }],
  ['bad', { status: 'Init:ImagePullBackOff' }],
  ['bad', { status: 'Init:ExitCode:2' }],
  ['bad', { status: 'Pending', phase: 'Pending', reason: '0/6 nodes are available' }],
  ['bad', { status: 'Terminating', reason: 'its node is lost' }],
  ['bad', { status: 'SomethingNew', reason: 'x' }],
  ['failed', { status: 'Error', phase: 'Failed', reason: 'x' }],
  ['failed', { status: 'Evicted', phase: 'Failed', reason: 'x' }],
  ['failed', { status: 'DeadlineExceeded', phase: 'Failed' }],
  ['failed', { status: 'SomethingNew', phase: 'Failed' }],
  ['lost', { status: 'Unknown' }],
  ['lost', { status: 'NodeLost' }],
  ['lost', { status: 'SomethingNew' }],
  ['warn', { status: 'Running', reason: 'not ready', ready: 0 }],
  ['warn', { status: 'NotReady', reason: 'not ready', ready: 0 }],
  ['busy', { status: 'Pending', phase: 'Pending' }],
  ['busy', { status: 'ContainerCreating', phase: 'Pending' }],
  ['busy', { status: 'PodInitializing', phase: 'Pending' }],
  ['busy', { status: 'Init:1/3', phase: 'Pending' }],
  ['busy', { status: 'Running', ready: 0 }],
  ['held', { status: 'SchedulingGated', phase: 'Pending' }],
  ['leaving', { status: 'Terminating' }],
  ['ok', { status: 'Running' }],
  ['over', { status: 'Completed', phase: 'Succeeded', ready: 0 }],
  ['over', { status: 'Succeeded', phase: 'Succeeded' }],
];

test.each(TABLE)('%s: %j', (statusClass, pod) => {
  expect(classOf({ ...running, ...pod })).toBe(statusClass);
});

test('words stand worst first and by alphabet', () => {
  const words = [
    'Running',
    'Completed',
    'Error',
    'CrashLoopBackOff',
    'Pending',
    'Terminating',
    'ContainerCreating',
    'OOMKilled',
  ];
  expect(words.sort(compareWords)).toEqual([
    'CrashLoopBackOff',
    'OOMKilled',
    'Error',
    'ContainerCreating',
    'Pending',
    'Terminating',
    'Running',
    'Completed',
  ]);
});

test('a word that the page does not know is not said to be a lost node', () => {
  expect(isKnown('Unknown')).toBe(true);
  expect(isKnown('SomethingNew')).toBe(false);
});
