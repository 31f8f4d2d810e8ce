import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, open, test, url } from './test';

/** The kubeconfigs of the simulated clusters. */
const kubeconfigs = () => (process.env['UI_KUBECONFIGS'] ?? '').split('\n').map((path) => readFileSync(path, 'utf8'));

/** A server of the test's own, which may reach clusters on this machine. */
const LOCAL = ['--allowed-network', '127.0.0.0/8'];

const panel = (page: Page) => page.getByRole('region', { name: 'Add a cluster' });

test('a cluster is added, tested, changed and removed', async ({ page, own }) => {
  await own.kill();
  await own.start(...LOCAL);
  await open(page, '/', own.url);
  await expect(page.getByRole('grid')).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await expect(page).toHaveURL(/\/clusters$/);
  await expect(page.getByRole('article')).toHaveCount(2);
  await page.getByRole('main').getByRole('link', { name: 'Add a cluster' }).click();
  await expect(panel(page).getByLabel('Name', { exact: true })).toBeFocused();
  await panel(page).getByLabel('Name', { exact: true }).fill('Shop');
  await panel(page).getByRole('button', { name: 'Add' }).click();
  await expect(panel(page).getByText('Use small letters, digits and hyphens')).toBeVisible();
  await panel(page).getByLabel('Name', { exact: true }).fill('shop-dr');
  await panel(page)
    .getByRole('textbox', { name: 'Kubeconfig' })
    .fill(kubeconfigs()[0] ?? '');
  await panel(page).getByRole('button', { name: 'Add' }).click();
  const card = page.getByRole('article', { name: 'shop-dr' });
  await expect(card.getByText('Live')).toBeVisible();
  await expect(panel(page)).toBeHidden();
  await expect(page.getByRole('navigation').getByText('shop-dr')).toBeVisible();

  await card.getByRole('button', { name: 'Test shop-dr' }).click();
  await expect(card.getByText(/^Answers: v\d/)).toBeVisible();

  await card.getByRole('button', { name: 'More for shop-dr' }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await expect(page).toHaveURL(/\/clusters\/shop-dr$/);
  const edit = page.getByRole('region', { name: 'shop-dr' });
  await expect(edit.getByRole('textbox', { name: 'Kubeconfig' })).toHaveAttribute('placeholder', /^Stored/);
  await edit.getByLabel('Description').fill('The other room');
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(card.getByText('The other room')).toBeVisible();

  await card.getByRole('button', { name: 'More for shop-dr' }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog.getByText(/leave every list/)).toBeVisible();
  const remove = dialog.getByRole('button', { name: 'Remove shop-dr' });
  await expect(remove).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.press('Enter');
  await dialog.getByRole('textbox').fill('shop-dr');
  await expect(remove).toHaveAttribute('aria-disabled', 'false');
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(card).toBeHidden();
  await expect(page.getByRole('navigation').getByText('shop-dr')).toBeHidden();
});

test('a cluster that can’t be reached is refused with the reason, and what was typed stays', async ({ page }) => {
  await open(page, '/clusters/new');
  await panel(page).getByLabel('Name', { exact: true }).fill('inside');
  await panel(page)
    .getByRole('textbox', { name: 'Kubeconfig' })
    .fill(kubeconfigs()[0] ?? '');
  await panel(page).getByRole('button', { name: 'Add' }).click();
  await expect(panel(page).getByRole('alert')).toContainText('127.0.0.1');
  await expect(panel(page).getByRole('alert')).toContainText('Request');
  await expect(panel(page).getByRole('textbox', { name: 'Kubeconfig' })).toHaveValue(/apiVersion: v1/);
  await panel(page).getByLabel('Address and token').check();
  await panel(page).getByRole('button', { name: 'Add' }).click();
  await expect(panel(page).getByText('Enter an address that begins with https://.')).toBeVisible();
});

test('a cluster from the kubeconfig says that it is read-only', async ({ page }) => {
  await open(page, '/clusters/production');
  const details = page.getByRole('region', { name: 'production' });
  await expect(details.getByText('This cluster is from the server’s kubeconfig.')).toBeVisible();
  await expect(details.getByRole('button', { name: 'Save' })).toBeHidden();
  await page.keyboard.press('Escape');
  await page.goto(`${url()}/clusters/no-such`);
  await expect(page.getByText('There is no cluster no-such any more.')).toBeVisible();
});

test('a status of a cluster leads to its pods', async ({ page }) => {
  await open(page, '/clusters');
  const card = page.getByRole('article', { name: 'production' });
  await card.getByRole('link', { name: /^CrashLoopBackOff/ }).click();
  await expect(page).toHaveURL(/\/pods\?cluster=production&status=CrashLoopBackOff/);
});

test('sixty clusters have a table, and the sidebar keeps to those that matter', async ({ page, own }) => {
  const dir = mkdtempSync(join(tmpdir(), 'podgate-sixty-'));
  try {
    const [text = ''] = kubeconfigs();
    const [, user = ''] = /users:\n- name: "([^"]+)"/.exec(text) ?? [];
    const contexts = Array.from(
      { length: 60 },
      (_, n) =>
        `- name: edge-${String(n).padStart(2, '0')}\n  context:\n    cluster: "production"\n    user: "${user}"\n`,
    );
    const path = join(dir, 'kubeconfig');
    const before = text.slice(0, text.indexOf('contexts:'));
    writeFileSync(path, `${before}contexts:\n${contexts.join('')}current-context: edge-00\n`, { mode: 0o600 });
    await own.kill();
    await own.start('--kubeconfig', path);
    await open(page, '/clusters', own.url);
    await expect(page.getByText(/^62: 62 live$/)).toBeVisible();
    await expect(page.getByRole('row')).toHaveCount(63);
    const side = page.getByRole('navigation');
    await expect(side.getByRole('link', { name: 'All 62 clusters' })).toBeVisible();
    await expect(side.getByText('edge-07')).toBeHidden();
    await page.getByRole('textbox', { name: 'Search a name or an address' }).fill('edge-07');
    await expect(page.getByRole('row')).toHaveCount(2);
    await page.screenshot({ path: 'test-results/shots/clusters-60.png' });
    await page.getByRole('link', { name: 'edge-07' }).click();
    await expect(page).toHaveURL(/cluster=edge-07/);
    await expect(side.getByText('edge-07')).toBeVisible();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

for (const theme of ['light', 'dark'] as const) {
  for (const language of ['en', 'zh'] as const) {
    test(`the clusters are for anyone: ${theme}, ${language}`, async ({ page }) => {
      await page.addInitScript(
        ([theme, language]) => {
          localStorage.setItem('podgate.theme', theme);
          localStorage.setItem('podgate.language', language);
        },
        [theme, language] as const,
      );
      for (const path of ['clusters', 'clusters/new', 'clusters/production']) {
        await open(page, `/${path}`);
        await expect(page.getByRole('article')).toHaveCount(2);
        await expect(page.getByRole('list', { name: /Status|状态/ })).toHaveCount(2);
        await page.evaluate(() => document.fonts.ready);
        await page.screenshot({ path: `test-results/shots/${path.replace('/', '-')}-${theme}-${language}.png` });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
      }
    });
  }
}
