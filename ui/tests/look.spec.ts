import AxeBuilder from '@axe-core/playwright';

import { expect, logIn, test, url } from './test';

const THEMES = ['light', 'dark'] as const;
const LANGUAGES = { en: 'Log in', zh: '登录' } as const;

for (const theme of THEMES) {
  for (const [language, title] of Object.entries(LANGUAGES)) {
    test(`nothing serious stands in the way of anyone: ${theme}, ${language}`, async ({ page }, info) => {
      await page.addInitScript(
        ([theme, language]) => {
          localStorage.setItem('podgate.theme', theme);
          localStorage.setItem('podgate.language', language);
        },
        [theme, language] as const,
      );
      await page.goto(`${url()}/login?next=/me`);
      await expect(page).toHaveTitle(`${title} · Podgate`);
      await expect(page.locator('html')).toHaveAttribute('lang', language);
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      await page.locator('#username').fill('admin');
      await page.locator('#password').fill('wrong');
      await page.locator('button[type=submit]').click();
      await expect(page.getByRole('alert')).not.toBeEmpty();
      const check = async (name: string) => {
        await page.screenshot({ path: info.outputPath(`${name}.png`) });
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
      };
      await check('login');
      await page.getByRole('button', { name: LANGUAGE_BUTTON[language as keyof typeof LANGUAGES] }).click();
      await expect(page.getByRole('menuitemradio')).toHaveCount(2);
      await check('menu');
      await page.keyboard.press('Escape');
      await page.locator('#password').fill('correct horse battery staple');
      await page.keyboard.press('Enter');
      await expect(page.locator('#account')).toBeVisible();
      await check('account');
    });
  }
}

const LANGUAGE_BUTTON = { en: 'Language: English', zh: '语言: 中文' };

test('language and theme change at once and are kept', async ({ page }) => {
  await page.goto(`${url()}/login`);
  await page.getByRole('button', { name: 'Language: English' }).click();
  await page.getByRole('menuitemradio', { name: '中文' }).click();
  await expect(page.getByLabel('用户名')).toBeVisible();
  await expect(page).toHaveTitle('登录 · Podgate');
  await page.getByRole('button', { name: '主题' }).click();
  await page.getByRole('menuitemradio', { name: '深色' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.getByLabel('用户名')).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  expect(await page.evaluate(() => Object.keys(localStorage).sort())).toEqual(['podgate.language', 'podgate.theme']);
});

test('a dark system has the dark theme without a choice', async ({ page }) => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${url()}/login`);
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await background()).not.toBe(light);
});

test('the page fits a phone and twice the zoom', async ({ page }) => {
  for (const size of [
    { width: 320, height: 640 },
    { width: 720, height: 450 },
  ]) {
    await page.setViewportSize(size);
    await page.goto(`${url()}/login`);
    await expect(page.getByLabel('Password')).toBeVisible();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  }
  await page.goto(`${url()}/me`);
  await logIn(page);
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
});
