import type { Page } from '@playwright/test';

import { control, expect, open, test, url } from './test';

const rows = (page: Page) => page.getByRole('grid').locator('[data-key]');
const names = (page: Page) => page.getByRole('grid').getByRole('rowheader');
const pod = (page: Page, name: string) => rows(page).filter({ hasText: name });

/** Runs pods in a namespace of the test's own, and waits until the list of that namespace has them. */
async function pods(page: Page, namespace: string, count: number, query = ''): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await control('production', {
      op: 'runPod',
      namespace,
      name: `web-${String(n).padStart(3, '0')}`,
      containers: ['app'],
    });
  }
  await open(page, `/pods?namespace=${namespace}${query}`);
  await expect(page.getByText(`${count} pods in 2 clusters`)).toBeVisible();
}

test('the start shows what is not well on all clusters, worst first, and why', async ({ page }) => {
  await open(page, '/');
  await expect(page.getByRole('heading', { name: 'Not well' })).toBeVisible();
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await expect(pod(page, 'fraud').first()).toContainText('Not scheduled');
  await expect(page.getByRole('button', { name: /^Not well/ })).toHaveAttribute('aria-pressed', 'true');
  // Each pod is there with its cluster, and both clusters are.
  await expect(pod(page, 'fraud').filter({ hasText: 'production' })).toHaveCount(1);
  await expect(pod(page, 'fraud').filter({ hasText: 'staging' })).toHaveCount(1);
  await expect(page).toHaveTitle(/^\(\d+\) Not well · Podgate$/);
});

test('typing finds, chips come and go, and back returns', async ({ page }) => {
  await open(page, '/pods');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await page.keyboard.press('/');
  const search = page.getByRole('textbox', { name: 'Search pods' });
  await expect(search).toBeFocused();
  await page.keyboard.type('ledger');
  await expect(page).toHaveURL(`${url()}/pods?search=ledger`);
  await expect
    .poll(async () => (await names(page).allTextContents()).every((name) => name.includes('ledger')))
    .toBe(true);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(`${url()}/pods`);
  await page.keyboard.type('ns:payments ');
  await expect(page).toHaveURL(`${url()}/pods?namespace=payments`);
  await expect(page.getByRole('button', { name: 'Remove the filter Namespace payments' })).toBeVisible();
  await expect(search).toHaveValue('');
  await page.keyboard.type('cluster:staging ');
  await expect(page).toHaveURL(`${url()}/pods?cluster=staging&namespace=payments`);
  await page.goBack();
  await expect(page).toHaveURL(`${url()}/pods?namespace=payments`);
  await expect(page.getByRole('button', { name: /^Remove the filter/ })).toHaveCount(1);
  await search.focus();
  await page.keyboard.press('Backspace');
  await expect(search).toHaveValue('ns:payments');
  await expect(page).toHaveURL(`${url()}/pods`);
});

test('an input method composes without filters or jumps', async ({ page, context }) => {
  await open(page, '/pods');
  const search = page.getByRole('textbox', { name: 'Search pods' });
  await search.focus();
  const session = await context.newCDPSession(page);
  await session.send('Input.imeSetComposition', { text: 'ns:', selectionStart: 3, selectionEnd: 3 });
  await session.send('Input.imeSetComposition', { text: 'ns:购 ', selectionStart: 5, selectionEnd: 5 });
  expect(page.url()).toBe(`${url()}/pods`);
  await session.send('Input.insertText', { text: '购物' });
  await expect(page).toHaveURL(/search=/);
  await expect(page.getByText('No pod matches.')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL(`${url()}/pods`);
});

test('the strip filters by status, and a picker by several values', async ({ page }) => {
  await open(page, '/pods');
  await page
    .getByRole('group', { name: 'Status' })
    .getByRole('button', { name: /^Pending/ })
    .click();
  await expect(page).toHaveURL(`${url()}/pods?status=Pending`);
  await expect(pod(page, 'fraud')).toHaveCount(2);
  await page.getByRole('button', { name: /^All/ }).click();
  await expect(page).toHaveURL(`${url()}/pods`);

  await page.getByRole('button', { name: 'Namespace', exact: true }).first().click();
  const find = page.getByRole('combobox', { name: 'Find: Namespace' });
  await expect(find).toBeFocused();
  await page.keyboard.type('pay');
  await expect(page.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${url()}/pods?namespace=payments`);
  await expect(find).toBeHidden();
});

test('a label is picked by its key and its values', async ({ page }) => {
  await open(page, '/pods?namespace=shop');
  await page.getByRole('button', { name: 'Label', exact: true }).click();
  await page.getByRole('option', { name: /^app/ }).first().click();
  await expect(page.getByRole('button', { name: 'All labels' })).toBeVisible();
  await page.getByRole('option', { name: /search/ }).click();
  await expect(page).toHaveURL(/labelSelector=[^&]*search/);
  await expect
    .poll(async () => (await names(page).allTextContents()).every((name) => name.includes('search')))
    .toBe(true);
});

test('the strip counts beside its own filter, and a cause narrows', async ({ page }) => {
  await open(page, '/');
  const strip = page.getByRole('group', { name: 'Status' });
  // Healthy pods are counted though the list shows none of them.
  await expect(strip.getByRole('button', { name: /^Running [1-9]/ })).toBeVisible();
  const cause = page.getByRole('group', { name: 'Causes' }).getByRole('button', { name: /^Not scheduled/ });
  await cause.click();
  await expect(page).toHaveURL(/reasonCode=Unscheduled/);
  await expect(cause).toHaveAttribute('aria-pressed', 'true');
  await expect
    .poll(async () => (await rows(page).allTextContents()).every((row) => row.includes('Pending')))
    .toBe(true);
  await expect(strip.getByRole('button', { name: /^All [1-9]/ })).toBeVisible();
  await page.goBack();
  await expect(cause).toHaveAttribute('aria-pressed', 'false');
});

test('the row of a deleted pod is struck before it leaves', async ({ page }) => {
  await pods(page, 'struck', 3, '&sort=name');
  await expect(rows(page)).toHaveCount(3);
  await page.evaluate(() => {
    new MutationObserver(() => {
      const gone = document.querySelector('[data-key][class*="gone"] [data-name]');
      if (gone !== null) document.body.dataset['struck'] = gone.textContent;
    }).observe(document.body, { subtree: true, childList: true, attributeFilter: ['class'] });
  });
  let attempt = 0;
  // A snapshot that comes just then tells nothing of what is gone, so there is more than one try.
  await expect(async () => {
    attempt += 1;
    const name = `doomed-${attempt}`;
    await control('production', { op: 'runPod', namespace: 'struck', name, containers: ['app'] });
    await expect(pod(page, name)).toHaveCount(1);
    await control('production', { op: 'remove', kind: 'Pod', namespace: 'struck', name });
    await expect(pod(page, name)).toHaveCount(0);
    expect(await page.evaluate(() => document.body.dataset['struck'])).toBe(name);
  }).toPass();
});

test('a Chinese page gives the reason in Chinese, and says what the cluster said as it is', async ({ page }) => {
  await page.addInitScript(() => {
    localStorage.setItem('podgate.language', 'zh');
  });
  await open(page, '/');
  const row = pod(page, 'fraud').first();
  await expect(row).toContainText('未调度：');
  await expect(row.locator('[lang=en]')).toContainText('nodes are available');
  await expect(page.getByRole('group', { name: '原因' }).getByRole('button', { name: /^未调度/ })).toBeVisible();
});

test('a roll-out is seen live while scrolled, and the list does not jump', async ({ page }) => {
  await pods(page, 'rollout', 60, '&sort=name');
  const grid = page.getByRole('grid');
  await grid.evaluate((element) => (element.scrollTop = 20 * 32));
  await expect(pod(page, 'web-020')).toBeVisible();
  const place = async () => (await pod(page, 'web-025').boundingBox())?.y;
  const before = await place();
  // The new pod stands before all others, and the pointer is still.
  await control('production', { op: 'runPod', namespace: 'rollout', name: 'a-first', containers: ['app'] });
  await expect(page.getByText('61 pods in 2 clusters')).toBeVisible();
  await expect.poll(() => grid.evaluate((element) => element.scrollTop)).toBe(21 * 32);
  expect(await place()).toBe(before);
  await page.getByRole('grid').evaluate((element) => (element.scrollTop = 0));
  await expect(pod(page, 'a-first')).toBeVisible();
});

test('while a menu is open over the list an order waits, and a pill shows it', async ({ page }) => {
  await pods(page, 'held', 60, '&sort=name');
  const grid = page.getByRole('grid');
  await grid.evaluate((element) => (element.scrollTop = 20 * 32));
  await expect(pod(page, 'web-025')).toBeVisible();
  await page.getByRole('button', { name: 'Node', exact: true }).click();
  await expect(page.getByRole('combobox')).toBeFocused();
  await control('production', { op: 'runPod', namespace: 'held', name: 'a-first', containers: ['app'] });
  const pill = page.getByRole('button', { name: /order changed/i });
  await expect(pill).toBeVisible();
  expect(await grid.evaluate((element) => element.scrollTop)).toBe(20 * 32);
  await page.keyboard.press('Escape');
  await pill.click({ timeout: 1000 }).catch(() => undefined);
  await expect(pill).toBeHidden();
  await expect.poll(() => grid.evaluate((element) => element.scrollTop)).toBe(21 * 32);
});

test('a pod deleted under the cursor gives the cursor to the next one', async ({ page }) => {
  await pods(page, 'cursor', 5, '&sort=name');
  await names(page).first().focus();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await expect(names(page).filter({ hasText: 'web-002' })).toBeFocused();
  await control('production', { op: 'remove', kind: 'Pod', namespace: 'cursor', name: 'web-002' });
  await expect(pod(page, 'web-002')).toHaveCount(0);
  await expect(names(page).filter({ hasText: 'web-003' })).toBeFocused();
  await page.keyboard.press('k');
  await expect(names(page).filter({ hasText: 'web-001' })).toBeFocused();
});

test('the selection survives filters and says what is elsewhere', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await pods(page, 'picked', 5, '&sort=name');
  await names(page).first().focus();
  await page.keyboard.press('x');
  await page.keyboard.press('Shift+ArrowDown');
  await expect(page.getByText('2 selected')).toBeVisible();
  await page.keyboard.press('c');
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('web-000\nweb-001');
  await page.getByRole('textbox', { name: 'Search pods' }).fill('web-001');
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByText('1 not in this list')).toBeVisible();
  await names(page).first().focus();
  await page.keyboard.press('Escape');
  await expect(page.getByText('2 selected')).toBeHidden();
});

test('a long list scrolls to its end, and only what is seen is in the document', async ({ page }) => {
  await pods(page, 'long', 300, '&sort=name');
  await names(page).first().focus();
  await page.keyboard.press('Shift+G');
  await expect(names(page).filter({ hasText: 'web-299' })).toBeFocused();
  expect(await rows(page).count()).toBeLessThan(100);
  await page.keyboard.press('g');
  await page.keyboard.press('g');
  await expect(names(page).filter({ hasText: 'web-000' })).toBeFocused();
});

test('a cluster that stops has a note with its time, and the note goes when it is back', async ({ page }) => {
  await open(page, '/pods');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await control('staging', { op: 'pause' });
  try {
    await control('staging', { op: 'dropWatches' });
    await expect(page.getByText('staging is stale.')).toBeVisible();
    await expect(page.getByRole('link', { name: /^staging/ })).toHaveAttribute('title', 'staging: stale');
    await page.getByRole('button', { name: 'Leave it out' }).click();
    await expect(page).toHaveURL(`${url()}/pods?cluster=production`);
    await expect(page.getByText('staging is stale.')).toBeHidden();
    await page.goBack();
    await expect(page.getByText('staging is stale.')).toBeVisible();
  } finally {
    await control('staging', { op: 'resume' });
  }
  await expect(page.getByText('staging is stale.')).toBeHidden();
});

test('three pods picked over two filters are deleted, and what is refused says why', async ({ page }) => {
  await pods(page, 'doomed', 4, '&sort=name');
  await page.getByRole('checkbox', { name: 'Select web-000' }).click();
  await page.getByRole('checkbox', { name: 'Select web-001' }).click();
  await page.getByRole('textbox', { name: 'Search pods' }).fill('web-003');
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole('checkbox', { name: 'Select web-003' }).click();
  await expect(page.getByText('3 selected')).toBeVisible();
  await expect(page.getByText('2 not in this list')).toBeVisible();
  // One of them may not be deleted.
  await control('production', {
    op: 'failRequests',
    pathContains: '/namespaces/doomed/pods/web-001',
    status: 403,
    times: 1,
  });
  await page.getByRole('button', { name: /^Delete…/ }).click();
  const dialog = page.getByRole('alertdialog');
  await expect(dialog).toContainText('2 can be deleted. 1 is refused.');
  await expect(dialog.getByRole('listitem').filter({ hasText: 'web-001' })).toContainText('Request');
  await expect(dialog.getByRole('listitem').filter({ hasText: 'web-000' })).toContainText(
    'Nothing starts this pod again.',
  );
  await page.screenshot({ path: 'test-results/shots/delete-light-en.png' });
  // The focus is on Cancel, and a key in a hurry decides nothing.
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeVisible();
  await dialog.getByText('none', { exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete 2 of 3' }).click();
  await expect(dialog).toContainText('Deleted 2 pods.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('textbox', { name: 'Search pods' }).fill('');
  await expect(pod(page, 'web-000')).toHaveCount(0);
  await expect(pod(page, 'web-003')).toHaveCount(0);
  await expect(pod(page, 'web-001')).toHaveCount(1);
});

test('all matches are picked at once, though the list shows a part of them', async ({ page }) => {
  await pods(page, 'everything', 150, '&sort=name');
  await names(page).first().focus();
  await page.keyboard.press('Control+a');
  await page.getByRole('button', { name: 'Select all 150 matches' }).click();
  await expect(page.getByText('150 selected')).toBeVisible();
  await page.keyboard.press('Control+d');
  const dialog = page.getByRole('alertdialog');
  await expect(dialog).toContainText('Delete 150 pods?');
  await expect(dialog).toContainText('So many were not tried before.');
  await expect(dialog).toContainText('and 142 more');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(page.getByText('150 selected')).toBeVisible();
});
