/** Choices that are kept for this browser. No secret, token or name is ever among them. */
type Choice = 'theme' | 'density' | 'language' | 'sidebar' | 'zone';

/** Returns a kept choice; `null` if there is none or the browser keeps nothing. */
export function read(choice: Choice): string | null {
  try {
    return localStorage.getItem(`podgate.${choice}`);
  } catch {
    return null;
  }
}

/** Keeps a choice, or forgets it for `null`. A browser that keeps nothing forgets it on reload. */
export function write(choice: Choice, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`podgate.${choice}`);
    else localStorage.setItem(`podgate.${choice}`, value);
  } catch {
    // Storage is off or full: the choice holds until the page is closed.
  }
}
