import AxeBuilder from '@axe-core/playwright';
import type { BrowserContext, Page } from '@playwright/test';

import { PASSWORD } from './servers';
import { expect, logIn, open, post, test, url } from './test';

const dialog = (page: Page) => page.getByRole('dialog');
const live = (page: Page) => page.getByText('Live', { exact: true });

/** Counts the refreshes that the pages of a browser send. */
function refreshes(context: BrowserContext): { count: number } {
  const seen = { count: 0 };
  context.on('request', (request) => {
    if (request.url().endsWith('/api/auth/refresh')) seen.count += 1;
  });
  return seen;
}

/** Ends the session of a page's cookies on the server, as a log-out elsewhere does. */
const endElsewhere = (page: Page, server = url()) => post(page.request, server, '/api/auth/logout', {});

test('a session that ended is begun again, and one goes on where one was', async ({ page }) => {
  await open(page, '/pods?namespace=shop&sort=name');
  await expect(live(page)).toBeVisible();
  const names = page.getByRole('grid').getByRole('rowheader');
  await names.first().focus();
  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await expect(page.getByText('1 selected')).toBeVisible();
  const place = await page.evaluate(() => document.activeElement?.textContent);

  await endElsewhere(page);
  await expect(dialog(page)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Your session is over' })).toBeVisible();
  await expect(dialog(page).getByText('admin', { exact: true })).toBeVisible();
  await expect(page.getByLabel('Password')).toBeFocused();
  // The page behind it is there and can't be acted on, and nothing but a log-in closes the dialog.
  await expect(page.getByText('1 selected')).toBeVisible();
  await expect(page.getByRole('grid')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await page.mouse.click(5, 5);
  await page.getByRole('button', { name: 'Log in as someone else' }).focus();
  await page.keyboard.press('/');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(dialog(page)).toBeVisible();
  expect(await dialog(page).evaluate((element) => element.contains(document.activeElement))).toBe(true);

  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('Wrong password.');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toBeHidden();
  await expect(live(page)).toBeVisible();
  await expect(page).toHaveURL(`${url()}/pods?namespace=shop&sort=name`);
  await expect(page.getByText('1 selected')).toBeVisible();
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(place);
});

test('a reload and a new tab outlive the access token', async ({ page, context }) => {
  await open(page, '/pods');
  await expect(live(page)).toBeVisible();
  for (const one of [page, await context.newPage()]) {
    await context.clearCookies({ name: 'podgate_session' });
    await one.goto(`${url()}/me`);
    await expect(one.getByText('You are logged in as admin.')).toBeVisible();
  }
  expect((await context.cookies()).map(({ name }) => name).sort()).toEqual(['podgate_refresh', 'podgate_session']);
});

test('an access token is refreshed in time, and after a lid was closed for two hours', async ({ page, context }) => {
  await page.clock.install();
  const seen = refreshes(context);
  // An answer of theirs would correct the clock that the test moves.
  await page.route('**/api/auth/me/preferences', (route) => route.abort());
  await open(page, '/pods');
  await expect(live(page)).toBeVisible();
  await expect(page.getByRole('link', { name: /^production/ })).toBeVisible();
  await page.clock.fastForward(40 * 60_000);
  expect(seen.count).toBe(0);
  const refreshed = page.waitForResponse('**/api/auth/refresh');
  await page.clock.fastForward(6 * 60_000);
  expect((await refreshed).status()).toBe(200);
  const again = page.waitForResponse('**/api/auth/refresh');
  await page.clock.fastForward(2 * 3_600_000);
  expect((await again).status()).toBe(200);
  await expect(dialog(page)).toBeHidden();
});

test.describe('tabs that are loaded at once', () => {
  // A tab whose token another tab has just replaced may open its WebSocket in vain, and then again.
  test.use({ provoked: 'WebSocket connection to' });

  test('refresh without ending each other’s session', async ({ page, context }) => {
    await open(page, '/me');
    const tabs = [page, await context.newPage(), await context.newPage()];
    for (const tab of tabs) {
      await tab.goto(`${url()}/me`);
      await expect(tab.getByText('You are logged in as admin.')).toBeVisible();
    }
    const seen = refreshes(context);
    await context.clearCookies({ name: 'podgate_session' });
    await Promise.all(tabs.map((tab) => tab.reload()));
    for (const tab of tabs) await expect(tab.getByText('You are logged in as admin.')).toBeVisible();
    expect(seen.count).toBeGreaterThan(0);
    await context.clearCookies({ name: 'podgate_session' });
    await Promise.all(tabs.map((tab) => tab.goto(`${url()}/pods`)));
    for (const tab of tabs) await expect(live(tab)).toBeVisible();
    for (const tab of tabs) await expect(dialog(tab)).toBeHidden();
  });
});

test('a log-out in one tab is known in the others, and so is the next log-in', async ({ page, context }) => {
  await open(page, '/pods');
  await expect(live(page)).toBeVisible();
  const other = await context.newPage();
  await other.goto(`${url()}/me`);
  await other.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByRole('heading', { name: 'You have logged out' })).toBeVisible();
  await expect(dialog(page)).toContainText('It was in another tab.');
  await logIn(other);
  await expect(dialog(page)).toBeHidden();
  await expect(live(page)).toBeVisible();
});

test('a log-in in one tab leads another one on from the log-in', async ({ page, context }) => {
  await page.goto(`${url()}/login?next=/me`);
  const other = await context.newPage();
  await other.goto(`${url()}/login`);
  await logIn(other);
  await expect(page).toHaveURL(`${url()}/me`);
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
});

test('without any cookie left the dialog comes with the next call', async ({ page, context }) => {
  await open(page, '/pods');
  await expect(live(page)).toBeVisible();
  await context.clearCookies();
  await page.getByRole('button', { name: 'Namespace', exact: true }).first().click();
  await expect(dialog(page)).toContainText('Your session is over');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toBeHidden();
});

test('the dialog comes over a menu and a picker that are open', async ({ page }) => {
  await open(page, '/me');
  await page.getByRole('button', { name: 'Language: English' }).click();
  await expect(page.getByRole('menuitemradio')).toHaveCount(2);
  await endElsewhere(page);
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toBeHidden();

  await page.goto(`${url()}/pods`);
  await page.getByRole('button', { name: 'Namespace', exact: true }).first().click();
  await expect(page.getByRole('combobox', { name: 'Find: Namespace' })).toBeFocused();
  await page.keyboard.type('sho');
  await endElsewhere(page);
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Your session is over' })).toBeHidden();
  await expect(live(page)).toBeVisible();
});

test('someone else logs in at the log-in, which leads back', async ({ page }) => {
  await open(page, '/pods?namespace=shop');
  await expect(live(page)).toBeVisible();
  await endElsewhere(page);
  await page.getByRole('button', { name: 'Log in as someone else' }).click();
  await expect(page).toHaveURL(`${url()}/login?next=%2Fpods%3Fnamespace%3Dshop`);
  await expect(page.getByLabel('User name')).toBeFocused();
  await logIn(page);
  await expect(page).toHaveURL(`${url()}/pods?namespace=shop`);
});

test('a new password that was set elsewhere is asked for', async ({ page, own, browser }) => {
  await open(page, '/pods', own.url);
  await expect(live(page)).toBeVisible();
  const elsewhere = await browser.newContext();
  const newPassword = 'a new and better password';
  await post(elsewhere.request, own.url, '/api/auth/login', { username: 'admin', password: PASSWORD });
  const change = { oldPassword: PASSWORD, newPassword };
  await post(elsewhere.request, own.url, '/api/auth/change-password', change);
  await elsewhere.close();
  await expect(dialog(page)).toContainText('such as by a new password');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('Wrong password.');
  await page.getByLabel('Password').fill(newPassword);
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toBeHidden();
  await expect(live(page)).toBeVisible();
});

test('a disabled account has its own words', async ({ page }) => {
  await open(page, '/pods');
  await expect(live(page)).toBeVisible();
  // The API can't disable an account yet, so its answer is played.
  await page.route(/\/api\/auth\/(me|refresh|login)$/, (route) =>
    route.fulfill({ status: 401, json: { code: 401_004, message: 'the account `admin` is disabled', data: null } }),
  );
  await endElsewhere(page);
  await expect(page.getByRole('heading', { name: 'Your account is disabled' })).toBeVisible();
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('This account is disabled.');
  await page.unroute(/\/api\/auth\/(me|refresh|login)$/);
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toBeHidden();
});

test('another user’s log-in in another tab can be followed or taken back', async ({ page, context }) => {
  await open(page, '/me');
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
  const other = await context.newPage();
  // There is one account only, so the other one is played.
  const mallory = { id: 99, username: 'mallory', email: '', role: 'admin' };
  await other.route('**/api/auth/login', async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { data: object };
    await route.fulfill({ response: answer, json: { ...body, data: { ...body.data, user: mallory } } });
  });
  await other.goto(`${url()}/login`);
  await logIn(other);
  await expect(page.getByRole('heading', { name: 'Someone else has logged in' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Continue as mallory' })).toBeVisible();
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toBeHidden();
  await expect(other.getByRole('button', { name: 'Continue as admin' })).toBeVisible();
  await other.getByRole('button', { name: 'Continue as admin' }).click();
  await expect(other.getByRole('link', { name: 'Account: admin' })).toBeVisible();
});

for (const theme of ['light', 'dark'] as const) {
  for (const [language, title] of Object.entries({ en: 'Your session is over', zh: '会话已结束' })) {
    test(`nothing serious stands in the way of the dialog: ${theme}, ${language}`, async ({ page }, info) => {
      await page.addInitScript(
        ([theme, language]) => {
          localStorage.setItem('podgate.theme', theme);
          localStorage.setItem('podgate.language', language);
        },
        [theme, language] as const,
      );
      await open(page, '/pods');
      await expect(page.getByRole('grid')).toBeVisible();
      await endElsewhere(page);
      await expect(page.getByRole('heading', { name: title })).toBeVisible();
      for (const size of [
        { width: 1440, height: 900 },
        { width: 320, height: 640 },
      ]) {
        await page.setViewportSize(size);
        await page.screenshot({ path: info.outputPath(`over-${size.width}.png`) });
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
      }
    });
  }
}
