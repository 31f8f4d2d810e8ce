import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PASSWORD, start } from './servers';

/** A server of a test's own, which shows the simulated clusters of all tests and can be ended and started again. */
export class OwnServer {
  readonly #dir = mkdtempSync(join(tmpdir(), 'podgate-own-'));
  readonly #children: ChildProcess[] = [];
  #url: string | undefined;

  get url(): string {
    if (this.#url === undefined) throw new Error('the server was never started');
    return this.#url;
  }

  /** Starts it with more flags: the second time on the address that it had, with what it had stored. */
  async start(...more: string[]): Promise<void> {
    const password = join(this.#dir, 'password');
    writeFileSync(password, PASSWORD, { mode: 0o600 });
    const kubeconfigs = (process.env['UI_KUBECONFIGS'] ?? '').split('\n').flatMap((path) => ['--kubeconfig', path]);
    const listen = this.#url === undefined ? '127.0.0.1:0' : new URL(this.#url).host;
    const flags = ['--listen', listen, '--in-cluster', 'never', '--admin-password-file', password];
    const args = ['serve', ...flags, '--data-dir', join(this.#dir, 'data'), ...kubeconfigs, ...more];
    const [line] = await start(this.#children, args, 1);
    const url = /https?:\/\/\S+/.exec(line ?? '')?.[0];
    if (url === undefined) throw new Error(`no address in: ${line ?? ''}`);
    this.#url = url.replace(/\/$/, '');
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** Ends it and removes what it had stored. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
