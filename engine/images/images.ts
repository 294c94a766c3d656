/**
 * The domain of pictures, put together. Owns: frames being made, sizes being made, looks that are due. `house.ts` hands in what it needs and takes
 * out the route and what other domains ask of it. Rules: SPEC.md.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { isArtworkName } from '#engine/media/local-artwork.ts';
import { commonFailure } from '#protocol/errors.ts';
import { PICTURE_WIDTHS } from '#protocol/schema/picture.ts';
import { Id } from '#protocol/schema/scalar.ts';
import { Frames } from './frames.ts';
import { lookBeside } from './local-look.ts';
import type {
  ArtworkFolderPort,
  ArtworkThreadsPort,
  JobPort,
  MediaPort,
  PictureCachePort,
  PictureStore,
  RemotePictures,
  RunningJob,
  WorkPort,
} from './ports.ts';
import { Renditions } from './renditions.ts';

export interface ImagesPorts {
  readonly store: PictureStore;
  readonly cache: PictureCachePort;
  readonly threads: ArtworkThreadsPort;
  readonly folders: ArtworkFolderPort;
  readonly remote: RemotePictures;
  readonly media: MediaPort;
  readonly jobs: JobPort;
  readonly work: WorkPort;
  readonly clock: Clock;
  readonly log: Log;
  /** While a scan runs, only frames that somebody looks for are made. */
  readonly isScanning: () => boolean;
}

/** The part of the gateway's routes that this domain needs; the types match by shape. */
export interface PictureRoute {
  readonly method: 'GET';
  readonly path: `/${string}`;
  readonly access: 'session';
  handle(
    request: {
      readonly params: Readonly<Record<string, string>>;
      readonly query: URLSearchParams;
      readonly signal: AbortSignal;
    },
    response: {
      file(file: { path: string; contentType: string; cacheControl: string; etag: string }): Promise<void>;
    },
  ): Promise<void>;
}

/** A version never names another picture. Only for the browser of who is signed in. */
const CACHE_CONTROL = 'private, max-age=31536000, immutable';
const BATCH = 50;

/** `new`: movies whose files came or moved since they were looked at. */
export type Look =
  | 'new'
  | { readonly libraryId: string }
  | { readonly libraryId: string; readonly folders: readonly string[] }
  | { readonly movieIds: readonly string[] };

/** What an order of the kind `image` carries. */
const LookOrder = v.variant('look', [
  /** Movies whose files came or moved since they were looked at. */
  v.object({ look: v.literal('new') }),
  v.object({ look: v.literal('library'), libraryId: Id }),
  v.object({ look: v.literal('folders'), libraryId: Id, folders: v.pipe(v.array(v.string()), v.maxLength(1_000)) }),
  v.object({ look: v.literal('movies'), movieIds: v.pipe(v.array(Id), v.maxLength(1_000)) }),
]);

export class Images implements AsyncDisposable {
  readonly #ports: ImagesPorts;
  readonly #frames: Frames;
  readonly #renditions: Renditions;
  readonly #stop = new AbortController();
  readonly #endReturns: () => void;

  constructor(ports: ImagesPorts) {
    this.#ports = ports;
    const { store, cache, threads, remote, folders } = ports;
    this.#frames = new Frames(ports);
    this.#renditions = new Renditions({
      ...{ store, cache, threads, remote, folders },
      frames: this.#frames,
      onStale: (movieId) => this.look({ movieIds: [movieId] }),
      signal: this.#stop.signal,
    });
    // Two: a movie does not wait for a library.
    ports.work.handle('image', { concurrency: 2, title: 'Looking for artwork' }, (payload, job) =>
      this.#look(payload, job),
    );
    this.#endReturns = ports.work.onReturn(() => this.look('new'));
  }

  /** Movies without a picture of any kind get a frame of themselves. */
  wake(): void {
    this.#frames.wake();
  }

  /** These are on a screen without a picture: their frames come first. */
  want(movieIds: readonly string[]): void {
    this.#frames.want(movieIds);
  }

  /**
   * Has the folders of movies looked at for artwork, later and in the background. Never rejects: what could not be ordered is made up
   * for by the next look.
   */
  look(what: Look): void {
    const payload =
      what === 'new'
        ? { look: 'new' }
        : 'movieIds' in what
          ? { look: 'movies', ...what }
          : { look: 'folders' in what ? 'folders' : 'library', ...what };
    const key = createHash('sha256').update(JSON.stringify(payload)).digest('base64url');
    const isNamed = payload.look === 'movies' || payload.look === 'folders';
    this.#ports.work
      .order([{ kind: 'image', payload, key, urgency: isNamed ? 'normal' : 'bulk' }])
      .catch((error: unknown) => this.#ports.log.warn('artwork is looked for later', { error }));
  }

  /** These places of a library were scanned, `''` for all. */
  scanned(libraryId: string, scopes: readonly string[]): void {
    this.wake();
    if (scopes.includes('')) return this.look({ libraryId });
    this.look('new');
    // A picture that came or went, and a folder that changed. What moved is new.
    const folders = scopes.map((path) => (isArtworkName(path) ? path.replace(/(?:^|\/)[^/]*$/, '') : path));
    if (folders.length > 0) this.look({ libraryId, folders: [...new Set(folders)] });
  }

  readonly route: PictureRoute = {
    method: 'GET',
    path: '/images/{pictureId}/{version}',
    access: 'session',
    handle: async ({ params, query, signal }, response) => {
      const { pictureId = '', version = '' } = params;
      const widthPx = widthOf(query.get('w'));
      // What a client names is compared with what is stored, and opens nothing by itself [IMG1].
      const picture = v.is(Id, pictureId) ? await this.#ports.store.find(pictureId) : null;
      if (picture?.version !== version) throw commonFailure('notFound', { what: 'picture', id: pictureId });
      const path = await this.#renditions.find(picture, widthPx, signal);
      await response.file({
        path,
        contentType: 'image/webp',
        cacheControl: CACHE_CONTROL,
        etag: `"${version}-${widthPx ?? 'full'}"`,
      });
    },
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endReturns();
    this.#stop.abort(new Error('pictures are no longer served'));
    await this.#frames.stop();
  }

  async #look(payload: unknown, job: RunningJob): Promise<{ kind: 'done' }> {
    const order = v.parse(LookOrder, payload);
    const signal = AbortSignal.any([job.signal, this.#stop.signal]);
    let done = 0;
    const look = async (movieIds: readonly string[]): Promise<void> => {
      await lookBeside(this.#ports, movieIds, signal);
      done += movieIds.length;
      job.progress({ done });
    };
    if (order.look === 'movies' || order.look === 'folders') {
      const { store } = this.#ports;
      await look(order.look === 'movies' ? order.movieIds : await store.moviesIn(order.libraryId, order.folders));
      return { kind: 'done' };
    }
    if (order.look === 'new') {
      for (;;) {
        const movieIds = await this.#ports.store.unlooked(BATCH);
        if (movieIds.length === 0) return { kind: 'done' };
        await look(movieIds);
      }
    }
    await this.#ports.store.forgetNameless();
    let lastId: string | null = null;
    for (;;) {
      const movieIds: string[] = await this.#ports.store.moviesOf(order.libraryId, lastId, BATCH);
      lastId = movieIds.at(-1) ?? null;
      if (lastId === null) return { kind: 'done' };
      await look(movieIds);
    }
  }
}

/** `null`: as wide as it is. Few widths, so that the cache holds few sizes of each. */
function widthOf(text: string | null): number | null {
  if (text === null) return null;
  const width = PICTURE_WIDTHS.find((one) => String(one) === text);
  if (width === undefined) {
    const message = `must be one of ${PICTURE_WIDTHS.join(', ')}`;
    throw commonFailure('badRequest', { issues: [{ path: '/w', message }] });
  }
  return width;
}
