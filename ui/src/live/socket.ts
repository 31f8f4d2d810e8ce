import { wait } from './backoff';

/** What a connection that never opened was refused for. */
export type Verdict = 'again' | 'over' | 'blocked';

/**
 * The state of a connection.
 *
 * - `connecting`: the first try, or another one, is on its way.
 * - `open`: frames come and go.
 * - `waiting`: it was lost; another try follows at `retryAt`.
 * - `blocked`: the server answers, but no WebSocket gets through to it.
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
  now(): number;
  random(): number;
  after(millis: number, action: () => void): () => void;
}

/** What a connection tells its owner. */
export interface Listener<Frame> {
  /** The connection is open, and its queries have to be asked anew. */
  opened(): void;
  frame(frame: Frame): void;
  changed(connection: Connection): void;
}

/** After how long without a frame the other side is asked for one, and how long that may take. */
const QUIET = 20_000;
const ANSWER = 10_000;
/** How long a connection may take to open. */
const OPENING = 20_000;
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
  #cancel: () => void = () => undefined;

  constructor(surroundings: Surroundings, listener: Listener<Frame>) {
    this.#surroundings = surroundings;
    this.#listener = listener;
    this.#open();
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Sends a frame if the connection is open. */
  send(frame: object): void {
    if (this.#connection.phase === 'open') this.#wire?.send(JSON.stringify(frame));
  }

  /** Tries again at once, unless the connection is open or a try is on its way. */
  retry(): void {
    const { phase } = this.#connection;
    if (phase === 'waiting' || phase === 'blocked' || phase === 'over') this.#open();
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

  /** Waits for the next sign of life. */
  #listen(): void {
    this.#cancel();
    this.#cancel = this.#surroundings.after(QUIET, () => {
      this.send({ type: 'ping' });
      this.#cancel = this.#surroundings.after(ANSWER, () => {
        this.#drop();
        this.#lost(0, true);
      });
    });
  }

  #lost(code: number, wasOpen: boolean): void {
    this.#cancel();
    this.#wire = undefined;
    const lostAt = this.#connection.lostAt ?? this.#surroundings.now();
    if (code === SESSION_OVER) {
      this.#become({ phase: 'over', lostAt });
      void this.#surroundings.judge();
      return;
    }
    this.#wait(lostAt);
    if (wasOpen) return;
    void this.#surroundings.judge().then((verdict) => {
      if (verdict === 'again' || this.#connection.phase !== 'waiting') return;
      this.#cancel();
      this.#become({ phase: verdict, lostAt });
    });
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
