import type { LiveQuery } from '../live/frames';
import type { Question } from '../live/list';
import type { PodQuery } from './query';

/** Returns the question that a list asks the server: rows, the strip's counts and the causes. */
export function questionOf(query: PodQuery): Question {
  return { query: liveQuery(query), facets: ['status', 'problem'] };
}

function liveQuery(query: PodQuery): LiveQuery {
  const { cluster, namespace, status, phase, qosClass, nodeName, search, labelSelector, problem, sort, order } = query;
  const asked: LiveQuery = {};
  if (cluster.length > 0) asked.cluster = [...cluster];
  if (namespace.length > 0) asked.namespace = [...namespace];
  if (status.length > 0) asked.status = [...status];
  if (phase.length > 0) asked.phase = [...phase];
  if (qosClass.length > 0) asked.qosClass = [...qosClass];
  const [node] = nodeName;
  if (node !== undefined) asked.nodeName = node;
  const word = [...search].sort((a, b) => b.length - a.length)[0];
  if (word !== undefined) asked.search = word;
  if (labelSelector !== '') asked.labelSelector = labelSelector;
  if (problem) asked.problem = true;
  if (sort === 'problem' || sort === 'lastRestartAt') {
    asked.sort = 'restarts';
    asked.order = order === '' ? 'desc' : order;
  } else if (sort !== '') {
    asked.sort = sort;
    if (order !== '') asked.order = order;
  } else if (order !== '') asked.order = order;
  return asked;
}
