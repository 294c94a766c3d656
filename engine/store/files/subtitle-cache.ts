/** Subtitles that were read out of movies, one folder for each version of a file. Owns everything below its folder, and keeps it below a quota. */
import { mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { GrowingFile, SubtitleCachePort } from '#engine/playback/ports.ts';

const KEY = /^[0-9a-f]{32}$/;
const NAME = /^[a-z][\w-]{0,60}(?:\.[a-z]{3,4})?(?:\.new)?$/;

export class SubtitleCache implements SubtitleCachePort {
  readonly #root: string;
  readonly #quotaBytes: number;

  private constructor(root: string, quotaBytes: number) {
    this.#root = root;
    this.#quotaBytes = quotaBytes;
  }

  static async open(root: string, quotaBytes: number): Promise<SubtitleCache> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const cache = new SubtitleCache(root, quotaBytes);
    for (const name of await readdir(root)) {
      if (!KEY.test(name)) await rm(join(root, name), { recursive: true, force: true });
    }
    await cache.trim(new Set());
    return cache;
  }

  async folder(key: string): Promise<string> {
    const path = this.#pathOf(key);
    await mkdir(path, { recursive: true, mode: 0o700 });
    const now = new Date();
    await utimes(path, now, now);
    return path;
  }

  async find(key: string, name: string): Promise<string | null> {
    const path = this.#pathOf(key, name);
    const isFile = await stat(path).then(
      (stats) => stats.isFile(),
      () => false,
    );
    return isFile ? path : null;
  }

  async names(key: string): Promise<readonly string[]> {
    return await readdir(this.#pathOf(key)).catch(() => []);
  }

  async removeFile(key: string, name: string): Promise<void> {
    await rm(this.#pathOf(key, name), { force: true });
  }

  async open(key: string, name: string): Promise<GrowingFile | null> {
    const handle = await open(this.#pathOf(key, name), 'r').catch(() => null);
    return (
      handle && {
        async read(at, mostBytes) {
          const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(mostBytes), 0, mostBytes, at);
          return buffer.subarray(0, bytesRead);
        },
        close: () => handle.close(),
      }
    );
  }

  async trim(kept: ReadonlySet<string>): Promise<void> {
    const folders: { key: string; usedMs: number; sizeBytes: number }[] = [];
    for (const key of await readdir(this.#root).catch(() => [])) {
      // What another call of this removes meanwhile counts no more.
      const usedMs = (await stat(join(this.#root, key)).catch(() => null))?.mtimeMs;
      if (!KEY.test(key) || usedMs === undefined) continue;
      let sizeBytes = 0;
      for (const name of await this.names(key)) {
        sizeBytes += (await stat(join(this.#root, key, name)).catch(() => null))?.size ?? 0;
      }
      folders.push({ key, usedMs, sizeBytes });
    }
    let total = folders.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (const { key, sizeBytes } of folders.toSorted((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.#quotaBytes) return;
      if (kept.has(key)) continue;
      await this.remove(key);
      total -= sizeBytes;
    }
  }

  async remove(key: string): Promise<void> {
    await rm(this.#pathOf(key), { recursive: true, force: true });
  }

  #pathOf(key: string, name?: string): string {
    // Both are ours. Should that ever change by mistake, this is where it ends.
    if (!KEY.test(key) || (name !== undefined && !NAME.test(name))) {
      throw new RangeError('no name in the cache of subtitles');
    }
    return name === undefined ? join(this.#root, key) : join(this.#root, key, name);
  }
}
