/**
 * What scans write: files, the movies they belong to, and the change feed, in one transaction for each batch.
 *
 * Everything that decides which movie a file belongs to runs under one advisory lock, taken first: two libraries that are
 * scanned at once never make the same movie twice. Row locks follow, the change feed's lock is last (change-feed.ts).
 */
import type { FileWrite, KnownFile, NamedMovie, ScanStore } from '#engine/library/ports.ts';
import { recordChanges } from './change-feed.ts';
import type { NewChange } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';

export interface CatalogueOptions {
  readonly newId: () => string;
  /** Told after each commit that may have changed how much there is. */
  readonly onWrite: () => void;
}

type Probed = Extract<FileWrite, { kind: 'probed' }>;
type Moved = Extract<FileWrite, { kind: 'moved' }>;

export const KNOWN_FILE_COLUMNS = (sql: Sql) => sql`
  f.id, f.library_id as "libraryId", f.movie_id as "movieId", f.path, f.size_bytes as "sizeBytes", f.mtime_us as "mtimeUs",
  f.inode, f.content_hash as "contentHash", f.state, f.failure, f.probed_at is not null as "wasProbed"`;

/** At or below `scope`, as a range of the index on (library_id, path): "0" is the character behind "/". */
const inScope = (sql: Sql | TransactionSql, scope: string) =>
  scope === '' ? sql`true` : sql`(path = ${scope} or (path >= ${`${scope}/`} and path < ${`${scope}0`}))`;

export function createScanStore(sql: Sql, { newId, onWrite }: CatalogueOptions): ScanStore {
  async function write(libraryId: string, writes: readonly FileWrite[]): Promise<FileWrite[]> {
    if (writes.length === 0) return [];
    try {
      await sql.begin((tx) => writeBatch(tx, libraryId, writes, newId));
      onWrite();
      return [];
    } catch (error) {
      if (!isRefusedValue(error)) throw error;
      if (writes.length === 1) return [...writes];
      // One file's text must not cost the others their place: halve until it stands alone.
      const middle = writes.length >> 1;
      return [...(await write(libraryId, writes.slice(0, middle))), ...(await write(libraryId, writes.slice(middle)))];
    }
  }

  return {
    write,
    async filesAt(libraryId, paths) {
      const rows = await sql<KnownFile[]>`
        select ${KNOWN_FILE_COLUMNS(sql)} from movie_file f
        where f.library_id = ${libraryId} and f.path = any(${[...paths]}::text[])`;
      return new Map(rows.map((row) => [row.path, row]));
    },
    async filesByHash(hashes) {
      return [
        ...(await sql<(KnownFile & { libraryPath: string })[]>`
          select ${KNOWN_FILE_COLUMNS(sql)}, l.path as "libraryPath" from movie_file f join library l on l.id = f.library_id
          where f.content_hash = any(${[...hashes]}::text[])`),
      ];
    },
    async presentFiles(libraryId, scope, afterPath, limit) {
      return [
        ...(await sql<{ id: string; path: string }[]>`
          select id, path from movie_file
          where library_id = ${libraryId} and state <> 'missing' and ${inScope(sql, scope)} and path > ${afterPath ?? ''}
          order by path limit ${limit}`),
      ];
    },
    async markMissing(libraryId, fileIds) {
      if (fileIds.length === 0) return;
      await sql.begin(async (tx) => {
        await lockMovies(tx);
        const rows = await tx<{ movieId: string }[]>`
          update movie_file set state = 'missing', missing_since = now()
          where library_id = ${libraryId} and id = any(${[...fileIds]}::uuid[]) and state <> 'missing'
          returning movie_id as "movieId"`;
        await refreshMovies(tx, new Set(rows.map(({ movieId }) => movieId)));
      });
      onWrite();
    },
    async replaceIssues(libraryId, scopes, issues) {
      const paths = issues.map(({ path }) => path);
      await sql.begin(async (tx) => {
        for (const scope of scopes) {
          await tx`
            delete from library_issue
            where library_id = ${libraryId} and ${inScope(tx, scope)} and path <> all(${paths}::text[])`;
        }
        await tx`
          insert into library_issue (library_id, path, reason)
          select distinct on (i.path) ${libraryId}::uuid, i.path, i.reason
          from unnest(${paths}::text[], ${issues.map(({ reason }) => reason)}::text[]) i(path, reason)
          on conflict (library_id, path) do update set reason = excluded.reason`;
      });
      onWrite();
    },
    async finish(libraryId, rootIdentity) {
      await sql.begin(async (tx) => {
        await tx`update library set last_scan_at = now(), root_identity = ${rootIdentity} where id = ${libraryId}`;
        await recordChanges(tx, [libraryChange(libraryId)]);
      });
    },
    async purge(graceMs) {
      const limit = sql`now() - ${graceMs}::double precision * interval '1 millisecond'`;
      await sql.begin(async (tx) => {
        await lockMovies(tx);
        await tx`delete from movie_file where missing_since <= ${limit}`;
        await tx`
          delete from movie m where m.deleted_at <= ${limit}
            and not exists (select from movie_file f where f.movie_id = m.id)
            and not exists (select from progress p where p.movie_id = m.id)`;
      });
      onWrite();
    },
  };
}

export const libraryChange = (libraryId: string): NewChange => ({
  feed: 'library',
  audience: null,
  kind: 'library',
  entityId: libraryId,
});

const movieChange = (movieId: string): NewChange => ({
  feed: 'library',
  audience: null,
  kind: 'movie',
  entityId: movieId,
});

export async function lockMovies(tx: TransactionSql): Promise<void> {
  await tx`select pg_advisory_xact_lock(${ADVISORY_LOCK.movies})`;
}

/** Classes 22 (data exception: a NUL or half a character in a text) and 54 (program limit exceeded: a value too large for an index). */
function isRefusedValue(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('22') || code.startsWith('54');
}

async function writeBatch(
  tx: TransactionSql,
  libraryId: string,
  writes: readonly FileWrite[],
  newId: () => string,
): Promise<void> {
  await lockMovies(tx);
  const knownIds = writes.flatMap(({ fileId }) => (fileId === null ? [] : [fileId]));
  const rows = await tx<CurrentMovie[]>`
    select f.id as "fileId", f.state, m.id as "movieId", m.title, m.name_key as key, m.year, m.match from movie_file f
    join movie m on m.id = f.movie_id where f.id = any(${knownIds}::uuid[])`;
  const currentByFileId = new Map(rows.map((row) => [row.fileId, row]));
  const current = (write: FileWrite) => (write.fileId === null ? undefined : currentByFileId.get(write.fileId));

  // A row that went in the meantime (its library was removed) is new where it was probed, and nothing otherwise.
  const probed = writes.filter((write) => write.kind === 'probed');
  const moved = writes.filter((write) => write.kind === 'moved').filter((write) => current(write) !== undefined);
  const kept = writes.filter((write) => write.kind === 'kept').filter((write) => current(write) !== undefined);
  const added = probed.filter((write) => current(write) === undefined);

  const touched = new Set<string>();
  for (const write of [...probed, ...moved]) {
    const movie = current(write);
    if (movie) touched.add(movie.movieId);
  }
  for (const write of kept) {
    const movie = current(write);
    if (movie?.state === 'missing') touched.add(movie.movieId);
  }

  const assign = new MovieAssignment(tx, libraryId, newId);
  const placed = await assign.place(added);
  const replaced = await assign.follow(moved, currentByFileId);
  for (const movieId of [...placed.values(), ...replaced.values()]) touched.add(movieId);

  await upsertFiles(tx, libraryId, probed, (write) => current(write)?.movieId ?? placed.get(write)!, newId);
  await moveFiles(tx, libraryId, moved, replaced);
  await keepFiles(tx, kept);
  await refreshMovies(tx, touched, assign.changes);
}

interface CurrentMovie {
  readonly fileId: string;
  readonly state: KnownFile['state'];
  readonly movieId: string;
  readonly title: string;
  readonly key: string;
  readonly year: number | null;
  readonly match: string;
}

interface Target {
  readonly key: string;
  readonly movieId: string | null;
}

/** Which movie a file belongs to, by its name. Rules MATCH1 to MATCH8 of engine/library/SPEC.md. */
class MovieAssignment {
  readonly #tx: TransactionSql;
  readonly #libraryId: string;
  readonly #newId: () => string;
  /** Movies made in this batch, by name and year, or by name and folder where there is no year. */
  readonly #made = new Map<string, string>();
  /** Changes beside those of movies: progress that moved along. */
  readonly changes: NewChange[] = [];

  constructor(tx: TransactionSql, libraryId: string, newId: () => string) {
    this.#tx = tx;
    this.#libraryId = libraryId;
    this.#newId = newId;
  }

  /** Finds or makes the movies of new files. */
  async place(files: readonly Probed[]): Promise<Map<Probed, string>> {
    const targets = await this.#targets(files.map(({ name, file }) => ({ name, folder: folderOf(file.path) })));
    const byFile = new Map<Probed, string>();
    const fresh: { id: string; name: NamedMovie }[] = [];
    const order = files.map((file, index) => ({ file, target: targets[index]! }));
    // Names with a year first, so that a name without one finds their movie in the same folder.
    for (const { file, target } of order.toSorted((a, b) => rank(a.file.name) - rank(b.file.name))) {
      const folder = folderOf(file.file.path);
      let movieId = target.movieId ?? this.#madeFor(target.key, file.name.year, folder);
      if (movieId === null) {
        movieId = this.#newId();
        fresh.push({ id: movieId, name: file.name });
      }
      this.#remember(target.key, file.name.year, folder, movieId);
      byFile.set(file, movieId);
    }
    await this.#make(fresh);
    await this.#giveYears(
      order.flatMap(({ file, target }) =>
        target.movieId && file.name.year !== null ? [{ id: target.movieId, year: file.name.year }] : [],
      ),
    );
    return byFile;
  }

  /** Decides where moved files belong now: mostly where they did. */
  async follow(
    files: readonly Moved[],
    currentByFileId: ReadonlyMap<string, CurrentMovie>,
  ): Promise<Map<Moved, string>> {
    const targets = await this.#targets(files.map(({ name, file }) => ({ name, folder: folderOf(file.path) })));
    const groups = Map.groupBy(
      files.map((file, index) => ({ file, target: targets[index]!, movie: currentByFileId.get(file.fileId)! })),
      ({ target, movie, file }) => `${movie.movieId} ${file.name.year ?? ''} ${target.key}`,
    );
    const byFile = new Map<Moved, string>();
    for (const group of groups.values()) {
      const { movie, target, file } = group[0]!;
      const movieId = await this.#destination(
        movie,
        target,
        file,
        group.map((member) => member.file.fileId),
      );
      for (const member of group) byFile.set(member.file, movieId);
    }
    return byFile;
  }

  async #destination(movie: CurrentMovie, target: Target, file: Moved, fileIds: readonly string[]): Promise<string> {
    const tx = this.#tx;
    const { name } = file;
    if (movie.match === 'matched' || movie.match === 'confirmed') return movie.movieId;
    const isSameName = target.key === movie.key && (name.year === null || name.year === movie.year);
    if (isSameName && name.title === movie.title) return movie.movieId;
    const [others] = await tx<{ count: number }[]>`
      select count(*)::int as count from movie_file
      where movie_id = ${movie.movieId} and state <> 'missing' and id <> all(${[...fileIds]}::uuid[])`;
    const isAlone = (others?.count ?? 0) === 0;
    if (isSameName) {
      // The same movie, spelled better.
      if (isAlone) await this.#rename(movie.movieId, { ...name, year: movie.year });
      return movie.movieId;
    }
    const found = target.movieId ?? this.#madeFor(target.key, name.year, folderOf(file.file.path));
    const destination = found === movie.movieId ? null : found;
    if (isAlone) {
      if (destination === null) await this.#rename(movie.movieId, name);
      else await this.#copyProgress(movie.movieId, destination);
      return destination ?? movie.movieId;
    }
    if (destination !== null) return destination;
    const movieId = this.#newId();
    await this.#make([{ id: movieId, name }]);
    this.#remember(target.key, name.year, folderOf(file.file.path), movieId);
    return movieId;
  }

  /** The movie that is there for each name: by name and year in all libraries, else by name in the same folder. */
  async #targets(names: readonly { name: NamedMovie; folder: string }[]): Promise<Target[]> {
    const tx = this.#tx;
    if (names.length === 0) return [];
    return [
      ...(await tx<Target[]>`
        select n.key, coalesce(
          (select m.id from movie m where m.name_key = n.key and m.year = n.year order by m.deleted_at nulls first, m.id limit 1),
          (select m.id from movie_file f join movie m on m.id = f.movie_id
            where f.library_id = ${this.#libraryId} and f.folder = n.folder and m.name_key = n.key
              and (n.year is null or m.year is null)
            order by m.deleted_at nulls first, m.year nulls last, m.id limit 1)
        ) as "movieId"
        from (
          select name_key(title) as key, year, folder, place
          from unnest(${names.map(({ name }) => name.title)}::text[], ${names.map(({ name }) => name.year)}::int[],
            ${names.map(({ folder }) => folder)}::text[]) with ordinality as t(title, year, folder, place)
        ) n order by n.place`),
    ];
  }

  #madeFor(key: string, year: number | null, folder: string): string | null {
    const byYear = year === null ? undefined : this.#made.get(`${key}\0${year}`);
    // Without a year a name says too little to join files of different folders.
    return byYear ?? (year === null ? this.#made.get(`${key}\0${folder}\0`) : undefined) ?? null;
  }

  #remember(key: string, year: number | null, folder: string, movieId: string): void {
    if (year !== null) this.#made.set(`${key}\0${year}`, movieId);
    if (!this.#made.has(`${key}\0${folder}\0`)) this.#made.set(`${key}\0${folder}\0`, movieId);
  }

  async #make(movies: readonly { id: string; name: NamedMovie }[]): Promise<void> {
    const tx = this.#tx;
    if (movies.length === 0) return;
    await tx`
      insert into movie (id, title, year)
      select * from unnest(${movies.map(({ id }) => id)}::uuid[], ${movies.map(({ name }) => name.title)}::text[],
        ${movies.map(({ name }) => name.year)}::int[])`;
  }

  async #rename(movieId: string, { title, year }: Pick<NamedMovie, 'title' | 'year'>): Promise<void> {
    const tx = this.#tx;
    await tx`update movie set title = ${title}, year = ${year} where id = ${movieId}`;
  }

  /** A movie that was found by its folder without a year gets the one that another of its files states. */
  async #giveYears(movies: readonly { id: string; year: number }[]): Promise<void> {
    const tx = this.#tx;
    if (movies.length === 0) return;
    await tx`
      update movie m set year = y.year
      from unnest(${movies.map(({ id }) => id)}::uuid[], ${movies.map(({ year }) => year)}::int[]) y(id, year)
      where m.id = y.id and m.year is null and m.match not in ('matched', 'confirmed')`;
  }

  /** What people did with a movie follows its last file to the movie that it turned out to be; the newest observation wins. */
  async #copyProgress(from: string, to: string): Promise<void> {
    const tx = this.#tx;
    const rows = await tx<{ userId: string }[]>`
      insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, watch_count, observed_at)
      select user_id, ${to}::uuid, position_ms, duration_ms, is_watched, watch_count, observed_at from progress where movie_id = ${from}
      on conflict (user_id, movie_id) do update set position_ms = excluded.position_ms, duration_ms = excluded.duration_ms,
        is_watched = excluded.is_watched or progress.is_watched,
        watch_count = greatest(excluded.watch_count, progress.watch_count),
        observed_at = excluded.observed_at, updated_at = now()
      where excluded.observed_at > progress.observed_at
      returning user_id as "userId"`;
    for (const { userId } of rows) {
      this.changes.push({ feed: 'progress', audience: userId, kind: 'progress', entityId: to });
    }
  }
}

const rank = ({ year }: NamedMovie): number => (year === null ? 1 : 0);

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** A row's state from what its last probe said. */
const restoredState = (tx: TransactionSql) => tx`case when f.failure is null then 'playable' else 'unplayable' end`;

async function upsertFiles(
  tx: TransactionSql,
  libraryId: string,
  writes: readonly Probed[],
  movieIdOf: (write: Probed) => string,
  newId: () => string,
): Promise<void> {
  if (writes.length === 0) return;
  const rows = writes.map((write) => {
    const { file, outcome } = write;
    const isPlayable = 'media' in outcome;
    return {
      id: newId(),
      movie_id: movieIdOf(write),
      path: file.path,
      size_bytes: file.sizeBytes,
      mtime_us: file.mtimeUs,
      inode: file.inode,
      part: write.name.part,
      content_hash: write.contentHash,
      state: isPlayable ? 'playable' : 'unplayable',
      failure: isPlayable ? null : outcome.failure,
      media: isPlayable ? outcome.media : null,
      resolution: isPlayable ? outcome.resolution : null,
      keyframes: isPlayable && outcome.keyframes ? Buffer.from(outcome.keyframes).toString('base64') : null,
    };
  });
  await tx`
    insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, part, content_hash, state, failure, media,
      resolution, keyframes, probed_at)
    select id, movie_id, ${libraryId}, path, size_bytes, mtime_us, inode, part, content_hash, state, failure, media, resolution,
      decode(keyframes, 'base64'), now()
    from jsonb_to_recordset(${tx.json(rows)}) as r(id uuid, movie_id uuid, path text, size_bytes bigint, mtime_us bigint,
      inode text, part int, content_hash text, state text, failure text, media jsonb, resolution int, keyframes text)
    on conflict (library_id, path) do update set size_bytes = excluded.size_bytes, mtime_us = excluded.mtime_us,
      inode = excluded.inode, part = excluded.part, content_hash = excluded.content_hash, whole_hash = null,
      state = excluded.state, failure = excluded.failure, media = excluded.media, resolution = excluded.resolution,
      keyframes = excluded.keyframes, probed_at = excluded.probed_at, missing_since = null`;
}

const statRows = (writes: readonly FileWrite[]) =>
  writes.map(({ fileId, file }) => ({
    id: fileId,
    path: file.path,
    size_bytes: file.sizeBytes,
    mtime_us: file.mtimeUs,
    inode: file.inode,
  }));

async function moveFiles(
  tx: TransactionSql,
  libraryId: string,
  writes: readonly Moved[],
  movieIds: ReadonlyMap<Moved, string>,
): Promise<void> {
  if (writes.length === 0) return;
  const rows = statRows(writes).map((row, index) => ({
    ...row,
    movie_id: movieIds.get(writes[index]!),
    part: writes[index]!.name.part,
  }));
  await tx`
    update movie_file f set library_id = ${libraryId}, path = r.path, size_bytes = r.size_bytes, mtime_us = r.mtime_us,
      inode = r.inode, movie_id = r.movie_id, part = r.part, state = ${restoredState(tx)}, missing_since = null
    from jsonb_to_recordset(${tx.json(rows)})
      as r(id uuid, path text, size_bytes bigint, mtime_us bigint, inode text, movie_id uuid, part int)
    where f.id = r.id`;
}

async function keepFiles(tx: TransactionSql, writes: readonly FileWrite[]): Promise<void> {
  if (writes.length === 0) return;
  await tx`
    update movie_file f set size_bytes = r.size_bytes, mtime_us = r.mtime_us, inode = r.inode,
      state = ${restoredState(tx)}, missing_since = null
    from jsonb_to_recordset(${tx.json(statRows(writes))})
      as r(id uuid, path text, size_bytes bigint, mtime_us bigint, inode text)
    where f.id = r.id`;
}

/**
 * Writes the facts of each movie's best file into the movie, hides those without a file, and records the changes: the last
 * statements of a transaction. The best file is one that plays, with the highest resolution, then the highest bitrate.
 */
export async function refreshMovies(
  tx: TransactionSql,
  movieIds: ReadonlySet<string>,
  changes: readonly NewChange[] = [],
): Promise<void> {
  const ids = [...movieIds];
  if (ids.length > 0) {
    await tx`
      update movie m set
        best_file_id = b.id,
        duration_ms = case when b.id is null then m.duration_ms else b.duration_ms end,
        resolution = case when b.id is null then m.resolution else b.resolution end,
        hdr = case when b.id is null then m.hdr else b.hdr end,
        is_playable = coalesce(b.state = 'playable', false),
        library_ids = coalesce(b.library_ids, '{}'),
        deleted_at = case when b.id is null then coalesce(m.deleted_at, now()) end
      from unnest(${ids}::uuid[]) as i(id)
      left join lateral (
        select f.id, f.duration_ms, f.resolution, f.hdr, f.state,
          (select array_agg(distinct o.library_id) from movie_file o where o.movie_id = i.id and o.state <> 'missing') as library_ids
        from movie_file f where f.movie_id = i.id and f.state <> 'missing'
        order by (f.state = 'playable') desc, f.resolution desc nulls last, f.bitrate_bps desc nulls last, f.id limit 1
      ) b on true
      where m.id = i.id`;
  }
  await recordChanges(tx, [...ids.map(movieChange), ...changes]);
}
