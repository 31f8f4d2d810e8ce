// Fails if a style sheet other than the tokens names a colour itself.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const source = new URL('../src', import.meta.url).pathname;
const COLOUR = /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|oklab|lab|lch)a?\(|:\s*(?:black|white|red|green|blue|gr[ae]y|orange|yellow)\b/i;
let faults = 0;
for (const name of readdirSync(source, { recursive: true })) {
  if (!name.endsWith('.css') || name === join('styles', 'tokens.css')) continue;
  for (const [at, line] of readFileSync(join(source, name), 'utf8').split('\n').entries()) {
    if (!COLOUR.test(line)) continue;
    faults += 1;
    console.log(`src/${name}:${at + 1}: take this colour from styles/tokens.css: ${line.trim()}`);
  }
}
process.exit(faults > 0 ? 1 : 0);
