/** The bit that marks a colour as true: the lower 24 bits are red, green and blue. */
export const TRUE_COLOUR = 0x1000000;

/** What a piece of a line is, where the engine knows. */
export type Role = 'level' | 'key';

/** How a piece of text looks. */
export interface Look {
  /** -1 for the default, 0 to 255 for the palette, else a colour with {@link TRUE_COLOUR}. */
  readonly fg: number;
  /** As `fg`. */
  readonly bg: number;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
  readonly role?: Role;
}

/** The look of text of which nothing is known. */
export const PLAIN: Look = {
  fg: -1,
  bg: -1,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
};

/** The looks of what the engine finds. */
export const ROLE_LOOKS: Readonly<Record<Role, Look>> = {
  level: { ...PLAIN, role: 'level' },
  key: { ...PLAIN, role: 'key' },
};

/** A range of a text that has a look of its own; `to` is exclusive. */
export interface Run {
  from: number;
  to: number;
  look: Look;
}

/** A text as it is shown, with its runs in order. What no run covers is plain. */
export interface Shown {
  text: string;
  runs: Run[];
}
