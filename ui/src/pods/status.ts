import type { Pod } from './pod';

/** The classes of a pod's status, worst first. Each has a shape, a colour and a word. */
export const CLASSES = ['bad', 'failed', 'lost', 'warn', 'busy', 'held', 'leaving', 'ok', 'over'] as const;
export type StatusClass = (typeof CLASSES)[number];

/** The parts of a pod that its class follows from. */
export type Standing = Pick<Pod, 'status' | 'phase' | 'reason' | 'ready' | 'readyTotal'>;

const FAILED = new Set([
  'Error',
  'Evicted',
  'DeadlineExceeded',
  'ContainerStatusUnknown',
  'Failed',
  'NodeAffinity',
  'NodeShutdown',
  'OutOfcpu',
  'OutOfmemory',
  'OutOfpods',
  'Preempting',
  'Shutdown',
  'Terminated',
  'UnexpectedAdmissionError',
  'StartError',
]);
const BUSY = new Set(['Pending', 'ContainerCreating', 'PodInitializing', 'Running', 'NotReady']);
const OVER = new Set(['Completed', 'Succeeded']);
const LOST = new Set(['Unknown', 'NodeLost']);
const BAD =
  /^(?:CrashLoopBackOff|OOMKilled|ImagePullBackOff|ErrImage.*|InvalidImageName|ImageInspectError|RegistryUnavailable|CreateContainer.*Error|RunContainerError|ContainerCannotRun|PreStartHookError|PostStartHookError|PreCreateHookError)$/;
const INIT_BUSY = /^Init:(?:\d+\/\d+|PodInitializing|ContainerCreating)$/;
const INIT_BAD = /^Init:.*(?:Err|BackOff|OOMKilled|ExitCode|Signal|Cannot|Invalid)/;

/**
 * Returns the class of a pod. The word of its status is `kubectl`'s; the class says whether somebody
 * has to look.
 */
export function classOf({ status, phase, reason, ready, readyTotal }: Standing): StatusClass {
  const isUnwell = reason !== '';
  if (status === 'Terminating') return isUnwell ? 'bad' : 'leaving';
  if (status === 'SchedulingGated') return 'held';
  if (OVER.has(status)) return 'over';
  if (FAILED.has(status)) return 'failed';
  if (BAD.test(status) || INIT_BAD.test(status)) return 'bad';
  if (LOST.has(status)) return 'lost';
  if (status === 'Running' || status === 'NotReady') {
    if (isUnwell) return 'warn';
    return ready < readyTotal || status === 'NotReady' ? 'busy' : 'ok';
  }
  if (BUSY.has(status) || INIT_BUSY.test(status)) return isUnwell ? 'bad' : 'busy';
  if (phase === 'Failed') return 'failed';
  return isUnwell ? 'bad' : 'lost';
}

/**
 * Returns the class of a word alone, as the status strip shows it, and whether the word does not say
 * if its pods are well.
 */
export function classOfWord(status: string): { statusClass: StatusClass; isPlain: boolean } {
  const isPlain = status === 'Running' || status === 'Pending' || status === 'Terminating';
  return { statusClass: classOf({ status, phase: '', reason: '', ready: 1, readyTotal: 1 }), isPlain };
}

/** Returns whether the page knows a word. */
export function isKnown(status: string): boolean {
  const { statusClass } = classOfWord(status);
  return statusClass !== 'lost' || LOST.has(status);
}

/** Orders status words: the worst class first, and by alphabet within a class. */
export function compareWords(one: string, other: string): number {
  const place = (word: string) => CLASSES.indexOf(classOfWord(word).statusClass);
  return place(one) - place(other) || (one < other ? -1 : one > other ? 1 : 0);
}
