/** Subtitles that people handed in. Owns everything below its folder: one file for each, named by its id. They can't be made again. */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReceivedSubtitle, SubtitleVault } from '#engine/playback/ports.ts';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UNFINISHED = /^(.*)\.part$/;

export class FileSubtitleVault implements SubtitleVault {
  readonly #root: string;
  /** Ids of files on their way in this life. */
  readonly #coming = new Set<string>();

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

  async receive(subtitleId: string, chunks: AsyncIterable<Uint8Array>): Promise<ReceivedSubtitle> {
    const whole = this.pathOf(subtitleId);
    const path = `${whole}.part`;
    this.#coming.add(subtitleId);
    const end = async (): Promise<void> => {
      await rm(path, { force: true });
      this.#coming.delete(subtitleId);
    };
    try {
      const sizeBytes = await writeAll(path, chunks);
      return {
        path,
        sizeBytes,
        keep: () => rename(path, whole),
        [Symbol.asyncDispose]: end,
      };
    } catch (error) {
      await end();
      throw error;
    }
  }

  async remove(subtitleId: string): Promise<void> {
    await rm(this.pathOf(subtitleId), { force: true });
  }

  async sweep(known: () => Promise<ReadonlySet<string>>): Promise<void> {
    const names = await readdir(this.#root);
    const ids = await known();
    for (const name of names) {
      const path = join(this.#root, name);
      const unfinished = UNFINISHED.exec(name)?.[1];
      if (unfinished !== undefined) {
        if (this.#coming.has(unfinished)) continue;
        // The store has its id only when the file has come as a whole: what was missing is its name.
        if (ids.has(unfinished)) await rename(path, join(this.#root, unfinished)).catch(ifThere);
        else await rm(path, { force: true });
      } else if (ids.size > 0 && !ids.has(name)) await rm(path, { force: true });
    }
  }
}

async function writeAll(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  await using file = await open(path, 'wx', 0o600);
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    await file.writeFile(chunk);
    sizeBytes += chunk.byteLength;
  }
  // It must not be known of before it is on the disk.
  await file.sync();
  return sizeBytes;
}

/** What came in since has got its name by itself. */
function ifThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

/** Whether a regular file lies there. */
export async function hasFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
