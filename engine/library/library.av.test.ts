import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { HealthBoard } from '#engine/health/health-board.ts';
import { HashPool } from '#engine/hosts/hash-pool.ts';
import { MediaHosts } from '#engine/hosts/media-hosts.ts';
import { JobBoard, JobFailure } from '#engine/jobs/job-board.ts';
import { VIDEO_EXTENSIONS } from '#engine/media/file-name.ts';
import { FolderLook } from '#engine/store/files/folder-look.ts';
import { TreeWalker } from '#engine/store/files/tree-walker.ts';
import { TreeWatcher } from '#engine/store/files/tree-watcher.ts';
import { createCatalogue } from '#engine/store/postgres/catalogue.ts';
import type { Catalogue } from '#engine/store/postgres/catalogue.ts';
import { createJobStore } from '#engine/store/postgres/job-store.ts';
import { clips } from '#test/support/media.ts';
import { openImages } from '#test/support/images.ts';
import type { TestImages } from '#test/support/images.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { LibraryDomain } from './library.ts';

/** Names that mean something to a shell, to FFmpeg, to a URL, to SQL, to a screen, or to nobody. */
const NAMES = [
  'Plain (2000).mkv',
  '日本語 (2001).mkv',
  'e\u0301 apart (2002).mkv',
  'quote \' and " (2003).mkv',
  '100% #1 & more? (2004).mkv',
  '-rf (2005).mkv',
  '--help.mkv',
  '$(touch pwned) (2006).mkv',
  '`id` (2007).mkv',
  'a;reboot;b (2008).mkv',
  'new\nline (2009).mkv',
  'tab\there (2010).mkv',
  'space at the end (2011) .mkv',
  '..dots (2012).mkv',
  'emoji 🎬 (2013).mkv',
  'right \u202eto left (2014).mkv',
  '%2e%2e%2fetc%2fpasswd.mkv',
  '%s%n%d (2015).mkv',
  'file:colon (2016).mkv',
  'concat:a|b (2017).mkv',
  'pattern%03d (2018).mkv',
  'pipe:0.mkv',
  "'; drop table movie; -- (2019).mkv",
  '<script>alert(1)</script> (2020).mkv',
  '\\back\\slash (2021).mkv',
  `${'L'.repeat(240)}.mkv`,
  'LOUD (2022).MKV',
  'no ending (2023)',
];

let database: TestDatabase;
let base: string;
let movies: string;
let catalogue: Catalogue;
let hosts: MediaHosts;
let hashes: HashPool;
let walker: TreeWalker;
let jobs: JobBoard;
let domain: LibraryDomain;
let pictures: TestImages;
let libraryId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  base = realpathSync(mkdtempSync(join(tmpdir(), 'library-av-')));
  movies = join(base, 'Movies');
  mkdirSync(movies);
  const newId = createUuidFactory(systemClock);
  catalogue = createCatalogue(database.sql, { newId });
  hosts = new MediaHosts({ log: silentLog, probeHosts: 2, spareHosts: 0 });
  hashes = new HashPool({ threads: 1 });
  walker = new TreeWalker({ extensions: VIDEO_EXTENSIONS, excluded: [join(base, 'data')] });
  jobs = new JobBoard({ store: createJobStore(database.sql), clock: systemClock, newId, log: silentLog });
  pictures = await openImages(database.sql, { folder: join(base, 'data/pictures'), media: hosts, jobs });
  domain = new LibraryDomain({
    ports: {
      walker,
      hashes,
      media: hosts,
      store: catalogue.scans,
      clock: systemClock,
      log: silentLog,
      libraries: catalogue.libraries,
      shown: { ...catalogue.movies, count: async () => 0 },
      folders: new FolderLook({ dataFolder: join(base, 'data'), extensions: VIDEO_EXTENSIONS }),
      watcher: new TreeWatcher({ pollIntervalMs: 60_000, extensions: VIDEO_EXTENSIONS }),
      pictures: pictures.images,
      jobs,
      health: new HealthBoard(systemClock),
    },
    newId,
    watchMode: 'off',
    deletionGraceMs: 1e9,
    jobFailure: (message) => new JobFailure(message),
  });
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await domain[Symbol.asyncDispose]();
  await pictures[Symbol.asyncDispose]();
  walker[Symbol.dispose]();
  await Promise.all([hosts[Symbol.asyncDispose](), hashes[Symbol.asyncDispose]()]);
  await database.drop();
  rmSync(base, { recursive: true, force: true });
});

function put(path: string, from: string | Buffer): void {
  const file = join(movies, path);
  mkdirSync(dirname(file), { recursive: true });
  if (typeof from === 'string') copyFileSync(from, file);
  else writeFileSync(file, from);
  utimesSync(file, 1_700_000_000, 1_700_000_000);
}

async function ended(kind: string, count: number): Promise<void> {
  for (;;) {
    const next = Promise.withResolvers<void>();
    const stop = jobs.onEntries(() => next.resolve());
    const done = (await jobs.list(100)).filter((job) => job.kind === kind && job.endedAt !== null);
    if (done.length >= count) return stop();
    await next.promise;
    stop();
  }
}

const rows = async () => [
  ...(await database.sql<{ id: string; path: string; state: string; failure: string | null }[]>`
      select id, path, state, failure from movie_file order by path`),
];

describe('a folder of real files with names of every kind', () => {
  it('[WALK4] [SCAN5] every file is playable or reported, and nothing else happens', async () => {
    const clip = await clips.h264Mkv();
    for (const name of NAMES) put(name, clip);
    put('good/Movie (1990)/movie.mp4', await clips.h264Mp4());
    put('broken/Cut (1991).mp4', readFileSync(await clips.h264Mp4()).subarray(0, 600));
    put('broken/Empty (1992).mkv', Buffer.alloc(0));
    put('broken/Zeros (1993).mkv', Buffer.alloc(100_000));
    put('broken/Text (1994).mkv', Buffer.from('This is not a movie.\n'.repeat(100)));
    put(
      'broken/Playlist (1995).mkv',
      Buffer.from('#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n'),
    );
    execFileSync('mkfifo', [join(movies, 'fifo.mkv')]);
    symlinkSync('/etc/passwd', join(movies, 'link.mkv'));
    symlinkSync('..', join(movies, 'good', 'loop'));
    writeFileSync(Buffer.concat([Buffer.from(`${movies}/bad-`), Buffer.from([0xff]), Buffer.from('.mkv')]), 'x');

    await domain.start([movies]);
    await ended('scan', 1);
    libraryId = (await catalogue.libraries.list())[0]!.id;

    const found = new Map((await rows()).map((row) => [row.path, row]));
    for (const name of NAMES) {
      expect(found.get(name), JSON.stringify(name)).toMatchObject({ state: 'playable', failure: null });
    }
    expect(found.get('good/Movie (1990)/movie.mp4')).toMatchObject({ state: 'playable' });
    const failures = Object.fromEntries(
      [...found.values()].filter(({ failure }) => failure !== null).map(({ path, failure }) => [path, failure]),
    );
    expect(failures).toEqual({
      'broken/Cut (1991).mp4': 'truncated',
      'broken/Empty (1992).mkv': 'empty',
      'broken/Zeros (1993).mkv': 'notMedia',
      'broken/Text (1994).mkv': 'notMedia',
      'broken/Playlist (1995).mkv': 'notMedia',
      'link.mkv': 'notMedia',
    });
    const { issues } = await catalogue.libraries.issues({ libraryId, offset: 0, limit: 100 });
    expect(issues.filter(({ fileId }) => fileId === null).map(({ path, reason }) => [path, reason])).toEqual([
      [String.raw`bad-\xff.mkv`, 'nameNotUtf8'],
      ['good/loop', 'symlinkLoop'],
    ]);
    expect(found.size).toBe(NAMES.length + 1 + 6);
    expect(existsSync(join(movies, 'pwned')) || existsSync('pwned')).toBe(false);
  });

  it('stores what the probe read, keyframes and all', async () => {
    const [row] = await database.sql<
      {
        media: { container: string; video: { codec: string }[] };
        keyframes: Uint8Array;
        resolution: number;
        hash: string;
      }[]
    >`
      select media, keyframes, resolution, content_hash as hash from movie_file where path = 'Plain (2000).mkv'`;
    expect(row).toMatchObject({
      media: { container: 'matroska', video: [{ codec: 'h264' }] },
      resolution: 144,
      hash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    });
    expect(row!.keyframes.byteLength).toBeGreaterThan(0);
  });

  it('[PIC1] makes a picture of each', async () => {
    await ended('pictures', 1);
    const [picture] = await database.sql<{ version: string; width: number; height: number }[]>`
      select p.version, p.width, p.height from picture p join movie m on m.id = p.movie_id where m.title = 'Plain'`;
    expect(picture).toMatchObject({ width: 320, height: 180 });
    const file = join(base, 'data/pictures', picture!.version.slice(0, 2), `${picture!.version}.source`);
    expect(readFileSync(file).toString('latin1', 8, 12)).toBe('WEBP');
    expect(statSync(file).size).toBeGreaterThan(500);
    expect(await pictures.store.picturelessCount()).toBe(0);
  });

  it('[SCAN1] [SCAN3] knows everything again, also under another name', async () => {
    const before = (await rows()).find(({ path }) => path === 'Plain (2000).mkv')!;
    renameSync(join(movies, 'Plain (2000).mkv'), join(movies, 'good', 'Plain again (2000).mkv'));
    await domain.scan(undefined);
    await ended('scan', 2);
    const after = (await rows()).find(({ path }) => path === 'good/Plain again (2000).mkv');
    expect(after).toMatchObject({ id: before.id, state: 'playable' });
  });
});
