import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The first administrator's password on every server of the tests. */
export const PASSWORD = 'correct horse battery staple';

/** The path under which the second server lives. */
export const BASE_PATH = '/tools/podgate';

const BINARY = process.env['PODGATE_BIN'] ?? join(import.meta.dirname, '../../target/debug/podgate');

/** Starts the binary and returns the first lines that it prints. */
export async function start(children: ChildProcess[], args: string[], lines: number): Promise<string[]> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PODGATE_')));
  const child = spawn(BINARY, args, { env: { ...env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(-4000)));
  const printed: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    if (printed.length === lines) {
      // What comes later must not fill the pipe.
      child.stdout.resume();
      return printed;
    }
  }
  throw new Error(`podgate ${args.join(' ')} ended: ${errors}`);
}

/** Starts two simulated clusters with control ports and two servers, and returns what ends them. */
export default async function servers(): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'podgate-ui-'));
  const children: ChildProcess[] = [];
  const end = async () => {
    const running = children.filter((child) => child.exitCode === null);
    const ended = running.map((child) => once(child, 'exit'));
    for (const child of running) child.kill();
    await Promise.all(ended);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const shops = await Promise.all(
      ['production', 'staging'].map((name) =>
        start(children, ['sim', '--content', 'shop', '--name', name, '--control', '127.0.0.1:0'], 2),
      ),
    );
    const password = join(dir, 'password');
    writeFileSync(password, PASSWORD, { mode: 0o600 });
    const kubeconfigs = shops.flatMap(([kubeconfig]) => ['--kubeconfig', kubeconfig ?? '']);
    const serve = async (name: string, more: string[]) => {
      const flags = ['serve', '--listen', '127.0.0.1:0', '--in-cluster', 'never', '--admin-password-file', password];
      const [line] = await start(children, [...flags, '--data-dir', join(dir, name), ...kubeconfigs, ...more], 1);
      const url = /https?:\/\/\S+/.exec(line ?? '')?.[0];
      if (url === undefined) throw new Error(`no address in: ${line ?? ''}`);
      return url.replace(/\/$/, '');
    };
    process.env['UI_URL'] = await serve('root', []);
    process.env['UI_BASE_URL'] = await serve('base', ['--base-path', BASE_PATH]);
    process.env['UI_KUBECONFIGS'] = shops.map(([kubeconfig]) => kubeconfig ?? '').join('\n');
    process.env['UI_CONTROLS'] = shops.map(([, control]) => control ?? '').join(' ');
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}
