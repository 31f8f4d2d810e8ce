import type { Chunk } from './chunk';
import type { Hit } from './render';
import { compile, HIT_SIZE, type Query, type SearchReply, type SearchRequest } from './search';
import type { Store } from './store';

/** A worker that searches. */
export interface Searcher {
  ask: (request: SearchRequest) => void;
  /** Ends it, also in the middle of a search. */
  end: () => void;
}

/** Starts a searcher, which says `ready` first. */
export type StartSearcher = (answer: (reply: SearchReply) => void) => Searcher;

/** Where a search stands. */
export interface FindStatus {
  /**
   * `slow`: one chunk took over {@link PATIENCE}, so the search was ended. `full`: it ended at
   * {@link MOST_HITS}. `invalid`: the pattern is not valid.
   */
  state: 'searching' | 'done' | 'slow' | 'full' | 'invalid';
  count: number;
  /** The number of the current hit, from 1; 0 without one. */
  current: number;
}

/** How long a searcher may take for one chunk, in milliseconds. */
export const PATIENCE = 2_000;
/** A search ends at so many hits. */
export const MOST_HITS = 100_000;

/** A hit's line, and where it begins there. */
export interface HitPlace {
  line: number;
  from: number;
}

/** The hits of one chunk: flat, {@link HIT_SIZE} numbers each. */
interface Found {
  /** How many lines of the chunk were searched. */
  until: number;
  hits: number[];
}

/** Finds text in a store, in a worker that is sent one chunk at a time. */
export class Finder {
  #query: Query | undefined;
  #structured = true;
  #near = 0;
  #state: FindStatus['state'] = 'done';
  #found = new Map<number, Found>();
  #count = 0;
  #current: HitPlace | undefined;
  #searcher: Searcher | undefined;
  #isReady = false;
  /** The request that is on its way; `chunk` is its chunk's first line. */
  #asked: { id: number; chunk: number; until: number; timer: ReturnType<typeof setTimeout> } | undefined;
  #lastId = 0;
  /** Answers to older requests belong to another query. */
  #firstId = 1;

  constructor(
    readonly store: Store,
    readonly startSearcher: StartSearcher,
    /** Called when there is more to show. */
    readonly changed: () => void,
  ) {}

  /** Where the search stands; `null` without a query. */
  get status(): FindStatus | null {
    if (this.#query === undefined) return null;
    return { state: this.#state, count: this.#count, current: this.#ordinal() };
  }

  /** Begins a search near a line, in place of the one before; without a query, ends it. */
  find(query: Query | undefined, structured: boolean, near: number) {
    this.#query = query?.text === '' ? undefined : query;
    this.#structured = structured;
    this.#near = near;
    this.#found = new Map();
    this.#count = 0;
    this.#current = undefined;
    this.#firstId = this.#lastId + 1;
    this.#state = this.#query !== undefined && compile(this.#query) === undefined ? 'invalid' : 'searching';
    this.next();
    this.changed();
  }

  /** Searches again in another form of lines. */
  setStructured(structured: boolean) {
    if (structured !== this.#structured) this.find(this.#query, structured, this.#near);
  }

  /** Forgets hits in lines that were let go. */
  trimmed() {
    for (const [chunk, { hits }] of this.#found) {
      if (chunk >= this.store.first) continue;
      this.#found.delete(chunk);
      this.#count -= hits.length / HIT_SIZE;
    }
    if (this.#current !== undefined && this.#current.line < this.store.first) this.#current = undefined;
  }

  /** Searches the next lines that were not searched. It is called when there are new ones. */
  next() {
    const isOver = this.#state === 'slow' || this.#state === 'full' || this.#state === 'invalid';
    if (this.#query === undefined || isOver || this.#asked !== undefined) return;
    const chunk = this.#nextChunk();
    if (chunk === undefined) {
      if (this.#state === 'searching') this.changed();
      this.#state = 'done';
      return;
    }
    this.#searcher ??= this.startSearcher(this.#answer);
    // Its start is not the pattern's fault.
    if (this.#isReady) this.#ask(chunk, this.#searcher, this.#query);
  }

  /** Ends the search and its worker. */
  close() {
    this.find(undefined, this.#structured, 0);
    this.#endSearcher();
  }

  /** Returns the hits in a line, in order. */
  hitsOf(line: number): Hit[] {
    const place = this.store.find(line);
    const found = place === undefined ? undefined : this.#found.get(place.chunk.first);
    if (place === undefined || found === undefined) return [];
    const hits: Hit[] = [];
    for (let at = lowerBound(found.hits, place.at, 0); found.hits[at] === place.at; at += HIT_SIZE) {
      const from = found.hits[at + 1] ?? 0;
      const isCurrent = this.#current?.line === line && this.#current.from === from;
      hits.push({ from, to: found.hits[at + 2] ?? 0, isCurrent });
    }
    return hits;
  }

  /**
   * Makes the next hit in a direction the current one, and returns it. Without a current hit, it is
   * the first from `line` on, or the last before it. Behind the last hit comes the first.
   */
  move(direction: 1 | -1, line: number): HitPlace | undefined {
    const from = this.#current ?? { line, from: direction > 0 ? -1 : 0 };
    this.#current =
      this.#after(from, direction) ?? this.#after({ line: direction > 0 ? -1 : Infinity, from: 0 }, direction);
    return this.#current;
  }

  /** Returns the places of the lines with hits in a chunk, in order. */
  placesIn({ first }: Chunk): Set<number> {
    const places = new Set<number>();
    const hits = this.#found.get(first)?.hits ?? [];
    for (let at = 0; at < hits.length; at += HIT_SIZE) places.add(hits[at] ?? 0);
    return places;
  }

  #ask(chunk: Chunk, searcher: Searcher, query: Query) {
    const { until } = this.#foundIn(chunk.first);
    const start = chunk.offsets[until] ?? 0;
    this.#lastId += 1;
    const timer = setTimeout(this.#giveUp, PATIENCE);
    this.#asked = { id: this.#lastId, chunk: chunk.first, until: chunk.count, timer };
    const piece = {
      text: chunk.textFrom(until),
      offsets: chunk.offsets.slice(until, chunk.count + 1).map((offset) => offset - start),
      flags: chunk.flags.slice(until, chunk.count),
      structured: this.#structured,
    };
    searcher.ask({ id: this.#lastId, query, piece, limit: MOST_HITS - this.#count });
  }

  readonly #answer = (reply: SearchReply) => {
    if (reply.type === 'ready') this.#isReady = true;
    else if (reply.id === this.#asked?.id) {
      clearTimeout(this.#asked.timer);
      const { chunk, until, id } = this.#asked;
      this.#asked = undefined;
      if (id >= this.#firstId && this.store.find(chunk) !== undefined) this.#add(chunk, until, reply.hits);
    }
    this.next();
  };

  #add(chunk: number, until: number, hits: Uint32Array) {
    const found = this.#foundIn(chunk);
    const before = found.until;
    for (let at = 0; at < hits.length; at += HIT_SIZE) {
      found.hits.push((hits[at] ?? 0) + before, hits[at + 1] ?? 0, hits[at + 2] ?? 0);
    }
    found.until = until;
    this.#count += hits.length / HIT_SIZE;
    if (this.#count >= MOST_HITS) this.#state = 'full';
    if (hits.length > 0) this.changed();
  }

  readonly #giveUp = () => {
    const isOfThisQuery = (this.#asked?.id ?? 0) >= this.#firstId;
    this.#endSearcher();
    if (isOfThisQuery) {
      this.#state = 'slow';
      this.changed();
    } else this.next();
  };

  #endSearcher() {
    clearTimeout(this.#asked?.timer);
    this.#searcher?.end();
    this.#searcher = undefined;
    this.#isReady = false;
    this.#asked = undefined;
  }

  #foundIn(chunk: number): Found {
    const found = this.#found.get(chunk) ?? { until: 0, hits: [] };
    this.#found.set(chunk, found);
    return found;
  }

  /** Returns the chunk to search next: from the one looked at to the newest, then upwards. */
  #nextChunk(): Chunk | undefined {
    const { chunks } = this.store;
    const isOpen = (chunk: Chunk) => (this.#found.get(chunk.first)?.until ?? 0) < chunk.count;
    const near = Math.max(
      0,
      chunks.findLastIndex(({ first }) => first <= this.#near),
    );
    return chunks.slice(near).find(isOpen) ?? chunks.slice(0, near).findLast(isOpen);
  }

  /** Returns the first hit behind a place, or the last before it. */
  #after(place: HitPlace, direction: 1 | -1): HitPlace | undefined {
    const chunks = direction > 0 ? this.store.chunks : this.store.chunks.toReversed();
    for (const { first } of chunks) {
      const hits = this.#found.get(first)?.hits ?? [];
      const bound = lowerBound(hits, place.line - first, direction > 0 ? place.from + 1 : place.from);
      const at = direction > 0 ? bound : bound - HIT_SIZE;
      const line = hits[at];
      if (line !== undefined) return { line: first + line, from: hits[at + 1] ?? 0 };
    }
    return undefined;
  }

  #ordinal(): number {
    if (this.#current === undefined) return 0;
    let before = 0;
    for (const { first } of this.store.chunks) {
      const hits = this.#found.get(first)?.hits ?? [];
      const bound = lowerBound(hits, this.#current.line - first, this.#current.from);
      before += bound / HIT_SIZE;
      if (bound < hits.length) break;
    }
    return before + 1;
  }
}

/** Returns where the first hit is that is not before a line's place and position. */
function lowerBound(hits: readonly number[], place: number, from: number): number {
  let low = 0;
  let high = hits.length / HIT_SIZE;
  while (low < high) {
    const middle = (low + high) >> 1;
    const line = hits[middle * HIT_SIZE] ?? 0;
    if (line < place || (line === place && (hits[middle * HIT_SIZE + 1] ?? 0) < from)) low = middle + 1;
    else high = middle;
  }
  return low * HIT_SIZE;
}
