/** The metadata domain on a real database and a stand-in for TMDB, with a queue that works when it is told to. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { Secret } from '#engine/base/secret.ts';
import { HealthBoard } from '#engine/health/health-board.ts';
import { REMOTE_SIZES } from '#engine/images/remote-pictures.ts';
import { isOwnNfo } from '#engine/media/nfo-text.ts';
import { createMetadataHandlers } from '#engine/metadata/handlers.ts';
import { MetadataDomain } from '#engine/metadata/metadata.ts';
import type { WorkOutcome, WorkPort } from '#engine/metadata/ports.ts';
import { TmdbClient } from '#engine/metadata/tmdb/tmdb-client.ts';
import type { TmdbTiming } from '#engine/metadata/tmdb/tmdb-client.ts';
import { createNfoFolder } from '#engine/store/files/nfo-folder.ts';
import { openChangeLog, recordChanges } from '#engine/store/postgres/change-feed.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import { createMetadataStore, createReplyCache } from '#engine/store/postgres/metadata-store.ts';
import { createMovieStore } from '#engine/store/postgres/movie-store.ts';
import { createPictureStore } from '#engine/store/postgres/picture-store.ts';
import { createSettingStore } from '#engine/store/postgres/setting-store.ts';
import { mediaInfo } from './media-info.ts';
import { createTestDatabase } from './postgres.ts';
import type { TmdbStandIn } from './tmdb-stand-in.ts';

export const STAGE_KEY = '0123456789abcdef0123456789abcdef';
export const newId = createUuidFactory(systemClock);

type Order = Parameters<WorkPort['order']>[0][number];
type Work = Parameters<WorkPort['handle']>[2];

/** Keeps orders until somebody says `run`. Orders with the same key that have not begun are one. */
export class HandQueue implements WorkPort {
  readonly orders: Order[] = [];
  readonly outcomes: (WorkOutcome & { readonly movieId: unknown; readonly work: string })[] = [];
  readonly #works = new Map<string, Work>();

  order(orders: readonly Order[]): Promise<void> {
    for (const order of orders) {
      const known = this.orders.findIndex(
        ({ kind, key }) => kind === order.kind && key !== undefined && key === order.key,
      );
      if (known < 0) this.orders.push(order);
      else this.orders[known] = order;
    }
    return Promise.resolve();
  }

  handle(kind: string, _options: unknown, work: Work): void {
    this.#works.set(kind, work);
  }

  /** Carries everything out, and what that orders, `together` at a time. What is to be done later is ordered again when all is done. */
  async run(attempt = 1, together = 1): Promise<void> {
    const later: Order[] = [];
    const one = async (): Promise<void> => {
      for (let order = this.orders.shift(); order !== undefined; order = this.orders.shift()) {
        const outcome = await this.#works.get(order.kind)!(order.payload, {
          attempt,
          signal: new AbortController().signal,
          progress: () => {},
        });
        this.outcomes.push({ ...outcome, movieId: order.payload['movieId'], work: order.kind });
        if (outcome.kind === 'later') later.push(order);
      }
    };
    await Promise.all(Array.from({ length: together }, one));
    this.orders.push(...later);
  }
}

export interface StagedMovie {
  readonly title: string;
  readonly year?: number | null;
  readonly minutes?: number;
  /** Relative to the library's folder; made from title and year unless told. */
  readonly path?: string;
  /** Text of the NFO beside it. */
  readonly nfo?: string;
}

export interface MetadataStage extends AsyncDisposable {
  readonly sql: Sql;
  readonly domain: MetadataDomain;
  readonly handlers: ReturnType<typeof createMetadataHandlers>;
  readonly queue: HandQueue;
  readonly health: HealthBoard;
  readonly store: ReturnType<typeof createMetadataStore>;
  readonly libraryId: string;
  readonly libraryPath: string;
  readonly dataPath: string;
  /** A movie as a scan leaves it: with a file, waiting. */
  add(movie: StagedMovie): Promise<string>;
  addFile(movieId: string, path: string): Promise<string>;
  movie(movieId: string): Promise<Record<string, unknown>>;
  /** Another domain on the same database: what a start finds after a kill. */
  again(options?: StageOptions): Promise<Pick<MetadataStage, 'domain' | 'handlers' | 'queue' | 'health'>>;
  /** Empties all tables of movies. */
  clear(): Promise<void>;
}

export interface StageOptions {
  readonly key?: string | null;
  readonly timing?: Partial<TmdbTiming>;
}

export async function openMetadataStage(standIn: TmdbStandIn, options: StageOptions = {}): Promise<MetadataStage> {
  const database = await createTestDatabase({ max: 8 });
  const { sql } = database;
  const root = await mkdtemp(join(tmpdir(), 'matinee-metadata-'));
  const libraryPath = join(root, 'movies');
  const dataPath = join(root, 'data');
  await mkdir(libraryPath);
  const store = createMetadataStore(sql, { newId, sizes: REMOTE_SIZES });
  const changes = await openChangeLog(sql, () => {});
  const domains: MetadataDomain[] = [];

  async function open({ key = STAGE_KEY, timing = {} }: StageOptions) {
    const queue = new HandQueue();
    const health = new HealthBoard(systemClock);
    const replies = createReplyCache(sql);
    const client = new TmdbClient({
      ...{ baseUrl: standIn.url, clock: systemClock, replies, log: silentLog },
      timing: { maxPerSecond: 10_000, timeoutMs: 1_000, firstWaitMs: 2, breakMs: 30, longestBreakMs: 60, ...timing },
    });
    const domain = await MetadataDomain.open(
      {
        ...{ store, replies, health, changes },
        nfo: createNfoFolder(join(dataPath, 'nfo'), isOwnNfo),
        pictures: { ...createPictureStore(sql, { sizes: REMOTE_SIZES }), lookBeside: () => undefined },
        movies: createMovieStore(sql),
        settings: createSettingStore(sql, Buffer.alloc(32, 7)),
        work: queue,
        clock: systemClock,
        log: silentLog,
      },
      client,
      key === null ? null : new Secret(key),
    );
    domains.push(domain);
    return { domain, handlers: createMetadataHandlers(domain), queue, health };
  }

  let libraryId = '';
  const clear = async (): Promise<void> => {
    await sql`truncate library, movie, person, collection, term, app_user, change, tmdb_reply, edit restart identity cascade`;
    await sql`delete from server_fact where name like 'setting.%'`;
    await rm(libraryPath, { recursive: true, force: true });
    await mkdir(libraryPath);
    libraryId = newId();
    await sql`insert into library (id, name, path) values (${libraryId}, 'Movies', ${libraryPath})`;
  };
  await clear();
  let inode = 0;

  async function addFile(movieId: string, path: string, minutes = 100): Promise<string> {
    const id = newId();
    await sql`
      insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state, media, resolution)
      values (${id}, ${movieId}, ${libraryId}, ${path}, 1000, 1, ${String(++inode)}, 'playable',
        ${sql.json(mediaInfo({ durationMs: minutes * 60_000 }))}, 1080)`;
    await sql`
      update movie set best_file_id = coalesce(best_file_id, ${id}), duration_ms = ${minutes * 60_000}, is_playable = true,
        library_ids = ${[libraryId]}::uuid[] where id = ${movieId}`;
    return id;
  }

  return {
    ...(await open(options)),
    ...{ sql, store, libraryPath, dataPath, clear },
    get libraryId() {
      return libraryId;
    },
    async add({ title, year = null, minutes = 100, path, nfo }) {
      const id = newId();
      const name =
        path ?? `${title.replaceAll('/', ' ')}${year === null ? '' : ` (${year})`}/${title.replaceAll('/', ' ')}.mkv`;
      await sql`
        insert into movie (id, title, year, file_title, file_year) values (${id}, ${title}, ${year}, ${title}, ${year})`;
      await addFile(id, name, minutes);
      if (nfo !== undefined) {
        const file = join(libraryPath, name.replace(/\.\w+$/, '.nfo'));
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, nfo);
      }
      await sql.begin((tx) => recordChanges(tx, [{ feed: 'library', audience: null, kind: 'movie', entityId: id }]));
      return id;
    },
    addFile,
    async movie(movieId) {
      const [row] = await sql`select * from movie where id = ${movieId}`;
      return row ?? {};
    },
    again: (more = {}) => open({ ...options, ...more }),
    async [Symbol.asyncDispose]() {
      for (const domain of domains) await domain[Symbol.asyncDispose]();
      await database.drop();
      await rm(root, { recursive: true });
    },
  };
}
