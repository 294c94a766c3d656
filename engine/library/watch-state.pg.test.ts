/** What people did, while files are renamed, replaced, split, merged, deleted and brought back: real folders, walks and rows. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { HashPool } from '#engine/hosts/hash-pool.ts';
import { VIDEO_EXTENSIONS } from '#engine/media/file-name.ts';
import { TreeWalker } from '#engine/store/files/tree-walker.ts';
import { createCatalogue } from '#engine/store/postgres/catalogue.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import type { LibraryStore, MediaPort, ScanStore } from './ports.ts';
import { runScan } from './scan.ts';

const newId = createUuidFactory(systemClock);
const hashes = new HashPool({ threads: 1 });
const walker = new TreeWalker({ extensions: VIDEO_EXTENSIONS, excluded: [] });
const media: MediaPort = {
  probe: () => Promise.resolve({ ok: true, media: mediaInfo(), keyframesUs: null }),
  release: () => Promise.resolve(false),
};
let database: TestDatabase;
let libraries: LibraryStore;
let store: ScanStore;
let root: string;
let libraryId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ libraries, scans: store } = createCatalogue(database.sql, { newId }));
});
afterAll(async () => {
  walker[Symbol.dispose]();
  await hashes[Symbol.asyncDispose]();
  await database.drop();
});

/** Two versions of each of three movies, in one folder, in folders of their own, and without a year. */
const PATHS = [
  'Heat (1995).mkv',
  'Heat (1995)/Heat (1995) - 720p.mkv',
  'Ronin (1998).mkv',
  'Ronin (1998)/Ronin.1998.1080p.mkv',
  'x/Alien.mkv',
  'x/Alien.Extended.mkv',
];

const at = fc.nat(PATHS.length - 1);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), path: at }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('watch' as const), path: at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('rename' as const), path: at, to: at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const), path: at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), path: at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('return' as const), to: at }) },
);

const add = (path: number) => ({ kind: 'add', path }) as const;
const remove = (path: number) => ({ kind: 'remove', path }) as const;

let serial = 0;

function put(path: string, content = `movie ${++serial}`): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  // Long settled, and never at the same time twice: a replaced file is another one.
  const seconds = 1_700_000_000 + ++serial;
  utimesSync(file, seconds, seconds);
}

async function scan(scopes: readonly string[]): Promise<void> {
  const library = (await libraries.list()).find(({ id }) => id === libraryId)!;
  await runScan(
    { walker, hashes, media, store, clock: systemClock, log: silentLog },
    { library, scopes, unsettled: 'now', signal: new AbortController().signal, onProgress: () => undefined },
  );
}

interface Place {
  readonly fileId: string;
  readonly movieId: string;
  /** Files of that movie that are there, this one included. */
  readonly files: number;
}

async function placeOf(path: string): Promise<Place> {
  const [row] = await database.sql<Place[]>`
    select f.id as "fileId", f.movie_id as "movieId",
      (select count(*)::int from movie_file o where o.movie_id = f.movie_id and o.state <> 'missing') as files
    from movie_file f where f.library_id = ${libraryId} and f.path = ${path} and f.state <> 'missing'`;
  return row!;
}

/** Everybody who watched it, with the place that they were seen at last. */
const watchersOf = async (movieId: string): Promise<Map<string, number>> =>
  new Map(
    (
      await database.sql<{ userId: string; positionMs: number }[]>`
        select user_id as "userId", position_ms as "positionMs" from progress where movie_id = ${movieId}`
    ).map(({ userId, positionMs }) => [userId, positionMs]),
  );

async function watch(movieId: string): Promise<void> {
  const userId = newId();
  await database.sql`insert into app_user (id, name, role, password_hash) values (${userId}, ${userId}, 'user', '')`;
  await database.sql`
    insert into progress (user_id, movie_id, position_ms, duration_ms, observed_at)
    values (${userId}, ${movieId}, ${++serial * 1_000}, 6000000, now())`;
}

describe('what people did', () => {
  it('[MATCH4] [MATCH5] [MATCH6] [SCAN3] [SCAN7] is kept, whatever happens to files in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), fc.boolean(), async (steps, isWhole) => {
        root = mkdtempSync(join(tmpdir(), 'watch-state-'));
        try {
          await database.sql`truncate library, movie, app_user, change restart identity cascade`;
          libraryId = (await libraries.add({ id: newId(), name: 'Movies', path: root }))!.id;
          // Something that stays, so that no step leaves the library empty: that would be a disk that went away.
          put('Stay (2000).mkv');
          await scan(['']);
          const lookAt = (...scopes: string[]) => scan(isWhole ? [''] : scopes);
          /** Contents that were taken away. */
          const away: { content: string; fileId: string }[] = [];
          const told = new Map<string, Map<string, number>>();

          for (const one of steps) {
            const path = 'path' in one ? PATHS[one.path]! : '';
            const isThere = path !== '' && existsSync(join(root, path));
            if (one.kind === 'add') {
              if (isThere) continue;
              put(path);
              await lookAt(path);
            } else if (one.kind === 'return') {
              const to = PATHS[one.to]!;
              const back = away[0];
              if (back === undefined || existsSync(join(root, to))) continue;
              away.shift();
              put(to, back.content);
              await lookAt(to);
              // The same content is the same file.
              expect((await placeOf(to)).fileId).toBe(back.fileId);
            } else if (!isThere) continue;
            else if (one.kind === 'watch') {
              const { movieId } = await placeOf(path);
              await watch(movieId);
              told.set(movieId, await watchersOf(movieId));
            } else if (one.kind === 'remove') {
              const { fileId } = await placeOf(path);
              away.push({ content: readFileSync(join(root, path), 'utf8'), fileId });
              rmSync(join(root, path));
              await lookAt(path);
            } else if (one.kind === 'replace') {
              const before = await placeOf(path);
              put(path);
              await lookAt(path);
              expect(await placeOf(path)).toEqual(before);
            } else {
              const to = PATHS[one.to]!;
              if (existsSync(join(root, to))) continue;
              const before = await placeOf(path);
              const watchers = await watchersOf(before.movieId);
              mkdirSync(dirname(join(root, to)), { recursive: true });
              renameSync(join(root, path), join(root, to));
              await lookAt(path, to);
              const after = await placeOf(to);
              expect(after.fileId).toBe(before.fileId);
              // The last file of a movie takes along what people did; of two places of one person the newer one counts.
              if (before.files === 1) {
                const now = await watchersOf(after.movieId);
                for (const [userId, positionMs] of watchers) expect(now.get(userId)).toBeGreaterThanOrEqual(positionMs);
              }
            }
            // Nowhere is anything lost.
            for (const [movieId, watchers] of told) {
              const now = await watchersOf(movieId);
              for (const [userId, positionMs] of watchers) expect(now.get(userId)).toBeGreaterThanOrEqual(positionMs);
            }
          }
          const shown = await database.sql<{ name: string; id: string }[]>`
            select id, title || ' ' || coalesce(year::text, id::text) as name from movie where deleted_at is null`;
          expect(new Set(shown.map(({ name }) => name)).size).toBe(shown.length);
        } finally {
          rmSync(root, { recursive: true, force: true });
        }
      }),
      {
        numRuns: 30,
        examples: [
          // Where another one was that has gone.
          [[add(4), remove(4), add(2), { kind: 'watch', path: 2 }, { kind: 'rename', path: 2, to: 4 }], false],
          [[add(4), { kind: 'watch', path: 4 }, remove(4), add(4), { kind: 'return', to: 1 }], false],
        ],
      },
    );
  });
});
