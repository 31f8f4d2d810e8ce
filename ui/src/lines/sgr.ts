import { type Look, PLAIN, TRUE_COLOUR } from './look';

type Change = Partial<Omit<Look, 'role'>>;

const SIMPLE: Partial<Record<number, Change>> = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  39: { fg: -1 },
  49: { bg: -1 },
};

/** Returns what a code without arguments changes; nothing for one that is not known. */
function simple(code: number): Change {
  if (code >= 30 && code <= 37) return { fg: code - 30 };
  if (code >= 40 && code <= 47) return { bg: code - 40 };
  if (code >= 90 && code <= 97) return { fg: code - 82 };
  if (code >= 100 && code <= 107) return { bg: code - 92 };
  return SIMPLE[code] ?? {};
}

/**
 * Reads a colour after 38 or 48: `5;n` or `2;r;g;b`.
 * `used` is how many numbers it took; the colour is `undefined` if they name none.
 */
function extended(numbers: readonly number[]): { colour: number | undefined; used: number } {
  const [kind, ...rest] = numbers;
  const wanted = kind === 5 ? 1 : kind === 2 ? 3 : 0;
  const parts = rest.slice(0, wanted);
  const isColour = wanted > 0 && parts.length === wanted && parts.every((part) => part >= 0 && part <= 255);
  const [red = 0, green = 0, blue = 0] = parts;
  const colour = kind === 5 ? red : TRUE_COLOUR | (red << 16) | (green << 8) | blue;
  return { colour: isColour ? colour : undefined, used: 1 + parts.length };
}

/** Returns the change of one parameter that holds its arguments itself, such as `38:2::255:0:0`. */
function withColons(parameter: string): Change {
  const numbers = parameter.split(':').map(Number);
  const [code = 0, kind = 0] = numbers;
  if (code === 4) return { underline: kind !== 0 };
  if (code !== 38 && code !== 48) return simple(code);
  // ISO 8613-6 has the number of a colour space before the three parts; xterm also takes none.
  const parts = kind === 2 && numbers.length > 5 ? [2, ...numbers.slice(3)] : numbers.slice(1);
  const { colour } = extended(parts);
  if (colour === undefined) return {};
  return code === 38 ? { fg: colour } : { bg: colour };
}

/**
 * Returns the look after an SGR sequence (ECMA-48, "select graphic rendition") with these
 * parameters.
 *
 * It knows 16, 256 and true colours, bold, dim, italic, underline and inverse. Hidden text is not
 * hidden, because a log must not be able to hide what it says; all other codes change nothing.
 */
export function select(look: Look, parameters: string): Look {
  let next = look;
  const all = parameters.split(';');
  for (let at = 0; at < all.length; at += 1) {
    const parameter = all[at] ?? '';
    const code = Number(parameter);
    if (parameter.includes(':')) next = { ...next, ...withColons(parameter) };
    else if (code === 38 || code === 48) {
      const { colour, used } = extended(all.slice(at + 1, at + 5).map(Number));
      at += used;
      if (colour !== undefined) next = code === 38 ? { ...next, fg: colour } : { ...next, bg: colour };
    } else next = { ...next, ...simple(code) };
  }
  return next;
}
