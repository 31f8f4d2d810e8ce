import { ApiError, DISABLED, EXPIRED, isSessionError } from './error';
import type { User } from './types';

/**
 * Why a session is over.
 *
 * - `expired`: it was not used for long, or its longest time is over.
 * - `ended`: the server does not know it. A log-out elsewhere or a new password has ended it, or it
 *   expired long ago.
 * - `disabled`: the account is disabled or locked.
 * - `loggedOut`: another tab has logged out.
 * - `other`: another tab has logged in as somebody else.
 */
export type Ending = 'expired' | 'ended' | 'disabled' | 'loggedOut' | 'other';

/**
 * What this tab knows of its session.
 *
 * - `none`: nobody is logged in, or it is not known yet who is.
 * - `in`: `user` is logged in.
 * - `checking`: the server has refused the access token, and a refresh is on its way.
 * - `over`: the session of `user` has ended while the page was open.
 */
export type SessionState =
  | { readonly phase: 'none' }
  | { readonly phase: 'in' | 'checking'; readonly user: User }
  | { readonly phase: 'over'; readonly user: User; readonly why: Ending; readonly by?: User };

/** A fresh access token's owner, and when the token expires in milliseconds since the epoch. */
export interface Grant {
  readonly user: User;
  readonly expire: number;
}

/** What the tabs of a browser tell each other. The cookies are theirs together. */
export type News =
  ({ readonly type: 'loggedIn' | 'renewed' } & Grant) | { readonly type: 'loggedOut'; readonly user: User };

/** What a session needs from its surroundings, which tests replace. */
export interface Surroundings {
  /** Exchanges the refresh cookie for a new access token. */
  refresh(): Promise<Grant>;
  /** Runs `work` while no other tab runs any. */
  alone(work: () => Promise<void>): Promise<void>;
  /** Tells the other tabs. */
  tell(news: News): void;
  /** Returns the server's time in milliseconds since the epoch. */
  now(): number;
  /** Returns whether somebody can see this tab. */
  isSeen(): boolean;
}

/** How often a call is tried: the second time with a new token, the third if another tab got one meanwhile. */
const TRIES = 3;

/** After which part of its time an access token is refreshed. */
const DUE = 0.75;

/**
 * The session of this tab: who is logged in, until when, and what ends it.
 *
 * It keeps no token. The browser holds the cookies, which all tabs share.
 */
export class Session {
  readonly #surroundings: Surroundings;
  readonly #listeners = new Set<() => void>();
  #state: SessionState = { phase: 'none' };
  /** When the access token is to be refreshed, in milliseconds since the epoch. */
  #due = Number.POSITIVE_INFINITY;
  #grants = 0;
  #renewing: Promise<boolean> | undefined;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Registers a listener for changes of {@link state}. Returns what removes it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Returns what is known now. */
  readonly state = (): SessionState => this.#state;

  /** How many new access tokens this tab has heard of. */
  get grants(): number {
    return this.#grants;
  }

  /** Calls `action` each time when the user of a session that was over is back. Returns what ends it. */
  onReturn(action: () => void): () => void {
    let before = this.#state.phase;
    return this.subscribe(() => {
      const { phase } = this.#state;
      const isBack = before === 'over' && phase === 'in';
      before = phase;
      if (isBack) action();
    });
  }

  /** Takes the account that the server has named as this tab's. */
  found(grant: Grant): void {
    this.#take(grant);
  }

  /** Takes a log-in of this tab. */
  loggedIn(grant: Grant): void {
    this.#grants += 1;
    // Who has given a password here wants to be this user.
    this.#enter(grant);
    this.#surroundings.tell({ type: 'loggedIn', ...grant });
  }

  /** Takes a log-out of this tab. */
  loggedOut(): void {
    const state = this.#state;
    if (state.phase === 'in' || state.phase === 'checking')
      this.#surroundings.tell({ type: 'loggedOut', user: state.user });
    this.#due = Number.POSITIVE_INFINITY;
    this.#become({ phase: 'none' });
  }

  /** Takes what another tab tells. */
  heard(news: News): void {
    if (news.type === 'loggedOut') {
      if (this.#state.phase !== 'none' && this.#state.user.id === news.user.id) this.#end('loggedOut');
      return;
    }
    this.#grants += 1;
    // A refresh says only that a session lives, so it leads nobody from the log-in.
    if (news.type === 'loggedIn' || this.#state.phase !== 'none') this.#take(news);
  }

  /**
   * Runs a call. If the server refuses its access token, gets a new one and runs the call again.
   *
   * @throws {ApiError} what the call throws; at once if the session is over.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      if (this.#state.phase === 'over') throw new ApiError(401_003, 'the session is over', '', undefined);
      const grants = this.#grants;
      try {
        return await work();
      } catch (error) {
        if (tries === TRIES || !isSessionError(error)) throw error;
        if (error.code === DISABLED) this.#end(endingOf(error));
        // Another tab may have refreshed since the call began.
        else if (grants !== this.#grants || (await this.renew())) continue;
        throw error;
      }
    }
  }

  /**
   * Gets a new access token. Returns whether this tab's user has one; if not, the session is over.
   *
   * @throws {ApiError} if the server can't say.
   */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Waits until no refresh of this tab is on its way. */
  async renewal(): Promise<void> {
    await this.#renewing?.catch(() => undefined);
  }

  /**
   * Refreshes the access token if it is time, and somebody looks: a forgotten tab must not keep its
   * session alive. Called often, because no timer survives a lid that is closed.
   */
  check(): void {
    if (this.#state.phase !== 'in' || this.#surroundings.now() < this.#due || !this.#surroundings.isSeen()) return;
    // A server that is away is asked again at the next check.
    this.renew().catch(() => undefined);
  }

  async #renew(): Promise<boolean> {
    const grants = this.#grants;
    const isKnown = this.#state.phase !== 'none';
    if (this.#state.phase === 'in') this.#become({ phase: 'checking', user: this.#state.user });
    try {
      await this.#surroundings.alone(async () => {
        // Another tab had the lock, and what it got is for all.
        if (grants !== this.#grants) return;
        const grant = await this.#surroundings.refresh();
        this.#grants += 1;
        // Somebody who has logged out meanwhile stays out.
        if (isKnown && this.#state.phase === 'none') return;
        this.#take(grant);
        this.#surroundings.tell({ type: 'renewed', ...grant });
      });
    } catch (error) {
      if (!isSessionError(error)) throw error;
      this.#end(endingOf(error));
      return false;
    } finally {
      if (this.#state.phase === 'checking') this.#become({ phase: 'in', user: this.#state.user });
    }
    const { phase } = this.#state;
    return phase === 'in' || (phase === 'none' && !isKnown);
  }

  /** Takes a grant that may be somebody else's, because the tabs share their cookies. */
  #take(grant: Grant): void {
    const state = this.#state;
    if (state.phase === 'none' || state.user.id === grant.user.id) this.#enter(grant);
    else this.#become({ phase: 'over', user: state.user, why: 'other', by: grant.user });
  }

  #enter({ user, expire }: Grant): void {
    const now = this.#surroundings.now();
    this.#due = now + (expire - now) * DUE;
    this.#become({ phase: 'in', user });
  }

  #end(why: Ending): void {
    // What ended it first is what a person has to know.
    if (this.#state.phase === 'none' || this.#state.phase === 'over') return;
    this.#become({ phase: 'over', user: this.#state.user, why });
  }

  #become(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function endingOf({ code }: ApiError): Ending {
  if (code === DISABLED) return 'disabled';
  return code === EXPIRED ? 'expired' : 'ended';
}
