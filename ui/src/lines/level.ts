/** The severity that a line states: 1 for a trace to 6 for a fatal error, 0 if it states none. */
export type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** From this level on, a line is an error. */
export const ERROR = 5;

/** The word of each level, as it is shown. */
export const LEVEL_WORDS = ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;

const LEVELS: Partial<Record<string, Level>> = {
  trace: 1,
  trc: 1,
  finest: 1,
  finer: 1,
  verbose: 1,
  debug: 2,
  dbg: 2,
  fine: 2,
  info: 3,
  inf: 3,
  information: 3,
  notice: 3,
  note: 3,
  log: 3,
  warn: 4,
  wrn: 4,
  warning: 4,
  error: 5,
  err: 5,
  severe: 5,
  eror: 5,
  fail: 5,
  fatal: 6,
  ftl: 6,
  critical: 6,
  crit: 6,
  panic: 6,
  dpanic: 6,
  emerg: 6,
  emergency: 6,
  alert: 6,
};

/** The numbers of bunyan and pino. */
const NUMBERS: Partial<Record<string, Level>> = { '10': 1, '20': 2, '30': 3, '40': 4, '50': 5, '60': 6 };

/** Returns the level of the value of a field such as `level`; 0 for one that is not known. */
export function levelOf(value: string): Level {
  return LEVELS[value.toLowerCase()] ?? NUMBERS[value] ?? 0;
}

/** A level and the word that says it: `from` to `to`, which is exclusive. */
export interface FoundLevel {
  level: Level;
  from: number;
  to: number;
}

/** How far into a line its level is looked for. */
const REACH = 200;

/** The letters with which klog, Kubernetes' own logger, begins its lines. */
const KLOG = /^[IWEF](?=\d{4} \d\d:\d\d:\d\d\.\d+ )/;
const KLOG_LEVELS: Partial<Record<string, Level>> = { I: 3, W: 4, E: 5, F: 6 };

const CAPITALS = new RegExp(
  '(?<![\\w=./-])(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|CRIT(?:ICAL)?|PANIC|EMERG|ALERT|SEVERE)' +
    '(?![\\w=/-])',
);
const FRAMED = new RegExp(
  '(?<=[[|(<] ?)(?:trace|debug|info|notice|warn(?:ing)?|err(?:or)?|fatal|crit(?:ical)?|panic|emerg|alert)' +
    '(?= ?[\\]|)>])',
  'i',
);
const FIRST = /^(?:debug|info|notice|warn(?:ing)?|error|fatal|panic)(?=:)/i;
const NAMED = /(?<=\b(?:level|lvl|severity)="?)[a-z]+/i;

/**
 * Returns the level of a line that is neither JSON nor logfmt; `undefined` where it says none.
 *
 * A level is a word in capitals that stands alone, or a word of any case in brackets, between bars,
 * at the very start with a colon, or after `level=`. A word in a sentence ("0 errors", "error=nil")
 * does not count.
 */
export function findLevel(text: string): FoundLevel | undefined {
  const klog = KLOG.exec(text)?.[0];
  if (klog !== undefined) return { level: KLOG_LEVELS[klog] ?? 0, from: 0, to: 1 };
  const reached = text.slice(0, REACH);
  let found: RegExpExecArray | undefined;
  for (const form of [CAPITALS, FRAMED, FIRST, NAMED]) {
    const match = form.exec(reached);
    if (match !== null && (found === undefined || match.index < found.index)) found = match;
  }
  if (found === undefined) return undefined;
  const [word] = found;
  const level = levelOf(word);
  return level === 0 ? undefined : { level, from: found.index, to: found.index + word.length };
}
