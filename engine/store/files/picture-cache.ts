/**
 * Pictures on disk under opaque names (a version, and which size of it), never under anything a client or a file named. Owns: the
 * files below its folder, and in which order they were last used; the longest unused go when the quota is passed. Every one can be made again.
 */
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureCachePort } from '#engine/images/ports.ts';

interface Entry {
  readonly sizeBytes: number;
  /** When the file's time was last set to say that it was used. */
  markedAtMs: number;
}

const NAME = /^[\w-]{16,64}\.(?:webp|source)$/;
/** How exact the order of use is after a restart. */
const MARK_EVERY_MS = 3_600_000;

export class PictureCache implements PictureCachePort {
  readonly #folder: string;
  readonly #quotaBytes: number;
  /** In order of use, the longest unused first. */
  readonly #entries = new Map<string, Entry>();
  #totalBytes = 0;
  #writes = 0;

  private constructor(folder: string, quotaBytes: number) {
    this.#folder = folder;
    this.#quotaBytes = quotaBytes;
  }

  /** Takes up what is in `folder`, which is made if it is missing; half-written files of a process that died are removed. */
  static async open(folder: string, quotaBytes: number): Promise<PictureCache> {
    const cache = new PictureCache(folder, quotaBytes);
    await mkdir(folder, { recursive: true });
    await cache.#load();
    await cache.#evict();
    return cache;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  async find(name: string): Promise<string | null> {
    const entry = this.#entries.get(name);
    if (!entry) return null;
    const path = this.#pathOf(name);
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      this.#forget(name);
      return null;
    }
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    const nowMs = Date.now();
    if (nowMs - entry.markedAtMs > MARK_EVERY_MS) {
      entry.markedAtMs = nowMs;
      // Only the order after a restart depends on it.
      await utimes(path, nowMs / 1_000, nowMs / 1_000).catch(() => undefined);
    }
    return path;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (!NAME.test(name)) throw new Error(`“${name}” is no name of a picture`);
    const path = this.#pathOf(name);
    const draft = `${path}.${process.pid}-${++this.#writes}`;
    await mkdir(join(path, '..'), { recursive: true });
    try {
      await writeFile(draft, bytes);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    this.#forget(name);
    this.#remember(name, { sizeBytes: bytes.byteLength, markedAtMs: Date.now() });
    await this.#evict();
  }

  async remove(name: string): Promise<void> {
    if (!this.#entries.has(name)) return;
    this.#forget(name);
    await rm(this.#pathOf(name), { force: true });
  }

  #pathOf(name: string): string {
    return join(this.#folder, name.slice(0, 2), name);
  }

  #remember(name: string, entry: Entry): void {
    this.#entries.set(name, entry);
    this.#totalBytes += entry.sizeBytes;
  }

  #forget(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#entries.delete(name);
    this.#totalBytes -= entry.sizeBytes;
  }

  async #evict(): Promise<void> {
    while (this.#totalBytes > this.#quotaBytes) {
      const [oldest] = this.#entries.keys();
      // The newest stays even where it alone passes the quota: it is about to be shown.
      if (oldest === undefined || this.#entries.size === 1) return;
      this.#forget(oldest);
      await rm(this.#pathOf(oldest), { force: true });
    }
  }

  async #load(): Promise<void> {
    const found: { name: string; entry: Entry }[] = [];
    for (const group of await readdir(this.#folder, { withFileTypes: true })) {
      if (!group.isDirectory()) continue;
      for (const name of await readdir(join(this.#folder, group.name))) {
        const path = join(this.#folder, group.name, name);
        if (!NAME.test(name) || !name.startsWith(group.name)) {
          await rm(path, { force: true, recursive: true });
          continue;
        }
        const { size, mtimeMs } = await stat(path);
        found.push({ name, entry: { sizeBytes: size, markedAtMs: mtimeMs } });
      }
    }
    found.sort((a, b) => a.entry.markedAtMs - b.entry.markedAtMs);
    for (const { name, entry } of found) this.#remember(name, entry);
  }
}
