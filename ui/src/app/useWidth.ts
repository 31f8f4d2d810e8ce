import { useSyncExternalStore } from 'react';

const subscribe = (listener: () => void) => {
  window.addEventListener('resize', listener);
  return () => {
    window.removeEventListener('resize', listener);
  };
};

/** Returns the window's width in CSS pixels. */
export function useWidth(): number {
  return useSyncExternalStore(subscribe, () => window.innerWidth);
}
