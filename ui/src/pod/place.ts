import type { Search } from '../pods/query';

/** The tabs of a pod. */
export const TABS = ['overview', 'logs', 'events', 'yaml'] as const;
export type Tab = (typeof TABS)[number];

/** The names that lead to a pod. */
export interface PodName {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/** A pod that is open, and what is shown of it, as the URL has it. */
export interface Place extends PodName {
  /** The pod's own identity: a successor of the same name has another one. */
  readonly uid: string;
  readonly tab: Tab;
  /** Which log is read, or whose part of the manifest is meant; empty for the first container's. */
  readonly container: string;
  readonly isPrevious: boolean;
  /** What is looked for in the manifest. */
  readonly find: string;
}

/** What of a pod to show. Absent parts are those of the tab when it is first opened. */
export interface Spot {
  readonly tab: Tab;
  readonly container?: string;
  readonly isPrevious?: boolean;
  readonly find?: string;
}

/** Returns the place of another part of the same pod. */
export function at(place: Place, { tab, container = '', isPrevious = false, find = '' }: Spot): Place {
  return { ...place, tab, container, isPrevious, find };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Reads what of a pod is shown from a URL's query. */
export function readSpot(search: Search): Omit<Place, keyof PodName> {
  return {
    uid: text(search['uid']),
    tab: tabOf(text(search['tab'])),
    container: text(search['container']),
    isPrevious: search['previous'] === 'true',
    find: text(search['find']),
  };
}

/** Returns a tab by its name; the first one for any other name. */
export function tabOf(name: string): Tab {
  return TABS.find((tab) => tab === name) ?? 'overview';
}

/** Reads which pod is open; `undefined` if none is. */
export function readPlace(search: Search): Place | undefined {
  const [cluster, namespace, name, ...rest] = text(search['pod']).split('/');
  if (cluster === undefined || namespace === undefined || name === undefined || rest.length > 0) return undefined;
  if (cluster === '' || namespace === '' || name === '') return undefined;
  return { cluster, namespace, name, ...readSpot(search) };
}

/** Writes what of a pod is shown, apart from its names and the tab, for a URL's query. */
export function writeSpot({ uid, tab, container, isPrevious, find }: Place): Record<string, string> {
  return {
    ...(uid !== '' && { uid }),
    ...((tab === 'logs' || tab === 'yaml') && container !== '' && { container }),
    ...(tab === 'logs' && isPrevious && { previous: 'true' }),
    ...(tab === 'yaml' && find !== '' && { find }),
  };
}

/** Writes which pod is open for a URL's query; nothing for none. */
export function writePlace(place: Place | undefined): Record<string, string> {
  if (place === undefined) return {};
  const { cluster, namespace, name, tab } = place;
  return {
    pod: `${cluster}/${namespace}/${name}`,
    ...(tab !== 'overview' && { tab }),
    ...writeSpot(place),
  };
}

/** Returns the path of a pod's page, without the base path and the query. */
export function pageOf({ cluster, namespace, name, tab }: Pick<Place, keyof PodName | 'tab'>): string {
  const [c, ns, pod] = [cluster, namespace, name].map(encodeURIComponent);
  return `/c/${c ?? ''}/ns/${ns ?? ''}/pods/${pod ?? ''}/${tab}`;
}

/** Returns a pod's path in the API. */
export function apiPath({ cluster, namespace, name }: PodName): string {
  return `/api/${['clusters', cluster, 'namespaces', namespace, 'pods', name].map(encodeURIComponent).join('/')}`;
}
