/**
 * Pictures in sizes: fetches what is promised, and makes what is asked for. Owns: what is being fetched and made at the moment. Everything
 * made is kept in the cache, and may be gone from there at any time. Rules: IMG1 to IMG8 of SPEC.md.
 */
import { createHash } from 'node:crypto';
import type { ArtworkFailure, ArtworkSource } from '#engine/hosts/artwork.port.ts';
import { commonFailure } from '#protocol/errors.ts';
import { sourceName } from './frames.ts';
import type { Frames } from './frames.ts';
import type {
  ArtworkFolderPort,
  ArtworkThreadsPort,
  KnownPicture,
  PictureCachePort,
  PictureStore,
  RemotePictures,
} from './ports.ts';
import { SharedWork } from './shared-work.ts';

export interface RenditionOptions {
  readonly store: Pick<PictureStore, 'noteSeen' | 'noteFailure'>;
  readonly cache: PictureCachePort;
  readonly threads: Pick<ArtworkThreadsPort, 'render'>;
  readonly remote: RemotePictures;
  readonly folders: Pick<ArtworkFolderPort, 'file'>;
  readonly frames: Pick<Frames, 'again'>;
  /** What lies beside this movie is not what it was. */
  readonly onStale: (movieId: string) => void;
  readonly signal: AbortSignal;
}

/** Failures of where a file lies, not of the file. */
const PASSING: ReadonlySet<ArtworkFailure> = new Set<ArtworkFailure>(['notFound', 'notReadable', 'notAFile']);
const BUSY_RETRY_MS = 2_000;
/** A backdrop as TMDB has it may be many times as large as the largest that is ever shown: then that is what is kept. */
const MAX_KEPT_BYTES = 500e3;

/** A picture beside a movie has another version when its file was replaced. */
export const localVersion = (
  libraryId: string,
  path: string,
  file: { readonly sizeBytes: number; readonly mtimeUs: number },
): string =>
  createHash('sha256')
    .update(`1 local ${libraryId} ${path} ${file.sizeBytes} ${file.mtimeUs}`)
    .digest('base64url')
    .slice(0, 22);

export class Renditions {
  readonly #options: RenditionOptions;
  /** Those that wait for the network stand in nobody else's way. */
  readonly #remote = new SharedWork<string>({ atOnce: 6, capacity: 300 });
  readonly #local = new SharedWork<string>({ atOnce: 4, capacity: 300 });
  readonly #fetching = new SharedWork<Uint8Array>({ atOnce: 6, capacity: 300 });

  constructor(options: RenditionOptions) {
    this.#options = options;
  }

  /**
   * Absolute path of a picture in a width, `null`: as wide as it is served. Throws `notFound` where it can never be shown or is not there now, and
   * `overloaded` where it can be had later.
   */
  async find(picture: KnownPicture, widthPx: number | null, signal: AbortSignal): Promise<string> {
    if (picture.failure !== null) throw notFound(picture);
    const { cache } = this.#options;
    const isFrame = picture.source === 'frame';
    const width = widthPx !== null && widthPx < picture.widthPx ? widthPx : null;
    // A frame was made by us, as WebP, and as wide as it is served.
    const name = width === null && isFrame ? sourceName(picture.version) : `${picture.version}-${width ?? 'full'}.webp`;
    const found = await cache.find(name);
    if (found !== null) return found;
    const work = picture.source === 'tmdb' ? this.#remote : this.#local;
    const made = await work.ask(name, signal, () => this.#make(picture, width, name));
    if (made === null) throw commonFailure('overloaded', { retryAfterMs: BUSY_RETRY_MS });
    return made;
  }

  async #make(picture: KnownPicture, widthPx: number | null, name: string): Promise<string> {
    const { cache, threads, store } = this.#options;
    const source = await this.#source(picture);
    if (name !== sourceName(picture.version)) {
      const outcome = await threads.render(source, { widthPx, wantsPlaceholder: !picture.hasPlaceholder });
      if (!outcome.ok) return await this.#failed(picture, source, outcome.failure);
      // On disk before anybody is told of it.
      await cache.put(name, outcome.bytes);
      const { size, placeholder } = outcome;
      if (placeholder !== null || size.widthPx !== picture.widthPx || size.heightPx !== picture.heightPx) {
        await store.noteSeen(picture.id, picture.version, { size, placeholder });
      }
    }
    const path = await cache.find(name);
    if (path === null) throw commonFailure('overloaded', { retryAfterMs: BUSY_RETRY_MS });
    return path;
  }

  /** Bytes to make sizes from: kept where they cost something to get. */
  async #source(picture: KnownPicture): Promise<ArtworkSource> {
    const { cache, folders, onStale, signal } = this.#options;
    if (picture.source === 'local') {
      const { libraryId, libraryPath, location } = picture;
      const file = libraryPath === null ? null : await folders.file(libraryPath, location);
      if (file === null) throw notFound(picture);
      if (localVersion(libraryId ?? '', location, file) !== picture.version) {
        if (picture.movieId !== null) onStale(picture.movieId);
        throw notFound(picture);
      }
      return { kind: 'file', path: file.realPath };
    }
    const name = sourceName(picture.version);
    const kept = await cache.find(name);
    if (kept !== null) return { kind: 'file', path: kept };
    const bytes = await this.#fetching.ask(name, signal, () => this.#fetch(picture, name));
    if (bytes === null) throw commonFailure('overloaded', { retryAfterMs: BUSY_RETRY_MS });
    return { kind: 'bytes', bytes };
  }

  async #fetch(picture: KnownPicture, name: string): Promise<Uint8Array> {
    const { cache, remote, frames, store, signal } = this.#options;
    if (picture.source === 'frame') {
      const bytes = picture.moviePath === null ? null : await frames.again(picture.moviePath);
      if (bytes === null) throw notFound(picture);
      await cache.put(name, bytes);
      return bytes;
    }
    const outcome = await remote.fetch(picture.location, picture.role, signal);
    switch (outcome.kind) {
      case 'bytes': {
        const kept = await this.#lighten(picture, outcome.bytes);
        await cache.put(name, kept);
        return kept;
      }
      case 'away':
        throw commonFailure(
          'overloaded',
          { retryAfterMs: Math.ceil(outcome.retryAfterMs) },
          'TMDB’s pictures cannot be had at the moment.',
        );
      case 'gone':
      case 'tooLarge':
        await store.noteFailure(picture.id, picture.version, outcome.kind);
        throw notFound(picture);
    }
  }

  async #lighten(picture: KnownPicture, bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.byteLength <= MAX_KEPT_BYTES) return bytes;
    const source: ArtworkSource = { kind: 'bytes', bytes };
    const outcome = await this.#options.threads.render(source, { widthPx: null, wantsPlaceholder: false });
    return outcome.ok ? outcome.bytes : await this.#failed(picture, source, outcome.failure);
  }

  async #failed(picture: KnownPicture, source: ArtworkSource, failure: ArtworkFailure): Promise<never> {
    const { cache, store } = this.#options;
    const isFromCache = source.kind === 'file' && picture.source !== 'local';
    if (picture.source !== 'local') await cache.remove(sourceName(picture.version));
    // What lay in the cache may have been damaged there: the next one to ask fetches it anew.
    if (isFromCache) throw commonFailure('overloaded', { retryAfterMs: BUSY_RETRY_MS });
    if (!PASSING.has(failure)) await store.noteFailure(picture.id, picture.version, failure);
    throw notFound(picture);
  }
}

const notFound = ({ id }: KnownPicture) => commonFailure('notFound', { what: 'picture', id });
