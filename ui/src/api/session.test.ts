import { expect, test } from 'vitest';

import { ApiError, isSessionError } from './error';
import { type Grant, type News, Session, type SessionState } from './session';
import type { User } from './types';

const HOUR = 3_600_000;
const ALICE: User = { id: 1, username: 'alice', email: '', role: 'admin' };
const BOB: User = { id: 2, username: 'bob', email: '', role: 'admin' };

const refused = (code: number) => new ApiError(code, 'refused', '', undefined);

/** A browser with tabs, whose server, lock, channel and clock are in the test's hands. */
class Browser {
  now = 0;
  isSeen = true;
  /** What the server answers to a refresh, one after the other; then grants of an hour for Alice. */
  answers: (Grant | ApiError)[] = [];
  refreshes = 0;
  readonly tabs: Session[] = [];
  #turn: Promise<void> = Promise.resolve();

  tab(): Session {
    const session: Session = new Session({
      refresh: () => {
        this.refreshes += 1;
        const answer = this.answers.shift() ?? this.grant();
        return answer instanceof ApiError ? Promise.reject(answer) : Promise.resolve(answer);
      },
      alone: (work) => {
        const turn = this.#turn.then(work);
        this.#turn = turn.catch(() => undefined);
        return turn;
      },
      tell: (news: News) => {
        for (const tab of this.tabs) if (tab !== session) tab.heard(news);
      },
      now: () => this.now,
      isSeen: () => this.isSeen,
    });
    this.tabs.push(session);
    return session;
  }

  /** A tab in which Alice is logged in. */
  inside(): Session {
    const session = this.tab();
    session.found(this.grant());
    return session;
  }

  grant(user = ALICE): Grant {
    return { user, expire: this.now + HOUR };
  }
}

/** A call that fails with each of `errors`, and then returns the number of its tries. */
function calls(...errors: ApiError[]) {
  let tries = 0;
  return () => {
    const error = errors[tries];
    tries += 1;
    return error === undefined ? Promise.resolve(tries) : Promise.reject(error);
  };
}

test('a call that meets an expired token gets a new one and is tried once more', async () => {
  const browser = new Browser();
  const session = browser.inside();
  const phases: string[] = [];
  session.subscribe(() => phases.push(session.state().phase));
  expect(await session.run(calls(refused(401_002)))).toBe(2);
  expect(browser.refreshes).toBe(1);
  expect(phases).toEqual(['checking', 'in']);
});

test('calls that fail together share one refresh', async () => {
  const browser = new Browser();
  const session = browser.inside();
  const answers = await Promise.all(Array.from({ length: 20 }, () => session.run(calls(refused(401_002)))));
  expect(answers).toEqual(Array.from({ length: 20 }, () => 2));
  expect(browser.refreshes).toBe(1);
});

test('tabs share one refresh', async () => {
  const browser = new Browser();
  // Half of them are being loaded, and do not know yet whose session it is.
  const tabs = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? browser.inside() : browser.tab()));
  const answers = await Promise.all(tabs.map((tab) => tab.run(calls(refused(401_002)))));
  expect(answers).toEqual(tabs.map(() => 2));
  expect(browser.refreshes).toBe(1);
});

test('a call that another tab’s refresh has overtaken is tried again without one', async () => {
  const browser = new Browser();
  const [one, two] = [browser.inside(), browser.inside()];
  let tries = 0;
  const answer = await one.run(async () => {
    tries += 1;
    if (tries > 1) return 'well';
    await two.renew();
    throw refused(401_003);
  });
  expect(answer).toBe('well');
  expect(browser.refreshes).toBe(1);
});

test('a call is not tried for ever', async () => {
  const browser = new Browser();
  const session = browser.inside();
  const call = calls(...Array.from({ length: 10 }, () => refused(401_003)));
  await expect(session.run(call)).rejects.toThrow(ApiError);
  expect(browser.refreshes).toBe(2);
});

test.each([
  { code: 401_002, why: 'expired' },
  { code: 401_003, why: 'ended' },
  { code: 401_004, why: 'disabled' },
])('a refresh that is refused with $code ends the session: $why', async ({ code, why }) => {
  const browser = new Browser();
  const session = browser.inside();
  browser.answers = [refused(code)];
  await expect(session.run(calls(refused(401_002)))).rejects.toMatchObject({ code: 401_002 });
  expect(session.state()).toEqual({ phase: 'over', user: ALICE, why });
  // From now on nothing is sent until somebody logs in.
  await expect(session.run(() => Promise.resolve())).rejects.toSatisfy(isSessionError);
  expect(browser.refreshes).toBe(1);
});

test('an account that is disabled ends the session without a refresh', async () => {
  const browser = new Browser();
  const session = browser.inside();
  await expect(session.run(calls(refused(401_004)))).rejects.toMatchObject({ code: 401_004 });
  expect(session.state()).toMatchObject({ phase: 'over', why: 'disabled' });
  expect(browser.refreshes).toBe(0);
});

test.each([401_001, 401_000, 403_001, 503_002, 0])('a failure with %i leaves the session alone', async (code) => {
  const browser = new Browser();
  const session = browser.inside();
  await expect(session.run(calls(refused(code)))).rejects.toMatchObject({ code });
  expect(session.state().phase).toBe('in');
  expect(browser.refreshes).toBe(0);
});

test('a server that can’t say whether a session lives does not end it', async () => {
  const browser = new Browser();
  const session = browser.inside();
  for (const code of [0, 429_001, 503_002, 401_000]) {
    browser.answers = [refused(code)];
    await expect(session.run(calls(refused(401_002)))).rejects.toMatchObject({ code });
    expect(session.state().phase).toBe('in');
  }
});

test('without a user a refused refresh ends nothing', async () => {
  const browser = new Browser();
  const session = browser.tab();
  browser.answers = [refused(401_003)];
  await expect(session.run(calls(refused(401_003)))).rejects.toMatchObject({ code: 401_003 });
  expect(session.state()).toEqual({ phase: 'none' });
});

test('a token is refreshed before it expires, by one tab, and only while somebody looks', async () => {
  const browser = new Browser();
  const tabs = [browser.inside(), browser.inside()];
  const check = async () => {
    for (const tab of tabs) tab.check();
    await Promise.all(tabs.map((tab) => tab.renewal()));
  };
  browser.now = HOUR / 2;
  await check();
  expect(browser.refreshes).toBe(0);
  browser.now = HOUR * 0.75;
  browser.isSeen = false;
  await check();
  expect(browser.refreshes).toBe(0);
  browser.isSeen = true;
  await check();
  expect(browser.refreshes).toBe(1);
  await check();
  expect(browser.refreshes).toBe(1);
  // The lid was closed for two hours.
  browser.now += 2 * HOUR;
  await check();
  expect(browser.refreshes).toBe(2);
});

test('a refresh that fails on the way is repeated at the next check', async () => {
  const browser = new Browser();
  const session = browser.inside();
  browser.now = HOUR;
  browser.answers = [refused(0)];
  session.check();
  await session.renewal();
  expect(session.state().phase).toBe('in');
  session.check();
  await session.renewal();
  expect(browser.refreshes).toBe(2);
});

test('tabs learn of a log-out, and of a log-in as the same user', () => {
  const browser = new Browser();
  const [one, two] = [browser.inside(), browser.inside()];
  let returns = 0;
  two.onReturn(() => (returns += 1));
  one.loggedOut();
  expect(one.state()).toEqual({ phase: 'none' });
  expect(two.state()).toEqual({ phase: 'over', user: ALICE, why: 'loggedOut' });
  one.loggedIn(browser.grant());
  expect([one, two].map((tab) => tab.state())).toEqual([one, two].map(() => ({ phase: 'in', user: ALICE })));
  expect(returns).toBe(1);
});

test('a log-in as somebody else ends the session of the other tabs, until their user is back', () => {
  const browser = new Browser();
  const [one, two] = [browser.inside(), browser.inside()];
  one.loggedOut();
  one.loggedIn(browser.grant(BOB));
  expect(two.state()).toEqual({ phase: 'over', user: ALICE, why: 'other', by: BOB });
  two.loggedIn(browser.grant(ALICE));
  expect(two.state()).toEqual({ phase: 'in', user: ALICE });
  expect(one.state()).toEqual({ phase: 'over', user: BOB, why: 'other', by: ALICE });
});

test('a refresh that belongs to somebody else does not run the call again', async () => {
  const browser = new Browser();
  const session = browser.inside();
  browser.answers = [browser.grant(BOB)];
  await expect(session.run(calls(refused(401_003)))).rejects.toMatchObject({ code: 401_003 });
  expect(session.state()).toMatchObject({ phase: 'over', why: 'other', by: BOB });
});

test('a log-in of another tab leads a tab from the log-in, and a refresh does not', () => {
  const browser = new Browser();
  const [one, two] = [browser.inside(), browser.tab()];
  two.heard({ type: 'renewed', ...browser.grant() });
  expect(two.state()).toEqual({ phase: 'none' });
  one.loggedIn(browser.grant());
  expect(two.state()).toEqual({ phase: 'in', user: ALICE });
});

test('a log-out during a refresh lasts', async () => {
  const browser = new Browser();
  const session = browser.inside();
  const renewal = session.renew();
  session.loggedOut();
  expect(await renewal).toBe(false);
  expect(session.state()).toEqual({ phase: 'none' });
});

test('the first reason for the end stays', async () => {
  const browser = new Browser();
  const session = browser.inside();
  browser.answers = [refused(401_003)];
  const states: SessionState[] = [];
  const renewal = session.renew();
  session.heard({ type: 'loggedOut', user: ALICE });
  session.subscribe(() => states.push(session.state()));
  expect(await renewal).toBe(false);
  expect(session.state()).toMatchObject({ why: 'loggedOut' });
  expect(states).toEqual([]);
});
