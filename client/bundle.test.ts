import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import type { Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

/** The promise: what a browser must fetch before it can show the first screen. */
const INITIAL_GZIP_BYTES = 60_000;

type Output = (Rolldown.OutputChunk | Rolldown.OutputAsset)[];

describe('the built client', () => {
  let folder: string;
  let output: Output;

  beforeAll(async () => {
    // As it is shipped: for tests Vite would keep the places in the source in every element.
    vi.stubEnv('NODE_ENV', 'production');
    folder = await mkdtemp(join(tmpdir(), 'matinee-client-'));
    const result = await build({
      root: import.meta.dirname,
      configFile: join(import.meta.dirname, 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    });
    output = (result as { readonly output: Output }).output;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const chunkOf = (fileName: string): Rolldown.OutputChunk => {
    const found = output.find((file) => file.fileName === fileName);
    if (found?.type !== 'chunk') throw new Error(`${fileName} is not a script of the build.`);
    return found;
  };

  /** The entry and everything it imports before it runs, with the style sheets of the page. */
  async function initialFiles(): Promise<string[]> {
    const page = await readFile(join(folder, 'index.html'), 'utf8');
    const named = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => name!);
    const seen = new Set(['index.html', ...named]);
    for (const name of seen) if (name.endsWith('.js')) for (const imported of chunkOf(name).imports) seen.add(imported);
    return [...seen];
  }

  it(`loads less than ${INITIAL_GZIP_BYTES / 1_000} kB gzip before its first screen`, async () => {
    const sizes = await Promise.all(
      (await initialFiles()).map(
        async (name) => [name, gzipSync(await readFile(join(folder, name)), { level: 9 }).length] as const,
      ),
    );
    const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    expect(total, sizes.map(([name, bytes]) => `${name} ${bytes}`).join('\n')).toBeLessThan(INITIAL_GZIP_BYTES);
    expect(sizes.length).toBeGreaterThan(2);
  });

  it('keeps hls.js in a chunk of its own, which only the first HLS movie loads', async () => {
    const holding = output.filter(
      (file) => file.type === 'chunk' && Object.keys(file.modules).some((id) => id.includes('/hls.js/')),
    );
    expect(holding).toHaveLength(1);
    const [{ fileName }] = holding as [Rolldown.OutputChunk];
    expect(await initialFiles()).not.toContain(fileName);
    const importers = output.filter((file) => file.type === 'chunk' && file.imports.includes(fileName));
    expect(importers).toEqual([]);
  });

  it('holds no inline script or style, which the content policy would refuse', async () => {
    const page = await readFile(join(folder, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>|<style|\son\w+=|\sstyle=/);
  });

  it('style sheets agree on the order of the layers, whichever comes first', () => {
    const sheets = output.filter((file) => file.type === 'asset' && file.fileName.endsWith('.css'));
    expect(sheets.length).toBeGreaterThan(3);
    for (const sheet of sheets) {
      if (sheet.type !== 'asset') continue;
      const named = [...String(sheet.source).matchAll(/@layer ([\w, ]+)[;{]/g)].flatMap(([, names]) =>
        names!.split(/, ?/),
      );
      expect([...new Set(named)], sheet.fileName).toEqual(['reset', 'tokens', 'base', 'parts', 'screens']);
    }
  });
});
