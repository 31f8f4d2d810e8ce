/** How often the clocks are compared while nothing happens, in milliseconds. */
const TICK = 30_000;
/** A longer pause between two ticks was sleep. A browser lets a hidden tab tick once a minute. */
const SLEPT = 3 * 60_000;

/**
 * Calls `action` when the page comes back: to sight, to the focus, to the network, or from a sleep of
 * the whole machine. Returns what ends it.
 */
export function onWake(action: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const pause = Date.now() - last;
    last = Date.now();
    if (pause > SLEPT) action();
  }, TICK);
  const onVisible = () => {
    if (document.visibilityState === 'visible') action();
  };
  window.addEventListener('online', action);
  window.addEventListener('focus', action);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    clearInterval(timer);
    window.removeEventListener('online', action);
    window.removeEventListener('focus', action);
    document.removeEventListener('visibilitychange', onVisible);
  };
}

/** Calls `action` every 30 s and when the page comes back, as {@link onWake} does. Returns what ends it. */
export function onTick(action: () => void): () => void {
  const timer = setInterval(action, TICK);
  const end = onWake(action);
  return () => {
    clearInterval(timer);
    end();
  };
}
