import { clean, withoutSequences } from './clean';
import type { Feed, FeedState, Line, Mark, Sink, Stream } from './feed';
import { Finder, type StartSearcher } from './finder';
import { ERROR } from './level';
import type { Asks, Copied, FromEngine, Status, Strip, ToEngine, View } from './messages';
import type { Anchor, Layout } from './render';
import { Rows } from './rows';
import { type Limits, LIMITS, Store } from './store';
import { writeTime } from './time';
import { CELLS } from './width';

/** At most so much text is copied, in UTF-16 units. */
const MOST_COPIED = 16 * 1024 * 1024;
/** Seconds over which lines are counted for their rate. */
const RATE_SECONDS = 5;

const LAYOUT: Layout = { columns: 80, wrap: true, structured: true, markRows: 2, zone: 'local', widths: CELLS };

/** What an engine needs from where it runs. */
export interface Surroundings<Config> {
  send: (message: FromEngine) => void;
  /** Returns the feed that a config stands for. */
  feed: (config: Config) => Feed;
  startSearcher: StartSearcher;
  /** The time in milliseconds since 1970. */
  now: () => number;
}

/** Counts lines by the second in which they came. */
class Rate {
  readonly #counts = new Map<number, number>();

  add(count: number, now: number) {
    const second = Math.floor(now / 1000);
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + count);
    for (const one of this.#counts.keys()) if (one < second - RATE_SECONDS) this.#counts.delete(one);
  }

  /** Lines a second over the last whole seconds. */
  at(now: number): number {
    const second = Math.floor(now / 1000);
    let sum = 0;
    for (const [one, count] of this.#counts) if (one < second && one >= second - RATE_SECONDS) sum += count;
    return sum / RATE_SECONDS;
  }
}

/**
 * A log, as a page looks at it: takes a feed's lines, and answers what the page asks.
 *
 * It never sends rows by itself. After a change it says once that there is one, and again only
 * after the page has looked, so a fast feed can't flood a slow page.
 */
export class Engine<Config> {
  #store: Store;
  #rows: Rows;
  #finder: Finder;
  #rate = new Rate();
  #feed: FeedState = { kind: 'opening' };
  #sources: readonly string[] = [];
  #stream: Stream | undefined;
  #isAnnounced = false;

  constructor(
    readonly surroundings: Surroundings<Config>,
    readonly limits: Limits = LIMITS,
  ) {
    this.#store = new Store(limits);
    this.#rows = new Rows(this.#store, LAYOUT);
    this.#finder = this.#newFinder();
  }

  /** Takes a message of the page. */
  receive(message: ToEngine<Config>) {
    switch (message.type) {
      case 'ask':
        // What has just been asked for is what is new.
        if (message.name === 'view') this.#isAnnounced = false;
        this.surroundings.send({ type: 'answer', id: message.id, answer: this.#answer(message) });
        return;
      case 'open':
        this.#open(message.config);
        return;
      case 'retry':
        this.#stream?.retry();
        return;
      case 'layout':
        this.#rows.setLayout(message.layout);
        this.#finder.setStructured(message.layout.structured);
        break;
      case 'unfold':
        this.#rows.setUnfolded(message.line, !this.#rows.isUnfolded(message.line));
        break;
      case 'find':
        this.#finder.find(message.query ?? undefined, this.#rows.layout.structured, message.near);
        break;
      case 'mark':
        this.#mark({ kind: 'user', at: { ms: this.surroundings.now(), nanos: 0 } });
        break;
      case 'close':
        this.#stream?.close();
        this.#finder.close();
        return;
    }
    this.#changed();
  }

  #open(config: Config) {
    this.#stream?.close();
    this.#finder.close();
    this.#store = new Store(this.limits);
    this.#rows = new Rows(this.#store, this.#rows.layout);
    this.#finder = this.#newFinder();
    this.#rate = new Rate();
    this.#sources = [];
    this.#feed = { kind: 'opening' };
    this.#stream = this.surroundings.feed(config)(this.#sink());
    this.#changed();
  }

  #newFinder(): Finder {
    const finder = new Finder(this.#store, this.surroundings.startSearcher, () => {
      this.#changed();
    });
    this.#rows.hitsOf = (line) => finder.hitsOf(line);
    return finder;
  }

  /** Returns the sink of one feed. It takes nothing once another feed was opened. */
  #sink(): Sink {
    const store = this.#store;
    const ifOpen = (take: () => void) => {
      if (store !== this.#store) return;
      take();
      this.#changed();
    };
    return {
      sources: (names) => {
        ifOpen(() => (this.#sources = names));
      },
      lines: (lines) => {
        ifOpen(() => {
          this.#append(lines);
        });
      },
      mark: (mark) => {
        ifOpen(() => {
          this.#mark(mark);
        });
      },
      state: (state) => {
        ifOpen(() => (this.#feed = state));
      },
    };
  }

  #append(lines: readonly Line[]) {
    for (const line of lines) this.#rows.added(this.#store.append(line, this.#rows.measure));
    this.#rate.add(lines.length, this.surroundings.now());
    this.#trim();
  }

  #mark(mark: Mark) {
    this.#rows.added(this.#store.mark(mark));
    this.#trim();
  }

  #trim() {
    if (this.#store.trim().length > 0) {
      this.#rows.trimmed();
      this.#finder.trimmed();
    }
    this.#finder.next();
  }

  #changed() {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.surroundings.send({ type: 'changed' });
  }

  #answer(message: Extract<ToEngine<Config>, { type: 'ask' }>): Asks[keyof Asks]['answer'] {
    switch (message.name) {
      case 'view':
        return this.#view(message.ask);
      case 'hit':
        return this.#hit(message.ask);
      case 'error':
        return this.#error(message.ask);
      case 'time':
        return this.#time(message.ask.ms);
      case 'copy':
        return this.#copy(message.ask);
      case 'part':
        return this.#part(message.ask);
      case 'strip':
        return this.#strip(message.ask.parts);
    }
  }

  #view({ target, before, count, after }: Asks['view']['ask']): View {
    return { ...this.#rows.window(target, before, count, after), status: this.#status() };
  }

  #status(): Status {
    return {
      feed: this.#feed,
      sources: this.#sources,
      lines: this.#store.count,
      bytes: this.#store.bytes,
      hasLetGo: this.#store.hasLetGo,
      from: this.#store.from,
      end: this.#store.end,
      rate: this.#rate.at(this.surroundings.now()),
      widest: this.#rows.layout.wrap ? 0 : this.#rows.widest,
      find: this.#finder.status,
    };
  }

  #hit({ direction, line }: Asks['hit']['ask']): Anchor | null {
    const hit = this.#finder.move(direction, line);
    // Which hit is the current one has changed.
    this.#changed();
    return hit === undefined ? null : { line: hit.line, at: hit.from };
  }

  #error({ direction, line }: Asks['error']['ask']): Anchor | null {
    for (let next = line + direction; next >= this.#store.first && next < this.#store.end; next += direction) {
      const place = this.#store.find(next);
      if ((place?.chunk.levels[place.at] ?? 0) >= ERROR) return { line: next, at: 0 };
    }
    return null;
  }

  #time(ms: number): Anchor | null {
    for (const chunk of this.#store.chunks) {
      const at = chunk.ms.subarray(0, chunk.count).findIndex((one) => one >= ms);
      if (at >= 0) return { line: chunk.first + at, at: 0 };
    }
    return null;
  }

  #copy({ from, to, withTimes }: Asks['copy']['ask']): Copied {
    const pieces: string[] = [];
    let length = 0;
    for (let line = Math.max(from, this.#store.first); line <= to; line += 1) {
      const place = this.#store.find(line);
      if (place === undefined) break;
      if (place.chunk.marks.has(place.at)) continue;
      const { chunk, at } = place;
      const ms = chunk.ms[at] ?? Number.NaN;
      const time = withTimes && !Number.isNaN(ms) ? `${writeTime({ ms, nanos: chunk.nanos[at] ?? 0 })} ` : '';
      const text = `${time}${withoutSequences(chunk.raw(at))}`;
      length += text.length + 1;
      if (length > MOST_COPIED && pieces.length > 0) {
        return { text: pieces.join('\n'), lines: pieces.length, isCut: true };
      }
      pieces.push(text);
    }
    return { text: pieces.join('\n'), lines: pieces.length, isCut: false };
  }

  #part({ line, from, length }: Asks['part']['ask']): Asks['part']['answer'] {
    const place = this.#store.find(line);
    const raw = place?.chunk.raw(place.at) ?? '';
    return { text: clean(raw.slice(from, from + length)).text, length: raw.length };
  }

  #strip(parts: number): Strip {
    const strip = new Uint8Array(parts);
    const total = this.#rows.total;
    if (total === 0) return strip;
    let row = 0;
    for (const chunk of this.#store.chunks) {
      const found = this.#finder.placesIn(chunk);
      for (let at = 0; at < chunk.count; at += 1) {
        const part = Math.floor((row / total) * parts);
        if ((chunk.levels[at] ?? 0) >= ERROR) strip[part] = (strip[part] ?? 0) | 2;
        if (found.has(at)) strip[part] = (strip[part] ?? 0) | 1;
        row += chunk.rows[at] ?? 0;
      }
    }
    return strip;
  }
}
