/** An engine that keeps a search server's index, killed while it does: what is in the database comes to be in the index. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { movies } from '#protocol/index.ts';
import { writeMovie } from '#test/support/movie-writer.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';
import { STAND_IN_KEY, TypesenseStandIn } from '#test/support/typesense-stand-in.ts';

/** More than fit into two requests. */
const MOVIES = 1_200;
/** What a killed process had begun is begun again within half a minute [WORK5]. */
const LIMIT = { timeout: 90_000, interval: 250 };

let base = '';
let database: TestDatabase;
let stand: TypesenseStandIn;
let engine: RunningEngine;
let ids: string[] = [];

const start = () =>
  startEngine({
    dataFolder: join(base, 'data'),
    environment: {
      ...adminEnvironment,
      DATABASE_URL: database.url,
      MATINEE_TYPESENSE_URL: stand.url,
      MATINEE_TYPESENSE_API_KEY: STAND_IN_KEY,
    },
  });

/** Kills the engine in the middle of a request that it makes, which is carried out all the same, and starts another. */
async function killAt(request: RegExp, act: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
  const { promise: isAsked, resolve } = Promise.withResolvers<void>();
  const { promise: isDead, resolve: goOn } = Promise.withResolvers<void>();
  stand.beforeWork = async (route) => {
    if (!request.test(route)) return;
    stand.beforeWork = () => Promise.resolve();
    resolve();
    await isDead;
  };
  await act();
  await isAsked;
  await engine.kill();
  goOn();
  engine = await start();
}

/** Indexes that are not in use. */
const leftOver = () => [...stand.indexes.keys()].filter((name) => ![...stand.aliases.values()].includes(name));
const documents = () =>
  [...stand.aliases.values()].map((name) => [...(stand.indexes.get(name)?.documents.keys() ?? [])]);

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee-search-crash-')));
  database = await createTestDatabase({ max: 4 });
  stand = await TypesenseStandIn.start();
  for (let n = 0; n < MOVIES; n++) {
    ids.push(await writeMovie(database.sql, { title: `Movie ${n}`, year: 1950 + (n % 70) }));
  }
  ids = ids.toSorted();
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await stand?.[Symbol.asyncDispose]();
  await database?.drop();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output().slice(-8_000));
});

it('[SEARCH7] [WORK1] killed while an index is built, and just before it is taken into use: there is one, and it is whole', async () => {
  engine = await start();
  await killAt(/^POST \/collections\/[^/]+\/documents\/import$/);
  await killAt(/^PUT \/aliases\//);
  await expect.poll(() => documents().map((there) => there.toSorted()), LIMIT).toEqual([ids]);
  await expect.poll(leftOver, LIMIT).toEqual([]);
  expect(stand.faults).toEqual([]);
}, 240_000);

it('[SEARCH2] [SEARCH6] killed while a change is sent: it is sent', async () => {
  const movieId = ids[7]!;
  using ada = await Person.signIn(engine.url);
  await killAt(/\/documents\/import$/, () => ada.call(movies.edit, { movieId, title: 'Quite Another' }));
  const title = () =>
    [...stand.aliases.values()].map((name) => stand.indexes.get(name)?.documents.get(movieId)?.['title']);
  await expect.poll(title, LIMIT).toEqual(['Quite Another']);
  // The one that was killed had its request carried out, so a second change tells the two apart.
  using again = await Person.signIn(engine.url);
  await again.call(movies.edit, { movieId, title: 'And Another' });
  await expect.poll(title, LIMIT).toEqual(['And Another']);
  expect(documents().map((there) => there.length)).toEqual([MOVIES]);
  expect(stand.faults).toEqual([]);
}, 240_000);
