import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { us_listen_socket } from 'uWebSockets.js';
import { afterAll, describe, expect, it } from 'vitest';
import { loadUws, relinkForOldGlibc } from './uws.ts';

const cacheFolder = mkdtempSync(join(tmpdir(), 'matinee uws '));
afterAll(() => rmSync(cacheFolder, { recursive: true }));

const binary = readFileSync(
  join(
    dirname(createRequire(import.meta.url).resolve('uWebSockets.js')),
    `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`,
  ),
);

describe('uWebSockets.js', () => {
  it('loads on this system and answers', async () => {
    const uws = loadUws(cacheFolder);
    const app = uws.App().get('/', (response) => void response.end('here'));
    const socket = await new Promise<us_listen_socket | false>((resolve) => app.listen('127.0.0.1', 0, resolve));
    if (socket === false) throw new Error('no port');
    const port = uws.us_socket_local_port(socket);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here');
    app.close();
  });

  it('is loaded once, from at most one copy', () => {
    expect(loadUws(join(cacheFolder, 'other'))).toBe(loadUws(cacheFolder));
    expect(readdirSync(cacheFolder).length).toBeLessThanOrEqual(1);
  });

  it('is relinked without a trace of the C23 imports, and otherwise unchanged', () => {
    const relinked = relinkForOldGlibc(binary);
    expect(relinked.length).toBe(binary.length);
    const changed = binary.reduce((count, byte, index) => count + (byte === relinked[index] ? 0 : 1), 0);
    // Three symbols: an offset and a version each, and one flag.
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThan(32);
    expect(() => relinkForOldGlibc(relinked)).toThrow(/other than C23/);
  });

  it('refuses to relink what it does not know', () => {
    expect(() => relinkForOldGlibc(Buffer.from('MZ'))).toThrow(/not a little-endian ELF-64/);
    expect(() => relinkForOldGlibc(binary.subarray(0, 40))).toThrow(/ELF-64/);
  });
});
