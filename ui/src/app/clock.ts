import { useSyncExternalStore } from 'react';

/** How much the server's clock is ahead of the browser's, in milliseconds. */
let ahead = 0;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Takes the `Date` of an answer, by which ages are counted. Differences below 2 s are the network's. */
export function correct(date: string | null): void {
  const server = Date.parse(date ?? '');
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  // `Date` has whole seconds.
  ahead = Math.abs(difference) < 2000 ? 0 : difference;
}

/** Returns the server's time in milliseconds since the epoch. */
export function now(): number {
  return Date.now() + ahead;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    if (document.visibilityState === 'visible') for (const one of listeners) one();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/**
 * Returns a text that follows the clock. One clock ticks for the whole page, and a component is only
 * drawn again when its text has changed.
 */
export function useTicking<Text extends string | number | boolean>(text: (now: number) => Text): Text {
  return useSyncExternalStore(subscribe, () => text(now()));
}
