import type { Search } from '../pods/query';

/** The tabs of a pod. */
export const TABS = ['overview', 'logs', 'events'] as const;
export type Tab = (typeof TABS)[number];

/** A pod that is open, and what is shown of it, as the URL has it. */
export interface Place {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  /** The pod's own identity: a successor of the same name has another one. */
  readonly uid: string;
  readonly tab: Tab;
  /** Which log is read; empty for the first container's. */
  readonly container: string;
  readonly isPrevious: boolean;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Reads which pod is open; `undefined` if none is. */
export function readPlace(search: Search): Place | undefined {
  const [cluster, namespace, name, ...rest] = text(search['pod']).split('/');
  if (cluster === undefined || namespace === undefined || name === undefined || rest.length > 0) return undefined;
  if (cluster === '' || namespace === '' || name === '') return undefined;
  return {
    cluster,
    namespace,
    name,
    uid: text(search['uid']),
    tab: TABS.find((tab) => tab === search['tab']) ?? 'overview',
    container: text(search['container']),
    isPrevious: search['previous'] === 'true',
  };
}

/** Writes which pod is open for a URL's query; nothing for none. */
export function writePlace(place: Place | undefined): Record<string, string> {
  if (place === undefined) return {};
  const { cluster, namespace, name, uid, tab, container, isPrevious } = place;
  return {
    pod: `${cluster}/${namespace}/${name}`,
    ...(uid !== '' && { uid }),
    ...(tab !== 'overview' && { tab }),
    ...(tab === 'logs' && container !== '' && { container }),
    ...(tab === 'logs' && isPrevious && { previous: 'true' }),
  };
}
