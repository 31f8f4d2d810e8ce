import { useCallback, useMemo, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { read, write } from './stored';

/** The zones in which the page shows times. */
export type Zone = 'local' | 'utc';

let chosen: Zone = read('zone') === 'utc' ? 'utc' : 'local';
const listeners = new Set<() => void>();

/** Changes the zone of every time on every page. */
export function setZone(zone: Zone): void {
  chosen = zone;
  write('zone', zone === 'utc' ? 'utc' : null);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Returns the zone, and what writes times in it and in the page's language. */
export function useTimes() {
  const { i18n } = useTranslation();
  const zone = useSyncExternalStore(subscribe, () => chosen);
  const language = i18n.language;
  const formats = useMemo(() => {
    const timeZone = zone === 'utc' ? { timeZone: 'UTC' } : {};
    const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
    return {
      clock: new Intl.DateTimeFormat(language, { ...clock, ...timeZone }),
      exact: new Intl.DateTimeFormat(language, {
        ...clock,
        ...timeZone,
        year: 'numeric',
        month: 'short',
        day: 'numeric',
        timeZoneName: 'short',
      }),
    };
  }, [language, zone]);
  /** Writes the time of day to the second. */
  const clock = useCallback((time: string | number) => formats.clock.format(new Date(time)), [formats]);
  /** Writes date and time with the zone. */
  const exact = useCallback((time: string | number) => formats.exact.format(new Date(time)), [formats]);
  return { zone, clock, exact };
}
