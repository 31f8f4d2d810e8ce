import type { FeedState } from './feed';
import type { FindStatus } from './finder';
import type { Anchor, Layout } from './render';
import type { Target, Window } from './rows';
import type { Query } from './search';
import type { Moment } from './time';

/** What the page shows beside the rows. */
export interface Status {
  feed: FeedState;
  /** The names of the sources, by number. */
  sources: readonly string[];
  /** Lines that are here, marks included. */
  lines: number;
  /** Bytes of memory that they take. */
  bytes: number;
  /** Whether older lines were let go. */
  hasLetGo: boolean;
  /** The time of the oldest line that is here. */
  from: Moment | null;
  /** The number of the next line: how many have come. */
  end: number;
  /** Lines a second, over the last seconds. */
  rate: number;
  /** Columns of the widest line; 0 while lines are wrapped. */
  widest: number;
  find: FindStatus | null;
}

/** Rows to draw, and the status of the same moment. */
export interface View extends Window {
  status: Status;
}

/** Text for the clipboard. */
export interface Copied {
  text: string;
  lines: number;
  /** Whether it ends early, because it would be too long. */
  isCut: boolean;
}

/** Marks beside a scroll bar, one byte a part: 1 for hits, 2 for errors, 3 for both. */
export type Strip = Uint8Array<ArrayBuffer>;

/** What the page can ask the engine, and what comes back. */
export interface Asks {
  /** Rows around a target, as `Rows.window` has them. */
  view: { ask: { target: Target; before: number; count: number; after: number }; answer: View };
  /** Makes the next hit the current one. */
  hit: { ask: { direction: 1 | -1; line: number }; answer: Anchor | null };
  /** The next line that is an error, after a line or before it. */
  error: { ask: { direction: 1 | -1; line: number }; answer: Anchor | null };
  /** The first line at a time, in milliseconds, or later. */
  time: { ask: { ms: number }; answer: Anchor | null };
  /** The text of lines, the last included; `withTimes` puts its time in RFC 3339 before each. */
  copy: { ask: { from: number; to: number; withTimes: boolean }; answer: Copied };
  /** A part of a long line, and its length, in UTF-16 units. */
  part: { ask: { line: number; from: number; length: number }; answer: { text: string; length: number } };
  strip: { ask: { parts: number }; answer: Strip };
}

/** From the page to the engine. `Config` is what a feed is opened with. */
export type ToEngine<Config> =
  | { [Name in keyof Asks]: { type: 'ask'; id: number; name: Name; ask: Asks[Name]['ask'] } }[keyof Asks]
  /** Reads a feed, in place of the one before. */
  | { type: 'open'; config: Config }
  /** Connects again at once, if there is no connection. */
  | { type: 'retry' }
  | { type: 'layout'; layout: Layout }
  /** Shows a structured line's fields below it, or hides them. */
  | { type: 'unfold'; line: number }
  | { type: 'find'; query: Query | null; near: number }
  /** Puts the reader's mark below the newest line. */
  | { type: 'mark' }
  /** Ends the feed and the search. */
  | { type: 'close' };

/** From the engine to the page. */
export type FromEngine =
  /** There is something new. It comes once, and again only after the page has asked for a view. */
  { type: 'changed' } | { type: 'answer'; id: number; answer: Asks[keyof Asks]['answer'] };
