import { ApiError } from '../api/error';

/** A view of one's own: a name, and the query of the list as its URL has it. */
export interface View {
  readonly name: string;
  readonly query: string;
}

/** What an account keeps on the server. Words of other versions of the page are kept as they are. */
export interface Preferences {
  readonly views?: readonly View[];
  readonly [word: string]: unknown;
}

/** The preferences as the server has them, with the tag of that state. */
export interface Kept {
  readonly value: Preferences;
  readonly tag: string;
}

/** Reads and replaces an account's preferences. A tag that is no longer the state's is refused with 409001. */
export interface PreferenceServer {
  read(): Promise<Kept>;
  write(value: Preferences, tag: string): Promise<Kept>;
}

const CHANGED = 409_001;

/** The account's preferences in this tab. A change shows at once, and is undone if it can't be kept. */
export class PreferenceStore {
  readonly #server: PreferenceServer;
  readonly #listeners = new Set<() => void>();
  #owner: string | undefined;
  #kept: Kept | undefined;
  #shown: Preferences | undefined;
  /** The last change, after which the next one begins. */
  #last: Promise<void> = Promise.resolve();

  constructor(server: PreferenceServer) {
    this.#server = server;
  }

  /** Registers a listener for changes of {@link value}. Returns what removes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Returns the preferences; `undefined` until they are known. */
  readonly value = (): Preferences | undefined => this.#shown;

  /** Reads the preferences of an account, unless they are known. Those of another account are forgotten. */
  async load(owner: string): Promise<void> {
    if (owner === this.#owner) return;
    this.#owner = owner;
    this.#kept = undefined;
    this.#show(undefined);
    try {
      const kept = await this.#server.read();
      if (this.#owner === owner) this.#take(kept);
    } catch (error) {
      // The next one that asks tries again.
      if (this.#owner === owner) this.#owner = undefined;
      throw error;
    }
  }

  /**
   * Changes the preferences. If they were changed elsewhere meanwhile, the change is made to what is there
   * now. Changes are written one after the other.
   *
   * @throws {ApiError} if they could not be kept; they are then as the server last said.
   */
  change(apply: (before: Preferences) => Preferences): Promise<void> {
    if (this.#shown !== undefined) this.#show(apply(this.#shown));
    const change = this.#last.then(() => this.#write(apply));
    this.#last = change.catch(() => undefined);
    return change;
  }

  async #write(apply: (before: Preferences) => Preferences): Promise<void> {
    try {
      const before = this.#kept ?? (await this.#server.read());
      this.#take(await this.#replace(before, apply));
    } catch (error) {
      if (this.#kept !== undefined) this.#show(this.#kept.value);
      throw error;
    }
  }

  async #replace(before: Kept, apply: (before: Preferences) => Preferences): Promise<Kept> {
    try {
      return await this.#server.write(apply(before.value), before.tag);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== CHANGED) throw error;
    }
    const now = await this.#server.read();
    this.#kept = now;
    return this.#server.write(apply(now.value), now.tag);
  }

  #take(kept: Kept): void {
    this.#kept = kept;
    this.#show(kept.value);
  }

  #show(value: Preferences | undefined): void {
    this.#shown = value;
    for (const listener of this.#listeners) listener();
  }
}

/** The longest name of a view, in characters. */
export const LONGEST = 60;

/** Adds a view at the end, or gives the one of the same name another query. */
export function withView(before: Preferences, view: View): Preferences {
  const others = before.views ?? [];
  const isThere = others.some(({ name }) => name === view.name);
  const views = isThere ? others.map((one) => (one.name === view.name ? view : one)) : [...others, view];
  return { ...before, views };
}

/** Removes a view by its name. */
export function withoutView(before: Preferences, name: string): Preferences {
  return { ...before, views: (before.views ?? []).filter((one) => one.name !== name) };
}

/** Gives a view another name, at its place. A view that had that name goes. */
export function renamed(before: Preferences, from: string, to: string): Preferences {
  const views = (before.views ?? []).filter(({ name }) => name === from || name !== to);
  return { ...before, views: views.map((one) => (one.name === from ? { ...one, name: to } : one)) };
}
