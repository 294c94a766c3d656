/** Pictures on a test's database, as the house puts them together; what is ordered is done at once. */
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { ArtworkThreads } from '#engine/hosts/artwork-threads.ts';
import { Images } from '#engine/images/images.ts';
import type { JobPort, MediaPort, PictureStore, WorkPort } from '#engine/images/ports.ts';
import { REMOTE_SIZES, createRemotePictures } from '#engine/images/remote-pictures.ts';
import { artworkFolder } from '#engine/store/files/artwork-folder.ts';
import { PictureCache } from '#engine/store/files/picture-cache.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import { createPictureStore } from '#engine/store/postgres/picture-store.ts';

export interface TestImages extends AsyncDisposable {
  readonly images: Images;
  readonly store: PictureStore;
  readonly cache: PictureCache;
  /** Resolves when nothing that was ordered is under way. Rejects as the first of it did. */
  settled(): Promise<void>;
}

export interface TestImagesOptions {
  /** Of the cache. */
  readonly folder: string;
  readonly media: MediaPort;
  readonly jobs: JobPort;
  readonly quotaBytes?: number;
  /** Where posters come from; nothing listens there unless told. */
  readonly remoteUrl?: string;
  readonly remoteTimeLimitMs?: number;
  readonly isScanning?: () => boolean;
}

export async function openImages(sql: Sql, options: TestImagesOptions): Promise<TestImages> {
  const store = createPictureStore(sql, { sizes: REMOTE_SIZES });
  const threads = new ArtworkThreads({ threads: 2 });
  const cache = await PictureCache.open(options.folder, options.quotaBytes ?? 1e8);
  const done: Promise<unknown>[] = [];
  let work: Parameters<WorkPort['handle']>[2] | undefined;
  const images = new Images({
    ...{ store, cache, threads, folders: artworkFolder, clock: systemClock, log: silentLog },
    media: options.media,
    jobs: options.jobs,
    isScanning: options.isScanning ?? (() => false),
    remote: createRemotePictures({
      baseUrl: options.remoteUrl ?? 'http://127.0.0.1:9',
      clock: systemClock,
      log: silentLog,
      timeLimitMs: options.remoteTimeLimitMs ?? 5_000,
    }),
    work: {
      onReturn: () => () => undefined,
      handle: (_kind, _options, does) => {
        work = does;
      },
      order: async (orders) => {
        for (const { payload } of orders) {
          done.push(work!(payload, { signal: new AbortController().signal, progress: () => undefined }));
        }
      },
    },
  });
  return {
    ...{ images, store, cache },
    async settled() {
      while (done.length > 0) await done.shift();
    },
    async [Symbol.asyncDispose]() {
      await images[Symbol.asyncDispose]();
      await Promise.allSettled(done);
      await threads[Symbol.asyncDispose]();
    },
  };
}
