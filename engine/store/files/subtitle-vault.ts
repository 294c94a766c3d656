/** Subtitles that people handed in. Owns everything below its folder: one file for each, named by its id. They can't be made again. */
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SubtitleVault } from '#engine/playback/ports.ts';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class FileSubtitleVault implements SubtitleVault {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(root: string): Promise<FileSubtitleVault> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    return new FileSubtitleVault(root);
  }

  pathOf(subtitleId: string): string {
    if (!ID.test(subtitleId)) throw new RangeError('no id of subtitles');
    return join(this.#root, subtitleId);
  }

  async write(subtitleId: string, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(subtitleId);
    try {
      await writeFile(`${path}.part`, bytes, { mode: 0o600 });
      await rename(`${path}.part`, path);
    } catch (error) {
      await rm(`${path}.part`, { force: true });
      throw error;
    }
  }

  async remove(subtitleId: string): Promise<void> {
    await rm(this.pathOf(subtitleId), { force: true });
  }

  async sweep(known: () => Promise<ReadonlySet<string>>): Promise<void> {
    const names = await readdir(this.#root);
    const ids = await known();
    if (ids.size === 0) return;
    for (const name of names) {
      if (!ids.has(name)) await rm(join(this.#root, name), { force: true });
    }
  }
}

/** Whether a regular file lies there. */
export async function hasFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
