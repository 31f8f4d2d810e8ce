import { PLAIN, type Look, type Run, type Shown } from './look';
import { select } from './sgr';
import { nominalColumns } from './width';

/** Columns between two tab stops. */
const TAB = 8;

/**
 * Control sequences: CSI; OSC; DCS, SOS, PM and APC; and short escapes. One that is cut off is
 * dropped as far as it goes. A string without an end keeps its text, so that it hides nothing.
 */
const SEQUENCE =
  '\\u001b\\[[0-?]*[ -/]*[@-~]?|\\u001b\\][^\\u0007\\u001b]{0,2048}(?:\\u0007|\\u001b\\\\)|' +
  '\\u001b[PX^_][^\\u001b]{0,2048}\\u001b\\\\|\\u001b[ -/]*[0-~]?';

/**
 * Characters that can't be seen but change what is read: controls, bidirectional controls
 * (Unicode TR 36), separators, tags, and halves of surrogate pairs. Joiners stay: emoji need them.
 */
const UNSEEN =
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f' +
  '\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}\\p{Cs}]';

const SEQUENCES = new RegExp(SEQUENCE, 'gu');
const SPECIAL = new RegExp(`${SEQUENCE}|${UNSEEN}`, 'gu');
const HAS_SPECIAL = new RegExp(`\\u001b|${UNSEEN}`, 'u');
const SGR = /^\u001b\[([\d;:]*)m$/;
const ASCII = /^[\x20-\x7e]*$/;

/** Returns whether a text consists of printable ASCII, so that it is shown as it is. */
export function isPlain(text: string): boolean {
  return ASCII.test(text);
}

/** Returns whether a text without control sequences has characters that are named, or tabs. */
export function hasUnseen(text: string): boolean {
  return HAS_SPECIAL.test(text);
}

/** Returns a line as it is, without control sequences and a carriage return at its end. */
export function withoutSequences(raw: string): string {
  const text = raw.includes('\u001b') ? raw.replace(SEQUENCES, '') : raw;
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** Returns how a character that can't be seen is shown: `⟨U+202E⟩`. */
function named(character: string): string {
  return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** Collects the pieces of a shown text and their looks. */
class Writer {
  text = '';
  readonly runs: Run[] = [];
  look: Look = PLAIN;
  #columns = 0;

  /** Columns are counted only where a tab needs them. */
  constructor(readonly counts: boolean) {}

  write(piece: string) {
    if (piece === '') return;
    const from = this.text.length;
    this.text += piece;
    if (this.counts) this.#columns += nominalColumns(piece);
    const last = this.runs.at(-1);
    if (last?.to === from && last.look === this.look) last.to = this.text.length;
    else if (this.look !== PLAIN) this.runs.push({ from, to: this.text.length, look: this.look });
  }

  tab() {
    this.write(' '.repeat(TAB - (this.#columns % TAB)));
  }
}

/** Returns whether two looks are the same. */
function equal(a: Look, b: Look): boolean {
  return (Object.keys(PLAIN) as (keyof Look)[]).every((key) => a[key] === b[key]);
}

/**
 * Returns a line as it is shown: SGR sequences become looks, all other control sequences are
 * dropped, tabs become spaces, and what can't be seen is named. Every line starts plain.
 *
 * Its work is proportional to the length of `raw`.
 */
export function clean(raw: string): Shown {
  if (isPlain(raw)) return { text: raw, runs: [] };
  const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
  if (!HAS_SPECIAL.test(line)) return { text: line, runs: [] };
  const writer = new Writer(line.includes('\t'));
  let done = 0;
  for (const match of line.matchAll(SPECIAL)) {
    const [special] = match;
    writer.write(line.slice(done, match.index));
    done = match.index + special.length;
    if (special === '\t') writer.tab();
    else if (special.startsWith('\u001b')) {
      const parameters = SGR.exec(special)?.[1];
      if (parameters !== undefined) {
        const look = select(writer.look, parameters);
        writer.look = equal(look, PLAIN) ? PLAIN : equal(look, writer.look) ? writer.look : look;
      }
    } else writer.write(named(special));
  }
  writer.write(line.slice(done));
  return { text: writer.text, runs: writer.runs };
}
