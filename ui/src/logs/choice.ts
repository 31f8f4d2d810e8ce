import type { LogConfig } from './podFeed';

/** From when on a log is read, as in k9s: the newest lines, all lines, or the last minutes. */
export const SINCES = ['newest', 'start', '1', '5', '15', '30', '60'] as const;
export type Since = (typeof SINCES)[number];

/** Which of a pod's logs is read, and from when on. */
export interface LogChoice {
  /** A container's name, or {@link ALL}. */
  readonly container: string;
  /** Whether the last run is read instead of this one. */
  readonly isPrevious: boolean;
  readonly since: Since;
}

export interface PodName {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/** All containers. */
export const ALL = '*';
/** How many of the newest lines are read at first. */
export const NEWEST = 1_000;

function pathOf({ cluster, namespace, name }: PodName): string {
  const [one, two, three] = [cluster, namespace, name].map(encodeURIComponent);
  return `/clusters/${one ?? ''}/namespaces/${two ?? ''}/pods/${three ?? ''}/logs`;
}

/** Returns what to read for a choice. `base` is the server's base path. */
export function configOf(base: string, pod: PodName, { container, isPrevious, since }: LogChoice): LogConfig {
  const config = { path: `${base}/ws${pathOf(pod)}`, containers: [container], previous: isPrevious };
  if (since === 'start') return config;
  if (since === 'newest') return { ...config, tailLines: NEWEST };
  return { ...config, sinceSeconds: Number(since) * 60 };
}

/** Returns where a container's whole log can be downloaded; `undefined` for all containers. */
export function downloadOf(base: string, pod: PodName, choice: LogChoice): string | undefined {
  if (choice.container === ALL) return undefined;
  const query = new URLSearchParams({ container: choice.container, download: 'true' });
  if (choice.isPrevious) query.set('previous', 'true');
  return `${base}/api${pathOf(pod)}?${query.toString()}`;
}
