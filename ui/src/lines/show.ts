import { clean } from './clean';
import { type Field, partsOf, readFields } from './fields';
import { findLevel, type Level, LEVEL_WORDS } from './level';
import { type Role, ROLE_LOOKS, type Run, type Shown } from './look';

/** A longer line is cut here. In UTF-16 units. */
export const CUT = 4_096;

/** A line as it is shown. */
export interface ShownLine extends Shown {
  level: Level;
  /** Whether the text is a cut line's beginning. */
  isCut: boolean;
  /** Whether the line is shown as message and fields. */
  isStructured: boolean;
}

/** Returns the start of a text, without half a surrogate pair at its end. */
function start(text: string, length: number): string {
  if (text.length <= length) return text;
  const unit = text.charCodeAt(length - 1);
  return text.slice(0, unit >= 0xd800 && unit < 0xdc00 ? length - 1 : length);
}

function roleRun(from: number, to: number, role: Role): Run {
  return { from, to, look: ROLE_LOOKS[role] };
}

/** Returns how the value of a field stands behind its key. */
function written(value: string, isText: boolean): string {
  return isText && (value === '' || /[\s"]/u.test(value)) ? JSON.stringify(value) : value;
}

/** Returns a message with its line feeds as `↵`, because a line is one. */
function inOneLine(message: string): string {
  return message.includes('\n') ? message.replace(/\r?\n/g, ' ↵ ') : message;
}

/** Writes level, message and `key=value` of a structured line, up to a little over `limit`. */
function compose(fields: readonly Field[], limit: number): Shown & { level: Level } {
  // A part that ends here makes the line longer than the limit.
  const part = limit + 2;
  const { level, message, rest } = partsOf(fields);
  let text = level === 0 ? '' : LEVEL_WORDS[level].padEnd(6);
  const runs: Run[] = level === 0 ? [] : [roleRun(0, LEVEL_WORDS[level].length, 'level')];
  const cleaned = clean(inOneLine(start(message, part)));
  for (const { from, to, look } of cleaned.runs) runs.push({ from: from + text.length, to: to + text.length, look });
  text += cleaned.text;
  for (const [at, field] of rest.entries()) {
    if (text.length > limit) break;
    if (at > 0 || cleaned.text !== '') text += ' ';
    const from = text.length;
    text += `${clean(start(field.key, part)).text}=`;
    runs.push(roleRun(from, text.length, 'key'));
    text += clean(written(start(field.value, part), field.isText)).text;
  }
  return { text, runs, level };
}

/** Returns a shown text that ends at `limit`, with its runs. */
function cutShown({ text, runs }: Shown, limit: number): Shown {
  const left = start(text, limit);
  const kept = runs.filter(({ from }) => from < left.length);
  return { text: left, runs: kept.map((run) => ({ ...run, to: Math.min(run.to, left.length) })) };
}

/** Returns a line as text with the looks that it asks for, and its level. */
function showText(raw: string, limit: number): ShownLine {
  const shown = clean(start(raw, limit));
  const found = findLevel(shown.text);
  const runs = [...shown.runs];
  // A line that brings colours of its own keeps them.
  if (found !== undefined && runs.length === 0) runs.push(roleRun(found.from, found.to, 'level'));
  return { text: shown.text, runs, level: found?.level ?? 0, isCut: raw.length > limit, isStructured: false };
}

/**
 * Returns a line as it is shown. With `structured`, a JSON or logfmt line is its level, its message
 * and then its other fields as `key=value`.
 *
 * The work for one line is bounded by `limit`, in UTF-16 units, however long the line is.
 */
export function show(raw: string, structured: boolean, limit = CUT): ShownLine {
  const fields = structured ? readFields(raw) : undefined;
  if (fields === undefined) return showText(raw, limit);
  const { level, ...shown } = compose(fields, limit);
  const isCut = shown.text.length > limit;
  return { ...(isCut ? cutShown(shown, limit) : shown), level, isCut, isStructured: true };
}
