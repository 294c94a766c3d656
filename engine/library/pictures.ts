/**
 * A frame of each movie as its picture, until there is artwork. Owns: the job that makes those that are missing, and which
 * of them somebody is looking at right now. Rules: PIC1 to PIC8 of SPEC.md.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { commonFailure } from '#protocol/errors.ts';
import { Lane } from './lane.ts';
import type { JobPort, MediaPort, MovieStore, PictureCachePort, Pictureless, RunningJob } from './ports.ts';

export interface PictureOptions {
  readonly movies: Pick<MovieStore, 'pictureless' | 'picturelessCount' | 'setPicture' | 'pictureOf'>;
  readonly media: Pick<MediaPort, 'picture'>;
  readonly cache: PictureCachePort;
  readonly jobs: JobPort;
  readonly clock: Clock;
  readonly log: Log;
  /** While a scan runs, only pictures that somebody looks for are made. */
  readonly isScanning: () => boolean;
}

/** Twice the width of a tile, for dense screens. */
const WIDTH_PX = 640;
/** Past the titles, before the story is told. */
const AT_FRACTION = 0.2;
const AT_ONCE = 2;
const BATCH = 16;
const MAX_WANTED = 500;
const PAUSE_MS = 500;
/** A version never names another picture. Only for the browser of who is signed in. */
const CACHE_CONTROL = 'private, max-age=31536000, immutable';
/** Failures that may pass: another process of the server tries again; the others wait for another file. */
const PASSING: ReadonlySet<MediaFailure> = new Set<MediaFailure>([
  'notFound',
  'notReadable',
  'timeout',
  'crashed',
  'internal',
]);

/** `/images/movie/<movieId>/<version>.webp` */
export const pictureUrl = (movieId: string, version: string): string => `/images/movie/${movieId}/${version}.webp`;

/** The part of the gateway's routes that this domain needs; the types match by shape. */
export interface PictureRoute {
  readonly method: 'GET';
  readonly path: `/${string}`;
  readonly access: 'session';
  handle(
    request: { readonly params: Readonly<Record<string, string>>; readonly signal: AbortSignal },
    response: {
      file(file: { path: string; contentType: string; cacheControl: string; etag: string }): Promise<void>;
    },
  ): Promise<void>;
}

export class Pictures {
  readonly #options: PictureOptions;
  readonly #stop = new AbortController();
  /** Movies whose tiles are on somebody's screen, the latest last. */
  readonly #wanted = new Set<string>();
  /** Movies of which no picture could be made since the server started. */
  readonly #putOff = new Set<string>();
  /** Pictures that the cache no longer has and somebody waits for. */
  readonly #remaking = new Map<string, Promise<boolean>>();
  readonly #remakes = new Lane(AT_ONCE);
  #job: Promise<unknown> | null = null;
  #isDue = false;

  constructor(options: PictureOptions) {
    this.#options = options;
  }

  /** There may be movies without a picture: makes them, unless that is under way. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    this.#isDue = true;
    this.#job ??= this.#run().finally(() => {
      this.#job = null;
    });
  }

  /** These are on a screen without a picture: theirs come first, also while a scan runs [PIC2]. */
  want(movieIds: readonly string[]): void {
    if (movieIds.length === 0) return;
    for (const movieId of movieIds) {
      this.#wanted.delete(movieId);
      this.#wanted.add(movieId);
    }
    for (const movieId of this.#wanted) {
      if (this.#wanted.size <= MAX_WANTED) break;
      this.#wanted.delete(movieId);
    }
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('pictures are no longer made'));
    await this.#job;
  }

  readonly route: PictureRoute = {
    method: 'GET',
    path: '/images/movie/{movieId}/{file}',
    access: 'session',
    handle: async ({ params, signal }, response) => {
      const movieId = params['movieId'] ?? '';
      const version = /^([\w-]{16,64})\.webp$/.exec(params['file'] ?? '')?.[1] ?? '';
      const isId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(movieId);
      const picture = isId && version !== '' ? await this.#find(movieId, version) : null;
      signal.throwIfAborted();
      if (!picture) throw commonFailure('notFound', { what: 'picture', id: movieId });
      await response.file({ ...picture, cacheControl: CACHE_CONTROL, etag: `"${version}"` });
    },
  };

  /** [PIC4] What a client names is compared with what is stored, and opens nothing by itself. */
  async #find(movieId: string, version: string): Promise<{ path: string; contentType: string } | null> {
    const { movies, cache } = this.#options;
    const current = await movies.pictureOf(movieId);
    if (current?.version !== version) return null;
    const found = await cache.find(version);
    if (found || current.path === null) return found;
    return (await this.#remake(version, current.path)) ? cache.find(version) : null;
  }

  /** A picture that the quota drove out is made again while its reader waits [PIC7]. */
  #remake(version: string, path: string): Promise<boolean> {
    const running = this.#remaking.get(version);
    if (running) return running;
    const made = this.#remakes
      .run(async () => {
        const outcome = await this.#frame(path, 'interactive', this.#stop.signal);
        if (outcome.ok) await this.#options.cache.put(version, outcome.bytes);
        return outcome.ok;
      })
      .finally(() => this.#remaking.delete(version));
    this.#remaking.set(version, made);
    return made;
  }

  #frame(path: string, priority: 'interactive' | 'background', signal: AbortSignal) {
    return this.#options.media.picture(path, { widthPx: WIDTH_PX, atFraction: AT_FRACTION }, { priority, signal });
  }

  async #run(): Promise<void> {
    const { jobs, movies, log } = this.#options;
    try {
      while (this.#isDue) {
        this.#isDue = false;
        if ((await this.#nextBatch()).length === 0) continue;
        const total = await movies.picturelessCount();
        const { ended } = await jobs.run({ kind: 'pictures', subject: 'Pictures', libraryId: null }, (job) =>
          this.#work(job, total),
        );
        const { state } = await ended;
        // Cancelled means not now; failed would fail again. The next scan or screen asks anew.
        if (state !== 'succeeded') this.#isDue = false;
      }
    } catch (error) {
      log.error('pictures could not be made', { error });
    }
  }

  async #work(job: RunningJob, expected: number): Promise<void> {
    const signal = AbortSignal.any([job.signal, this.#stop.signal]);
    let done = 0;
    let total = expected;
    for (;;) {
      signal.throwIfAborted();
      const batch = await this.#nextBatch();
      if (batch.length === 0) {
        if (!this.#options.isScanning() || (await this.#options.movies.picturelessCount()) <= this.#putOff.size) return;
        await this.#options.clock.sleep(PAUSE_MS, signal);
        continue;
      }
      const lane = new Lane(AT_ONCE);
      await Promise.all(
        batch.map((one) =>
          lane.run(async () => {
            signal.throwIfAborted();
            await this.#make(one, signal);
            done++;
            total = Math.max(total, done);
            job.progress({ done, total });
          }),
        ),
      );
    }
  }

  /** What is on screens first; the rest when no scan runs. */
  async #nextBatch(): Promise<Pictureless[]> {
    const { movies, isScanning } = this.#options;
    const except = [...this.#putOff];
    if (this.#wanted.size > 0) {
      const latest = [...this.#wanted].slice(-BATCH);
      const batch = await movies.pictureless(BATCH, { among: latest, except });
      if (batch.length > 0) return batch;
      for (const movieId of latest) this.#wanted.delete(movieId);
      return this.#nextBatch();
    }
    return isScanning() ? [] : movies.pictureless(BATCH, { among: null, except });
  }

  async #make({ movieId, fileId, path }: Pictureless, signal: AbortSignal): Promise<void> {
    const { movies, cache } = this.#options;
    const priority = this.#wanted.delete(movieId) ? 'interactive' : 'background';
    const outcome = await this.#frame(path, priority, signal);
    if (!outcome.ok) {
      this.#putOff.add(movieId);
      if (!PASSING.has(outcome.failure)) await movies.setPicture(movieId, fileId, null);
      return;
    }
    const version = randomBytes(16).toString('base64url');
    // On disk before anybody is told of it [PIC3].
    await cache.put(version, outcome.bytes);
    await movies.setPicture(movieId, fileId, { version, widthPx: outcome.widthPx, heightPx: outcome.heightPx });
  }
}
