import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import type { PictureResult } from '#engine/hosts/probe.port.ts';
import { JobBoard } from '#engine/jobs/job-board.ts';
import type { FileWrite } from '#engine/library/ports.ts';
import { movieNameOf } from '#engine/media/file-name.ts';
import { createCatalogue } from '#engine/store/postgres/catalogue.ts';
import { createJobStore } from '#engine/store/postgres/job-store.ts';
import { HTML, SVG, hugePng, pictureBytes } from '#test/support/artwork.ts';
import { openImages } from '#test/support/images.ts';
import type { TestImages, TestImagesOptions } from '#test/support/images.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import type { PictureRole } from '#protocol/schema/picture.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let base: string;
let movies: string;
let libraryId: string;
let jobs: JobBoard;
let world: TestImages;
let frame: () => Promise<PictureResult>;
let framed: { path: string; priority: string | undefined }[];
/** What TMDB's host would do, and what it was asked. */
let host: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  host = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(host, 'listening');
});
afterAll(async () => {
  host.closeAllConnections();
  host.close();
  await database.drop();
});
beforeEach(async () => {
  await database.sql`truncate library, movie, picture, change, job restart identity cascade`;
  base = realpathSync(mkdtempSync(join(tmpdir(), 'images-')));
  movies = join(base, 'Movies');
  mkdirSync(movies);
  const catalogue = createCatalogue(database.sql, { newId });
  libraryId = (await catalogue.libraries.add({ id: newId(), name: 'Movies', path: movies }))!.id;
  jobs = new JobBoard({ store: createJobStore(database.sql), clock: systemClock, newId, log: silentLog });
  asked = [];
  framed = [];
  const jpeg = await pictureBytes(780, 1_170);
  answer = (_request, response) => response.end(jpeg);
  const bytes = await pictureBytes(1_280, 720, 'webp');
  frame = async () => ({ ok: true, bytes, mimeType: 'image/webp', widthPx: 1_280, heightPx: 720 });
  world = await open();
});
afterEach(async () => {
  await jobs[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

function open(options: Partial<TestImagesOptions> = {}): Promise<TestImages> {
  return openImages(database.sql, {
    folder: join(base, 'cache'),
    jobs,
    media: {
      picture: async (path, _request, call) => {
        framed.push({ path, priority: call?.priority });
        return await frame();
      },
    },
    remoteUrl: `http://127.0.0.1:${(host.address() as AddressInfo).port}/t/p`,
    ...options,
  });
}

async function addMovie(path: string): Promise<string> {
  put(path, 'a movie');
  const write: FileWrite = {
    kind: 'probed',
    fileId: null,
    file: { path, sizeBytes: 1, mtimeUs: 1, inode: '1' },
    name: movieNameOf(path),
    contentHash: null,
    outcome: { media: mediaInfo(), resolution: 1080, keyframes: null },
  };
  await createCatalogue(database.sql, { newId }).scans.write(libraryId, [write]);
  const [row] = await database.sql<{ id: string }[]>`select movie_id as id from movie_file where path = ${path}`;
  return row!.id;
}

function put(path: string, content: string | Uint8Array): void {
  const file = join(movies, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

const shown = async (movieId: string) => (await world.store.picturesOf([movieId])).get(movieId)!;
const offer = (movieId: string, paths: readonly string[], role: PictureRole = 'poster') =>
  world.store.offer(
    { kind: 'movie', id: movieId },
    role,
    paths.map((path) => ({ path, widthPx: 2_000, heightPx: 3_000, language: null, vote: null })),
  );
async function look(): Promise<void> {
  world.images.look('new');
  await world.settled();
}

interface Sent {
  readonly path: string;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag: string;
}

async function get(url: string, signal = new AbortController().signal): Promise<Sent> {
  const { pathname, searchParams } = new URL(url, 'http://matinee');
  const [, , pictureId, version] = pathname.split('/').map(decodeURIComponent);
  let sent: Sent | undefined;
  await world.images.route.handle(
    { params: { pictureId: pictureId!, version: version! }, query: searchParams, signal },
    {
      file: async (reply) => {
        sent = reply;
      },
    },
  );
  return sent!;
}
const sizeOf = async ({ path }: Sent) => {
  const { width, height, format } = await sharp(readFileSync(path)).metadata();
  return [width, height, format];
};

describe('serving', () => {
  it('[IMG1] [IMG2] [IMG4] fetches what is promised when somebody looks, and keeps it', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await offer(movieId, ['/heat.jpg']);
    expect(asked).toEqual([]);
    const { poster } = await shown(movieId);
    const sent = await get(`${poster!.url}?w=320`);
    expect(sent).toMatchObject({
      contentType: 'image/webp',
      cacheControl: 'private, max-age=31536000, immutable',
      etag: `"${poster!.url.split('/')[3]}-320"`,
    });
    expect(await sizeOf(sent)).toEqual([320, 480, 'webp']);
    expect(await sizeOf(await get(`${poster!.url}?w=640`))).toEqual([640, 960, 'webp']);
    expect(await sizeOf(await get(poster!.url))).toEqual([780, 1_170, 'webp']);
    expect(await sizeOf(await get(`${poster!.url}?w=1920`))).toEqual([780, 1_170, 'webp']);
    expect(asked).toEqual(['/t/p/w780/heat.jpg']);
    await world[Symbol.asyncDispose]();
    world = await open();
    expect(await get(`${poster!.url}?w=320`)).toEqual(sent);
    expect(asked).toHaveLength(1);
  });

  it('[IMG1] what a client names opens nothing: only the current version of a picture that is there, in few widths', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await offer(movieId, ['/heat.jpg']);
    const [, , id, version] = (await shown(movieId)).poster!.url.split('/');
    for (const url of [
      `/images/${newId()}/${version}`,
      `/images/${id}/${'x'.repeat(22)}`,
      `/images/${id}/..%2f..%2fetc%2fpasswd`,
      `/images/..%2f..%2fetc%2fpasswd/${version}`,
      `/images/' or 1=1 --/${version}`,
      `/images/${id}/`,
    ]) {
      await expect(get(url), url).rejects.toMatchObject({ code: 'notFound' });
    }
    for (const width of [
      '',
      '0',
      '321',
      '-320',
      '320.0',
      '0320',
      '1e9',
      'NaN',
      '99999999999999999999',
      '320%20',
      '%33%32%30x',
    ]) {
      await expect(get(`/images/${id}/${version}?w=${width}`), width).rejects.toMatchObject({ code: 'badRequest' });
    }
    expect(asked).toEqual([]);
  });

  it('[IMG5] the first look gives it a placeholder and its true size', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await world.store.offerPaths(['/small.jpg'], 'poster');
    const jpeg = await pictureBytes(300, 450);
    answer = (_request, response) => response.end(jpeg);
    const candidate = (await world.store.offerPaths(['/small.jpg'], 'poster')).get('/small.jpg')!;
    expect(candidate).toMatchObject({ width: 780, placeholder: null });
    expect(await sizeOf(await get(`${candidate.url}?w=640`))).toEqual([300, 450, 'webp']);
    const seen = (await world.store.offerPaths(['/small.jpg'], 'poster')).get('/small.jpg')!;
    expect(seen).toMatchObject({ url: candidate.url, width: 300, height: 450 });
    expect(Buffer.from(seen.placeholder!, 'base64').length).toBeGreaterThan(10);
    await offer(movieId, ['/small.jpg'], 'backdrop');
    expect((await shown(movieId)).poster).toBeNull();
  });

  it('[IMG6] many who ask at the same time are one question and one piece of work', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await offer(movieId, ['/heat.jpg']);
    const { poster } = await shown(movieId);
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, place) => get(`${poster!.url}?w=${place % 2 === 0 ? 320 : 640}`)),
    );
    expect(new Set(sent.map(({ path }) => path)).size).toBe(2);
    expect(asked).toHaveLength(1);
  });

  it('[PIC6] stays within its quota, and fetches again what it lost', async () => {
    await world[Symbol.asyncDispose]();
    world = await open({ quotaBytes: 6_000 });
    const movieId = await addMovie('Heat (1995).mkv');
    await offer(movieId, ['/heat.jpg']);
    const { poster } = await shown(movieId);
    for (const width of [160, 320, 480, 640]) await get(`${poster!.url}?w=${width}`);
    expect(world.cache.totalBytes).toBeLessThan(6_000 + 8_000);
    expect(await sizeOf(await get(`${poster!.url}?w=160`))).toEqual([160, 240, 'webp']);
  });

  it('[PIC5] what was damaged on disk is fetched anew', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await offer(movieId, ['/heat.jpg']);
    const { poster } = await shown(movieId);
    await get(`${poster!.url}?w=320`);
    for (const name of readdirSync(join(base, 'cache'), { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.source')) writeFileSync(join(base, 'cache', name), 'half');
    }
    await expect(get(`${poster!.url}?w=640`)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await sizeOf(await get(`${poster!.url}?w=640`))).toEqual([640, 960, 'webp']);
    expect(asked).toHaveLength(2);
  });
});

describe('a host that is away, or lies', () => {
  const posterOf = async (title: string) => {
    const movieId = await addMovie(`${title} (1995).mkv`);
    await offer(movieId, [`/${title}.jpg`, '/next.jpg']);
    return { movieId, url: (await shown(movieId)).poster!.url };
  };

  it('[IMG7] that cannot be reached is 503, and left in peace after two failures', async () => {
    await world[Symbol.asyncDispose]();
    world = await open({ remoteUrl: 'http://127.0.0.1:9/t/p' });
    const { url } = await posterOf('Heat');
    await expect(get(url)).rejects.toMatchObject({ code: 'overloaded', data: { retryAfterMs: 1_000 } });
    await expect(get(url)).rejects.toMatchObject({ code: 'overloaded', data: { retryAfterMs: 30_000 } });
    expect((await shown(await addMovie('Heat (1995).mkv'))).poster?.url).toBe(url);
  });

  it('[IMG7] that hangs is cut, before or within its answer, and nobody waits for it again', async () => {
    await world[Symbol.asyncDispose]();
    world = await open({ remoteTimeLimitMs: 150 });
    const { url } = await posterOf('Heat');
    answer = () => undefined;
    await expect(get(url)).rejects.toMatchObject({ code: 'overloaded' });
    answer = (_request, response) => void response.writeHead(200, { 'content-length': 1_000 }).write('half');
    await expect(get(url)).rejects.toMatchObject({ code: 'overloaded', data: { retryAfterMs: 30_000 } });
    expect(asked).toHaveLength(2);
    await expect(get((await posterOf('Alien')).url)).rejects.toMatchObject({ code: 'overloaded' });
    expect(asked).toHaveLength(2);
  });

  it('[IMG7] that has too much to do says for how long', async () => {
    const { url } = await posterOf('Heat');
    answer = (_request, response) => response.writeHead(429, { 'retry-after': '7' }).end();
    await expect(get(url)).rejects.toMatchObject({ code: 'overloaded', data: { retryAfterMs: 7_000 } });
    await expect(get(url)).rejects.toMatchObject({ code: 'overloaded' });
    expect(asked).toHaveLength(1);
  });

  it('[IMG7] that fails once is asked again at once', async () => {
    const { url } = await posterOf('Heat');
    const works = answer;
    answer = (_request, response) => response.writeHead(500).end();
    await expect(get(url)).rejects.toMatchObject({ code: 'overloaded' });
    answer = works;
    expect(await sizeOf(await get(url))).toEqual([780, 1_170, 'webp']);
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ['has no such picture', (response) => response.writeHead(404).end('{}'), 'gone'],
    [
      'sends somewhere else',
      (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'gone',
    ],
    ['sends a page', (response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(HTML), 'notAPicture'],
    ['sends an SVG', (response) => response.writeHead(200, { 'content-type': 'image/png' }).end(SVG), 'notAPicture'],
    ['sends nothing', (response) => response.end(), 'notAPicture'],
    ['sends a bomb', (response) => response.end(hugePng(30_000, 30_000)), 'tooManyPixels'],
    ['says 200 MB', (response) => void response.writeHead(200, { 'content-length': 200e6 }).write('x'), 'tooLarge'],
    [
      'sends without end',
      (response) => {
        const more = (): void => {
          while (response.write(Buffer.alloc(1e6))) if (response.destroyed) return;
          response.once('drain', more);
        };
        more();
      },
      'tooLarge',
    ],
  ])(
    '[IMG3] [IMG8] %s: the next best takes its place, and the host is not asked again',
    async (_what, reply, failure) => {
      const { movieId, url } = await posterOf('Heat');
      answer = (_request, response) => reply(response);
      await expect(get(`${url}?w=320`)).rejects.toMatchObject({ code: 'notFound' });
      await expect(get(`${url}?w=320`)).rejects.toMatchObject({ code: 'notFound' });
      expect(asked).toEqual(['/t/p/w780/Heat.jpg']);
      const [row] = await database.sql<{ failure: string }[]>`select failure from picture where failure is not null`;
      expect(row!.failure).toBe(failure);
      const next = (await shown(movieId)).poster!;
      expect(next.url).not.toBe(url);
      answer = (_request, response) => void pictureBytes(780, 1_170).then((bytes) => response.end(bytes));
      expect(await sizeOf(await get(`${next.url}?w=320`))).toEqual([320, 480, 'webp']);
      const kept = readdirSync(join(base, 'cache'), { recursive: true, withFileTypes: true });
      expect(kept.filter((entry) => entry.isFile())).toHaveLength(2);
    },
  );

  it('[IMG2] of one that is larger than anybody sees it, only what is seen is kept', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    const large = await sharp({
      create: {
        width: 2_400,
        height: 1_350,
        channels: 3,
        background: 'red',
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      },
    })
      .jpeg({ quality: 95 })
      .toBuffer();
    expect(large.length).toBeGreaterThan(1e6);
    answer = (_request, response) => response.end(large);
    await offer(movieId, ['/wide.jpg'], 'backdrop');
    const { backdrop } = await shown(movieId);
    expect(await sizeOf(await get(`${backdrop!.url}?w=640`))).toEqual([640, 360, 'webp']);
    expect(world.cache.totalBytes).toBeLessThan(large.length);
    expect((await shown(movieId)).backdrop).toMatchObject({ width: 1_920, height: 1_080 });
    expect(await sizeOf(await get(backdrop!.url))).toEqual([1_920, 1_080, 'webp']);
    expect(asked).toHaveLength(1);
  });

  it('[IMG2] asks for each role in the size that is enough, and for drawings as pictures', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    for (const role of ['poster', 'backdrop', 'logo'] as const) await offer(movieId, [`/${role}.svg`], role);
    const { poster, backdrop, logo } = await shown(movieId);
    await Promise.all([poster, backdrop, logo].map((one) => get(`${one!.url}?w=160`)));
    expect(asked.toSorted()).toEqual(['/t/p/original/backdrop.png', '/t/p/w500/logo.png', '/t/p/w780/poster.png']);
  });
});

describe('artwork beside a movie', () => {
  it('[IMG9] is found, comes before TMDB’s, and is served without asking anybody', async () => {
    const movieId = await addMovie('Heat (1995)/Heat (1995).mkv');
    await offer(movieId, ['/heat.jpg']);
    put('Heat (1995)/poster.jpg', await pictureBytes(600, 900));
    put('Heat (1995)/fanart.png', await pictureBytes(1_920, 1_080, 'png'));
    put('Heat (1995)/logo.webp', await pictureBytes(400, 100, 'webp'));
    await look();
    const { poster, backdrop, logo } = await shown(movieId);
    expect([poster, backdrop, logo]).toMatchObject([{ width: 600 }, { width: 1_920 }, { width: 400 }]);
    expect(await sizeOf(await get(`${poster!.url}?w=320`))).toEqual([320, 480, 'webp']);
    expect(asked).toEqual([]);
  });

  it('[IMG9] in the library’s own folder and in one of several movies only under the movie’s name', async () => {
    const heat = await addMovie('Heat (1995).mkv');
    const alien = await addMovie('all/Alien (1979).mkv');
    const brazil = await addMovie('all/Brazil (1985).mkv');
    for (const name of ['poster.jpg', 'all/poster.jpg', 'Heat (1995)-poster.jpg', 'all/Alien (1979).jpg']) {
      put(name, await pictureBytes(60, 90));
    }
    await look();
    expect((await shown(heat)).poster).not.toBeNull();
    expect((await shown(alien)).poster).not.toBeNull();
    expect((await shown(brazil)).poster).toBeNull();
  });

  it('[IMG10] what only looks like artwork is left out', async () => {
    const movieId = await addMovie('Heat (1995)/Heat.mkv');
    writeFileSync(join(base, 'private.jpg'), await pictureBytes(60, 90));
    symlinkSync(join(base, 'private.jpg'), join(movies, 'Heat (1995)/folder.jpg'));
    mkdirSync(join(movies, 'Heat (1995)/cover.jpg'));
    put('Heat (1995)/poster.jpg', HTML);
    put('Heat (1995)/movie.png', hugePng(30_000, 30_000));
    put('Heat (1995)/default.jpg', SVG);
    await look();
    expect((await shown(movieId)).poster).toBeNull();
  });

  it('[IMG10] a replaced file is another version: the old address shows nothing else, and the next look finds it', async () => {
    const movieId = await addMovie('Heat (1995)/Heat.mkv');
    put('Heat (1995)/poster.jpg', await pictureBytes(60, 90));
    await look();
    const before = (await shown(movieId)).poster!;
    put('Heat (1995)/new.jpg', await pictureBytes(80, 120, 'jpeg', 20));
    renameSync(join(movies, 'Heat (1995)/new.jpg'), join(movies, 'Heat (1995)/poster.jpg'));
    utimesSync(join(movies, 'Heat (1995)/poster.jpg'), 1_700_000_000, 1_700_000_000);
    // Nobody has been told of it: that somebody looks is enough.
    await expect(get(before.url)).rejects.toMatchObject({ code: 'notFound' });
    await world.settled();
    const after = (await shown(movieId)).poster!;
    expect(after).toMatchObject({ width: 80, height: 120 });
    expect(after.url.split('/').slice(0, 3)).toEqual(before.url.split('/').slice(0, 3));
    expect(await sizeOf(await get(after.url))).toEqual([80, 120, 'webp']);
    await expect(get(before.url)).rejects.toMatchObject({ code: 'notFound' });
  });

  it('[IMG10] one that is deleted goes with the next look at the library; a library that is not there keeps what is known', async () => {
    const movieId = await addMovie('Heat (1995)/Heat.mkv');
    put('Heat (1995)/poster.jpg', await pictureBytes(60, 90));
    await look();
    const { poster } = await shown(movieId);
    renameSync(movies, `${movies} away`);
    world.images.look({ libraryId });
    await world.settled();
    expect((await shown(movieId)).poster).toEqual(poster);
    await expect(get(poster!.url)).rejects.toMatchObject({ code: 'notFound' });
    expect((await shown(movieId)).poster).toEqual(poster);
    renameSync(`${movies} away`, movies);
    expect(await sizeOf(await get(poster!.url))).toEqual([60, 90, 'webp']);
    rmSync(join(movies, 'Heat (1995)/poster.jpg'));
    world.images.scanned(libraryId, ['']);
    await world.settled();
    expect((await shown(movieId)).poster).toBeNull();
  });

  it('[IMG9] a picture that comes or goes is seen as soon as its folder was looked at, also under a file’s name in the library itself', async () => {
    const heat = await addMovie('Heat (1995)/Heat.mkv');
    const alien = await addMovie('Alien (1979).mkv');
    await look();
    put('Heat (1995)/poster.jpg', await pictureBytes(60, 90));
    put('Alien (1979)-poster.jpg', await pictureBytes(60, 90));
    world.images.scanned(libraryId, ['Heat (1995)/poster.jpg', 'Alien (1979)-poster.jpg']);
    await world.settled();
    expect((await shown(heat)).poster).toMatchObject({ width: 60 });
    expect((await shown(alien)).poster).toMatchObject({ width: 60 });
    rmSync(join(movies, 'Heat (1995)/poster.jpg'));
    world.images.scanned(libraryId, ['Heat (1995)']);
    await world.settled();
    expect((await shown(heat)).poster).toBeNull();
    expect((await shown(alien)).poster).not.toBeNull();
  });

  it('[IMG8] one that turns out to be damaged makes room for the next best', async () => {
    const movieId = await addMovie('Heat (1995)/Heat.mkv');
    await offer(movieId, ['/heat.jpg']);
    const whole = await pictureBytes(600, 900, 'png');
    put('Heat (1995)/poster.png', whole.subarray(0, whole.length / 2));
    await look();
    const { poster } = await shown(movieId);
    await expect(get(poster!.url)).rejects.toMatchObject({ code: 'notFound' });
    expect((await shown(movieId)).poster).toMatchObject({ width: 780 });
    expect(existsSync(join(movies, 'Heat (1995)/poster.png'))).toBe(true);
  });
});

describe('frames', () => {
  const ended = async () => {
    const rows = () =>
      database.sql<{ state: string }[]>`select state from job where kind = 'pictures' and ended_at is not null`;
    await expect.poll(async () => (await rows()).length).toBe(1);
  };

  it('[PIC1] [PIC3] [IMG4] are made after a scan, and served in sizes', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    world.images.scanned(libraryId, ['Heat (1995).mkv']);
    await ended();
    const { picture } = await shown(movieId);
    expect(picture).toMatchObject({ width: 1_280, height: 720 });
    expect(framed).toEqual([{ path: join(movies, 'Heat (1995).mkv'), priority: 'background' }]);
    expect(await sizeOf(await get(`${picture!.url}?w=320`))).toEqual([320, 180, 'webp']);
    expect(await sizeOf(await get(picture!.url))).toEqual([1_280, 720, 'webp']);
    expect((await shown(movieId)).picture!.placeholder).not.toBeNull();
    expect(framed).toHaveLength(1);
  });

  it('[PIC7] are made again while somebody waits when the cache has lost them, once for all who wait', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    world.images.wake();
    await ended();
    const { picture } = await shown(movieId);
    rmSync((await get(picture!.url)).path);
    framed = [];
    const both = await Promise.all([get(picture!.url), get(`${picture!.url}?w=320`), get(picture!.url)]);
    expect(both[0]).toEqual(both[2]);
    expect(framed).toEqual([{ path: join(movies, 'Heat (1995).mkv'), priority: 'interactive' }]);
  });

  it('[PIC8] a file of which none can be made is left alone until another one is the best', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    frame = async () => ({ ok: false, failure: 'unsupported' });
    world.images.wake();
    await ended();
    expect((await shown(movieId)).picture).toBeNull();
    world.images.want([movieId]);
    world.images.scanned(libraryId, ['Heat (1995).mkv']);
    await world.settled();
    expect(framed).toHaveLength(1);
    expect(await world.store.picturelessCount()).toBe(0);
  });
});
