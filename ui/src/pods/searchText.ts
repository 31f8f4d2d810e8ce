import type { ListFilter, PodQuery } from './query';

/** Words before a colon that make a filter of what follows, as in `ns:shop`. */
const PREFIXES: Readonly<Record<string, ListFilter | 'labelSelector' | 'is'>> = {
  ns: 'namespace',
  namespace: 'namespace',
  cluster: 'cluster',
  ctx: 'cluster',
  node: 'nodeName',
  status: 'status',
  owner: 'owner',
  qos: 'qosClass',
  phase: 'phase',
  label: 'labelSelector',
  is: 'is',
};

/** The most words that the server searches for at once (docs/api.md). */
export const MOST_WORDS = 8;

/**
 * Takes the finished words of a search field into a query: those before the last space, or all of
 * them if `isDone`.
 *
 * @returns The query, and the text that stays in the field. Words without a prefix stay there, too.
 */
export function takeWords(query: PodQuery, text: string, isDone: boolean): { query: PodQuery; text: string } {
  const words = text.split(/\s+/);
  const last = isDone ? '' : (words.pop() ?? '');
  const kept: string[] = [];
  let next = query;
  for (const word of words) {
    const taken = takeWord(next, word);
    if (taken === undefined) {
      if (word !== '') kept.push(word);
    } else next = taken;
  }
  return { query: next, text: [...kept, last].join(' ').trimStart() };
}

/** Returns the query with a word's filter; `undefined` for a word that is not a filter. */
function takeWord(query: PodQuery, word: string): PodQuery | undefined {
  const colon = word.indexOf(':');
  if (colon < 1 || colon === word.length - 1) return undefined;
  const prefix = PREFIXES[word.slice(0, colon).toLowerCase()];
  const value = word.slice(colon + 1);
  if (prefix === undefined) return undefined;
  if (prefix === 'is') return value === 'problem' ? { ...query, problem: true } : undefined;
  if (prefix === 'labelSelector') return { ...query, labelSelector: withRequirement(query.labelSelector, value) };
  return query[prefix].includes(value) ? query : { ...query, [prefix]: [...query[prefix], value] };
}

/** Returns a label selector with one requirement more. */
export function withRequirement(selector: string, requirement: string): string {
  const known = requirements(selector);
  return known.includes(requirement) ? selector : [...known, requirement].join(',');
}

/** Splits a label selector into its requirements, at the commas outside of parentheses. */
export function requirements(selector: string): string[] {
  return selector === '' ? [] : selector.split(/,(?![^(]*\))/).map((one) => one.trim());
}

/**
 * Returns the words of a search text: each is searched for, and all must be found. A filter that is
 * still being typed is not a word.
 */
export function searchWords(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '' && !isPrefixed(word));
  return [...new Set(words)].slice(0, MOST_WORDS);
}

/** Returns whether a word begins as a filter does. */
function isPrefixed(word: string): boolean {
  const colon = word.indexOf(':');
  return colon > 0 && word.slice(0, colon).toLowerCase() in PREFIXES;
}

/** A filter as a chip shows it. */
export interface Chip {
  readonly name: ListFilter | 'labelSelector' | 'restartedSince';
  readonly value: string;
}

/**
 * Returns the filters that stand as chips in the search field. Those of the status strip, and the
 * words of the search, are shown elsewhere.
 */
export function chipsOf(query: PodQuery): Chip[] {
  const names = ['cluster', 'namespace', 'nodeName', 'owner', 'phase', 'qosClass', 'reasonCode'] as const;
  const chips: Chip[] = names.flatMap((name) => query[name].map((value) => ({ name, value })));
  for (const value of requirements(query.labelSelector)) chips.push({ name: 'labelSelector', value });
  if (query.restartedSince !== '') chips.push({ name: 'restartedSince', value: query.restartedSince });
  return chips;
}

/** Returns the query without a chip's filter. */
export function withoutChip(query: PodQuery, { name, value }: Chip): PodQuery {
  if (name === 'restartedSince') return { ...query, restartedSince: '' };
  if (name !== 'labelSelector') return { ...query, [name]: query[name].filter((one) => one !== value) };
  const left = requirements(query.labelSelector).filter((one) => one !== value);
  return { ...query, labelSelector: left.join(',') };
}

/** Returns the text that makes a chip's filter when it is typed. */
export function textOf({ name, value }: Chip): string {
  const prefix = {
    cluster: 'cluster',
    namespace: 'ns',
    nodeName: 'node',
    owner: 'owner',
    phase: 'phase',
    qosClass: 'qos',
    status: 'status',
    labelSelector: 'label',
  };
  return name in prefix ? `${prefix[name as keyof typeof prefix]}:${value}` : value;
}
