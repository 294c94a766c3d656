/**
 * Subtitle tracks as WebVTT files. Owns: the files that were made lately, and the extractions under way [PLAY21] [PLAY22].
 *
 * Reading a track means reading the whole movie file, so it is done once for everyone who asks at the same time, and the result stays.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Log } from '#engine/base/log.ts';
import type { PlaybackHosts, ScratchPort, StoredFile } from './ports.ts';
import { RenditionError } from './rendition-error.ts';

const FOLDER = 'subtitles';
/** The talk of a thousand movies. */
const QUOTA_BYTES = 128 << 20;

interface Extraction {
  readonly done: Promise<string>;
  readonly abort: AbortController;
  waiting: number;
}

export class SubtitleShelf {
  readonly #hosts: PlaybackHosts;
  readonly #scratch: ScratchPort;
  readonly #log: Log;
  readonly #sizes: LRUCache<string, number>;
  readonly #extractions = new Map<string, Extraction>();
  #folder: Promise<void> | null = null;

  constructor(options: { hosts: PlaybackHosts; scratch: ScratchPort; log: Log }) {
    this.#hosts = options.hosts;
    this.#scratch = options.scratch;
    this.#log = options.log;
    this.#sizes = new LRUCache<string, number>({
      maxSize: QUOTA_BYTES,
      sizeCalculation: (sizeBytes) => sizeBytes,
      dispose: (_size, name, reason) => {
        if (reason === 'evict') this.#remove(name);
      },
    });
  }

  /** The path of a track's WebVTT file. Rejects with a RenditionError, or with the signal's reason. */
  async track(file: StoredFile, trackIndex: number, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const name = `${hashOf([file.id, file.sizeBytes, file.mtimeUs, trackIndex])}.vtt`;
    if (this.#sizes.get(name) !== undefined) return this.#scratch.pathOf(FOLDER, name);
    let extraction = this.#extractions.get(name);
    if (!extraction) {
      const abort = new AbortController();
      const done = this.#extract(name, file, trackIndex, abort.signal).finally(() => this.#extractions.delete(name));
      done.catch(() => undefined); // told to whoever still waits
      extraction = { done, abort, waiting: 0 };
      this.#extractions.set(name, extraction);
    }
    return await this.#waitFor(name, extraction, signal);
  }

  /** A path that was handed out leads nowhere: made again when next asked for. */
  forget(file: StoredFile, trackIndex: number): void {
    this.#folder = null;
    this.#sizes.delete(`${hashOf([file.id, file.sizeBytes, file.mtimeUs, trackIndex])}.vtt`);
  }

  async #waitFor(name: string, extraction: Extraction, signal: AbortSignal): Promise<string> {
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    extraction.waiting++;
    try {
      return await Promise.race([extraction.done, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      if (--extraction.waiting === 0) {
        extraction.abort.abort();
        // Who asks from now on must not wait for one that was given up.
        if (this.#extractions.get(name) === extraction) this.#extractions.delete(name);
      }
    }
  }

  async #extract(name: string, file: StoredFile, trackIndex: number, signal: AbortSignal): Promise<string> {
    const startMs = file.media?.startMs ?? 0;
    const result = await this.#hosts.subtitle(file.path, { trackIndex, startMs }, { signal });
    if (!result.ok) {
      this.#log.warn('subtitles could not be read', { path: file.path, trackIndex, failure: result.failure });
      throw new RenditionError('failed', result.failure);
    }
    const bytes = Buffer.from(result.text);
    await (this.#folder ??= this.#scratch.createFolder(FOLDER));
    await this.#scratch.writeFile(FOLDER, name, bytes);
    this.#sizes.set(name, Math.max(1, bytes.length));
    return this.#scratch.pathOf(FOLDER, name);
  }

  #remove(name: string): void {
    this.#scratch.removeFile(FOLDER, name).catch((error: unknown) => {
      this.#log.warn('a subtitle file could not be removed', { error, name });
    });
  }
}

function hashOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
