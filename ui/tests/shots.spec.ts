import AxeBuilder from '@axe-core/playwright';

import { expect, open, test } from './test';

const SHOTS = 'test-results/shots';

const PAGES = [
  { name: 'first', path: '/' },
  { name: 'pods', path: '/pods' },
  { name: 'empty-no-match', path: '/pods?search=no-such-pod' },
  { name: 'filtered', path: '/pods?namespace=shop&namespace=payments&labelSelector=app&sort=name' },
];

for (const theme of ['light', 'dark'] as const) {
  for (const language of ['en', 'zh'] as const) {
    test(`the list is for anyone, and as it is drawn: ${theme}, ${language}`, async ({ page }) => {
      await page.addInitScript(
        ([theme, language]) => {
          localStorage.setItem('podgate.theme', theme);
          localStorage.setItem('podgate.language', language);
        },
        [theme, language] as const,
      );
      for (const { name, path } of PAGES) {
        await open(page, path);
        await expect(page.locator('[data-key], [role=status] h2').first()).toBeVisible();
        await page.evaluate(() => document.fonts.ready);
        await page.screenshot({ path: `${SHOTS}/${name}-${theme}-${language}.png` });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
      }
    });
  }
}

for (const [width, height] of [
  [1280, 600],
  [1920, 1080],
  [390, 844],
] as const) {
  test(`the list fits ${width} × ${height}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await open(page, '/');
    await expect(page.locator('[data-key]').first()).toBeVisible();
    await page.screenshot({ path: `${SHOTS}/first-${width}.png` });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });
}

test('forced colours and twice the zoom keep shapes and borders', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await open(page, '/');
  await expect(page.locator('[data-key]').first()).toBeVisible();
  await page.screenshot({ path: `${SHOTS}/first-forced-colours.png` });
  await page.emulateMedia({ forcedColors: 'none' });
  await page.setViewportSize({ width: 720, height: 450 });
  await page.screenshot({ path: `${SHOTS}/first-zoom-200.png` });
});
