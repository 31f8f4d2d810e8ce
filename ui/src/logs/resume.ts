import type { Line } from '../lines/feed';
import { type Moment, writeTime } from '../lines/time';

/** How far back a stream is read again, in milliseconds: lines are not quite in order. */
const OVERLAP = 2_000;
/** At most so many lines are remembered for each source. */
const MOST = 20_000;

function keyOf({ ms, nanos, text }: Line): string {
  return `${ms}.${nanos} ${text}`;
}

/** A source of which nothing came for so long was read up to then, in milliseconds. */
const QUIET = 10_000;

/** The last lines of one source. */
class Seen {
  last = Number.NEGATIVE_INFINITY;
  arrivedAt = 0;
  #lines: Line[] = [];

  add(line: Line) {
    this.last = Math.max(this.last, line.ms);
    this.#lines.push(line);
    if (this.#lines.length > MOST) this.#lines = this.within();
  }

  /** Returns the lines of the last {@link OVERLAP}. */
  within(): Line[] {
    return this.#lines.filter(({ ms }) => ms >= this.last - OVERLAP).slice(-MOST / 2);
  }
}

/**
 * Joins what is read after a loss to what was read before it: by time and text, repeats included.
 * Lines without a time can't be recognised and are shown again.
 */
export class Resume {
  readonly #seen = new Map<number, Seen>();
  /** How often each line that was shown may come again, by source, until it has come. */
  #expected = new Map<number, Map<string, number>>();

  /**
   * Returns from when on to read after a loss: a little before the last line of the source that is
   * furthest back. `undefined` if no line with a time has come.
   *
   * A source that was quiet before the loss was read to its end, so its last line doesn't count: it
   * may be days old.
   */
  begin(lostAt: number): string | undefined {
    this.#expected = new Map();
    for (const [source, seen] of this.#seen) {
      const counts = new Map<string, number>();
      for (const line of seen.within()) counts.set(keyOf(line), (counts.get(keyOf(line)) ?? 0) + 1);
      this.#expected.set(source, counts);
    }
    const all = [...this.#seen.values()];
    const active = all.filter(({ arrivedAt }) => arrivedAt >= lostAt - QUIET);
    const from =
      active.length > 0 ? Math.min(...active.map(({ last }) => last)) : Math.max(...all.map(({ last }) => last));
    const moment: Moment = { ms: Math.floor((from - OVERLAP / 2) / 1000) * 1000, nanos: 0 };
    return Number.isFinite(from) ? writeTime(moment) : undefined;
  }

  /** Returns those lines that were not shown before. `now` is when they came, in milliseconds. */
  fresh(lines: readonly Line[], now: number): readonly Line[] {
    const fresh = lines.filter((line) => !this.#isExpected(line));
    for (const line of fresh) this.#remember(line, now);
    return fresh;
  }

  /** Whether a line has come before. A source whose lines are newer than all that came is done. */
  #isExpected(line: Line): boolean {
    const counts = this.#expected.get(line.source);
    const seen = this.#seen.get(line.source);
    if (counts === undefined || seen === undefined || Number.isNaN(line.ms)) return false;
    if (line.ms > seen.last + OVERLAP) {
      this.#expected.delete(line.source);
      return false;
    }
    // Older than what is remembered: a source that is ahead of the one from which on was read.
    if (line.ms < seen.last - OVERLAP) return true;
    const count = counts.get(keyOf(line)) ?? 0;
    if (count > 0) counts.set(keyOf(line), count - 1);
    return count > 0;
  }

  #remember(line: Line, now: number) {
    if (Number.isNaN(line.ms)) return;
    const seen = this.#seen.get(line.source) ?? new Seen();
    this.#seen.set(line.source, seen);
    seen.arrivedAt = now;
    seen.add(line);
  }
}
