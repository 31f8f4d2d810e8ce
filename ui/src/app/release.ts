/**
 * Whether this page is still the one that the server has.
 *
 * After an upgrade the parts that an open page loads later are gone from the server, so the page has
 * to be loaded again. It only offers to: what is open in it may not outlive a reload.
 */
export class Release {
  readonly #listeners = new Set<() => void>();
  #own = '';
  #isOutdated = false;

  /** Registers a listener for changes of {@link isOutdated}. Returns what removes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Returns whether the server has another page. */
  readonly isOutdated = (): boolean => this.#isOutdated;

  /** Takes the version that the server has; the first one is this page's own. Empty if it has none. */
  seen(version: string): void {
    if (version === '') return;
    if (this.#own === '') this.#own = version;
    else if (version !== this.#own) this.#outdate();
  }

  /**
   * Loads a part of the page. A failure is tried again after `pause`, and then counts as a sign that
   * the part is gone.
   *
   * @throws what the second try throws.
   */
  async load<Part>(part: () => Promise<Part>, pause: () => Promise<void>): Promise<Part> {
    try {
      return await part();
    } catch {
      await pause();
    }
    try {
      return await part();
    } catch (error) {
      this.#outdate();
      throw error;
    }
  }

  #outdate(): void {
    if (this.#isOutdated) return;
    this.#isOutdated = true;
    for (const listener of this.#listeners) listener();
  }
}

/** The release of this page. */
export const release = new Release();

/** How long to wait before a part of the page is loaded again, in milliseconds. */
const PAUSE = 2000;

/** Loads a part of the page with `import()`. See {@link Release.load}. */
export function lazily<Part>(part: () => Promise<Part>): Promise<Part> {
  return release.load(part, () => new Promise((resolve) => setTimeout(resolve, PAUSE)));
}
