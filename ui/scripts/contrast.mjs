// Checks the tokens. Exit 1 when one fails; -v lists every figure.
// 1. Contrast of every text and mark token on the surfaces it is used on (WCAG 2.2).
// 2. Distances of ok/warn/bad and of the log sources, as people with normal sight and with
//    deuteranopia, protanopia and tritanopia see them (Machado et al. 2009, full severity),
//    as a distance in Oklab x 100. About 2 is just visible, 10 is plainly another colour.
//    Sources 1 to 4 are drawn solid and 5 to 8 dashed, so a hue is compared within its set.
import { readFileSync } from 'node:fs';
const css = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');
const block = (start) => { const i = css.indexOf(start); const b = css.slice(i, css.indexOf('\n}', i)); return Object.fromEntries([...b.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]])); };
const light = block(':root {'), dark = { ...light, ...block('[data-theme="dark"] {') };
const themes = [['light', light], ['dark', dark]];
const rgb = (h) => [1, 3, 5].map((i) => parseInt(h.slice(i, i + 2), 16) / 255).map((v) => (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4));
const lum = (h) => { const c = rgb(h); return .2126 * c[0] + .7152 * c[1] + .0722 * c[2]; };
const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };

const pairs = [];
for (const t of ['text-1', 'text-2', 'text-3', 'accent-text']) for (const b of ['bg-0', 'bg-1', 'bg-2', 'bg-3']) pairs.push([t, b, 4.5]);
for (const s of ['ok', 'busy', 'warn', 'bad', 'over', 'leaving', 'lost']) pairs.push([`${s}-text`, 'bg-1', 4.5], [`${s}-text`, 'bg-2', 4.5], [`${s}-text`, `${s}-bg`, 4.5], [s, 'bg-1', 3]);
for (const s of ['text-1', 'text-2', 'text-3', 'accent-text', 'bad-text']) pairs.push([s, 'accent-bg', 4.5]);
pairs.push(['text-2', 'warn-bg', 4.5], ['text-2', 'bad-bg', 4.5], ['warn', 'warn-bg', 3], ['bad', 'bad-bg', 3]);
for (let i = 1; i < 9; i++) pairs.push([`src-${i}`, 'bg-1', 4.5], [`src-${i}`, 'bg-2', 4.5]);
pairs.push(['line-3', 'bg-1', 3], ['line-3', 'bg-0', 3], ['text-inv', 'accent', 4.5], ['mark-text', 'mark', 4.5], ['accent', 'bg-1', 3]);
for (const c of ['text', 'dim', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan']) pairs.push([`term-${c}`, 'term-bg', 4.5]);

const SIGHT = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  deuteranopia: [[.367322, .860646, -.227968], [.280085, .672501, .047413], [-.011820, .042940, .968881]],
  protanopia: [[.152286, 1.052583, -.204868], [.114503, .786281, .099216], [-.003882, -.048116, 1.051998]],
  tritanopia: [[1.255528, -.076749, -.178779], [-.078411, .930809, .147602], [.004733, .691367, .303900]],
};
const oklab = ([r, g, b]) => { const l = Math.cbrt(.4122214708 * r + .5363325363 * g + .0514459929 * b), m = Math.cbrt(.2119034982 * r + .6806995451 * g + .1073969566 * b), s = Math.cbrt(.0883024619 * r + .2817188376 * g + .6299787005 * b); return [.2104542553 * l + .793617785 * m - .0040720468 * s, 1.9779984951 * l - 2.428592205 * m + .4505937099 * s, .0259040371 * l + .7827717662 * m - .808675766 * s]; };
const seen = (h, kind) => { const c = rgb(h); return oklab(SIGHT[kind].map((r) => Math.min(1, Math.max(0, r[0] * c[0] + r[1] * c[1] + r[2] * c[2])))); };
const apart = (a, b, kind) => { const [x, y] = [seen(a, kind), seen(b, kind)]; return 100 * Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]); };
const sets = [
  ['ok/warn/bad', ['ok', 'warn', 'bad'], 9],
  ['solid sources', ['src-1', 'src-2', 'src-3', 'src-4'], 10],
  ['dashed sources', ['src-5', 'src-6', 'src-7', 'src-8'], 10],
];

const verbose = process.argv.includes('-v');
let weak = 0, close = 0, distances = 0;
for (const [name, t] of themes) for (const [f, b, min] of pairs) {
  const r = ratio(t[f], t[b]);
  if (r < min) { weak++; console.log(`WEAK ${name} ${f} on ${b}: ${r.toFixed(2)} < ${min}`); } else if (verbose) console.log(name.padEnd(6), `${f} on ${b}`.padEnd(28), r.toFixed(2).padStart(6));
}
for (const [name, t] of themes) for (const [what, list, min] of sets) for (const kind of Object.keys(SIGHT)) {
  let least = Infinity, who = '';
  for (let i = 1; i < list.length; i++) for (let j = 0; j < i; j++) { distances++; const d = apart(t[list[i]], t[list[j]], kind); if (d < least) { least = d; who = `${list[j]}, ${list[i]}`; } }
  if (least < min) { close++; console.log(`CLOSE ${name} ${what}, ${kind}: ${who} are ${least.toFixed(1)} apart, least is ${min}`); } else if (verbose) console.log(name.padEnd(6), `${what}, ${kind}`.padEnd(32), least.toFixed(1).padStart(6), who);
}
console.log(`${pairs.length * 2} contrast pairs, ${weak} too weak; ${distances} distances, ${close} too small`);
process.exit(weak || close ? 1 : 0);
