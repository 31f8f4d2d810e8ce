/** How often the clocks are compared while nothing happens, in milliseconds. */
const PAUSE = 30_000;

/**
 * Calls `action` when time may have passed unseen: when the page comes back to sight or to the
 * network, and every 30 s. Returns what ends it.
 */
export function onWake(action: () => void): () => void {
  const timer = setInterval(action, PAUSE);
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
