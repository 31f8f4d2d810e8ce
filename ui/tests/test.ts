import { type APIRequestContext, type Page, test as base, expect } from '@playwright/test';

import { OwnServer } from './ownServer';
import { PASSWORD } from './servers';

export { expect } from '@playwright/test';

/** Returns a variable that the set-up of all tests has set. */
function fromSetup(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** The server under the root. */
export const url = (): string => fromSetup('UI_URL');
/** The server under a base path. */
export const urlUnderBase = (): string => fromSetup('UI_BASE_URL');

/** The control ports of the simulated clusters `production` and `staging`. */
export const controls = (): string[] => fromSetup('UI_CONTROLS').split(' ');

/** Lets a simulated cluster do something. Returns what its operation returns. */
export async function control(cluster: 'production' | 'staging', operation: object): Promise<unknown> {
  const address = controls()[cluster === 'production' ? 0 : 1] ?? '';
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(operation) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${JSON.stringify(operation)}: ${text}`);
  return (JSON.parse(text) as { result: unknown }).result;
}

/** How the browser's message of a refused call begins. */
const REFUSED = 'Failed to load resource';

/**
 * A test whose page prints nothing to the console and violates no policy. A refused call that a test
 * provokes is printed by the browser itself and does not count, nor does a message that begins with
 * `provoked`. A test that takes `own` has a server of its own.
 */
export const test = base.extend<{ quiet: undefined; own: OwnServer; provoked: string }>({
  provoked: [REFUSED, { option: true }],
  own: async ({}, use) => {
    const server = new OwnServer();
    try {
      await server.start();
      await use(server);
    } finally {
      await server.end();
    }
  },
  quiet: [
    async ({ page, provoked }, use) => {
      const faults: string[] = [];
      page.on('console', (message) => {
        const isProvoked = [REFUSED, provoked].some((start) => message.text().startsWith(start));
        if (!isProvoked) faults.push(`console: ${message.text()}`);
      });
      page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
      await page.exposeFunction('reportViolation', (text: string) => faults.push(`policy: ${text}`));
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => {
          const { reportViolation } = window as unknown as { reportViolation: (text: string) => void };
          reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
        });
      });
      await use(undefined);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

/** Opens a page in a session of its own, of the server under the root unless another one is named. */
export async function open(page: Page, path: string, server = url()): Promise<void> {
  await post(page.request, server, '/api/auth/login', { username: 'admin', password: PASSWORD });
  await page.goto(`${server}${path}`);
}

/** Sends a request to the API, as a page of a server would, and expects it to succeed. */
export async function post(request: APIRequestContext, server: string, path: string, data: object): Promise<void> {
  const answer = await request.post(`${server}${path}`, { headers: { origin: server }, data });
  expect(answer.ok()).toBe(true);
}

/** Logs in on the log-in page that is shown. */
export async function logIn(page: Page, username = 'admin', password = PASSWORD): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}
