// Fails if the lock file has a package whose licence is not allowed.
import { readFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const ALLOWED = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'OFL-1.1', 'BlueOak-1.0.0', 'CC0-1.0', 'Python-2.0']);
/** Named exceptions: tools that no user of the page receives, and one public-domain package. */
const EXCEPTIONS = [/^isbot$/, /^axe-core$/, /^@axe-core\/playwright$/, /^lightningcss(-.*)?$/];
let faults = 0;
for (const [path, { license }] of Object.entries(lock.packages)) {
  const name = path.split('node_modules/').pop();
  if (path === '' || EXCEPTIONS.some((exception) => exception.test(name))) continue;
  const words = String(license).replace(/[()]/g, '').split(/ OR | AND /);
  const isAllowed = String(license).includes(' AND ') ? words.every((word) => ALLOWED.has(word)) : words.some((word) => ALLOWED.has(word));
  if (isAllowed) continue;
  faults += 1;
  console.log(`${name}: the licence ${license} is not among those allowed`);
}
process.exit(faults > 0 ? 1 : 0);
