/**
 * Prepared copies on the disk. Owns everything below its folder, all of it named by ids.
 *
 *     <id>.mp4      a copy that is ready
 *     <id>.part     one that is being written
 *     work/<id>/    what is made on the way
 */
import { copyFile, mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopyFolder } from '#engine/downloads/ports.ts';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class DownloadFolder implements CopyFolder {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(root: string): Promise<DownloadFolder> {
    await mkdir(join(root, 'work'), { recursive: true, mode: 0o700 });
    return new DownloadFolder(root);
  }

  pathOf(copyId: string): string {
    return join(this.#root, `${own(copyId)}.mp4`);
  }

  partPathOf(copyId: string): string {
    return join(this.#root, `${own(copyId)}.part`);
  }

  workFolderOf(copyId: string): string {
    return join(this.#root, 'work', own(copyId));
  }

  async keepText(copyId: string, name: string, path: string): Promise<string> {
    if (!/^[\w-]{1,64}$/.test(name)) throw new RangeError('a name in the folder of copies is made of plain letters');
    const kept = join(await this.#keptFolder(copyId), `${name}.vtt`);
    await copyFile(path, kept);
    return kept;
  }

  async keepPictures(copyId: string, path: string): Promise<string> {
    const stem = join(await this.#keptFolder(copyId), 'burned');
    await copyFile(path, `${stem}.pics`);
    // Says that nothing follows.
    await writeFile(`${stem}.done`, '');
    return `${stem}.pics`;
  }

  /** Beside the folder of the segments, which is emptied where they don't fit. */
  async #keptFolder(copyId: string): Promise<string> {
    const folder = `${this.workFolderOf(copyId)}.texts`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  async publish(copyId: string): Promise<void> {
    await rename(this.partPathOf(copyId), this.pathOf(copyId));
    const folder = await open(this.#root);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async sizeOf(copyId: string): Promise<number | null> {
    try {
      const stats = await stat(this.pathOf(copyId));
      return stats.isFile() ? stats.size : null;
    } catch {
      return null;
    }
  }

  async clearWork(copyId: string): Promise<void> {
    await rm(this.workFolderOf(copyId), { recursive: true, force: true });
    await rm(`${this.workFolderOf(copyId)}.texts`, { recursive: true, force: true });
    await rm(this.partPathOf(copyId), { force: true });
  }

  async remove(copyId: string): Promise<void> {
    await rm(this.pathOf(copyId), { force: true });
    await this.clearWork(copyId);
  }

  async ids(): Promise<string[]> {
    const names = [...(await readdir(this.#root)), ...(await readdir(join(this.#root, 'work')))];
    return [...new Set(names.map((name) => name.replace(/\..*$/, '')).filter((name) => ID.test(name)))];
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }
}

/** Ids come from us. Should that ever change by mistake, this is where it ends. */
function own(copyId: string): string {
  if (!ID.test(copyId)) throw new RangeError('no id of a copy');
  return copyId;
}
