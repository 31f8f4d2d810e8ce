import type { LiveQuery } from '../live/frames';
import type { Question } from '../live/list';
import { LISTS, type PodQuery } from './query';

type ReasonCode = NonNullable<LiveQuery['reasonCode']>[number];

/** Returns the question that a list asks the server: rows, the strip's counts and the causes. */
export function questionOf(query: PodQuery): Question {
  const facets = query.problem ? ['status', 'problem', 'reasonCode', 'owner'] : ['status', 'problem'];
  return { query: liveQuery(query), facets };
}

function liveQuery(query: PodQuery): LiveQuery {
  const { labelSelector, problem, restartedSince, sort, order } = query;
  const asked: LiveQuery = { facetMode: 'others' };
  for (const name of LISTS) {
    // The server refuses a code that it does not know, and says which ones it does.
    if (query[name].length > 0) asked[name] = [...query[name]] as string[] & ReasonCode[];
  }
  if (labelSelector !== '') asked.labelSelector = labelSelector;
  if (problem) asked.problem = true;
  if (restartedSince !== '') asked.restartedSince = restartedSince;
  if (sort !== '') asked.sort = sort;
  if (order !== '') asked.order = order;
  return asked;
}
