import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const DIST = join(import.meta.dirname, 'dist');

/** Adds `boot.js` as a blocking script with a hash in its name, in front of everything else. */
function boot(): Plugin {
  const source = readFileSync(join(import.meta.dirname, 'src/boot.js'));
  const name = `assets/boot-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.js`;
  return {
    name: 'podgate:boot',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: name, source });
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle }) => [
        {
          tag: 'script',
          attrs: { src: bundle ? `./${name}` : '/src/boot.js' },
          injectTo: 'head',
        },
      ],
    },
  };
}

/** Lets the browser fetch the Latin font before it has read the style sheet that names it. */
function preloadFont(): Plugin {
  return {
    name: 'podgate:preload-font',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle }) => {
        const font = Object.keys(bundle ?? {}).find((name) => /inter-latin-wght-normal.*\.woff2$/.test(name));
        const attrs = { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: '', href: `./${font ?? ''}` };
        return font === undefined ? [] : [{ tag: 'link', attrs, injectTo: 'head' }];
      },
    },
  };
}

/** Repeats the dark tokens for a system that is dark, where no theme was chosen. */
function systemDark(): Plugin {
  return {
    name: 'podgate:system-dark',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('styles/tokens.css')) return null;
      const dark = /\[data-theme="dark"\] \{([\s\S]*?)\n\}/.exec(code)?.[1];
      if (dark === undefined) this.error('tokens.css has no dark block');
      return `${code}\n@media (prefers-color-scheme: dark) { :root:not([data-theme]) {${dark}\n} }\n`;
    },
  };
}

/** Writes the compressed forms that the server sends. Fonts are compressed already. */
function compress(): Plugin {
  return {
    name: 'podgate:compress',
    closeBundle() {
      const folder = join(DIST, 'assets');
      for (const name of readdirSync(folder).filter((name) => /\.(js|css|svg)$/.test(name))) {
        const bytes = readFileSync(join(folder, name));
        const size = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params: size }));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

/** Empties `dist` but for its `.gitignore`, which keeps the folder that the server embeds. */
function empty(): Plugin {
  return {
    name: 'podgate:empty',
    apply: 'build',
    buildStart() {
      rmSync(join(DIST, 'assets'), { recursive: true, force: true });
      rmSync(join(DIST, 'index.html'), { force: true });
    },
  };
}

/** The modules that the page runs before anything is loaded later. */
const first = new Set<string>();

/** Finds the modules of the first load: those that the entries import, without `import()`. */
function findFirst(): Plugin {
  return {
    name: 'podgate:first',
    buildEnd() {
      const wanted = [...this.getModuleIds()].filter((id) => this.getModuleInfo(id)?.isEntry === true);
      for (let id = wanted.pop(); id !== undefined; id = wanted.pop()) {
        if (first.has(id)) continue;
        first.add(id);
        wanted.push(...(this.getModuleInfo(id)?.importedIds ?? []));
      }
    },
  };
}

export default defineConfig({
  base: './',
  build: {
    outDir: DIST,
    emptyOutDir: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    // The first load has a limit of its own, on what is sent (scripts/size.mjs).
    chunkSizeWarningLimit: 1024,
    rolldownOptions: {
      // What later parts share with the first load stays in one file of it, so that it is few files.
      output: { codeSplitting: { groups: [{ name: 'index', test: (id) => first.has(id) }] } },
      // Libraries mark their files for React's server components, which a bundle for browsers drops.
      onLog: (level, log, handle) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
  },
  plugins: [empty(), findFirst(), boot(), preloadFont(), systemDark(), compress()],
  // `npm run dev` shows the page of a server on the demo's port.
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/ws': { target: 'http://127.0.0.1:8080', ws: true } } },
  // The properties take seconds, on a busy machine more.
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 60_000 },
});
