import type { components } from '../api/schema';
import type { ClientFrame, ServerFrame } from './frames';

type Schemas = components['schemas'];
type Subscribe = Schemas['LiveClientFrameSubscribe'];
type Page = Schemas['PodOfClusterList'];

/** Returns a page of the list for the query of a URL, without `?`. */
export type ReadPage = (query: string) => Promise<Page>;

/**
 * Returns what answers the frames of a live query by calls, where no WebSocket gets through. The
 * answers are those of a moment: no delta follows them.
 */
export function reader(readPage: ReadPage): (frame: ClientFrame) => Promise<ServerFrame> {
  let asked: Subscribe | undefined;
  return async (frame) => {
    if (frame.type === 'subscribe') asked = frame;
    if (asked === undefined || (frame.type !== 'subscribe' && frame.type !== 'window')) return { type: 'pong' };
    const offset = frame.offset ?? 0;
    const limit = frame.limit ?? asked.limit ?? 50;
    const pages = await readPages(readPage, queryOf(asked), offset, limit);
    const [first] = pages;
    // A list of identities alone is not asked for here.
    const whole = pages.flatMap((page) => page.items as Schemas['PodOfClusterItem'][]);
    const items = whole.slice(offset % limit, (offset % limit) + limit);
    return {
      type: 'snapshot',
      seq: frame.type === 'subscribe' ? 1 : 2,
      offset,
      limit,
      items,
      total: first.total,
      facets: first.facets ?? {},
      facetTotals: first.facetTotals ?? {},
      truncatedFacets: first.truncatedFacets ?? [],
      clusters: first.clusters,
    };
  };
}

/** Reads the one or two pages of `limit` rows over which a window lies. */
async function readPages(
  readPage: ReadPage,
  query: URLSearchParams,
  offset: number,
  limit: number,
): Promise<[Page, ...Page[]]> {
  const read = (page: number) => {
    const one = new URLSearchParams(query);
    one.set('page', String(page));
    one.set('pageSize', String(limit));
    return readPage(one.toString());
  };
  const page = Math.floor(offset / limit) + 1;
  const first = read(page);
  return offset % limit === 0 ? [await first] : await Promise.all([first, read(page + 1)]);
}

/** Writes what a live query asks as the list takes it. */
function queryOf({ query, facets }: Subscribe): URLSearchParams {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) pairs.append(name, String(one));
  }
  if (facets !== undefined && facets !== null && facets.length > 0) pairs.set('facets', facets.join(','));
  return pairs;
}
