import type { components } from '../api/schema';
import { classOfWord, type StatusClass } from '../pods/status';

export type Cluster = components['schemas']['Cluster'];
export type Stats = components['schemas']['ClusterStats'];

/** How current what Podgate knows of a cluster is. */
export type Standing = 'live' | 'stale' | 'reading' | 'failed';

/** From how many clusters on they are a table. */
export const CARDS = 8;

/** Returns how current a cluster is. A state of another version counts as stale. */
export function standingOf(state: string): Standing {
  if (state === 'synced') return 'live';
  if (state === 'syncing') return 'reading';
  return state === 'failed' ? 'failed' : 'stale';
}

/** A cluster with the number of its pods that are not well. */
export interface Row {
  readonly cluster: Cluster;
  readonly notWell: number;
}

/** Sorts the rows of a table: first what is not live, then most pods not well, then by name. */
export function sorted(rows: readonly Row[]): Row[] {
  const isLive = ({ cluster }: Row) => (standingOf(cluster.sync.state) === 'live' ? 1 : 0);
  return [...rows].sort(
    (a, b) => isLive(a) - isLive(b) || b.notWell - a.notWell || (a.cluster.name < b.cluster.name ? -1 : 1),
  );
}

/** Which rows of a table are shown. */
export interface Filter {
  readonly text: string;
  readonly isNotLive: boolean;
  readonly isNotWell: boolean;
}

/** Returns the rows whose name or address contains a text, and of which the other filters hold. */
export function filtered(rows: readonly Row[], { text, isNotLive, isNotWell }: Filter): Row[] {
  const wanted = text.trim().toLowerCase();
  return rows.filter(
    ({ cluster, notWell }) =>
      (cluster.name.includes(wanted) || cluster.apiServer.toLowerCase().includes(wanted)) &&
      (!isNotLive || standingOf(cluster.sync.state) !== 'live') &&
      (!isNotWell || notWell > 0),
  );
}

/** A part of a cluster's bar. */
export interface Segment {
  readonly status: string;
  readonly count: number;
  readonly shape: StatusClass;
  /** Whether the word alone does not say if a pod is well. */
  readonly isPlain: boolean;
}

const ORDER: readonly StatusClass[] = ['bad', 'failed', 'lost', 'warn', 'busy', 'held', 'leaving', 'ok', 'over'];

/** Returns the parts of a cluster's bar, worst first and by alphabet within a class. */
export function segmentsOf({ byStatus }: Stats): Segment[] {
  const segments = byStatus.map(({ status, count }): Segment => {
    const { statusClass, isPlain } = classOfWord(status);
    return { status, count, shape: statusClass, isPlain };
  });
  return segments.sort((a, b) => ORDER.indexOf(a.shape) - ORDER.indexOf(b.shape) || (a.status < b.status ? -1 : 1));
}

/** A name that a cluster may have: a DNS-1123 label (RFC 1123) that is not a number. */
export const NAME = /^(?![0-9]+$)[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** What somebody has typed of a cluster. */
export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly by: 'kubeconfig' | 'token';
  readonly kubeConfig: string;
  readonly apiServer: string;
  readonly token: string;
  readonly caCert: string;
  /** Namespaces apart by spaces or commas; none for all. */
  readonly namespaces: string;
}

export const EMPTY: Draft = {
  name: '',
  description: '',
  by: 'kubeconfig',
  kubeConfig: '',
  apiServer: '',
  token: '',
  caCert: '',
  namespaces: '',
};

/** Returns the draft of a change: all but the credential, which is never shown. */
export function draftOf({ name, description, apiServer, namespaces }: Cluster): Draft {
  return { ...EMPTY, name, description, apiServer, namespaces: namespaces.join(' ') };
}

function namespacesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((name) => name !== '');
}

/** Returns what is missing or wrong in a draft of a new cluster; `undefined` if it can be sent. */
export function faultOf(draft: Draft): 'name' | 'kubeConfig' | 'apiServer' | 'token' | undefined {
  if (!NAME.test(draft.name)) return 'name';
  if (draft.by === 'kubeconfig') return draft.kubeConfig.trim() === '' ? 'kubeConfig' : undefined;
  if (!/^https:\/\/\S+$/.test(draft.apiServer.trim())) return 'apiServer';
  return draft.token.trim() === '' ? 'token' : undefined;
}

/** Returns the body that adds a cluster. */
export function bodyOf(draft: Draft): Record<string, unknown> {
  const { name, description, by, kubeConfig, apiServer, token, caCert, namespaces } = draft;
  const access =
    by === 'kubeconfig'
      ? { kubeConfig }
      : { apiServer: apiServer.trim(), token: token.trim(), ...(caCert.trim() !== '' && { caCert }) };
  return { name, description, ...access, namespaces: namespacesOf(namespaces) };
}

/** Returns the body that changes a cluster: only what is another now. A credential is sent if one was typed. */
export function changesOf(draft: Draft, cluster: Cluster): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  if (draft.name !== cluster.name) changes['name'] = draft.name;
  if (draft.description !== cluster.description) changes['description'] = draft.description;
  const namespaces = namespacesOf(draft.namespaces);
  if (namespaces.join(' ') !== cluster.namespaces.join(' ')) changes['namespaces'] = namespaces;
  if (draft.by === 'kubeconfig') {
    if (draft.kubeConfig.trim() !== '') changes['kubeConfig'] = draft.kubeConfig;
    return changes;
  }
  if (draft.apiServer.trim() !== cluster.apiServer) changes['apiServer'] = draft.apiServer.trim();
  if (draft.token.trim() !== '') changes['token'] = draft.token.trim();
  if (draft.caCert.trim() !== '') changes['caCert'] = draft.caCert;
  return changes;
}
