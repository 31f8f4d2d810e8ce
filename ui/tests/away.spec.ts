import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import type { OwnServer } from './ownServer';
import { PASSWORD } from './servers';
import { control, expect, open, post, test, url } from './test';

const live = (page: Page) => page.getByText('Live', { exact: true });
const lost = (page: Page) => page.getByRole('status').filter({ hasText: /^Not connected since \d\d:\d\d:\d\d\./ });
const updated = (page: Page) => page.getByRole('status').filter({ hasText: 'Podgate was updated.' });
const rows = (page: Page) => page.getByRole('grid').locator('[data-key]');

// The browser itself prints that a WebSocket was lost.
test.use({ provoked: 'WebSocket connection to' });

async function openLive(page: Page, server: OwnServer): Promise<void> {
  await open(page, '/pods', server.url);
  await expect(live(page)).toBeVisible();
  await expect(rows(page).first()).toBeVisible();
}

test('a server that is away has a note, the rows stay, and one goes on when it is back', async ({ page, own }) => {
  await openLive(page, own);
  await own.kill();
  await expect(lost(page)).toBeVisible();
  await expect(lost(page)).toContainText('What you see is from then.');
  await expect(page.getByText('Not live', { exact: true })).toBeVisible();
  await expect(lost(page)).toContainText(/Trying again in \d+ s\./);
  await expect(rows(page).first()).toBeVisible();
  await page.getByRole('link', { name: 'Account: admin' }).click();
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
  await expect(lost(page)).toBeVisible();
  await page.goBack();
  await own.start();
  await expect(live(page)).toBeVisible();
  await expect(lost(page)).toBeHidden();
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('“Now”, the network and the focus try again at once', async ({ page, own }) => {
  await openLive(page, own);
  const ways = [
    () => page.getByRole('button', { name: 'Now' }).click(),
    () => page.evaluate(() => window.dispatchEvent(new Event('online'))),
    () => page.evaluate(() => window.dispatchEvent(new Event('focus'))),
  ];
  // Time stands still from here on, so that no try follows by itself.
  await page.clock.install();
  await page.reload();
  await expect(live(page)).toBeVisible();
  for (const way of ways) {
    await page.clock.pauseAt(new Date(Date.now() + 60_000));
    await own.kill();
    await expect(lost(page)).toContainText(/Trying again in \d+ s\./);
    await own.start();
    await expect(lost(page)).toBeVisible();
    await way();
    await expect(live(page)).toBeVisible();
    await page.clock.resume();
  }
});

test('WebSockets that do not get through have words of their own', async ({ page }) => {
  // As with a proxy that answers calls, and no WebSocket.
  await page.addInitScript(() => {
    const { WebSocket } = window;
    window.WebSocket = class extends WebSocket {
      constructor(address: string | URL) {
        super(document.documentElement.dataset['free'] === 'yes' ? address : new URL('/healthz', address));
      }
    };
  });
  await open(page, '/pods');
  const note = page.getByRole('status').filter({ hasText: 'Live updates do not get through' });
  await expect(note).toContainText('a proxy, or --public-url; the server’s log says which.');
  await expect(page.getByText('Not live', { exact: true })).toBeVisible();
  // The list is there all the same, and is read again for each question.
  await expect(rows(page).first()).toBeVisible();
  await page.getByRole('textbox', { name: 'Search pods' }).fill('ledger');
  await expect(page.getByRole('grid').getByRole('rowheader').first()).toContainText('ledger');
  await control('production', { op: 'runPod', namespace: 'blocked', name: 'ledger-new', containers: ['app'] });
  await expect
    .poll(async () => {
      await page.getByRole('button', { name: 'Read again' }).click();
      return await page.getByRole('grid').getByRole('rowheader').allTextContents();
    })
    .toContain('ledger-new');
  await page.evaluate(() => (document.documentElement.dataset['free'] = 'yes'));
  await page.getByRole('button', { name: 'Read again' }).click();
  await expect(live(page)).toBeVisible();
  await expect(note).toBeHidden();
});

test('a session that ended while the server was away is asked for when it is back', async ({ page, own }) => {
  await openLive(page, own);
  await page.context().clearCookies();
  await own.kill();
  await expect(lost(page)).toBeVisible();
  await expect(page.getByRole('dialog')).toBeHidden();
  await own.start();
  await expect(page.getByRole('heading', { name: 'Your session is over' })).toBeVisible();
  await expect(page.getByText('Trying again')).toHaveCount(0);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(live(page)).toBeVisible();
});

test('another page on the server is offered after a reconnect', async ({ page, own }) => {
  await openLive(page, own);
  await page.route('**/api/version', (route) =>
    route.fulfill({ json: { version: '9.9.9', ui: 'another', features: [] } }),
  );
  await own.kill();
  await expect(lost(page)).toBeVisible();
  await own.start();
  await expect(updated(page)).toBeVisible();
  await page.goto(`${own.url}/me`);
  await expect(updated(page)).toBeHidden();
});

test('a part of the page that is gone is tried once more, and then a reload is offered', async ({ page }) => {
  await open(page, '/me');
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
  let asked = 0;
  await page.route('**/assets/zh-*.js', async (route) => {
    asked += 1;
    await route.fulfill({ status: 404, json: { code: 404_004, message: 'no such route', data: null } });
  });
  await page.getByRole('button', { name: 'Language: English' }).click();
  await page.getByRole('menuitemradio', { name: '中文' }).click();
  await expect(updated(page)).toBeVisible();
  expect(asked).toBe(2);
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
  await page.unroute('**/assets/zh-*.js');
  const navigated = page.waitForEvent('domcontentloaded');
  await page.getByRole('button', { name: 'Reload' }).click();
  await navigated;
  await expect(updated(page)).toBeHidden();
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
});

test('a part of the page that is lost on the way comes with the second try', async ({ page }) => {
  await page.goto(`${url()}/login`);
  let asked = 0;
  await page.route('**/assets/zh-*.js', async (route) => {
    asked += 1;
    if (asked === 1) await route.abort();
    else await route.continue();
  });
  await page.getByRole('button', { name: 'Language: English' }).click();
  await page.getByRole('menuitemradio', { name: '中文' }).click();
  await expect(page.getByLabel('用户名')).toBeVisible();
  await expect(page.getByText('Podgate was updated.')).toBeHidden();
});

for (const theme of ['light', 'dark'] as const) {
  for (const language of ['en', 'zh'] as const) {
    test(`nothing serious stands in the way of the notes: ${theme}, ${language}`, async ({ page, own }, info) => {
      await page.addInitScript(
        ([theme, language]) => {
          localStorage.setItem('podgate.theme', theme);
          localStorage.setItem('podgate.language', language);
        },
        [theme, language] as const,
      );
      await post(page.request, own.url, '/api/auth/login', { username: 'admin', password: PASSWORD });
      await page.goto(`${own.url}/pods`);
      await expect(rows(page).first()).toBeVisible();
      await page.route('**/api/version', (route) => route.fulfill({ json: { version: '', ui: 'x', features: [] } }));
      await own.kill();
      await own.start();
      await expect(page.getByRole('button', { name: language === 'en' ? 'Reload' : '重新加载' })).toBeVisible();
      await own.kill();
      await expect(page.getByRole('button', { name: language === 'en' ? 'Now' : '立即重试' })).toBeVisible();
      await page.screenshot({ path: info.outputPath('notes.png') });
      // The rows are dimmed on purpose: they are from before.
      const { violations } = await new AxeBuilder({ page }).exclude('[role=grid]').analyze();
      expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
    });
  }
}
