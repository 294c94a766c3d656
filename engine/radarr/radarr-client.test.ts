import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '#engine/base/secret.ts';
import { RadarrStandIn, STAND_IN_KEY } from '#test/support/radarr-stand-in.ts';
import type { Misbehaviour } from '#test/support/radarr-stand-in.ts';
import { RadarrClient, RadarrFailure } from './radarr-client.ts';
import type { RadarrClientOptions } from './radarr-client.ts';
import type { MovieResource } from './replies.ts';

let radarr: RadarrStandIn;
beforeEach(async () => {
  radarr = await RadarrStandIn.start('/radarr');
  radarr.put({
    id: 12,
    tmdbId: 949,
    title: 'Heat',
    year: 1995,
    path: '/movies/Heat (1995)',
    file: { id: 57, relativePath: 'Heat (1995).mkv', size: 123 },
  });
  radarr.put({ id: 90, tmdbId: 8195, title: 'Ronin', year: 1998, path: '/movies/Ronin (1998)', file: null });
});
afterEach(() => radarr[Symbol.asyncDispose]());

const clientOf = (options: Partial<RadarrClientOptions> = {}): RadarrClient =>
  new RadarrClient({
    url: `${radarr.url}/`,
    apiKey: new Secret(STAND_IN_KEY),
    timeoutMs: 2_000,
    retryMs: 1,
    ...options,
  });

async function failureOf(work: Promise<unknown>): Promise<RadarrFailure> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RadarrFailure);
  return error as RadarrFailure;
}

async function moviesOf(client: RadarrClient): Promise<{ movies: MovieResource[]; skipped: number }> {
  const movies: MovieResource[] = [];
  const { skipped } = await client.movies((movie) => void movies.push(movie));
  return { movies, skipped };
}

describe('[RADARR1] what is asked of Radarr', () => {
  it('status, profiles, folders, collections, files and commands', async () => {
    const client = clientOf();
    expect(await client.status()).toMatchObject({ appName: 'Radarr', instanceName: 'Radarr', version: '6.1.0.10320' });
    expect(await client.qualityProfiles()).toEqual([{ id: 4, name: 'HD-1080p', upgradeAllowed: true }]);
    expect(await client.rootFolders()).toEqual([{ path: '/movies', accessible: true }]);
    expect(await client.collections()).toMatchObject([{ tmdbId: 99, movies: [{ tmdbId: 949 }] }]);
    expect(await client.movieFiles(12)).toMatchObject([{ id: 57, movieId: 12, relativePath: 'Heat (1995).mkv' }]);
    expect(await client.command('RescanMovie', { movieId: 12 })).toMatchObject({ id: 901, status: 'queued' });
    expect(radarr.commands).toEqual([{ name: 'RescanMovie', movieId: 12 }]);
    expect(await client.commandState(901)).toMatchObject({ status: 'completed' });
  });

  it('movies, all or one; one that is gone is no failure', async () => {
    const client = clientOf();
    const { movies, skipped } = await moviesOf(client);
    expect(skipped).toBe(0);
    expect(movies.map(({ id, tmdbId, title, year }) => [id, tmdbId, title, year])).toEqual([
      [12, 949, 'Heat', 1995],
      [90, 8195, 'Ronin', 1998],
    ]);
    expect(movies[0]!.movieFile).toMatchObject({ relativePath: 'Heat (1995).mkv', size: 123 });
    expect(movies[1]!.movieFile).toBeNull();
    expect(await client.movie(12)).toEqual(movies[0]);
    expect(await client.movie(404)).toBeNull();
  });

  it('a movie that cannot be read costs itself, and a value that makes no sense costs itself', async () => {
    radarr.badMovies.push(
      null,
      'Heat',
      { title: 'without a number' },
      { id: -1 },
      { id: 1e300 },
      { id: 7, tmdbId: 'x', title: 4, year: 'MCMXC', path: 17, movieFile: 'none', imdbId: '<script>' },
      { id: 8, title: `bad\0\ud800${'x'.repeat(10_000)}`, tmdbId: 5, unknownKey: { deep: [{}] } },
    );
    const { movies, skipped } = await moviesOf(clientOf());
    expect(skipped).toBe(5);
    expect(movies.map(({ id }) => id)).toEqual([7, 8, 12, 90]);
    expect(movies[0]).toEqual({
      id: 7,
      tmdbId: null,
      imdbId: null,
      title: null,
      year: null,
      path: null,
      movieFile: null,
    });
    expect(movies[1]!.title).toHaveLength(499);
    expect(movies[1]!.title).toMatch(/^bad\ufffdx+$/);
  });

  it('the list can be left before its end', async () => {
    const seen: number[] = [];
    await clientOf().movies(({ id }) => {
      seen.push(id);
      return false;
    });
    expect(seen).toEqual([12]);
  });
});

describe('[RADARR2] what goes wrong', () => {
  it.each<[Misbehaviour, string]>([
    ['unauthorized', 'badKey'],
    ['failing', 'broken'],
    ['hanging', 'slow'],
    ['half', 'away'],
    ['huge', 'notRadarr'],
    ['html', 'notRadarr'],
    ['redirect', 'redirected'],
    ['other', 'notRadarr'],
    ['old', 'tooOld'],
  ])('%s is told as %s', async (misbehaviour, reason) => {
    radarr.misbehaviour = misbehaviour;
    const failure = await failureOf(clientOf({ timeoutMs: misbehaviour === 'hanging' ? 100 : 10_000 }).status());
    expect(failure.reason).toBe(reason);
  });

  it.each<[Misbehaviour, string]>([
    ['unauthorized', 'badKey'],
    ['half', 'away'],
    ['html', 'notRadarr'],
    ['redirect', 'redirected'],
  ])('%s is told as %s while all movies are read', async (misbehaviour, reason) => {
    radarr.misbehaviour = misbehaviour;
    expect((await failureOf(moviesOf(clientOf()))).reason).toBe(reason);
  });

  it('a server that is not there is away', async () => {
    const client = clientOf();
    await radarr[Symbol.asyncDispose]();
    expect(await failureOf(client.status())).toMatchObject({ reason: 'away', detail: 'ECONNREFUSED' });
  });

  it('the wrong key is told as such, and neither it nor the right one is in the failure', async () => {
    const failure = await failureOf(clientOf({ apiKey: new Secret('wrong-key') }).status());
    expect(failure.reason).toBe('badKey');
    expect(`${failure.stack} ${JSON.stringify(failure)}`).not.toContain('wrong-key');
  });

  it('what the caller does with a movie may fail as itself', async () => {
    await expect(
      clientOf().movies(() => {
        throw new RangeError('mine');
      }),
    ).rejects.toThrow('mine');
  });
});

describe('[RADARR3] what may pass', () => {
  it('is tried again, and what will not pass is not', async () => {
    radarr.misbehaviour = 'failing';
    radarr.misbehaviourLeft = 2;
    await clientOf().status();
    expect(radarr.asked).toHaveLength(3);
    radarr.asked.length = 0;
    radarr.misbehaviour = 'unauthorized';
    radarr.misbehaviourLeft = Infinity;
    await failureOf(clientOf().status());
    expect(radarr.asked).toHaveLength(1);
  });

  it('a command is never sent twice', async () => {
    radarr.misbehaviour = 'half';
    await failureOf(clientOf().command('RescanMovie', { movieId: 12 }));
    expect(radarr.asked).toEqual(['POST /api/v3/command']);
  });

  it('after several failures Radarr is left alone, with the same answer, and asked again later', async () => {
    radarr.misbehaviour = 'failing';
    const client = clientOf({ restMs: 50 });
    await failureOf(client.status());
    await failureOf(client.status());
    radarr.asked.length = 0;
    expect((await failureOf(client.status())).reason).toBe('broken');
    expect(radarr.asked).toEqual([]);
    radarr.misbehaviour = null;
    // The breaker has a clock of its own.
    await expect
      .poll(() =>
        client.status().then(
          ({ version }) => version,
          () => null,
        ),
      )
      .toBe('6.1.0.10320');
  });

  it('who asks may call it off', async () => {
    radarr.misbehaviour = 'hanging';
    const abort = new AbortController();
    const asked = clientOf().status(abort.signal);
    await expect.poll(() => radarr.asked.length).toBe(1);
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});
