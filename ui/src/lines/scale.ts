/** The greatest height of what scrolls, in pixels: browsers lose precision beyond it. */
export const HIGHEST = 8_000_000;

/** What a scroll bar stands for. */
export interface Scale {
  /** All rows. */
  total: number;
  /** The height of a row in pixels. */
  row: number;
  /** The height of the view in pixels. */
  view: number;
}

/** Returns the height of all rows, up to {@link HIGHEST}. */
export function heightOf({ total, row }: Scale): number {
  return Math.min(total * row, HIGHEST);
}

/** Returns whether the bar stands for rows in proportion, so that a pixel is more than one. */
export function isProportional({ total, row }: Scale): boolean {
  return total * row > HIGHEST;
}

/** Returns the row of a scroll position in pixels: both ends stand for both ends. */
export function rowAt(scale: Scale, top: number): number {
  const room = heightOf(scale) - scale.view;
  if (room <= 0) return 0;
  return (Math.min(Math.max(top, 0), room) / room) * (scale.total - scale.view / scale.row);
}

/** Returns the scroll position of a row, in pixels. */
export function topOf(scale: Scale, row: number): number {
  const room = heightOf(scale) - scale.view;
  const rows = scale.total - scale.view / scale.row;
  if (room <= 0 || rows <= 0) return 0;
  return (Math.min(Math.max(row, 0), rows) / rows) * room;
}
