import type { Asks, Status, View } from './messages';
import type { Anchor, Row } from './render';
import type { Target } from './rows';
import { heightOf, rowAt, type Scale, topOf } from './scale';

/** What a page draws. */
export interface Drawn {
  /** Rows from the first that is seen on, and a few more below. */
  rows: readonly Row[];
  /** Pixels of the first row that are above the view. */
  offset: number;
  isFollowing: boolean;
  /** How many lines have come since the view was held. */
  newLines: number;
  /** The scroll position, in pixels. */
  scrollTop: number;
  scale: Scale;
  status: Status | undefined;
}

/** When to draw: in the next frame for the hand, soon for new lines, or later if nothing moves. */
export type Pace = 'frame' | 'soon' | 'later';

/** What a viewport needs from its surroundings. */
export interface ViewportParts {
  ask: (ask: Asks['view']['ask']) => Promise<View>;
  schedule: (run: () => void, pace: Pace) => void;
  /** Called after each change of what is drawn. */
  drawn: () => void;
}

/** Further away, a row is asked for by its number. */
const FAR = 500;

/**
 * Which rows of a log are seen, and how they follow the hand.
 *
 * It follows the newest line, or it is held at a row, which then stays where it is to the pixel,
 * whatever comes or goes around it. It has one question on its way at most, and asks for a screen
 * more on each side, so small steps need no answer.
 */
export class Viewport {
  isFollowing = true;
  #view: View | undefined;
  /** Pixels from `#view.rows[0]` to the upper edge. It may point beyond the rows that are here. */
  #pos = 0;
  /** Pixels scrolled since the question on its way was asked. */
  #moved = 0;
  #jump: Target | undefined;
  #isAsking = false;
  #isScheduled = false;
  #isStale = false;
  /** Whether the last movement was downwards, so that reaching the end means to follow. */
  #goesDown = false;
  #heldAtEnd = 0;
  #drawn: Drawn | undefined;

  constructor(
    readonly parts: ViewportParts,
    public rowHeight = 20,
    public height = 0,
  ) {}

  /** Takes the size of the view, in pixels. */
  resize(height: number, rowHeight: number) {
    if (height === this.height && rowHeight === this.rowHeight) return;
    // The first row stays the first, at the same part of its height.
    this.#pos *= rowHeight / this.rowHeight;
    this.height = height;
    this.rowHeight = rowHeight;
    this.redraw();
    this.#changed();
  }

  /** Asks for the rows anew, because the log has changed. */
  refresh() {
    this.#schedule(this.isFollowing ? 'soon' : 'later');
  }

  /** Asks for the rows anew, because the reader has changed how they are shown. */
  redraw() {
    this.#schedule('frame');
  }

  /** Scrolls by pixels, downwards if positive. */
  scrollBy(pixels: number) {
    const isAllSeen = (this.#view?.total ?? 0) * this.rowHeight <= this.height;
    if (pixels === 0 || isAllSeen) return;
    this.#goesDown = pixels > 0;
    if (pixels < 0) this.hold();
    if (this.isFollowing) return;
    this.#pos += pixels;
    this.#moved += pixels;
    this.#settle();
    this.#schedule('frame');
    this.#changed();
  }

  /** Takes a position of the scroll bar, in pixels. Its end means to follow. */
  scrollTo(top: number) {
    const { scale, scrollTop } = this.draw();
    if (top >= heightOf(scale) - scale.view) {
      this.follow();
      return;
    }
    const rows = rowAt(scale, top) - rowAt(scale, scrollTop);
    if (Math.abs(rows) <= FAR) {
      this.scrollBy(rows * this.rowHeight);
      return;
    }
    this.hold();
    this.#goesDown = rows > 0;
    this.#go({ to: 'row', row: Math.round(rowAt(scale, top)) });
  }

  /** Follows the newest line. */
  follow() {
    this.isFollowing = true;
    this.#jump = undefined;
    this.#schedule('frame');
    this.#changed();
  }

  /** Stays at what is seen now. */
  hold() {
    this.#goesDown = false;
    if (!this.isFollowing) return;
    this.isFollowing = false;
    this.#heldAtEnd = this.#view?.status.end ?? 0;
    this.#changed();
  }

  /** Goes to the oldest row. */
  toStart() {
    this.hold();
    this.#go({ to: 'row', row: 0 });
  }

  /** Goes to a place, with a third of the view above it, unless it is well in sight. */
  reveal(anchor: Anchor) {
    this.hold();
    const rows = Math.floor(this.height / this.rowHeight);
    const { rows: seen } = this.draw();
    const at = seen.findLastIndex((row) => row.line === anchor.line && row.at <= anchor.at);
    if (at > 0 && at < rows - 1) this.redraw();
    else this.#go({ to: 'anchor', anchor, delta: -Math.floor(rows / 3) });
  }

  /** Returns the line of the first row that is seen; the next line's number without one. */
  get line(): number {
    return this.draw().rows[0]?.line ?? 0;
  }

  /** Returns what to draw. It is the same object until something changes. */
  draw(): Drawn {
    this.#drawn ??= this.#compute();
    return this.#drawn;
  }

  #compute(): Drawn {
    const view = this.#view;
    const total = view?.total ?? 0;
    const scale = { total, row: this.rowHeight, view: this.height };
    const pos = this.#shown();
    const top = Math.floor(pos / this.rowHeight);
    return {
      rows: view?.rows.slice(top) ?? [],
      offset: pos - top * this.rowHeight,
      isFollowing: this.isFollowing,
      newLines: this.isFollowing ? 0 : Math.max(0, (view?.status.end ?? 0) - this.#heldAtEnd),
      scrollTop: topOf(scale, this.#row()),
      scale,
      status: view?.status,
    };
  }

  /** Returns the number of the row that is wanted at the upper edge, which may not be here yet. */
  #row(): number {
    if (this.#jump?.to === 'row') return this.#jump.row;
    return (this.#view?.first ?? 0) + this.#pos / this.rowHeight;
  }

  /** Returns the nearest position that the rows which are here can show. */
  #shown(): number {
    const room = (this.#view?.rows.length ?? 0) * this.rowHeight - this.height;
    return Math.max(0, Math.min(this.#pos, room));
  }

  #changed() {
    this.#drawn = undefined;
    this.parts.drawn();
  }

  #go(target: Target) {
    this.#jump = target;
    this.#moved = 0;
    this.#schedule('frame');
    this.#changed();
  }

  #schedule(pace: Pace) {
    this.#isStale = true;
    if (this.#isAsking || (this.#isScheduled && pace !== 'frame')) return;
    this.#isScheduled = true;
    this.parts.schedule(() => {
      this.#isScheduled = false;
      if (this.#isStale && !this.#isAsking) void this.#ask();
    }, pace);
  }

  async #ask() {
    this.#isAsking = true;
    this.#isStale = false;
    this.#moved = 0;
    const jump = this.#jump;
    const wasFollowing = this.isFollowing && jump === undefined;
    const { target, offset } = wasFollowing
      ? { target: { to: 'end' } as const, offset: 0 }
      : jump === undefined
        ? this.#here()
        : { target: jump, offset: 0 };
    const count = Math.ceil(this.height / this.rowHeight) + 1;
    const view = await this.parts.ask({ target, before: count, count, after: count });
    this.#isAsking = false;
    // What was asked for before a jump, or before the view was held, is not what is wanted now.
    if (jump === this.#jump && !(wasFollowing && !this.isFollowing)) this.#receive(view, target, offset, wasFollowing);
    else this.#isStale = true;
    this.#askAgain();
    this.#changed();
  }

  #askAgain() {
    if (!this.#isStale) return;
    if (this.#jump !== undefined || this.#isBeyond()) this.redraw();
    else this.refresh();
  }

  /** Returns the place that is seen, and the pixels of its row that are above the edge. */
  #here(): { target: Target; offset: number } {
    const rows = this.#view?.rows ?? [];
    const index = Math.floor(this.#pos / this.rowHeight);
    const near = Math.max(0, Math.min(index, rows.length - 1));
    const anchor = rows[near];
    if (anchor === undefined) return { target: { to: 'end' }, offset: 0 };
    const offset = this.#pos - index * this.rowHeight;
    return { target: { to: 'anchor', anchor: { line: anchor.line, at: anchor.at }, delta: index - near }, offset };
  }

  #receive(view: View, target: Target, offset: number, wasFollowing: boolean) {
    const old = this.#view;
    const isLost =
      target.to === 'anchor' && this.#jump === undefined && view.rows[view.top]?.line !== target.anchor.line;
    if (old !== undefined && isLost && target.delta === 0 && this.#moved === 0 && view.over === 0) {
      // The place was let go. What is seen stays until the hand moves.
      this.#view = { ...old, status: view.status, total: view.total, first: -Math.floor(this.#pos / this.rowHeight) };
      return;
    }
    this.#view = view;
    this.#jump = undefined;
    this.#pos = wasFollowing
      ? view.rows.length * this.rowHeight - this.height + this.#moved
      : (view.top + view.over) * this.rowHeight + offset + this.#moved;
    this.#settle();
  }

  /** Keeps the position within the log, and follows where the hand has reached the end. */
  #settle() {
    const view = this.#view;
    if (view === undefined) return;
    const room = view.rows.length * this.rowHeight - this.height;
    const isAtEnd = view.first + view.rows.length >= view.total;
    if (isAtEnd && this.#pos >= room) {
      if (this.#goesDown && !this.isFollowing) this.follow();
      this.#pos = Math.max(0, room);
    }
    if (view.first === 0) this.#pos = Math.max(0, this.#pos);
  }

  /** Whether the position is beyond the rows that are here. */
  #isBeyond(): boolean {
    return this.#pos !== this.#shown();
  }
}
