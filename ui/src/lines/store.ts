import { Chunk, factsOf } from './chunk';
import type { Line, Mark } from './feed';
import type { Moment } from './time';
import type { Measure } from './width';

/** How much a store keeps. */
export interface Limits {
  lines: number;
  bytes: number;
  /** Lines of one chunk. */
  chunkLines: number;
  /** UTF-16 units of text after which a chunk is full. */
  chunkUnits: number;
}

export const LIMITS: Limits = {
  lines: 500_000,
  bytes: 256 * 1024 * 1024,
  chunkLines: 4_096,
  chunkUnits: 4 * 1024 * 1024,
};

/** A line's chunk and its place there. */
export interface Place {
  chunk: Chunk;
  at: number;
}

/**
 * The newest lines and marks of a log, in the order in which they came.
 *
 * Each has a number, counted from 0, which it keeps. When there are too many, the oldest chunk is
 * let go as a whole; the chunk that is being filled never is.
 */
export class Store {
  readonly chunks: Chunk[] = [];
  /** The number of the next line. */
  end = 0;
  /** The latest time of all lines, in milliseconds; `NaN` if there is none. */
  latest = Number.NaN;
  #bytes = 0;

  constructor(readonly limits: Limits = LIMITS) {}

  /** The number of the oldest line that is still here; `end` if there is none. */
  get first(): number {
    return this.chunks[0]?.first ?? this.end;
  }

  /** Lines and marks that are here. */
  get count(): number {
    return this.end - this.first;
  }

  get bytes(): number {
    return this.#bytes + (this.#open?.bytes ?? 0);
  }

  /** Whether older lines were let go. */
  get hasLetGo(): boolean {
    return this.first > 0;
  }

  /** The time of the oldest line that is still here; `null` if none has a time. */
  get from(): Moment | null {
    for (const chunk of this.chunks) {
      const at = chunk.ms.subarray(0, chunk.count).findIndex((ms) => !Number.isNaN(ms));
      if (at >= 0) return { ms: chunk.ms[at] ?? 0, nanos: chunk.nanos[at] ?? 0 };
    }
    return null;
  }

  get #open(): Chunk | undefined {
    const last = this.chunks.at(-1);
    return last?.isSealed === true ? undefined : last;
  }

  /** Appends a line. */
  append(line: Line, measure: Measure): Place {
    const chunk = this.#chunkForOne();
    const at = chunk.add(line, factsOf(line.text, measure));
    this.end += 1;
    if (!(line.ms <= this.latest) && !Number.isNaN(line.ms)) this.latest = line.ms;
    return { chunk, at };
  }

  /** Appends a mark. */
  mark(mark: Mark): Place {
    const chunk = this.#chunkForOne();
    const at = chunk.addMark(mark);
    this.end += 1;
    return { chunk, at };
  }

  /** Lets go what is beyond the limits, and returns the chunks that went. */
  trim(): Chunk[] {
    const gone: Chunk[] = [];
    while (this.chunks.length > 1 && (this.count > this.limits.lines || this.bytes > this.limits.bytes)) {
      const chunk = this.chunks.shift();
      if (chunk === undefined) break;
      this.#bytes -= chunk.bytes;
      gone.push(chunk);
    }
    return gone;
  }

  /** Returns where a line is; `undefined` if it was let go or has not come. */
  find(line: number): Place | undefined {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.chunks[middle]?.first ?? 0) <= line) low = middle + 1;
      else high = middle;
    }
    const chunk = this.chunks[low - 1];
    return chunk !== undefined && line < chunk.first + chunk.count ? { chunk, at: line - chunk.first } : undefined;
  }

  #chunkForOne(): Chunk {
    const open = this.#open;
    if (open !== undefined && open.count < open.size && open.units < this.limits.chunkUnits) return open;
    if (open !== undefined) {
      open.seal();
      this.#bytes += open.bytes;
    }
    const chunk = new Chunk(this.end, this.latest, this.limits.chunkLines);
    this.chunks.push(chunk);
    return chunk;
  }
}
