/** A moment with nanoseconds, which a number of milliseconds can't hold. */
export interface Moment {
  /** Whole milliseconds since 1970-01-01 in UTC. */
  ms: number;
  /** Nanoseconds within the millisecond, 0 to 999,999. */
  nanos: number;
}

const STAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z/;

/**
 * Reads the RFC 3339 time in UTC at the start of `text`; `undefined` if there is none.
 * `length` is how many characters it takes.
 */
export function readTime(text: string): (Moment & { length: number }) | undefined {
  const match = STAMP.exec(text);
  if (match === null) return undefined;
  const [stamp, year, month, day, hour, minute, second, fraction = ''] = match;
  const whole = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const nanos = Number(fraction.padEnd(9, '0'));
  return { ms: whole + Math.floor(nanos / 1e6), nanos: nanos % 1e6, length: stamp.length };
}

/** Writes a moment in RFC 3339 and UTC, with as many digits as it has. */
export function writeTime({ ms, nanos }: Moment): string {
  const whole = new Date(ms).toISOString();
  const fraction = `${whole.slice(20, 23)}${String(nanos).padStart(6, '0')}`.replace(/0+$/, '');
  return `${whole.slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** The time zones in which days can begin. */
export type Zone = 'local' | 'utc';

/** Tells days apart in a time zone. It keeps the last day, because neighbouring lines share it. */
export class Days {
  #from = 0;
  #to = 0;

  constructor(readonly zone: Zone) {}

  /** Returns the first millisecond of the day that `ms` lies in. */
  start(ms: number): number {
    if (ms < this.#from || ms >= this.#to) this.#find(ms);
    return this.#from;
  }

  #find(ms: number) {
    const date = new Date(ms);
    if (this.zone === 'utc') {
      this.#from = date.setUTCHours(0, 0, 0, 0);
      this.#to = this.#from + 86_400_000;
    } else {
      this.#from = date.setHours(0, 0, 0, 0);
      this.#to = date.setDate(date.getDate() + 1);
    }
  }
}
