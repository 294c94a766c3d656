/**
 * The scratch space on disk: segments, playlists' subtitles, whatever can be made again. Owns everything below its folder, and empties it when
 * it is opened: after a kill -9 nobody knows what is whole.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScratchPort } from '#engine/playback/ports.ts';

export class FileScratch implements ScratchPort {
  readonly #root: string;
  #written = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folder where there is none, and removes everything in it. `root` is absolute, and nobody else's. */
  static async open(root: string): Promise<FileScratch> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    // Links are removed, never followed: `rm` sees to it.
    for (const name of await readdir(root)) await rm(join(root, name), { recursive: true, force: true });
    return new FileScratch(root);
  }

  pathOf(folder: string, file?: string): string {
    const names = file === undefined ? [folder] : [folder, file];
    // Names come from us. Should that ever change by mistake, this is where it ends.
    const isPlain = names.every((name) => /^[\w-][\w.-]{0,100}$/.test(name));
    if (!isPlain) throw new RangeError('a name in the scratch space is made of plain letters');
    return join(this.#root, ...names);
  }

  async createFolder(folder: string): Promise<void> {
    await this.removeFolder(folder);
    await mkdir(this.pathOf(folder), { recursive: true, mode: 0o700 });
  }

  async removeFolder(folder: string): Promise<void> {
    await rm(this.pathOf(folder), { recursive: true, force: true });
  }

  async removeFile(folder: string, file: string): Promise<void> {
    await rm(this.pathOf(folder, file), { force: true });
  }

  async writeFile(folder: string, file: string, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(folder, file);
    const part = `${path}.${++this.#written}.part`;
    try {
      await writeFile(part, bytes, { mode: 0o600 });
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }
}
