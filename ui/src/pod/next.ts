import type { Pod } from '../pods/pod';
import type { Spot } from './place';

/** A step that answers the next question, with the words on its button. */
export interface Step {
  readonly words:
    | 'lastLog'
    | 'log'
    | 'events'
    | 'limitsInYaml'
    | 'requestsInYaml'
    | 'imageInYaml'
    | 'probeInYaml'
    | 'volumesInYaml'
    | 'gatesInYaml';
  readonly spot: Spot;
}

/** Returns what to look at next, by why a pod is not well. The first step is the most likely one. */
export function stepsOf({
  reasonCode,
  reasonArgs,
  restarts,
}: Pick<Pod, 'reasonCode' | 'reasonArgs' | 'restarts'>): Step[] {
  const named = reasonArgs?.['container'];
  const container = typeof named === 'string' ? named : '';
  const events: Step = { words: 'events', spot: { tab: 'events' } };
  const log: Step = { words: 'log', spot: { tab: 'logs', container } };
  const ended: Step = restarts > 0 ? { words: 'lastLog', spot: { tab: 'logs', container, isPrevious: true } } : log;
  const yaml = (words: Step['words'], find: string): Step => ({ words, spot: { tab: 'yaml', container, find } });
  switch (reasonCode) {
    case 'OutOfMemory':
      return [ended, yaml('limitsInYaml', 'limits')];
    case 'Crash':
      return restarts > 0 ? [ended, log] : [log];
    case 'NotReady':
      return [log, yaml('probeInYaml', 'readinessProbe')];
    case 'NotStarted':
      return [log, yaml('probeInYaml', 'startupProbe')];
    case 'Image':
      return [events, yaml('imageInYaml', 'image:')];
    case 'CannotStart':
      return [events, yaml('volumesInYaml', 'volumes')];
    case 'Unscheduled':
      return [events, yaml('requestsInYaml', 'requests')];
    case 'Gate':
      return [events, yaml('gatesInYaml', 'readinessGates')];
    default:
      return [events];
  }
}

/** What an exit code stands for in a shell (POSIX, 128 + signal), where it says more than its number. */
export const EXIT_WORDS = {
  126: 'exit126',
  127: 'exit127',
  134: 'exit134',
  137: 'exit137',
  139: 'exit139',
  143: 'exit143',
} as const;

/**
 * Returns when the kubelet starts a container next: the end of its last run and the back-off that its
 * state names (`back-off 5m0s restarting failed container`). `undefined` if either is not known.
 */
export function nextStart(finishedAt: string, message: string): number | undefined {
  const length = /back-off (?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)? /.exec(message);
  const end = Date.parse(finishedAt);
  if (length === null || Number.isNaN(end)) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = length
    .slice(1)
    .map((part) => Number((part as string | undefined) ?? 0));
  const millis = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return millis === 0 ? undefined : end + millis;
}
