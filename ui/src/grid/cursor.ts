import type { Place } from '../live/window';

/** The row that the keys act on: its key, and its place in the list. */
export interface Cursor {
  readonly key: string;
  readonly index: number;
}

/** Returns the key at a place of the list; `undefined` if its row is not loaded. */
export function keyAt({ offset, keys }: Place, index: number): string | undefined {
  return index < offset ? undefined : keys[index - offset];
}

/**
 * Returns the cursor after the list has changed: on the same row wherever it is now, and on the row
 * that took its place if it has left the list. A row outside of the loaded window may still be in
 * the list, so the cursor stays on it.
 */
export function follow(cursor: Cursor | undefined, place: Place): Cursor | undefined {
  if (cursor === undefined) return undefined;
  const found = place.keys.indexOf(cursor.key);
  if (found >= 0) {
    const index = place.offset + found;
    return index === cursor.index ? cursor : { key: cursor.key, index };
  }
  const isInside = cursor.index >= place.offset && cursor.index <= place.offset + place.keys.length;
  if (!isInside) return cursor;
  const index = Math.min(cursor.index, place.offset + place.keys.length - 1);
  const key = keyAt(place, index);
  return key === undefined ? undefined : { key, index };
}
