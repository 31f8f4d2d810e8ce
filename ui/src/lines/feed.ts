import type { Moment } from './time';

/** A line as it came. `ms` is `NaN` for a line without a time. */
export interface Line extends Moment {
  /** The number of its source, see {@link Sink.sources}. */
  source: number;
  /** Without a line feed. */
  text: string;
}

/** How a run of a source ended. */
export interface RunEnd {
  /** The number of the run, counted from 0. */
  run: number;
  startedAt: Moment | null;
  finishedAt: Moment | null;
  exitCode: number;
  /** 0 where no signal ended it. */
  signal: number;
  /** A word such as `OOMKilled`; may be empty. */
  reason: string;
}

/** Something that a reader must know between two lines. */
export type Mark =
  /** Lines are missing, or may be, between two times. */
  | { kind: 'gap'; source: number; before: Moment | null; after: Moment | null; reason: string }
  /** A source began run number `run`; `last` is the end of the run before, where it is known. */
  | { kind: 'restarted'; source: number; run: number; last: RunEnd | null }
  /** A source is over while others continue. `fault` is not empty if it could not be read. */
  | { kind: 'ended'; source: number; last: RunEnd | null; fault: string }
  /** Nothing more will come. */
  | { kind: 'end'; reason: string; last: { source: number; end: RunEnd }[] }
  /** The connection was lost; what follows was read on from there. */
  | { kind: 'lost'; at: Moment }
  /** A source is asked again and again from here on, or followed again. */
  | { kind: 'polling' | 'following'; source: number; at: Moment }
  /** The reader's own mark. */
  | { kind: 'user'; at: Moment };

/** Whether lines still come. */
export type FeedState =
  | { kind: 'opening' | 'following' | 'polling' | 'ended' }
  /**
   * The connection was lost at `since`, in milliseconds; the feed tries again at `retryAt`.
   * `reason` is what the other side said; it may be empty.
   */
  | { kind: 'lost'; since: number; retryAt: number; reason: string }
  /** There is no connection since `since`, and none until the reader has logged in again. */
  | { kind: 'loggedOut'; since: number }
  /** The feed was refused and doesn't try again. */
  | { kind: 'failed'; code: number; message: string };

/** Takes what a feed yields, in order. */
export interface Sink {
  /** Names the sources by number. A later call may only append. */
  sources: (names: readonly string[]) => void;
  lines: (lines: readonly Line[]) => void;
  mark: (mark: Mark) => void;
  state: (state: FeedState) => void;
}

/** A stream that is open. */
export interface Stream {
  /** Tries at once to connect again, if there is no connection. */
  retry: () => void;
  /** Ends it. Nothing comes after that. */
  close: () => void;
}

/**
 * The one input of the engine: one stream of lines and marks, of one source or merged of many.
 * Calling it opens the stream.
 */
export type Feed = (sink: Sink) => Stream;
