import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as {
  version: string;
};

/** Where `vite client` (development only) finds a running engine. */
const engine = 'http://127.0.0.1:8420';

/**
 * Style sheets of lazy screens arrive in any order, and the first to name a layer decides its rank. So each one begins by naming
 * all of them in theirs.
 */
function cascadeLayers(): Plugin {
  return {
    name: 'matinee:cascade-layers',
    enforce: 'pre',
    transform: (code, id) =>
      /\.css(?:$|\?)/.test(id) ? { code: `@layer reset, tokens, base, parts, screens;\n${code}`, map: null } : null,
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [cascadeLayers()],
  define: { __MATINEE_VERSION__: JSON.stringify(version) },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { alias: { msgpackr: join(import.meta.dirname, 'browser-packr.ts') } },
  // JASSUB's worker loads parts of its own.
  worker: { format: 'es' },
  css: { modules: { localsConvention: 'camelCaseOnly' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The engine's content policy allows no inline code and no `data:` fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // On a slow machine it tells whoever starts the server how long each plugin took.
    rolldownOptions: { checks: { bundlerTimings: false } },
    // hls.js, alone in its chunk.
    chunkSizeWarningLimit: 650,
  },
  server: {
    proxy: {
      '/live': { target: engine, ws: true },
      '/api': engine,
      '/images': engine,
      '/media': engine,
      '/subtitles': engine,
      '^/download/': engine,
    },
  },
});
