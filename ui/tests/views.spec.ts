import AxeBuilder from '@axe-core/playwright';

import { expect, open, test } from './test';

test('a view is saved, found on another machine, renamed and removed', async ({ page, browser, own }) => {
  await open(page, '/pods?namespace=payments&sort=name', own.url);
  const side = page.getByRole('navigation');
  await side.getByRole('button', { name: 'Save view' }).click();
  await page.getByRole('textbox', { name: 'Name of the view' }).fill('Payments');
  await page.keyboard.press('Enter');
  const link = side.getByRole('link', { name: 'Payments', exact: true });
  await expect(link).toHaveAttribute('aria-current', 'page');

  const elsewhere = await browser.newContext();
  const other = await elsewhere.newPage();
  await open(other, '/', own.url);
  await other.getByRole('navigation').getByRole('link', { name: 'Payments', exact: true }).click();
  await expect(other).toHaveURL(
    /\/pods\?namespace=payments&sort=name&order=asc$|\/pods\?namespace=payments&sort=name$/,
  );
  await elsewhere.close();

  await link.hover();
  await side.getByRole('button', { name: 'Change the view Payments' }).click();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
  await page.screenshot({ path: 'test-results/shots/views-light-en.png' });
  await page.getByRole('textbox', { name: 'Name of the view' }).fill('Money');
  await page.getByRole('button', { name: 'Rename' }).click();
  await expect(side.getByRole('link', { name: 'Money', exact: true })).toBeVisible();
  await expect(link).toBeHidden();
  await page.reload();
  await side.getByRole('link', { name: 'Money', exact: true }).hover();
  await side.getByRole('button', { name: 'Change the view Money' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(side.getByRole('link', { name: 'Money', exact: true })).toBeHidden();
});

test('what has restarted this hour is a view whose time people share', async ({ page }) => {
  await open(page, '/');
  await page.getByRole('navigation').getByRole('link', { name: 'Restarted this hour' }).click();
  await expect(page).toHaveURL(/restartedSince=[^&]*%3A\d[05]%3A00\.000Z&sort=lastRestartAt/);
  await expect(page.getByRole('rowheader').first()).toBeVisible();
  await expect(page.getByRole('navigation').getByRole('link', { name: 'Restarted this hour' })).toHaveAttribute(
    'aria-current',
    'page',
  );
});
