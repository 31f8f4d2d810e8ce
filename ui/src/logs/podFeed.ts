import type { components } from '../api/schema';
import type { Feed, Line, RunEnd, Sink, Stream } from '../lines/feed';
import { type Moment, readTime } from '../lines/time';
import { type Connection, LiveSocket, type Surroundings } from '../live/socket';
import { Resume } from './resume';

type Schemas = components['schemas'];
type Frame = Schemas['LogServerFrame'];
type Subscribe = Schemas['LogClientFrameSubscribe'];

/** What of a pod's log is read. */
export interface LogConfig {
  /** The path of its stream on this server, with the base path. */
  path: string;
  /** Names of containers; `*` stands for all. */
  containers: readonly string[];
  /** Whether the last run is read, which doesn't grow. */
  previous: boolean;
  /** Only so many of the newest lines. */
  tailLines?: number;
  /** Only lines of the last seconds. */
  sinceSeconds?: number;
}

/** A longer line is taken as several, as a container runtime does. In UTF-16 units. */
const LONGEST = 16 * 1024 * 1024;

/** Refusals after which another try makes sense: too many requests, and faults that pass. */
function passes(code: number): boolean {
  return code >= 429_000 && code !== 500_001;
}

function momentOf(time: string): Moment | null {
  const read = readTime(time);
  return read === undefined ? null : { ms: read.ms, nanos: read.nanos };
}

/** Returns how a run ended; `null` where the server does not know. */
function endOf(run: Schemas['LogRunEnd'] | undefined): RunEnd | null {
  if (run === undefined) return null;
  const { restartCount, startedAt, finishedAt, exitCode, signal, reason } = run;
  return {
    run: restartCount,
    startedAt: momentOf(startedAt),
    finishedAt: momentOf(finishedAt),
    exitCode,
    signal,
    reason,
  };
}

/** Reads the stream of one pod's log into a sink. */
class PodStream implements Stream {
  /** The containers that are over while others go on. */
  readonly #over = new Set<string>();
  readonly #socket: LiveSocket<Frame>;
  readonly #resume = new Resume();
  readonly #sources: string[] = [];
  /** The pieces of long lines that are not complete, by container. */
  readonly #partial = new Map<string, string[]>();
  readonly #now: () => number;
  #isOver = false;
  /** When the connection was lost that is being resumed. */
  #lostAt: number | undefined;
  /** What the server said before the connection ended. */
  #reason = '';

  constructor(
    readonly config: LogConfig,
    readonly sink: Sink,
    surroundings: Surroundings,
  ) {
    this.#now = () => surroundings.now();
    this.#socket = new LiveSocket<Frame>(surroundings, {
      opened: () => {
        this.#subscribe();
      },
      frame: (frame) => {
        this.#take(frame);
      },
      changed: (connection) => {
        this.#changed(connection);
      },
    });
  }

  retry() {
    this.#socket.retry();
  }

  close() {
    this.#isOver = true;
    this.#socket.close();
  }

  #subscribe() {
    const { containers, previous, tailLines, sinceSeconds } = this.config;
    const sinceTime = this.#resume.begin(this.#lostAt ?? 0);
    const start =
      sinceTime === undefined ? { tailLines: tailLines ?? null, sinceSeconds: sinceSeconds ?? null } : { sinceTime };
    const frame: Subscribe = { type: 'subscribe', containers: [...containers], batch: true, ...start };
    this.#reason = '';
    this.#socket.send(previous ? { ...frame, previous } : { ...frame, follow: true });
  }

  #changed(connection: Connection) {
    if (this.#isOver) return;
    const { phase, lostAt, retryAt } = connection;
    if (phase === 'waiting') {
      this.#flush();
      this.#lostAt ??= lostAt;
      this.sink.state({ kind: 'lost', since: lostAt ?? 0, retryAt: retryAt ?? 0, reason: this.#reason });
    } else if (phase === 'over') {
      this.#flush();
      this.#lostAt ??= lostAt;
      this.sink.state({ kind: 'loggedOut', since: lostAt ?? 0 });
    }
  }

  #take(frame: Frame) {
    switch (frame.type) {
      case 'subscribed':
        this.#subscribed(frame.containers);
        break;
      case 'logs':
        this.#lines(frame.container, frame.lines, frame.partial === true);
        break;
      case 'log':
        this.#lines(frame.container ?? this.#sources[0] ?? '', [frame.data], frame.partial === true);
        break;
      case 'gap': {
        this.#flush(frame.container);
        const { reason, before, after } = frame;
        const source = this.#source(frame.container);
        this.sink.mark({ kind: 'gap', source, before: momentOf(before), after: momentOf(after), reason });
        break;
      }
      case 'restarted': {
        this.#flush(frame.container);
        const source = this.#source(frame.container);
        const last = endOf(frame.last);
        if (last !== null) this.sink.mark({ kind: 'ended', source, last, fault: '' });
        this.sink.mark({ kind: 'restarted', source, run: frame.restartCount, last });
        break;
      }
      case 'ended': {
        this.#flush(frame.container);
        const source = this.#source(frame.container);
        this.#over.add(frame.container);
        this.sink.mark({ kind: 'ended', source, last: endOf(frame.last), fault: frame.error?.message ?? '' });
        break;
      }
      case 'end':
        this.#flush();
        this.#end(frame.reason, frame.last ?? {});
        this.sink.state({ kind: 'ended' });
        this.close();
        break;
      case 'error':
        this.#refused(frame.code, frame.message);
        break;
      case 'pong':
        break;
    }
  }

  /** Says how each container ended that has not been said to be over, and that nothing more will come. */
  #end(reason: string, runs: Readonly<Record<string, Schemas['LogRunEnd']>>) {
    const last = Object.entries(runs).flatMap(([container, run]) => {
      const end = endOf(run);
      return end === null ? [] : [{ container, source: this.#source(container), end }];
    });
    for (const { container, source, end } of last) {
      if (!this.#over.has(container)) this.sink.mark({ kind: 'ended', source, last: end, fault: '' });
    }
    this.sink.mark({ kind: 'end', reason, last: last.map(({ source, end }) => ({ source, end })) });
  }

  #subscribed(containers: readonly string[]) {
    for (const container of containers) this.#source(container);
    this.sink.sources([...this.#sources]);
    if (this.#lostAt !== undefined) this.sink.mark({ kind: 'lost', at: { ms: this.#lostAt, nanos: 0 } });
    this.#lostAt = undefined;
    this.sink.state({ kind: 'following' });
  }

  #refused(code: number, message: string) {
    this.#reason = message;
    if (passes(code)) return;
    this.sink.state({ kind: 'failed', code, message });
    this.close();
  }

  /** Returns the number of a container. */
  #source(container: string): number {
    const known = this.#sources.indexOf(container);
    if (known >= 0) return known;
    this.sink.sources([...this.#sources, container]);
    return this.#sources.push(container) - 1;
  }

  #lines(container: string, texts: readonly string[], isPartial: boolean) {
    const pieces = this.#partial.get(container) ?? [];
    if (isPartial) {
      pieces.push(...texts);
      this.#partial.set(container, pieces);
      if (pieces.reduce((sum, { length }) => sum + length, 0) >= LONGEST) this.#flush(container);
      return;
    }
    const [first = '', ...rest] = texts;
    this.#partial.delete(container);
    this.#put(container, [pieces.length > 0 ? pieces.join('') + first : first, ...rest]);
  }

  /** Takes lines as complete of which the rest is missing, of one container or of all. */
  #flush(container?: string) {
    for (const name of container === undefined ? [...this.#partial.keys()] : [container]) {
      const pieces = this.#partial.get(name);
      this.#partial.delete(name);
      if (pieces !== undefined) this.#put(name, [pieces.join('')]);
    }
  }

  #put(container: string, texts: readonly string[]) {
    const source = this.#source(container);
    const lines = texts.map((text): Line => {
      const time = readTime(text);
      if (time === undefined) return { ms: Number.NaN, nanos: 0, source, text };
      return { ms: time.ms, nanos: time.nanos, source, text: text.slice(time.length + 1) };
    });
    const fresh = this.#resume.fresh(lines, this.#now());
    if (fresh.length > 0) this.sink.lines(fresh);
  }
}

/** Returns the log of a pod as a feed. */
export function podFeed(config: LogConfig, surroundings: Surroundings): Feed {
  return (sink) => new PodStream(config, sink, surroundings);
}
