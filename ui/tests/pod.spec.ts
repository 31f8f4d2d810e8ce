import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { control, expect, open, test, url } from './test';

const names = (page: Page) => page.getByRole('grid').getByRole('rowheader');
const drawer = (page: Page) => page.getByRole('complementary');

/** Runs pods in a namespace of the test's own, and shows their list. */
async function pods(page: Page, namespace: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await control('production', {
      op: 'runPod',
      namespace,
      name: `web-${String(n).padStart(2, '0')}`,
      containers: ['app', 'proxy'],
    });
  }
  await open(page, `/pods?namespace=${namespace}&sort=name`);
  await expect(page.getByText(new RegExp(`^${count} pods? in 2 clusters`))).toBeVisible();
}

test('a pod opens beside the list, says why it is not well, and back closes it', async ({ page }) => {
  await open(page, '/');
  await names(page).filter({ hasText: 'fraud' }).first().click();
  await expect(page).toHaveURL(/\/pods\?problem=true&sort=problem&pod=[a-z]+%2Fpayments%2Ffraud/);
  const box = drawer(page).getByRole('group', { name: 'Why' });
  await expect(box).toContainText('Not scheduled:');
  await box.getByRole('button', { name: 'Events' }).click();
  await expect(page).toHaveURL(/tab=events/);
  await expect(drawer(page).getByRole('tab', { name: /^Events/ })).toHaveAttribute('aria-selected', 'true');
  await expect(drawer(page).getByText('FailedScheduling').first()).toBeVisible();
  // The list beside it has the columns that it has room for.
  await expect(page.getByRole('columnheader')).toHaveCount(5);
  await page.goBack();
  await expect(drawer(page)).toBeHidden();
  await expect(page).toHaveURL(`${url()}/`);
});

test('the keys walk from pod to pod, and each is what the list says', async ({ page }) => {
  await pods(page, 'walk', 6);
  await names(page).first().focus();
  await page.keyboard.press('Enter');
  await expect(drawer(page).getByRole('heading', { name: 'web-00' })).toBeVisible();
  for (let n = 1; n < 6; n += 1) {
    await drawer(page).getByRole('button', { name: 'Next pod of the list' }).click();
    await expect(drawer(page).getByRole('heading', { name: `web-0${n}` })).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`pod=production%2Fwalk%2Fweb-0${n}`));
  }
  await expect(drawer(page).getByText('app', { exact: true }).first()).toBeVisible();
  await drawer(page).getByRole('button', { name: 'Close' }).click();
  await expect(drawer(page)).toBeHidden();
  await expect(names(page).filter({ hasText: 'web-05' })).toBeFocused();
});

test('a log is followed over a restart, and the last run has its own', async ({ page }) => {
  await pods(page, 'logged', 1);
  await control('production', {
    op: 'writeLog',
    namespace: 'logged',
    pod: 'web-00',
    container: 'app',
    text: 'first line\n',
  });
  await names(page).first().focus();
  await page.keyboard.press('l');
  await expect(page).toHaveURL(/tab=logs/);
  await expect(drawer(page).getByText('first line')).toBeVisible();
  await control('production', {
    op: 'writeLog',
    namespace: 'logged',
    pod: 'web-00',
    container: 'app',
    text: 'second line\n',
  });
  await expect(drawer(page).getByText('second line')).toBeVisible();
  await control('production', {
    op: 'restartContainer',
    namespace: 'logged',
    pod: 'web-00',
    container: 'app',
    exitCode: 137,
  });
  await control('production', {
    op: 'writeLog',
    namespace: 'logged',
    pod: 'web-00',
    container: 'app',
    text: 'after the restart\n',
  });
  await expect(drawer(page).getByText('after the restart')).toBeVisible();
  await expect(drawer(page).getByText(/^app ended.*exit code 137/)).toBeVisible();
  await expect(drawer(page).getByText('second line')).toHaveCount(1);
  // The link opens the same log for a colleague.
  await page.goto(`${page.url()}&previous=true`);
  await expect(drawer(page).getByText('second line')).toBeVisible();
  await expect(drawer(page).getByText('after the restart')).toHaveCount(0);
});

test('a pod that goes while it is open says since when, and keeps its last state', async ({ page }) => {
  await pods(page, 'leaving', 2);
  await names(page).first().click();
  await expect(drawer(page).getByRole('heading', { name: 'web-00' })).toBeVisible();
  await expect(drawer(page).getByText('app', { exact: true }).first()).toBeVisible();
  await control('production', { op: 'remove', kind: 'Pod', namespace: 'leaving', name: 'web-00' });
  await expect(drawer(page).getByText(/^This pod is gone since \d\d:\d\d:\d\d\./)).toBeVisible();
  await expect(drawer(page).getByText('app', { exact: true }).first()).toBeVisible();
  await page.reload();
  await expect(drawer(page).getByText('This pod is gone.')).toBeVisible();
});

test('another pod of the same name is not shown as this one, and can be opened', async ({ page }) => {
  await pods(page, 'again', 1);
  await names(page).first().click();
  await expect(drawer(page).getByText('app', { exact: true }).first()).toBeVisible();
  const first = new URL(page.url()).searchParams.get('uid');
  await control('production', { op: 'remove', kind: 'Pod', namespace: 'again', name: 'web-00' });
  await control('production', { op: 'runPod', namespace: 'again', name: 'web-00', containers: ['other'] });
  await expect(drawer(page).getByText('This pod is gone since')).toBeVisible();
  await drawer(page).getByRole('button', { name: 'Open its successor' }).click();
  await expect(drawer(page).getByText('other', { exact: true }).first()).toBeVisible();
  await expect(drawer(page).getByText('This pod is gone')).toBeHidden();
  expect(new URL(page.url()).searchParams.get('uid')).not.toBe(first);
});

test('the keys of a pod walk past the rows that are loaded, and choose its tabs', async ({ page }) => {
  await open(page, '/pods?sort=name&cluster=production');
  await expect(names(page).nth(5)).toBeVisible();
  await names(page).first().focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('tab', { name: 'Overview' })).toBeFocused();
  // Pods of several namespaces may share a name, so the uid tells them apart.
  const uid = () => new URL(page.url()).searchParams.get('uid') ?? '';
  const seen = new Set<string>();
  for (let n = 0; n < 30; n += 1) {
    const before = uid();
    seen.add(before);
    await page.keyboard.press('j');
    await expect.poll(uid).not.toBe(before);
  }
  expect(seen.size).toBe(30);
  await page.keyboard.press('y');
  await expect(page).toHaveURL(/tab=yaml/);
  await expect(drawer(page).getByText('apiVersion').first()).toBeVisible();
  await page.keyboard.press('k');
  await expect(page).toHaveURL(/tab=yaml/);
  await page.keyboard.press('e');
  await expect(page.getByRole('tab', { name: /^Events/ })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Escape');
  await expect(drawer(page)).toBeHidden();
  await expect(page.getByRole('rowheader').and(page.locator(':focus'))).toHaveCount(1);
});

test('a link to a pod far down shows where it stands in the list', async ({ page }) => {
  await open(page, '/pods?sort=name&order=desc&cluster=production');
  await expect(names(page).first()).toBeVisible();
  const last = await names(page).first().getAttribute('aria-label');
  await names(page).first().click();
  const link = new URL(page.url());
  link.searchParams.set('order', 'asc');
  await page.goto(link.href);
  await expect(
    page.locator('[role=row][aria-selected]').filter({ hasText: last?.split(',')[0] ?? '' }),
  ).toBeInViewport();
  await expect(drawer(page)).toBeVisible();
});

test('a manifest is folded, searched, linked and copied', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await pods(page, 'manifest', 1);
  await names(page).first().focus();
  await page.keyboard.press('y');
  const yaml = drawer(page).getByRole('region', { name: 'YAML' });
  await expect(yaml.getByText('apiVersion')).toBeVisible();
  await expect(yaml.getByText('phase')).toBeHidden();
  await drawer(page).getByRole('textbox', { name: 'Find' }).fill('phase');
  await expect(page).toHaveURL(/find=phase/);
  await expect(drawer(page).getByText(/^1 of \d+$/)).toBeVisible();
  await expect(yaml.locator('mark').first()).toBeInViewport();
  await page.keyboard.press('Escape');
  await yaml
    .getByRole('button', { name: /^Fold line/ })
    .first()
    .click();
  await yaml.getByRole('button', { name: 'Link to line 3', exact: true }).click();
  await expect(page).toHaveURL(/#L3$/);
  await drawer(page).getByRole('button', { name: 'Copy', exact: true }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('name: web-00');
});

test('a pod has a page of its own, whose link opens the same', async ({ page }) => {
  await pods(page, 'paged', 1);
  await names(page).first().click();
  await expect(page.getByRole('tab', { name: 'Overview' })).toBeFocused();
  await page.keyboard.press('Shift+Enter');
  await expect(page).toHaveURL(/\/c\/production\/ns\/paged\/pods\/web-00\/overview\?uid=/);
  await expect(page.getByRole('heading', { level: 2, name: 'web-00' })).toBeVisible();
  await page.getByRole('tab', { name: 'YAML' }).click();
  await page.reload();
  await expect(page.getByText('apiVersion')).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/\/pods\?namespace=paged/);
});

test('a container unfolds into what its spec says', async ({ page }) => {
  await open(page, '/pods?search=checkout');
  await names(page).first().click();
  await drawer(page).getByRole('listitem').getByRole('button', { expanded: false }).first().click();
  await expect(
    drawer(page)
      .getByText(/^(Command|Ports|Environment|Readiness probe|Mounts)$/)
      .first(),
  ).toBeVisible();
});

for (const theme of ['light', 'dark'] as const) {
  for (const language of ['en', 'zh'] as const) {
    test(`an open pod is for anyone: ${theme}, ${language}`, async ({ page }) => {
      await page.addInitScript(
        ([theme, language]) => {
          localStorage.setItem('podgate.theme', theme);
          localStorage.setItem('podgate.language', language);
        },
        [theme, language] as const,
      );
      await open(page, '/');
      const name = names(page).filter({ hasText: 'search' }).first();
      await name.click();
      for (const tab of ['overview', 'events', 'logs', 'yaml']) {
        await page.locator(`[data-tab=${tab}]`).click();
        await expect(page.locator('[role=tabpanel]')).not.toBeEmpty();
        await page.evaluate(() => document.fonts.ready);
        await page.screenshot({ path: `test-results/shots/drawer-${tab}-${theme}-${language}.png` });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
      }
    });
  }
}
