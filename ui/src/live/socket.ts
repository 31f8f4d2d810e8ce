import { wait } from './backoff';

/**
 * What is known of a server to which a connection did not open: `again` if another try may help,
 * `answers` if the server answers this session otherwise, and `over` if the session has ended.
 */
export type Verdict = 'again' | 'answers' | 'over';

/**
 * The state of a connection.
 *
 * - `connecting`: the first try, or another one, is on its way.
 * - `open`: frames come and go.
 * - `waiting`: it was lost; another try follows at `retryAt`.
 * - `blocked`: the server answers, but no WebSocket gets through to it. Frames are answered by calls,
 *   if there are any for them.
 * - `over`: the session has ended. A log-in calls {@link LiveSocket.retry}.
 * - `closed`: its owner has closed it.
 */
export interface Connection {
  readonly phase: 'connecting' | 'open' | 'waiting' | 'blocked' | 'over' | 'closed';
  /** When it was lost, in milliseconds since the epoch; absent while it is open, and before it ever was. */
  readonly lostAt?: number;
  /** When the next try follows, in milliseconds since the epoch. */
  readonly retryAt?: number;
}

/** The parts of a WebSocket that are needed here. */
export interface Wire {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

/** What a connection needs from its surroundings. */
export interface Surroundings {
  /** Opens a WebSocket. */
  open(): Wire;
  /** Says why a WebSocket was closed before it opened, which a browser keeps to itself. */
  judge(): Promise<Verdict>;
  /** Answers a frame by a call, where no WebSocket gets through; absent where there is no such call. */
  read?(frame: object): Promise<object>;
  now(): number;
  random(): number;
  after(millis: number, action: () => void): () => void;
}

/** What a connection tells its owner. */
export interface Listener<Frame> {
  /** The connection is open, or answered by calls, and its queries have to be asked anew. */
  opened(): void;
  frame(frame: Frame): void;
  changed(connection: Connection): void;
}

/** After how long without a frame the other side is asked for one, and how long that may take. */
const QUIET = 20_000;
const ANSWER = 10_000;
/** How long a connection may take to open. */
const OPENING = 20_000;
/** How often in a row a server answers though no connection opens, until the way counts as blocked. */
const BLOCKED = 3;
/** The code with which the server ends a connection whose session is over. */
const SESSION_OVER = 4401;

/**
 * A WebSocket that is opened again after each loss, until its owner closes it.
 *
 * The wait between two tries grows from 0.5 to 15 s. A connection on which nothing comes for 20 s is
 * asked for a `pong`, and is lost if none comes within 10 s.
 */
export class LiveSocket<Frame> {
  readonly #surroundings: Surroundings;
  readonly #listener: Listener<Frame>;
  #wire: Wire | undefined;
  #connection: Connection = { phase: 'connecting' };
  #attempts = 0;
  /** How often in a row the server has answered though no connection opened. */
  #answers = 0;
  /** When something last came. */
  #heardAt = 0;
  #cancel: () => void = () => undefined;

  constructor(surroundings: Surroundings, listener: Listener<Frame>) {
    this.#surroundings = surroundings;
    this.#listener = listener;
    this.#open();
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Whether a frame that is sent gets an answer. */
  get isAnswering(): boolean {
    const { phase } = this.#connection;
    return phase === 'open' || (phase === 'blocked' && this.#surroundings.read !== undefined);
  }

  /** Sends a frame if the connection is open, or is answered by calls. */
  send(frame: object): void {
    const { phase } = this.#connection;
    if (phase === 'open') this.#wire?.send(JSON.stringify(frame));
    if (phase === 'blocked') void this.#read(frame);
  }

  /** Tries again at once, unless the connection is open or a try is on its way. */
  retry(): void {
    const { phase } = this.#connection;
    if (phase === 'waiting' || phase === 'blocked' || phase === 'over') this.#open();
  }

  /**
   * Looks after the connection when the page comes back, perhaps from a sleep in which no timer ran:
   * tries again at once, or asks a connection on which nothing has come for 20 s for a `pong`.
   */
  wake(): void {
    const { phase } = this.#connection;
    if (phase === 'waiting' || phase === 'blocked') this.#open();
    if (phase === 'open' && this.#surroundings.now() - this.#heardAt >= QUIET) this.#ask();
  }

  /** Ends the connection for good. */
  close(): void {
    this.#cancel();
    this.#drop();
    this.#become({ phase: 'closed' });
  }

  #open(): void {
    this.#cancel();
    const { lostAt } = this.#connection;
    this.#become({ phase: 'connecting', ...(lostAt === undefined ? {} : { lostAt }) });
    const wire = this.#surroundings.open();
    this.#wire = wire;
    let isOpen = false;
    wire.onopen = () => {
      isOpen = true;
      this.#attempts = 0;
      this.#answers = 0;
      this.#become({ phase: 'open' });
      this.#listen();
      this.#listener.opened();
    };
    wire.onmessage = ({ data }) => {
      this.#listen();
      const frame = parsed(data);
      if (frame !== undefined) this.#listener.frame(frame as Frame);
    };
    wire.onclose = ({ code }) => {
      this.#lost(code, isOpen);
    };
    this.#cancel = this.#surroundings.after(OPENING, () => {
      this.#drop();
      this.#lost(0, false);
    });
  }

  async #read(frame: object): Promise<void> {
    const before = this.#connection;
    const answer = await this.#surroundings.read?.(frame);
    if (answer !== undefined && this.#connection === before) this.#listener.frame(answer as Frame);
  }

  /** Waits for the next sign of life. */
  #listen(): void {
    this.#heardAt = this.#surroundings.now();
    this.#cancel();
    this.#cancel = this.#surroundings.after(QUIET, () => {
      this.#ask();
    });
  }

  /** Asks for a sign of life. */
  #ask(): void {
    this.send({ type: 'ping' });
    this.#cancel();
    this.#cancel = this.#surroundings.after(ANSWER, () => {
      this.#drop();
      this.#lost(0, true);
    });
  }

  #lost(code: number, wasOpen: boolean): void {
    this.#cancel();
    this.#wire = undefined;
    const lostAt = this.#connection.lostAt ?? this.#surroundings.now();
    if (code === SESSION_OVER) this.#become({ phase: 'over', lostAt });
    else this.#wait(lostAt);
    if (wasOpen && code !== SESSION_OVER) return;
    const before = this.#connection;
    void this.#surroundings.judge().then((verdict) => {
      if (this.#connection === before) this.#judged(verdict, lostAt);
    });
  }

  #judged(verdict: Verdict, lostAt: number): void {
    const { phase } = this.#connection;
    if (verdict !== 'answers') this.#answers = 0;
    if (verdict === 'over') {
      this.#cancel();
      this.#become({ phase: 'over', lostAt });
    } else if (phase === 'over') {
      // The session that has ended is not the one that there is now.
      this.#wait(lostAt);
    } else if (verdict === 'answers') {
      this.#answers += 1;
      if (this.#answers < BLOCKED) return;
      this.#cancel();
      this.#become({ phase: 'blocked', lostAt });
      if (this.isAnswering) this.#listener.opened();
    }
  }

  #wait(lostAt: number): void {
    this.#attempts += 1;
    const millis = wait(this.#attempts, () => this.#surroundings.random());
    this.#become({ phase: 'waiting', lostAt, retryAt: this.#surroundings.now() + millis });
    this.#cancel = this.#surroundings.after(millis, () => {
      this.#open();
    });
  }

  #drop(): void {
    const wire = this.#wire;
    this.#wire = undefined;
    if (wire === undefined) return;
    wire.onopen = wire.onmessage = wire.onclose = null;
    wire.close();
  }

  #become(connection: Connection): void {
    this.#connection = connection;
    this.#listener.changed(connection);
  }
}

/** Returns the frame in a text; `undefined` for what is not a JSON object. */
function parsed(data: unknown): object | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === 'object' && frame !== null ? frame : undefined;
  } catch {
    return undefined;
  }
}
