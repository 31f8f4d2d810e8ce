// Fails if the first load is over its limits: every file that index.html names, as a browser with
// Brotli gets it, and the largest language.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const LIMIT = 345_000;
const FILES = 8;
const dist = new URL('../dist', import.meta.url).pathname;
const assets = join(dist, 'assets');
const sent = (name) =>
  statSync(existsSync(join(assets, `${name}.br`)) ? join(assets, `${name}.br`) : join(assets, name)).size;
const html = readFileSync(join(dist, 'index.html'), 'utf8');
const named = [...html.matchAll(/"\.\/assets\/([^"]+)"/g)].map(([, name]) => name);
const languages = readdirSync(assets).filter((name) => /^(en|zh)-[^.]+\.js$/.test(name));
const bytes = named.reduce((sum, name) => sum + sent(name), html.length) + Math.max(...languages.map(sent));
// The page itself and the language's sentences are files, too.
const files = named.length + 2;
console.log(`first load: ${bytes} bytes, at most ${LIMIT}, in ${files} files, at most ${FILES}`);
process.exit(bytes > LIMIT || files > FILES ? 1 : 0);
