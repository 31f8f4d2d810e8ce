import { useEffect, useSyncExternalStore } from 'react';

import { callTagged } from '../api/client';
import { type Preferences, PreferenceStore } from './preferences';

const PATH = '/api/auth/me/preferences';

/** The preferences of this tab's account. */
export const preferences = new PreferenceStore({
  read: () => callTagged<Preferences>('GET', PATH),
  write: (value, tag) => callTagged<Preferences>('PUT', PATH, value, tag),
});

/** Returns the preferences of an account; `undefined` until they are known. */
export function usePreferences(owner: string): Preferences | undefined {
  useEffect(() => {
    // Without them the page has no views of one's own, and the connection's note says why.
    void preferences.load(owner).catch(() => undefined);
  }, [owner]);
  return useSyncExternalStore(preferences.subscribe, preferences.value);
}
