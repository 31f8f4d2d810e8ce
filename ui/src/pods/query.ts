/** The filters and the sort of a list as its URL has them, by the API's names. */
export interface PodQuery {
  readonly cluster: readonly string[];
  readonly namespace: readonly string[];
  readonly status: readonly string[];
  readonly phase: readonly string[];
  readonly qosClass: readonly string[];
  readonly nodeName: readonly string[];
  readonly owner: readonly string[];
  readonly reasonCode: readonly string[];
  readonly search: readonly string[];
  readonly labelSelector: string;
  readonly problem: boolean;
  readonly restartedSince: string;
  readonly sort: Sort | '';
  readonly order: 'asc' | 'desc' | '';
}

export const SORTS = [
  'createdAt',
  'name',
  'namespace',
  'status',
  'restarts',
  'nodeName',
  'qosClass',
  'problem',
  'lastRestartAt',
] as const;
export type Sort = (typeof SORTS)[number];

/** The filters that take several values. */
export const LISTS = [
  'cluster',
  'namespace',
  'status',
  'phase',
  'qosClass',
  'nodeName',
  'owner',
  'reasonCode',
  'search',
] as const;
export type ListFilter = (typeof LISTS)[number];

export const EVERYTHING: PodQuery = {
  cluster: [],
  namespace: [],
  status: [],
  phase: [],
  qosClass: [],
  nodeName: [],
  owner: [],
  reasonCode: [],
  search: [],
  labelSelector: '',
  problem: false,
  restartedSince: '',
  sort: '',
  order: '',
};

/** What is not well, worst first: the start page. */
export const NOT_WELL: PodQuery = { ...EVERYTHING, problem: true, sort: 'problem' };

/** The phases of pods that are not done. */
export const NOT_COMPLETED = ['Running', 'Pending', 'Failed', 'Unknown'] as const;

/** Values of a URL's query, as the router gives them. */
export type Search = Readonly<Record<string, unknown>>;

/** Reads the filters out of a URL's query. What it does not know is left out. */
export function readQuery(search: Search): PodQuery {
  const list = (name: string): string[] => {
    const value = search[name];
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return [...new Set(values.filter((one): one is string => typeof one === 'string' && one !== ''))];
  };
  const one = (name: string): string => list(name)[0] ?? '';
  const order = one('order');
  return {
    cluster: list('cluster'),
    namespace: list('namespace'),
    status: list('status'),
    phase: list('phase'),
    qosClass: list('qosClass'),
    nodeName: list('nodeName'),
    owner: list('owner'),
    reasonCode: list('reasonCode'),
    search: list('search'),
    labelSelector: one('labelSelector'),
    problem: one('problem') === 'true',
    restartedSince: one('restartedSince'),
    sort: SORTS.find((sort) => sort === one('sort')) ?? '',
    order: order === 'asc' || order === 'desc' ? order : '',
  };
}

/** Writes the filters for a URL's query, those that are set alone. */
export function writeQuery(query: PodQuery): Record<string, string | string[]> {
  const search: Record<string, string | string[]> = {};
  for (const name of LISTS) if (query[name].length > 0) search[name] = [...query[name]];
  if (query.labelSelector !== '') search['labelSelector'] = query.labelSelector;
  if (query.problem) search['problem'] = 'true';
  if (query.restartedSince !== '') search['restartedSince'] = query.restartedSince;
  if (query.sort !== '') search['sort'] = query.sort;
  if (query.order !== '') search['order'] = query.order;
  return search;
}

/** Returns the query without filters that narrow it: only its sort is left. */
export function withoutFilters({ sort, order }: PodQuery): PodQuery {
  return { ...EVERYTHING, sort, order };
}

/** Returns whether any filter but `problem` is set. */
export function isFiltered(query: PodQuery): boolean {
  return LISTS.some((name) => query[name].length > 0) || query.labelSelector !== '' || query.restartedSince !== '';
}

/** Returns whether two queries have the same filters and the same sort. */
export function isSameQuery(one: PodQuery, other: PodQuery): boolean {
  return JSON.stringify(writeQuery(one)) === JSON.stringify(writeQuery(other));
}

/** The direction in which a sort begins. */
export function naturalOrder(sort: Sort): 'asc' | 'desc' {
  return sort === 'createdAt' || sort === 'restarts' || sort === 'problem' || sort === 'lastRestartAt' ? 'desc' : 'asc';
}

/**
 * Returns the query sorted by a field, as a click on its head sorts it: in the field's usual
 * direction first, then in the other.
 */
export function sortedBy(query: PodQuery, sort: Sort): PodQuery {
  const current = query.sort === '' ? 'createdAt' : query.sort;
  const order = query.order === '' ? naturalOrder(current) : query.order;
  const next = current === sort ? (order === 'asc' ? 'desc' : 'asc') : naturalOrder(sort);
  return { ...query, sort, order: next };
}
