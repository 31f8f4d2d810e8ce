import { clean } from '../lines/clean';

/** How a part of a line is coloured. */
export type Look = 'key' | 'text' | 'string' | 'number' | 'sign';

/** A part of a line of YAML. */
export interface Part {
  readonly look: Look;
  readonly text: string;
}

/** A line of a manifest. */
export interface Line {
  /** Its number, from 1. */
  readonly number: number;
  readonly text: string;
  readonly parts: readonly Part[];
  /** The number of lines below it that its fold hides; 0 if it can't be folded. */
  readonly folds: number;
  /** The keys that lead to it, such as `spec`, `containers`. Entries of lists have no key. */
  readonly path: readonly string[];
}

/** Blocks that begin folded: they are long, and what they say stands elsewhere. */
const FOLDED: readonly string[] = ['metadata/managedFields', 'status'];

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#&*!|>{}[\],][^#]*?)(:)(?=\s|$)/;
const NUMBER = /^[-+]?(?:0x[\da-f]+|0o[0-7]+|\d[\d_]*(?:\.\d+)?(?:e[-+]?\d+)?)$/i;
const CONSTANT = /^(?:true|false|null|~)$/;
/** The end of a line that begins a block of text. */
const BLOCK = /(?:^|[:\-]\s+)[|>][-+\d]*$/;

/**
 * Splits a manifest into lines, with their colours and folds. Characters that can't be seen are named.
 *
 * It reads the YAML that a serialiser writes: blocks by indentation, no comments, no anchors. A line of
 * another kind is shown as it is.
 */
export function linesOf(manifest: string): Line[] {
  const texts = manifest.replace(/\n$/, '').split('\n');
  const indents = texts.map(indentOf);
  const path: { indent: number; key: string }[] = [];
  let block: number | undefined;
  return texts.map((raw, at) => {
    const indent = indents[at] ?? 0;
    const text = clean(raw).text;
    if (block !== undefined && (raw.trim() === '' || indent > block)) {
      return line(at, text, [{ look: 'string', text }], 0, path);
    }
    block = BLOCK.test(raw) ? indent : undefined;
    const { parts, key, column } = partsOf(text);
    while ((path.at(-1)?.indent ?? -1) >= column) path.pop();
    if (key !== undefined) path.push({ indent: column, key });
    return line(at, text, parts, foldOf(texts, indents, at), path);
  });
}

function line(at: number, text: string, parts: Part[], folds: number, path: readonly { key: string }[]): Line {
  return { number: at + 1, text, parts, folds, path: path.map(({ key }) => key) };
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length;
}

/** Returns how many lines below a line belong to it. */
function foldOf(texts: readonly string[], indents: readonly number[], at: number): number {
  const text = texts[at] ?? '';
  const indent = indents[at] ?? 0;
  const isEntry = text.startsWith('- ', indent);
  let end = at + 1;
  while (end < texts.length) {
    const next = texts[end] ?? '';
    const deeper = indents[end] ?? 0;
    // The entries of a list may stand as far left as the key of the list.
    const isOwnEntry = !isEntry && text.endsWith(':') && deeper === indent && next.startsWith('-', deeper);
    if (next.trim() !== '' && deeper <= indent && !isOwnEntry) break;
    end += 1;
  }
  while (end > at + 1 && (texts[end - 1] ?? '').trim() === '') end -= 1;
  return end - at - 1;
}

function partsOf(text: string): { parts: Part[]; key: string | undefined; column: number } {
  const parts: Part[] = [];
  const put = (look: Look, part: string) => {
    if (part !== '') parts.push({ look, text: part });
  };
  const lead = /^\s*(?:-(?:\s+|$))*/.exec(text)?.[0] ?? '';
  put('sign', lead);
  const rest = text.slice(lead.length);
  const key = KEY.exec(rest)?.[1];
  if (key === undefined) {
    put(lookOf(rest), rest);
    return { parts, key, column: lead.length };
  }
  put('key', key);
  put('sign', ':');
  const value = rest.slice(key.length + 1);
  const start = value.length - value.trimStart().length;
  put('text', value.slice(0, start));
  put(lookOf(value.slice(start)), value.slice(start));
  return { parts, key: key.replace(/^["']|["']$/g, ''), column: lead.length };
}

function lookOf(value: string): Look {
  if (/^["']/.test(value)) return 'string';
  if (NUMBER.test(value) || CONSTANT.test(value)) return 'number';
  return 'text';
}

/** Returns the numbers of the lines whose blocks begin folded. */
export function foldedAtFirst(lines: readonly Line[]): Set<number> {
  return new Set(
    lines.flatMap(({ number, folds, path }) => (folds > 0 && FOLDED.includes(path.join('/')) ? [number] : [])),
  );
}

/** Returns the lines that are shown while the blocks of some lines are folded. */
export function unfolded(lines: readonly Line[], folded: ReadonlySet<number>): Line[] {
  const shown: Line[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const one = lines[at];
    if (one === undefined) break;
    shown.push(one);
    if (folded.has(one.number)) at += one.folds;
  }
  return shown;
}

/** Returns the folded lines without those that hide a line. */
export function revealing(lines: readonly Line[], folded: ReadonlySet<number>, number: number): Set<number> {
  return new Set([...folded].filter((fold) => number <= fold || number > fold + (lines[fold - 1]?.folds ?? 0)));
}

/** A place where a text was found. */
export interface Hit {
  /** The number of its line. */
  readonly number: number;
  readonly from: number;
  readonly to: number;
}

/** Returns where a text stands, without regard to case. Folded lines are searched, too. */
export function findIn(lines: readonly Line[], text: string): Hit[] {
  if (text === '') return [];
  const wanted = text.toLowerCase();
  return lines.flatMap(({ number, text: line }) => {
    const hits: Hit[] = [];
    const lower = line.toLowerCase();
    // A letter whose small form is longer would move the places behind it.
    const searched = lower.length === line.length ? lower : line;
    for (let from = searched.indexOf(wanted); from >= 0; from = searched.indexOf(wanted, from + wanted.length)) {
      hits.push({ number, from, to: from + wanted.length });
    }
    return hits;
  });
}

/**
 * Returns which hit to begin at: the first one in the entry of a container, if one is named, and the
 * first of all else.
 */
export function firstHit(lines: readonly Line[], hits: readonly Hit[], container: string): number {
  if (container === '') return 0;
  let isInside = false;
  for (const { number, text, path } of lines) {
    const isOfContainer = path[0] === 'spec' && /^(?:initC|c|ephemeralC)ontainers$/.test(path[1] ?? '');
    if (isOfContainer && path.length <= 3 && /^\s*-\s/.test(text)) {
      isInside = nameOfEntry(lines, number) === container;
    }
    const hit = isOfContainer && isInside ? hits.findIndex((one) => one.number === number) : -1;
    if (hit >= 0) return hit;
  }
  return 0;
}

/** Returns the `name` of the list's entry that begins at a line. */
function nameOfEntry(lines: readonly Line[], number: number): string | undefined {
  const first = lines[number - 1];
  if (first === undefined) return undefined;
  const column = indentOf(first.text.replace('-', ' '));
  for (const { text } of lines.slice(number - 1, number + first.folds)) {
    const plain = text === first.text ? text.replace('-', ' ') : text;
    if (indentOf(plain) === column && plain.startsWith('name: ', column)) return plain.slice(column + 6).trim();
  }
  return undefined;
}

/** Cuts the parts of a line where hits begin and end. */
export function marked(line: Line, hits: readonly Hit[]): (Part & { hit?: Hit })[] {
  const mine = hits.filter(({ number }) => number === line.number);
  if (mine.length === 0) return [...line.parts];
  const cuts: (Part & { hit?: Hit })[] = [];
  let at = 0;
  for (const { look, text } of line.parts) {
    const end = at + text.length;
    let from = at;
    for (const hit of mine) {
      const [begin, stop] = [Math.max(hit.from, from), Math.min(hit.to, end)];
      if (begin >= stop) continue;
      if (begin > from) cuts.push({ look, text: text.slice(from - at, begin - at) });
      cuts.push({ look, text: text.slice(begin - at, stop - at), hit });
      from = stop;
    }
    if (from < end) cuts.push({ look, text: text.slice(from - at) });
    at = end;
  }
  return cuts;
}
