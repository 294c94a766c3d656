/** One person on two devices: whatever the order in which they report, both end where the newest look was. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { progressFeed } from '#protocol/feeds.ts';
import { movies, progress } from '#protocol/index.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import { clips } from '#test/support/media.ts';
import { movieNames, putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import type { FollowedFeed } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const HOUR_MS = 3_600_000;

let base = '';
let engine: RunningEngine;
let phone: Person;
let tv: Person;
let onPhone: FollowedFeed<typeof progressFeed>;
let onTv: FollowedFeed<typeof progressFeed>;
/** One movie for each test. */
let movieIds: string[];

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee devices ')));
  const source = await clips.h264Mp4();
  for (const name of movieNames(5)) await putMovie(join(base, 'Films', name), source);
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    libraries: [join(base, 'Films')],
    environment: adminEnvironment,
  });
  [phone, tv] = [await Person.signIn(engine.url), await Person.signIn(engine.url)];
  await phone.scan();
  movieIds = (await phone.movies()).map(({ id }) => id);
  [onPhone, onTv] = [phone.follow(progressFeed), tv.follow(progressFeed)];
  for (const feed of [onPhone, onTv]) await feed.until(() => feed.snapshots.length > 0, 'a snapshot');
});
afterAll(async () => {
  phone?.[Symbol.dispose]();
  tv?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

const report = async (device: Person, movieId: string, positionMs: number, observedAt: number): Promise<Progress> =>
  (await device.call(progress.report, { movieId, positionMs, durationMs: HOUR_MS, observedAt })).progress;
const told = (feed: FollowedFeed<typeof progressFeed>, movieId: string): Progress[] =>
  feed.entries.flatMap((entry) => (entry.id === movieId ? [entry.progress] : []));

/** Both screens and the database say the same, and it is this. */
async function allSay(movieId: string, expected: Partial<Progress>): Promise<void> {
  for (const feed of [onPhone, onTv]) {
    const says = (): boolean => {
      const last = told(feed, movieId).at(-1);
      return (
        last !== undefined && Object.entries(expected).every(([key, value]) => last[key as keyof Progress] === value)
      );
    };
    await feed.until(says, JSON.stringify(expected));
  }
  for (const device of [phone, tv]) {
    expect((await device.call(movies.get, { movieId })).progress).toMatchObject(expected);
  }
}

describe('two devices', () => {
  it('[PROG1] that report at the same time end at the newest look, whichever arrives last', async () => {
    const movieId = movieIds[0]!;
    const nowMs = Date.now() - HOUR_MS;
    const looks = Array.from({ length: 40 }, (_, index) => ({
      device: index % 2 ? phone : tv,
      atMs: nowMs + ((index * 17) % 40) * 1_000,
    }));
    // The later a look, the less far: so that neither the farthest nor the last to arrive wins by chance.
    const positionAt = (atMs: number): number => 2_000_000 - (atMs - nowMs);
    const answers = await Promise.all(looks.map(({ device, atMs }) => report(device, movieId, positionAt(atMs), atMs)));
    const newestMs = nowMs + 39_000;
    // Each is answered with what is true after it was taken into account.
    expect(answers.filter(({ updatedAt }, index) => updatedAt < looks[index]!.atMs)).toEqual([]);
    await allSay(movieId, { positionMs: positionAt(newestMs), updatedAt: newestMs });
    // Nobody was ever shown a step back in time.
    for (const feed of [onPhone, onTv]) {
      const times = told(feed, movieId).map(({ updatedAt }) => updatedAt);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('[PROG1] an old report, from a device that was offline, changes nothing', async () => {
    const movieId = movieIds[1]!;
    const nowMs = Date.now();
    await report(tv, movieId, 1_800_000, nowMs - 1_000);
    expect(await report(phone, movieId, 60_000, nowMs - HOUR_MS)).toMatchObject({ positionMs: 1_800_000 });
    // Of two looks at the same time the farther one.
    expect(await report(phone, movieId, 1_700_000, nowMs - 1_000)).toMatchObject({ positionMs: 1_800_000 });
    expect(await report(phone, movieId, 1_900_000, nowMs - 1_000)).toMatchObject({ positionMs: 1_900_000 });
    await allSay(movieId, { positionMs: 1_900_000 });
  });

  it('[PROG2] a device whose clock is ahead does not lock the other one out', async () => {
    const movieId = movieIds[2]!;
    const ahead = await report(phone, movieId, 600_000, Date.now() + 24 * HOUR_MS);
    expect(ahead.updatedAt).toBeLessThanOrEqual(Date.now());
    const { progress: after } = await tv.call(progress.report, { movieId, positionMs: 300_000, durationMs: HOUR_MS });
    expect(after.positionMs).toBe(300_000);
    await allSay(movieId, { positionMs: 300_000 });
  });

  it('[PROG8] a flood of reports is written far less often than it is answered', async () => {
    const movieId = movieIds[3]!;
    const nowMs = Date.now() - HOUR_MS;
    const answers: Promise<Progress>[] = [];
    // As many at a time as one connection may have in flight.
    for (let index = 1; index <= 400; index++) {
      answers.push(report(index % 2 ? phone : tv, movieId, index * 1_000, nowMs + index));
      if (index % 40 === 0) await Promise.all(answers);
    }
    const all = await Promise.all(answers);
    expect(all.every(({ updatedAt }, index) => updatedAt >= nowMs + index + 1)).toBe(true);
    await allSay(movieId, { positionMs: 400_000 });
    expect(told(onTv, movieId).length).toBeLessThan(200);
  });

  it('[PROG3] [PROG10] watched on one is watched on both, once', async () => {
    const movieId = movieIds[4]!;
    const nowMs = Date.now() - HOUR_MS;
    await Promise.all([
      report(phone, movieId, 0.95 * HOUR_MS, nowMs + 1_000),
      report(tv, movieId, 0.96 * HOUR_MS, nowMs + 2_000),
    ]);
    await allSay(movieId, { isWatched: true, watchCount: 1, positionMs: 0 });
    await tv.call(progress.setWatched, { movieId, isWatched: false });
    await allSay(movieId, { isWatched: false, positionMs: 0 });
  });
});
