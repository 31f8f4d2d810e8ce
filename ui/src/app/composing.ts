import type { KeyboardEvent } from 'react';

/** The key code of a key that an input method has taken. */
const TAKEN = 229;

/** Returns whether a key press belongs to an input method that is composing. */
export function isComposing({ nativeEvent }: KeyboardEvent): boolean {
  // Safari ends a composition before the key event that ended it, and only its code says so.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return nativeEvent.isComposing || nativeEvent.keyCode === TAKEN;
}
