/** Artwork at a running engine, beside movies and from TMDB: found by itself, live on every screen, served in sizes to who is signed in. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { movies } from '#protocol/index.ts';
import type { MovieCard } from '#protocol/schema/movie.ts';
import { HTML, pictureBytes } from '#test/support/artwork.ts';
import { clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import type { FollowedFeed } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';
import { standInMovies } from '#test/support/tmdb-movies.ts';
import { TmdbStandIn } from '#test/support/tmdb-stand-in.ts';

let base = '';
let engine: RunningEngine;
let ada: Person;
let tmdb: TmdbStandIn;
let screen: FollowedFeed<typeof libraryFeed>;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee artwork ')));
  const folder = join(base, 'Films/Heat (1995)');
  await mkdir(folder, { recursive: true });
  await putMovie(join(folder, 'Heat (1995).mp4'), await clips.h264Mp4());
  await writeFile(join(folder, 'poster.jpg'), await pictureBytes(600, 900));
  await writeFile(join(folder, 'folder.jpg'), HTML);
  tmdb = await TmdbStandIn.open();
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    libraries: [join(base, 'Films')],
    environment: { ...adminEnvironment, TMDB_API_KEY: 'a key' },
    flags: ['--tmdb-base-url', tmdb.url, '--tmdb-image-url', tmdb.imageUrl],
  });
  ada = await Person.signIn(engine.url);
  screen = ada.follow(libraryFeed);
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await tmdb?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

/** The movie as soon as it is as wanted, without asking for it. */
async function seen(isWanted: (movie: MovieCard) => boolean, from = 0): Promise<MovieCard> {
  const known = (await ada.movies()).find(isWanted);
  if (known) return known;
  return await screen.until(() => {
    for (const entry of screen.entries.slice(from).toReversed()) {
      if (entry.kind === 'movie' && entry.movie && isWanted(entry.movie)) return entry.movie;
    }
    return null;
  }, 'the movie as wanted');
}

describe('artwork beside a movie', () => {
  it('[IMG9] [IMG11] is found after the scan; without a backdrop there is a frame', async () => {
    const { poster, picture } = await seen((movie) => movie.poster !== null && movie.picture !== null);
    expect(poster).toMatchObject({ width: 600, height: 900 });
    expect(picture!.width / picture!.height).toBeCloseTo(16 / 9, 1);
  });

  it('[IMG1] [IMG4] is served in sizes, for ever, and only to who is signed in', async () => {
    const { poster } = await seen((movie) => movie.poster !== null);
    const small = await ada.get(`${poster!.url}?w=160`);
    expect([small.status, small.headers.get('content-type')]).toEqual([200, 'image/webp']);
    expect(small.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    expect(await sharp(Buffer.from(await small.arrayBuffer())).metadata()).toMatchObject({ width: 160, height: 240 });
    const again = await fetch(`${engine.url}${poster!.url}?w=160`, {
      headers: { authorization: `Bearer ${ada.token}`, 'if-none-match': small.headers.get('etag')! },
    });
    expect(again.status).toBe(304);
    expect((await ada.get(`${poster!.url}?w=161`)).status).toBe(400);
    expect((await fetch(`${engine.url}${poster!.url}`)).status).toBe(401);
    const wrong = await ada.get(poster!.url.slice(0, -1));
    expect([wrong.status, wrong.headers.get('cache-control')]).toEqual([404, 'no-store']);
    expect((await seen((movie) => movie.poster?.placeholder != null)).poster!.url).toBe(poster!.url);
  });

  it('[IMG9] [IMG11] a backdrop that is put there is on every screen, without a scan being asked for', async () => {
    const { picture } = await seen((movie) => movie.picture !== null);
    await writeFile(join(base, 'Films/Heat (1995)/fanart.jpg'), await pictureBytes(1_280, 720));
    const after = await seen((movie) => movie.picture?.width === 1_280);
    expect(after.picture!.url).not.toBe(picture!.url);
    const from = screen.entries.length;
    await rm(join(base, 'Films/Heat (1995)/fanart.jpg'));
    expect((await seen((movie) => movie.picture?.url === picture!.url, from)).poster).toEqual(after.poster);
  });

  it('[IMG10] [IMG11] another poster is on every screen after the next scan', async () => {
    const { id, poster } = await seen((movie) => movie.poster !== null);
    await writeFile(join(base, 'Films/Heat (1995)/poster.jpg'), await pictureBytes(300, 450, 'png'));
    await ada.scan();
    const after = await seen((movie) => movie.poster?.width === 300);
    expect([after.id, after.poster!.url === poster!.url]).toEqual([id, false]);
    expect((await ada.get(after.poster!.url)).status).toBe(200);
    expect((await ada.call(movies.get, { movieId: id })).movie.poster).toMatchObject({ width: 300 });
  });
});

describe('posters of TMDB', () => {
  it('[IMG2] [IMG7] are fetched by the server when somebody looks, and what was fetched is there while TMDB is not', async () => {
    const { title, id } = standInMovies()[0]!;
    const folder = join(base, 'Films', `${title} [tmdbid-${id}]`);
    await mkdir(folder);
    await putMovie(join(folder, `${title}.mp4`), await clips.h264Mp4());
    const movie = await seen((one) => one.title === title && one.poster !== null && one.picture !== null);
    expect(movie.poster).toMatchObject({ width: 780 });
    const pictures = () =>
      tmdb.requests.filter(({ path }) => path.startsWith('/t/p/')).map(({ path }) => path.split('/')[3]);
    expect(pictures()).toEqual([]);
    const small = await ada.get(`${movie.poster!.url}?w=320`);
    expect(await sharp(Buffer.from(await small.arrayBuffer())).metadata()).toMatchObject({ width: 320, height: 480 });
    expect(pictures()).toEqual(['w780']);
    const { backdrop, cast } = (await ada.call(movies.get, { movieId: movie.id })).movie;
    tmdb.misbehave(({ path }) => (path.startsWith('/t/p/') ? { kind: 'reset' } : null));
    const away = await ada.get(backdrop!.url);
    expect([away.status, away.headers.get('cache-control'), away.headers.has('retry-after')]).toEqual([
      503,
      'no-store',
      true,
    ]);
    expect((await ada.get(`${movie.poster!.url}?w=160`)).status).toBe(200);
    expect(cast.some(({ person }) => person.portrait !== null)).toBe(true);
  });
});
