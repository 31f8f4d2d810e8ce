import { read, write } from './stored';

/** The themes; `system` follows the system's setting. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Returns the theme that was chosen in this browser. */
export function theme(): Theme {
  const stored = read('theme');
  return THEMES.find((word) => word === stored) ?? 'system';
}

/** Applies a theme and keeps it for this browser. */
export function setTheme(chosen: Theme): void {
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
  write('theme', chosen === 'system' ? null : chosen);
}
