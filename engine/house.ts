/**
 * Everything behind the front door, put together: stores, hosts, domains, feeds. A part of the composition root, so it may
 * know everybody; what it builds knows only its own ports.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createAccounts } from './accounts/handlers.ts';
import { systemClock } from './base/clock.ts';
import { createUuidFactory } from './base/ids.ts';
import { createDispatcher } from './base/http-json.ts';
import type { Log } from './base/log.ts';
import { Catalogue } from './catalogue/catalogue.ts';
import type { Config } from './config.ts';
import { Downloads } from './downloads/downloads.ts';
import { Hardware } from './hardware/hardware.ts';
import { FeedHub } from './feeds/feed-hub.ts';
import { healthSource, jobsSource, preferencesSource, progressSource, screensSource } from './feed-sources.ts';
import { bindHandlers } from './gateway/dispatch.ts';
import type { HouseOptions } from './gateway/gateway.ts';
import { HealthBoard } from './health/health-board.ts';
import { ArtworkThreads } from './hosts/artwork-threads.ts';
import { HashPool } from './hosts/hash-pool.ts';
import { MediaHosts } from './hosts/media-hosts.ts';
import type { QuarantinedFile } from './hosts/media-supervisor.port.ts';
import { DurableWork } from './jobs/durable-work.ts';
import { WORK_KINDS } from './jobs/ports.ts';
import { Images } from './images/images.ts';
import type { ImagesPorts } from './images/images.ts';
import { REMOTE_SIZES, createRemotePictures } from './images/remote-pictures.ts';
import { createJobs } from './jobs/handlers.ts';
import { JobBoard, JobFailure } from './jobs/job-board.ts';
import { WorkLines } from './jobs/work-lines.ts';
import { LibraryDomain } from './library/library.ts';
import { VIDEO_EXTENSIONS } from './media/file-name.ts';
import { ARTWORK_EXTENSIONS } from './media/local-artwork.ts';
import { SUBTITLE_EXTENSIONS } from './media/naming/sidecar-name.ts';
import { isOwnNfo } from './media/nfo-text.ts';
import { Moments } from './moments/moments.ts';
import { createMetadataHandlers } from './metadata/handlers.ts';
import { MetadataDomain } from './metadata/metadata.ts';
import type { MetadataPorts } from './metadata/metadata.ts';
import { TmdbClient } from './metadata/tmdb/tmdb-client.ts';
import { readPreferences, readRemembered } from './playback/person-wishes.ts';
import { createPlayback, encodeDefaults } from './playback/playback.ts';
import { createProgressHandlers } from './progress/handlers.ts';
import { RadarrDomain } from './radarr/radarr.ts';
import type { ShutdownSequence } from './runtime/shutdown.ts';
import { Screens } from './screens/screens.ts';
import { openSearch } from './search-setup.ts';
import { createSearchHandlers } from './search/handlers.ts';
import { artworkFolder } from './store/files/artwork-folder.ts';
import type { DataFolder } from './store/files/data-folder.ts';
import { DownloadFolder } from './store/files/download-folder.ts';
import { FolderLook } from './store/files/folder-look.ts';
import { createNfoFolder } from './store/files/nfo-folder.ts';
import { lateCache } from './store/files/late-cache.ts';
import { PictureCache } from './store/files/picture-cache.ts';
import { FileScratch } from './store/files/scratch.ts';
import { SubtitleCache } from './store/files/subtitle-cache.ts';
import { FileSubtitleVault, hasFile } from './store/files/subtitle-vault.ts';
import { TreeWalker } from './store/files/tree-walker.ts';
import { TreeWatcher } from './store/files/tree-watcher.ts';
import { createAccountStore } from './store/postgres/account-store.ts';
import { createBrowseStore } from './store/postgres/browse-store.ts';
import { createCatalogue } from './store/postgres/catalogue.ts';
import { createCollectionStore } from './store/postgres/collection-store.ts';
import { openChangeLog } from './store/postgres/change-feed.ts';
import type { PostgresAddress, Sql } from './store/postgres/connect.ts';
import { createDownloadStore } from './store/postgres/download-store.ts';
import { createEditStore } from './store/postgres/edit-store.ts';
import { createFactStore } from './store/postgres/fact-store.ts';
import { createJobStore } from './store/postgres/job-store.ts';
import { createMetadataStore, createReplyCache } from './store/postgres/metadata-store.ts';
import { createMomentStore } from './store/postgres/moment-store.ts';
import { createPersonStore } from './store/postgres/person-store.ts';
import { createPictureStore } from './store/postgres/picture-store.ts';
import { createPlaybackStore } from './store/postgres/playback-store.ts';
import { createPreferenceStore } from './store/postgres/preference-store.ts';
import { createProgressStore } from './store/postgres/progress-store.ts';
import { createRadarrStore } from './store/postgres/radarr-store.ts';
import { createSettingStore } from './store/postgres/setting-store.ts';
import { createSubtitleStore } from './store/postgres/subtitle-store.ts';
import { openQueueServer } from './store/queue/queue-server.ts';
import { createNameCards } from './store/search/name-cards.ts';
import { contract } from '#protocol/index.ts';
import type { FolderCheck } from '#protocol/schema/library.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '#protocol/version.ts';

export interface HouseParts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly sql: Sql;
  /** Where `sql` leads: the queue has connections of its own. */
  readonly address: PostgresAddress;
  readonly closing: ShutdownSequence;
  readonly log: Log;
  readonly version: string;
  /** Shows a setup code to the person at the console. */
  readonly printSetupCode: (code: string) => void;
  /** Shows them what is wrong with a folder that they named. */
  readonly printFolderProblem: (check: FolderCheck) => void;
}

/** How far back a client that was away can catch up by deltas. */
const CHANGES_KEPT_MS = 7 * 24 * 3_600_000;
const PRUNE_EVERY_MS = 3_600_000;
/** The text of ten thousand movies, or the pictures of a hundred. */
const SUBTITLE_QUOTA_BYTES = 2 * 1024 ** 3;
const QUARANTINE_FACT = 'quarantinedFiles';

/** Builds the house; whatever is opened registers with `closing` at once. */
export async function buildHouse(parts: HouseParts): Promise<HouseOptions> {
  const { config, folder, sql, closing, log } = parts;
  const clock = systemClock;
  const newId = createUuidFactory(clock);
  const health = new HealthBoard(clock);

  const changes = await openChangeLog(sql, (error) => log.warn('the change feed could not be heard', { error }));
  const pruning = clock
    .every(PRUNE_EVERY_MS, () => {
      changes.prune(CHANGES_KEPT_MS).catch((error: unknown) => log.warn('old changes stay', { error }));
    })
    .unref();
  closing.add('pruning', () => pruning[Symbol.dispose]());

  // Domains take their work (`handle`) while they are built; it begins with `work.start()`, when all of them have.
  const work = new DurableWork({
    server: await openQueueServer({
      redisUrl: config.redisUrl?.reveal() ?? null,
      postgres: parts.address,
      kinds: WORK_KINDS.length,
      log: log.child({ part: 'queue' }),
    }),
    health,
    clock,
    newId,
    log: log.child({ part: 'work' }),
  });
  closing.use('queue', work, 15_000);

  const accounts = await createAccounts({
    store: createAccountStore(sql),
    clock,
    newId,
    sessionLifetimeMs: config.sessionLifetimeMs,
    firstAdmin:
      config.adminName === null || config.adminPassword === null
        ? null
        : { name: config.adminName, password: config.adminPassword.reveal() },
    printSetupCode: parts.printSetupCode,
  });
  closing.add('accounts', () => accounts[Symbol.dispose]());

  const onQuarantine: ((files: readonly QuarantinedFile[]) => void)[] = [];
  const hosts = closing.use('media hosts', await openHosts(parts, health, onQuarantine), 10_000);
  const hashes = closing.use('hashing threads', new HashPool({ threads: Math.min(2, availableParallelism()) }));
  const jobs = new JobBoard({ store: createJobStore(sql), clock, newId, log: log.child({ part: 'jobs' }) });
  // Their owners start again by themselves: every library is looked at after a start.
  await jobs.takeInterrupted();
  const progress = createProgressStore(sql);

  const search = await openSearch({
    ...{ config, sql, changes, health, clock, closing },
    address: parts.address,
    queue: work,
    log: log.child({ part: 'search' }),
  });
  const stores = createCatalogue(sql, { newId });
  // Movies are joined, split and put away by others than scans, too.
  const counting = await changes.onChange(() => stores.forgetCounts());
  closing.add('counting', counting);
  const pictureStore = createPictureStore(sql, { sizes: REMOTE_SIZES });
  const images = await openImages(parts, {
    ...{ hosts, jobs, work, store: pictureStore },
    isScanning: () => library.isScanning,
  });
  const persons = createPersonStore(sql);
  const catalogue = closing.use(
    'catalogue',
    await Catalogue.start({
      store: createBrowseStore(sql),
      reader: stores.movies,
      edits: createEditStore(sql, { newId }),
      people: {
        ...persons,
        person(personId) {
          // Whoever's page is looked at is fetched for the next look.
          metadata.wantPerson(personId);
          return persons.person(personId);
        },
      },
      collections: createCollectionStore(sql, { newId }),
      pictures: pictureStore,
      ranking: search,
      changes,
      clock,
      log: log.child({ part: 'catalogue' }),
      wantPictures: (movieIds) => images.want(movieIds),
    }),
  );
  const walker = new TreeWalker({
    extensions: VIDEO_EXTENSIONS,
    subtitleExtensions: SUBTITLE_EXTENSIONS,
    excluded: [folder.path],
  });
  closing.add('tree walker', () => walker[Symbol.dispose]());
  const library = new LibraryDomain({
    ports: {
      libraries: stores.libraries,
      store: stores.scans,
      shown: catalogue.shown,
      walker,
      watcher: new TreeWatcher({
        pollIntervalMs: config.pollIntervalMs,
        extensions: [...VIDEO_EXTENSIONS, ...SUBTITLE_EXTENSIONS, ...ARTWORK_EXTENSIONS],
      }),
      folders: new FolderLook({ dataFolder: folder.path, extensions: VIDEO_EXTENSIONS }),
      pictures: images,
      hashes,
      media: hosts,
      jobs,
      health,
      clock,
      log: log.child({ part: 'library' }),
    },
    newId,
    watchMode: config.watchMode,
    deletionGraceMs: config.deletionGraceMs,
    jobFailure: (message) => new JobFailure(message),
  });
  closing.use('library', library, 15_000);
  // Closed before the library: scans that are cut short by the end count as such and not as failed [JOB7].
  closing.use('jobs', jobs, 15_000);
  const lines = new WorkLines({ work, clock, log: log.child({ part: 'jobs' }) });
  closing.add('lines of work', () => lines[Symbol.dispose]());
  const jobsView = createJobs({ board: jobs, lines });

  const settings = createSettingStore(sql, Buffer.from(await folder.secret('settings-key'), 'base64url'));
  const radarr = await RadarrDomain.open({
    ports: {
      settings,
      store: createRadarrStore(sql),
      libraries: { list: () => stores.libraries.list(), rescanPaths: (id, paths) => library.rescanPaths(id, paths) },
      matches: {
        wantMatch: (movieIds) => metadata.orderMatch(movieIds, 'normal'),
      },
      folders: new FolderLook({ dataFolder: folder.path, extensions: VIDEO_EXTENSIONS }),
      work,
      health,
      clock,
      log: log.child({ part: 'radarr' }),
    },
    newId,
  });
  closing.add('radarr', () => radarr[Symbol.dispose]());

  const metadata = await openMetadata(parts, {
    ...{ settings, health, changes, work, newId },
    movies: stores.movies,
    pictures: { ...pictureStore, lookBeside: (movieIds) => images.look({ movieIds }) },
  });

  const people = createPreferenceStore(sql, { newId });
  const moments = new Moments({
    store: createMomentStore(sql),
    hosts,
    cache: lateCache(PictureCache.open(join(folder.cacheFolder, 'previews'), config.previewQuotaBytes)),
    work,
    clock,
    log: log.child({ part: 'moments' }),
    previews: config.previewQuotaBytes === 0 ? 'off' : config.previews,
    marks: config.marks,
    previewQuotaBytes: config.previewQuotaBytes,
    scratchFolder: folder.scratchFolder,
  });
  closing.add('moments', () => moments[Symbol.dispose]());
  const vault = await FileSubtitleVault.open(join(folder.path, 'subtitles'));
  const hardware = closing.use(
    'hardware',
    await Hardware.open({
      setting: config.hardware,
      ...{ hosts, jobs, health, clock },
      facts: createFactStore(sql),
      log: log.child({ part: 'hardware' }),
    }),
  );
  const playback = closing.use(
    'playback',
    createPlayback({
      subtitles: {
        store: createSubtitleStore(sql, { vault, hasFile }),
        vault,
        cache: await SubtitleCache.open(join(folder.cacheFolder, 'subtitles'), SUBTITLE_QUOTA_BYTES),
        newId,
        quota: { personBytes: config.uploadPersonQuotaBytes, totalBytes: config.uploadQuotaBytes },
      },
      moments,
      store: createPlaybackStore(sql),
      sessions: accounts.sessions,
      progress,
      people,
      hosts: hardware.equip(hosts),
      encoders: hardware.encoders,
      scratch: await FileScratch.open(folder.scratchFolder),
      clock,
      log: log.child({ part: 'playback' }),
      urlKey: Buffer.from(await folder.secret('url-key'), 'base64url'),
      scratchQuotaBytes: config.scratchQuotaBytes,
      maxTranscodes: config.maxTranscodes,
      serverLimits: { maxBitrateBps: config.maxStreamBps, maxHeightPx: config.maxStreamHeightPx },
      encode: {
        ...encodeDefaults(availableParallelism()),
        ...(config.maxTranscodeHeightPx !== null && { maxHeightPx: config.maxTranscodeHeightPx }),
      },
    }),
  );

  const downloads = closing.use(
    'downloads',
    new Downloads({
      store: createDownloadStore(sql),
      folder: await DownloadFolder.open(join(folder.path, 'downloads')),
      hosts,
      subtitles: playback.subtitleSource,
      async wishes(userId, movieId) {
        const { preferences, tracks, originalLanguage } = await people.watching(userId, movieId);
        return { preferences: readPreferences(preferences), remembered: readRemembered(tracks), originalLanguage };
      },
      encoder: () => ({ h264: hardware.encoders().h264 ?? 'software', hardware: hardware.proven }),
      sessions: accounts.sessions,
      ...{ work, changes, clock, newId },
      log: log.child({ part: 'downloads' }),
      urlKey: Buffer.from(await folder.secret('url-key'), 'base64url'),
      quotaBytes: config.downloadQuotaBytes,
      personQuotaBytes: config.personDownloadQuotaBytes,
      keptForMs: config.downloadsKeptMs,
    }),
  );

  const screens = new Screens({ clock, newId });
  closing.add(
    'ended sessions of screens',
    accounts.sessions.onEnd((ids) => screens.end(ids)),
  );
  closing.add('screens', () => screens[Symbol.dispose]());

  const feeds = await FeedHub.start({
    changes,
    sources: [
      library.feedSources.library,
      library.feedSources.movie,
      progressSource(progress),
      preferencesSource(people),
      jobsSource(jobsView),
      healthSource(health),
      screensSource(screens),
      ...downloads.feedSources,
      moments.feedSource,
      radarr.feedSource,
    ],
    processEpoch: newId(),
    log: log.child({ part: 'feeds' }),
  });
  closing.use('feeds', feeds);

  onQuarantine.push((files) => void library.quarantined(files));
  // A kill may have come between the two.
  await library.quarantined(await hosts.quarantined());
  for (const check of await library.start(config.libraries)) parts.printFolderProblem(check);

  await downloads.start();
  // Closed before the domains whose work it cuts short.
  closing.add('work', () => work.stop(), 10_000);
  closing.add('making of downloads', () => downloads.rest());
  work.start();
  lines.lookAtAll();
  moments.start();
  await radarr.start();
  void hardware.start();
  await metadata.start();

  const { feed: _gatewaysOwn, ...groups } = contract;
  return {
    sessions: accounts.sessions,
    feeds,
    calls: bindHandlers(groups, {
      ...accounts.handlers,
      ...library.handlers,
      ...catalogue.handlers,
      server: {
        info: async () => ({
          name: 'Matinee',
          version: parts.version,
          protocol: { min: PROTOCOL_MIN, max: PROTOCOL_MAX },
          isSetUp: await accounts.isSetUp(),
          serverTime: clock.nowMs(),
        }),
        health: health.handler,
      },
      playback: playback.handlers,
      downloads: downloads.handlers,
      hardware: hardware.handlers,
      subtitles: playback.subtitleHandlers,
      preferences: playback.preferenceHandlers,
      moments: moments.handlers,
      progress: createProgressHandlers({ store: progress, clock, credits: moments }),
      screens: screens.handlers,
      search: createSearchHandlers({
        engine: search,
        browse: catalogue.index,
        tiles: stores.movies,
        names: createNameCards(sql),
        queue: work,
      }),
      jobs: jobsView.handlers,
      radarr: radarr.handlers,
      metadata: createMetadataHandlers(metadata),
    }),
    routes: [images.route, ...playback.routes, playback.uploadRoute, downloads.route, ...radarr.routes],
  };
}

/** Pictures with their cache, their threads and the host of TMDB's pictures. */
async function openImages(
  { config, folder, closing, log }: HouseParts,
  given: Pick<ImagesPorts, 'jobs' | 'work' | 'isScanning' | 'store'> & { readonly hosts: MediaHosts },
): Promise<Images> {
  const { hosts, ...ports } = given;
  const own = log.child({ part: 'pictures' });
  const dispatcher = createDispatcher({ proxyUrl: proxyFor(config.tmdbImageUrl, config.proxyUrl?.reveal() ?? null) });
  closing.add('connections to TMDB’s pictures', () => dispatcher.destroy());
  const threads = closing.use('picture threads', new ArtworkThreads({ threads: Math.min(2, availableParallelism()) }));
  return closing.use(
    'pictures',
    new Images({
      ...ports,
      cache: await PictureCache.open(join(folder.cacheFolder, 'pictures'), config.pictureQuotaBytes),
      threads,
      folders: artworkFolder,
      remote: createRemotePictures({ baseUrl: config.tmdbImageUrl, dispatcher, clock: systemClock, log: own }),
      media: hosts,
      clock: systemClock,
      log: own,
    }),
    15_000,
  );
}

/** What the catalogue of TMDB says of movies, and how it is asked. */
async function openMetadata(
  { config, folder, sql, closing, log }: HouseParts,
  given: Pick<MetadataPorts, 'settings' | 'health' | 'changes' | 'work' | 'movies' | 'pictures'> & {
    readonly newId: () => string;
  },
): Promise<MetadataDomain> {
  const { newId, ...ports } = given;
  const own = log.child({ part: 'metadata' });
  const replies = createReplyCache(sql);
  const dispatcher = createDispatcher({ proxyUrl: proxyFor(config.tmdbBaseUrl, config.proxyUrl?.reveal() ?? null) });
  closing.add('connections to TMDB', () => dispatcher.destroy());
  const client = new TmdbClient({
    ...{ baseUrl: config.tmdbBaseUrl, clock: systemClock, replies, dispatcher },
    log: own,
  });
  const domain = await MetadataDomain.open(
    {
      ...ports,
      replies,
      store: createMetadataStore(sql, { newId, sizes: REMOTE_SIZES }),
      nfo: createNfoFolder(join(folder.path, 'nfo'), isOwnNfo),
      clock: systemClock,
      log: own,
    },
    client,
    config.tmdbApiKey,
  );
  return closing.use('metadata', domain, 5_000);
}

/** What runs on this machine is asked without a proxy. */
const proxyFor = (url: string, proxy: string | null): string | null =>
  /^(?:localhost|127\.|\[::1\])/.test(new URL(url).hostname) ? null : proxy;

/** Media hosts with the quarantine of earlier runs; a change of it is kept, shown, and told to whoever listens by then. */
async function openHosts(
  { sql, log, config, folder }: HouseParts,
  health: HealthBoard,
  listeners: readonly ((files: readonly QuarantinedFile[]) => void)[],
): Promise<MediaHosts> {
  const facts = createFactStore(sql);
  const show = (files: readonly QuarantinedFile[]): void => {
    if (files.length === 0) return health.clear('quarantine');
    health.set({
      id: 'quarantine',
      severity: 'warning',
      title: `${files.length === 1 ? '1 file' : `${files.length} files`} crashed the media tools twice and will not be opened again.`,
      action: 'See the library’s issues: replace the file, or try it again from there.',
    });
  };
  const quarantined = ((await facts.read(QUARANTINE_FACT)) ?? []) as readonly QuarantinedFile[];
  show(quarantined);
  return new MediaHosts({
    log: log.child({ part: 'media hosts' }),
    // Playback counts encoding renditions itself and says when there are too many; the hosts' own limit is behind that.
    maxTranscodes: config.maxTranscodes * 2,
    renditionMemoryBytes: config.transcodeMemoryBytes,
    codeCacheFolder: join(folder.cacheFolder, 'code'),
    quarantined,
    onQuarantine: (files) => {
      show(files);
      for (const listener of listeners) listener(files);
      facts
        .write(QUARANTINE_FACT, files)
        .catch((error: unknown) => log.error('the quarantine could not be kept', { error }));
    },
  });
}
