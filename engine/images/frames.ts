/**
 * A frame of each movie as its picture, until there is artwork. Owns: the job that makes those that are missing, and which
 * of them somebody is looking at right now. Rules: PIC1 to PIC3 and PIC8 of SPEC.md.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { servedSize } from '#engine/media/artwork-size.ts';
import { PASSING_FAILURES } from '#engine/media/media-failure.ts';
import { Lane } from '#engine/runtime/lane.ts';
import type { JobPort, MediaPort, PictureCachePort, Pictureless, PictureStore, RunningJob } from './ports.ts';

export interface FrameOptions {
  readonly store: Pick<PictureStore, 'pictureless' | 'picturelessCount' | 'setFrame'>;
  readonly media: MediaPort;
  readonly cache: Pick<PictureCachePort, 'put'>;
  readonly jobs: JobPort;
  readonly clock: Clock;
  readonly log: Log;
  /** While a scan runs, only pictures that somebody looks for are made. */
  readonly isScanning: () => boolean;
}

/** Sharp behind the words of a page; narrower sizes are made from it. */
const WIDTH_PX = 1280;
/** Past the titles, before the story is told. */
const AT_FRACTION = 0.2;
const AT_ONCE = 2;
const BATCH = 16;
const MAX_WANTED = 500;
const PAUSE_MS = 500;
/** Under which name the bytes of a frame lie in the cache. */
export const sourceName = (version: string): string => `${version}.source`;

export class Frames {
  readonly #options: FrameOptions;
  readonly #stop = new AbortController();
  /** Movies whose tiles are on somebody's screen, the latest last. */
  readonly #wanted = new Set<string>();
  /** Movies of which no picture could be made since the server started. */
  readonly #putOff = new Set<string>();
  #job: Promise<unknown> | null = null;
  #isDue = false;

  constructor(options: FrameOptions) {
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

  /** One that the cache has lost, while somebody waits for it [PIC7]. `null` where it cannot be made. */
  async again(moviePath: string): Promise<Uint8Array | null> {
    const outcome = await this.#frame(moviePath, 'interactive', this.#stop.signal);
    return outcome.ok ? outcome.bytes : null;
  }

  #frame(path: string, priority: 'interactive' | 'background', signal: AbortSignal) {
    return this.#options.media.picture(path, { widthPx: WIDTH_PX, atFraction: AT_FRACTION }, { priority, signal });
  }

  async #run(): Promise<void> {
    const { jobs, store, log } = this.#options;
    try {
      while (this.#isDue) {
        this.#isDue = false;
        if ((await this.#nextBatch()).length === 0) continue;
        const total = await store.picturelessCount();
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
        if (!this.#options.isScanning() || (await this.#options.store.picturelessCount()) <= this.#putOff.size) return;
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
    const { store, isScanning } = this.#options;
    const except = [...this.#putOff];
    if (this.#wanted.size > 0) {
      const latest = [...this.#wanted].slice(-BATCH);
      const batch = await store.pictureless(BATCH, { among: latest, except });
      if (batch.length > 0) return batch;
      for (const movieId of latest) this.#wanted.delete(movieId);
      return this.#nextBatch();
    }
    return isScanning() ? [] : store.pictureless(BATCH, { among: null, except });
  }

  async #make({ movieId, fileId, path }: Pictureless, signal: AbortSignal): Promise<void> {
    const { store, cache } = this.#options;
    const priority = this.#wanted.delete(movieId) ? 'interactive' : 'background';
    const outcome = await this.#frame(path, priority, signal);
    if (!outcome.ok) {
      this.#putOff.add(movieId);
      if (!PASSING_FAILURES.has(outcome.failure)) await store.setFrame(movieId, fileId, null);
      return;
    }
    const version = randomBytes(16).toString('base64url');
    // On disk before anybody is told of it [PIC3].
    await cache.put(sourceName(version), outcome.bytes);
    const { widthPx, heightPx } = outcome;
    await store.setFrame(movieId, fileId, { version, size: servedSize({ widthPx, heightPx }) });
  }
}
