import { type Level, levelOf } from './level';

/** A field of a structured line. `value` is the text of a string, else what stands in the line. */
export interface Field {
  key: string;
  value: string;
  isText: boolean;
}

/** Longer lines are taken as text, so that the work for one line is bounded. In UTF-16 units. */
const LONGEST = 65_536;
/** At most so many fields are read; a line with more is text. */
const MOST = 256;

const SPACE = /[ \t\r\n]*/y;
const TEXT = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const BARE = /[^,}\]\s]+/y;
const NESTED = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;

/** Reads a text of known grammar from left to right. */
class Reader {
  at = 0;
  constructor(readonly text: string) {}

  /** Returns what `form`, a sticky expression, matches here, and moves behind it. */
  take(form: RegExp): string | undefined {
    form.lastIndex = this.at;
    const match = form.exec(this.text)?.[0];
    this.at += match?.length ?? 0;
    return match;
  }

  /** Moves behind the object or list that begins here. */
  takeNested(): string {
    const from = this.at;
    let depth = 0;
    NESTED.lastIndex = from;
    for (let match = NESTED.exec(this.text); match !== null; match = NESTED.exec(this.text)) {
      const [part] = match;
      if (part === '{' || part === '[') depth += 1;
      else if (part === '}' || part === ']') depth -= 1;
      if (depth === 0) break;
    }
    this.at = depth === 0 ? NESTED.lastIndex : this.text.length;
    return this.text.slice(from, this.at);
  }
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

/**
 * Reads the fields of a JSON object, in their order; `undefined` for any other text.
 *
 * Values are cut out of the text, because a number such as a trace's ID may be too large for
 * JavaScript, which would show another one.
 */
function readJson(line: string): Field[] | undefined {
  const text = line.trim();
  if (!text.startsWith('{') || !text.endsWith('}') || !isObject(text)) return undefined;
  const reader = new Reader(text);
  const fields: Field[] = [];
  reader.at += 1;
  for (reader.take(SPACE); text[reader.at] === '"'; reader.take(SPACE)) {
    const key = unquote(reader.take(TEXT) ?? '');
    reader.take(SPACE);
    reader.at += 1;
    reader.take(SPACE);
    const first = text[reader.at];
    if (first === '"') fields.push({ key, value: unquote(reader.take(TEXT) ?? ''), isText: true });
    else if (first === '{' || first === '[') fields.push({ key, value: reader.takeNested(), isText: false });
    else fields.push({ key, value: reader.take(BARE) ?? '', isText: false });
    reader.take(SPACE);
    reader.at += 1;
    if (fields.length > MOST) return undefined;
  }
  return fields.length === 0 ? undefined : fields;
}

const KEY = /[A-Za-z_@][\w.@/-]*(?==)/y;
const VALUE = /"[^"\\]*(?:\\.[^"\\]*)*"(?=\s|$)|[^\s"]*(?=\s|$)/y;
const GAP = /\s*/y;

/** Returns the text of a quoted string, and any other value as it is. */
function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  if (!value.includes('\\')) return value.slice(1, -1);
  try {
    return JSON.parse(value) as string;
  } catch {
    return value;
  }
}

/** Reads the fields of a logfmt line; `undefined` unless the whole line consists of pairs. */
function readLogfmt(text: string): Field[] | undefined {
  const reader = new Reader(text);
  const fields: Field[] = [];
  for (reader.take(GAP); reader.at < text.length; reader.take(GAP)) {
    const key = reader.take(KEY);
    reader.at += 1;
    const value = key === undefined ? undefined : reader.take(VALUE);
    if (key === undefined || value === undefined) return undefined;
    fields.push({ key, value: unquote(value), isText: true });
    if (fields.length > MOST) return undefined;
  }
  const isLog = fields.some(({ key }) => MESSAGE.has(key) || LEVEL.has(key));
  return fields.length >= 3 || (isLog && fields.length >= 2) ? fields : undefined;
}

/** Returns the fields of a JSON or logfmt line in their order; `undefined` for any other. */
export function readFields(text: string): Field[] | undefined {
  if (text.length > LONGEST) return undefined;
  return readJson(text) ?? readLogfmt(text);
}

const LEVEL = new Set(['level', 'lvl', 'severity', 'loglevel', 'log_level', 'levelname', 'log.level', '@l']);
const MESSAGE = new Set(['msg', 'message', '@message', '@m', '@mt', 'event', 'text', 'log']);
const TIME = new Set(['time', 'ts', 'timestamp', '@timestamp', '@t', 't', 'datetime', 'asctime']);

/** A structured line by what its fields are for. */
export interface Parts {
  level: Level;
  /** Empty where there is none. */
  message: string;
  /** The fields that are neither level, message nor time, in order. */
  rest: Field[];
}

/** Returns which of a line's fields are its level and its message, and which are left. */
export function partsOf(fields: readonly Field[]): Parts {
  const parts: Parts = { level: 0, message: '', rest: [] };
  for (const field of fields) {
    const key = field.key.toLowerCase();
    const level = LEVEL.has(key) ? levelOf(field.value) : 0;
    if (level > 0 && parts.level === 0) parts.level = level;
    else if (MESSAGE.has(key) && field.isText && parts.message === '') parts.message = field.value;
    else if (!TIME.has(key)) parts.rest.push(field);
  }
  return parts;
}
