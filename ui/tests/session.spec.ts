import { expect, logIn, test, url, urlUnderBase } from './test';

test('a log-in leads to where its caller was going, and a log-out ends it', async ({ page, context }) => {
  await page.goto(`${url()}/me`);
  await expect(page).toHaveURL(`${url()}/login?next=%2Fme`);
  await expect(page).toHaveTitle('Log in · Podgate');
  await expect(page.getByLabel('User name')).toBeFocused();
  await logIn(page);
  await expect(page).toHaveURL(`${url()}/me`);
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();

  // The session is the cookie's alone: nothing in the page can read it.
  const cookies = await context.cookies();
  expect(cookies.filter((cookie) => cookie.httpOnly).map((cookie) => cookie.name)).toContain('podgate_session');
  expect(
    await page.evaluate(() => `${document.cookie}${JSON.stringify(localStorage)}${JSON.stringify(sessionStorage)}`),
  ).toBe('{}{}');

  await page.reload();
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL(`${url()}/login`);
  await page.goto(url());
  await expect(page).toHaveURL(`${url()}/login`);
});

test('a log-out ends a session whose access token has expired', async ({ page, context }) => {
  await page.goto(`${url()}/me`);
  await logIn(page);
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
  await context.clearCookies({ name: 'podgate_session' });
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByLabel('Password')).toBeVisible();
  expect(await context.cookies()).toEqual([]);
});

test('a wrong password has its words, and the field is ready for another try', async ({ page }) => {
  await page.goto(`${url()}/login`);
  await logIn(page, 'admin', 'wrong');
  await expect(page.getByRole('alert')).toHaveText('Wrong user name or password.');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type('also wrong');
  await expect(page.getByLabel('Password')).toHaveValue('also wrong');
  await logIn(page, '', '');
  await expect(page.getByRole('alert')).toHaveText('Enter your user name.');
  await logIn(page, 'admin', '');
  await expect(page.getByRole('alert')).toHaveText('Enter your password.');
});

test('too many wrong passwords name the time of the next try', async ({ page }) => {
  await page.goto(`${url()}/login`);
  await page.clock.install({ time: new Date('2026-01-31T10:00:30Z') });
  await page.route('**/api/auth/login', (route) =>
    route.fulfill({
      status: 429,
      headers: { 'retry-after': '290' },
      json: { code: 429_001, message: 'too many wrong passwords', data: null },
    }),
  );
  await logIn(page);
  await expect(page.getByRole('alert')).toHaveText(
    'Too many wrong passwords from this network. Try again at 10:06 AM.',
  );
});

test('a disabled account, a fault and a lost connection have their own words', async ({ page }) => {
  await page.goto(`${url()}/login`);
  const answers = [
    { code: 401_004, words: 'This account is disabled.' },
    { code: 500_001, words: 'That is our fault. Request 0123; give it to whoever runs Podgate.' },
    { code: 503_002, words: 'the database is away' },
  ];
  for (const { code, words } of answers) {
    await page.route('**/api/auth/login', (route) =>
      route.fulfill({
        status: Math.floor(code / 1000),
        headers: { 'x-request-id': '0123' },
        json: { code, message: 'the database is away', data: null },
      }),
    );
    await logIn(page);
    await expect(page.getByRole('alert')).toHaveText(words);
  }
  await page.route('**/api/auth/login', (route) => route.abort());
  await logIn(page);
  await expect(page.getByRole('alert')).toHaveText('Not connected. Podgate does not answer at this address.');
});

test('a link to the log-in leads to no other site', async ({ page }) => {
  for (const next of ['//evil.example', 'https://evil.example', '/%5Cevil.example', '/login?next=/login']) {
    await page.goto(`${url()}/login?next=${next}`);
    await logIn(page);
    await expect(page).toHaveURL(`${url()}/`);
    await page.getByRole('link', { name: 'Account: admin' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await expect(page.getByLabel('Password')).toBeVisible();
  }
});

test('it works without a pointer', async ({ page }) => {
  await page.goto(`${url()}/login?next=/me`);
  await expect(page.getByLabel('User name')).toBeFocused();
  await page.keyboard.type('admin');
  await page.keyboard.press('Tab');
  await page.keyboard.type('correct horse battery staple');
  await page.keyboard.press('Enter');
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
  await page.getByRole('button', { name: 'Log out' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('User name')).toBeFocused();
});

test('it works under a base path', async ({ page }) => {
  await page.goto(`${urlUnderBase()}/me`);
  await expect(page).toHaveURL(`${urlUnderBase()}/login?next=%2Fme`);
  await logIn(page);
  await expect(page).toHaveURL(`${urlUnderBase()}/me`);
  await page.reload();
  await expect(page.getByText('You are logged in as admin.')).toBeVisible();
});

test('a path without a page says so', async ({ page }) => {
  await page.goto(`${url()}/keys`);
  await expect(page.getByText('There is no page /keys.')).toBeVisible();
  await page.getByRole('link', { name: 'To the start' }).click();
  await expect(page.getByLabel('Password')).toBeVisible();
});
