import type { ClientFrame, ClusterState, Facets, Item, LiveQuery, ServerFrame } from './frames';
import type { Connection, Listener, LiveSocket } from './socket';
import { keyOf, LiveWindow, type Place } from './window';

/** A live query and the fields to count its matches by. */
export interface Question {
  readonly query: LiveQuery;
  readonly facets: readonly string[];
}

/** A refusal of a query by the server. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** What is known of a live query. Each change makes a new object. */
export interface ListState {
  /** The order to show. */
  readonly shown: Place;
  /** The number of matches. */
  readonly total: number;
  /** The number of rows of the list that is shown. */
  readonly shownTotal: number;
  readonly facets: Facets;
  /** Over how many pods each field was counted. */
  readonly facetTotals: Readonly<Record<string, number>>;
  readonly truncatedFacets: readonly string[];
  readonly clusters: readonly ClusterState[];
  readonly connection: Connection;
  /** The query whose rows are shown; absent before the first answer. */
  readonly answered: LiveQuery | undefined;
  /** Whether an answer to a newer query is on its way. */
  readonly isAsking: boolean;
  readonly refusal: Refusal | undefined;
  /** How many rows wait for the order to be applied; absent if none does and the order is the same. */
  readonly waiting: number | undefined;
  /** Rows that have left the window though their pod may live. */
  readonly left: ReadonlySet<string>;
  /** How many rows had changed when the connection came back, until {@link RECOVERED} is over. */
  readonly recovered: number | undefined;
}

/** How long a recovery is said, in milliseconds. */
export const RECOVERED = 3000;

/** The least times between two changes of the list, in milliseconds. */
const PACE = { fast: 100, slow: 1000, hidden: 5000 } as const;
/** A round trip that takes longer than this is a slow line, in milliseconds. */
const SLOW = 300;

const NONE: ReadonlySet<string> = new Set();
/** The most rows of a window (docs/api.md). */
const MOST = 500;

/** Times of the surroundings, which tests replace. */
export interface Clock {
  now(): number;
  after(millis: number, action: () => void): () => void;
}

/**
 * A live query as its viewer sees it: rows, counts and clusters that follow the server.
 *
 * At most one `subscribe` and one `window` are on their way at a time. While one is, only the newest
 * wish is kept, and it goes next.
 */
export class LiveList<Row extends Item> {
  readonly #socket: LiveSocket<ServerFrame>;
  readonly #clock: Clock;
  readonly #window = new LiveWindow<Row>();
  readonly #listeners = new Set<() => void>();
  #state: ListState;
  #mayMove: () => boolean = () => true;
  /** What was asked last, and what is to be asked next. */
  #asked: Question | undefined;
  #next: Question | undefined;
  #isAsking = false;
  /** The window that was asked for and has not come yet, and the newest wish. */
  #moving: Range | undefined;
  #wish: Range;
  #given: Range = { offset: 0, limit: 0 };
  /** The row that the next window is to be placed around. */
  #around: Around | undefined;
  /** Whether the window that is on its way is placed around a row, so that only its answer says where it is. */
  #isPlaced = false;
  #interval: number = PACE.fast;
  #isHidden = false;
  /** When the question or the window was asked for that has not been answered. */
  #askedAt = 0;
  #isSlow = false;
  #cancelGone: () => void = () => undefined;
  #wasLost = false;

  /**
   * @param connect Opens the connection, which the list owns from then on.
   * @param rows How many rows to ask for until {@link look} says which are seen.
   */
  constructor(connect: (listener: Listener<ServerFrame>) => LiveSocket<ServerFrame>, clock: Clock, rows: number) {
    this.#clock = clock;
    this.#wish = { offset: 0, limit: rows };
    let isReady = false;
    const connecting: Connection = { phase: 'connecting' };
    this.#state = {
      shown: this.#window.shown,
      total: 0,
      shownTotal: 0,
      facets: {},
      facetTotals: {},
      truncatedFacets: [],
      clusters: [],
      connection: connecting,
      answered: undefined,
      isAsking: true,
      refusal: undefined,
      waiting: undefined,
      left: NONE,
      recovered: undefined,
    };
    this.#socket = connect({
      opened: () => {
        this.#reopened();
      },
      frame: (frame) => {
        this.#take(frame);
      },
      changed: (connection) => {
        if (isReady) this.#connectionChanged(connection);
      },
    });
    isReady = true;
  }

  /** Registers a listener for changes of {@link state}. Returns what removes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Returns what is known now. */
  readonly state = (): ListState => this.#state;

  /** Returns the row of a key. */
  readonly row = (key: string): Row | undefined => this.#window.row(key);

  /** Returns whether the pod of a row is gone. */
  readonly isGone = (key: string): boolean => this.#window.isGone(key);

  /** Decides from now on whether rows may move when the server's order changes. */
  holdWhile(isHeld: () => boolean): void {
    this.#mayMove = () => !isHeld();
  }

  /** Changes the query. The rows of the last one stay until the answer comes. */
  ask(question: Question): void {
    const current = this.#next ?? this.#asked;
    if (current !== undefined && JSON.stringify(current) === JSON.stringify(question)) return;
    this.#next = question;
    this.#sendNext();
  }

  /**
   * Says whether the page is hidden. A hidden one, and one on a slow line, gets changes less often; the
   * pace is that of the next question, which a change of this asks.
   */
  hide(isHidden: boolean): void {
    if (isHidden === this.#isHidden) return;
    this.#isHidden = isHidden;
    this.#setPace();
  }

  /** Ends the query until {@link ask} or {@link hide} begins it again. The rows stay. */
  rest(): void {
    this.#next ??= this.#asked;
    this.#isAsking = false;
    this.#moving = undefined;
    this.#send({ type: 'unsubscribe' });
  }

  /** Says which rows are seen. The window moves if half a screen beyond them is not in it. */
  look(first: number, count: number): void {
    const rows = Math.max(count, 10);
    const { offset, limit } = this.#moving ?? this.#given;
    const total = this.#window.shownTotal;
    const isMissingBefore = offset > 0 && first - rows / 2 < offset;
    const isMissingAfter = offset + limit < total && first + rows * 1.5 > offset + limit;
    this.#wish = { offset: Math.max(0, Math.floor(first - rows)), limit: Math.min(MOST, Math.ceil(rows * 3)) };
    if (isMissingBefore || isMissingAfter) this.#move();
  }

  /** Moves the window so that a row is in its middle. A row that is not in the list moves it to the top. */
  find({ cluster, namespace, name }: Around): void {
    // The server knows no other word in it.
    this.#around = { cluster, namespace, name };
    this.#move();
  }

  /** Shows the server's order. */
  readonly apply = (): void => {
    this.#cancelGone();
    const now = this.#clock.now();
    const next = this.#window.apply(now);
    if (next !== undefined) {
      this.#cancelGone = this.#clock.after(Math.max(next - now, 0), () => {
        if (this.#mayMove()) this.apply();
        else this.#publish({});
      });
    }
    this.#publish({});
  };

  /** Tries to connect at once. */
  readonly retry = (): void => {
    this.#socket.retry();
  };

  /** Looks after the connection when the page comes back. */
  readonly wake = (): void => {
    this.#socket.wake();
  };

  /** Ends the query and its connection. */
  close(): void {
    this.#cancelGone();
    this.#socket.close();
    this.#listeners.clear();
  }

  #move(): void {
    if (this.#moving !== undefined || this.#isAsking || this.#asked === undefined) return;
    this.#moving = this.#wish;
    this.#askedAt = this.#clock.now();
    this.#send({ type: 'window', ...this.#place() });
  }

  #sendNext(): void {
    if (this.#next === undefined || this.#isAsking || !this.#socket.isAnswering) {
      if (this.#next !== undefined && !this.#state.isAsking) this.#publish({ isAsking: true });
      return;
    }
    const isOther = JSON.stringify(this.#asked?.query) !== JSON.stringify(this.#next.query);
    // Another query begins at its top.
    if (isOther && this.#asked !== undefined) {
      this.#wish = { offset: 0, limit: this.#wish.limit };
      this.#around = undefined;
    }
    this.#asked = this.#next;
    this.#next = undefined;
    this.#isAsking = true;
    this.#moving = undefined;
    this.#askedAt = this.#clock.now();
    const { query, facets } = this.#asked;
    this.#send({ type: 'subscribe', query, facets: [...facets], interval: this.#interval, ...this.#place() });
    this.#publish({ isAsking: true });
  }

  /** Returns which rows to ask for, and takes the row that they are to be placed around. */
  #place() {
    const around = this.#around;
    this.#around = undefined;
    this.#isPlaced = around !== undefined;
    return around === undefined ? this.#wish : { around, limit: this.#wish.limit };
  }

  #send(frame: ClientFrame): void {
    this.#socket.send(frame);
  }

  #reopened(): void {
    this.#wasLost = this.#state.answered !== undefined;
    this.#isAsking = false;
    this.#moving = undefined;
    this.#next ??= this.#asked;
    this.#sendNext();
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'snapshot':
        this.#snapshot(frame);
        break;
      case 'delta':
        this.#window.delta(
          frame.total,
          frame.upsert as unknown as Row[],
          frame.order,
          frame.gone ?? [],
          this.#clock.now(),
        );
        this.#counts(frame);
        this.#settle(false);
        break;
      case 'error':
        this.#isAsking = false;
        this.#moving = undefined;
        this.#publish({ refusal: { code: frame.code, message: frame.message }, isAsking: false });
        this.#sendNext();
        break;
      case 'pong':
        break;
    }
  }

  #snapshot(frame: Extract<ServerFrame, { type: 'snapshot' }>): void {
    const isAnswer = this.#isAsking && frame.seq === 1;
    // A snapshot that nobody asked for, of the query before, says nothing of the one to come.
    const isMove = this.#moving !== undefined && (this.#isPlaced || this.#moving.offset === frame.offset);
    const items = frame.items as unknown as Row[];
    const changes = this.#wasLost && isAnswer ? this.#differences(items) : undefined;
    this.#window.snapshot(frame.offset, frame.total, items);
    this.#given = { offset: frame.offset, limit: frame.limit };
    if (isMove) this.#moving = undefined;
    if ((isAnswer || isMove) && this.#isPlaced) {
      this.#isPlaced = false;
      this.#wish = { offset: frame.offset, limit: frame.limit };
    }
    if (isAnswer || isMove) this.#isSlow = this.#clock.now() - this.#askedAt > SLOW;
    this.#counts(frame);
    if (isAnswer) {
      this.#isAsking = false;
      this.#wasLost = false;
      this.#answered(changes);
    }
    this.#settle(isAnswer || isMove);
    if (isAnswer) this.#sendNext();
    this.#setPace();
    const { offset, limit } = this.#wish;
    const isElsewhere = offset !== this.#given.offset && (isMove || isAnswer);
    if (this.#around !== undefined) this.#move();
    else if (isElsewhere && (offset < this.#given.offset || offset + limit > this.#given.offset + this.#given.limit))
      this.#move();
  }

  #answered(changes: number | undefined): void {
    this.#state = {
      ...this.#state,
      isAsking: this.#next !== undefined,
      answered: this.#asked?.query,
      refusal: undefined,
      recovered: changes,
    };
    if (changes === undefined) return;
    this.#clock.after(RECOVERED, () => {
      this.#publish({ recovered: undefined });
    });
  }

  /** Asks anew if the pace has to be another. */
  #setPace(): void {
    const interval = this.#isHidden ? PACE.hidden : this.#isSlow ? PACE.slow : PACE.fast;
    if (interval === this.#interval && this.#next === undefined) return;
    this.#interval = interval;
    this.#next ??= this.#asked;
    this.#sendNext();
  }

  /** Returns how many rows of the window differ from those that are known. */
  #differences(items: readonly Row[]): number {
    const before = new Set(this.#window.latest.keys);
    let count = 0;
    for (const item of items) {
      const known = this.#window.row(keyOf(item));
      if (!before.delete(keyOf(item)) || JSON.stringify(known) !== JSON.stringify(item)) count += 1;
    }
    return count + before.size;
  }

  #counts(frame: {
    facets?: Facets;
    facetTotals?: Readonly<Record<string, number>>;
    truncatedFacets?: readonly string[];
    clusters?: readonly ClusterState[];
  }): void {
    const { facets, facetTotals, truncatedFacets, clusters } = frame;
    this.#state = {
      ...this.#state,
      ...(facets && { facets, facetTotals: facetTotals ?? {}, truncatedFacets: truncatedFacets ?? [] }),
      ...(clusters && { clusters }),
    };
  }

  /** Shows what has come: at once if it must be, or if rows may move. */
  #settle(isDue: boolean): void {
    if (isDue || this.#mayMove()) this.apply();
    else this.#publish({});
  }

  #connectionChanged(connection: Connection): void {
    if (connection.phase !== 'open') this.#isAsking = false;
    this.#publish({ connection });
  }

  #publish(change: Partial<ListState>): void {
    const { fresh, isDifferent } = this.#window.waiting();
    this.#state = {
      ...this.#state,
      shown: this.#window.shown,
      total: this.#window.total,
      shownTotal: this.#window.shownTotal,
      left: this.#window.left(),
      waiting: isDifferent ? fresh : undefined,
      ...change,
    };
    for (const listener of this.#listeners) listener();
  }
}

/** A row of the list, by its names. */
export interface Around {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

interface Range {
  readonly offset: number;
  readonly limit: number;
}
