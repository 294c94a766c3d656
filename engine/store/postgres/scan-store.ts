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
import { MovieAssignment, homesOf } from './movie-assignment.ts';
import type { CurrentMovie } from './movie-assignment.ts';
import { inScope } from './path-scope.ts';
import { handOnSubtitles, knownSidecars, videosIn, writeSidecars } from './sidecar-rows.ts';

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
    async homes(libraryId, names) {
      if (names.length === 0) return [];
      return sql.begin((tx) =>
        homesOf(
          tx,
          libraryId,
          names.map((name) => ({ name })),
        ),
      );
    },
    videosIn: (libraryId, folders) => videosIn(sql, libraryId, folders),
    sidecars: (libraryId, scopes, paths) => knownSidecars(sql, libraryId, scopes, paths),
    async writeSidecars(libraryId, change) {
      await sql.begin(async (tx) => {
        await lockMovies(tx);
        const movieIds = await writeSidecars(tx, libraryId, change, newId);
        await recordChanges(tx, movieIds.map(movieChange));
      });
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
        await handOnSubtitles(tx, graceMs);
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

/** The members of a list that meet a test, and the others. */
function partition<Item>(items: readonly Item[], test: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
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
    select f.id as "fileId", f.state, f.extra_kind is not null as "isExtra", m.id as "movieId", m.match,
      coalesce(m.file_title, m.title) as title, name_key(coalesce(m.file_title, m.title)) as key,
      case when m.file_title is null then m.year else m.file_year end as year
    from movie_file f join movie m on m.id = f.movie_id where f.id = any(${knownIds}::uuid[])`;
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
  const isExtra = (write: Probed | Moved): boolean => write.name.extra !== null;
  const movieIds = new Map<FileWrite, string>();
  const settle = (found: ReadonlyMap<FileWrite, string>): void => {
    for (const [write, movieId] of found) movieIds.set(write, movieId);
  };
  for (const write of probed) {
    const movie = current(write);
    if (movie) movieIds.set(write, movie.movieId);
  }
  // A renamed extra may be a movie now; it is placed as a new file is.
  const [turned, followed] = partition(
    moved.filter((write) => !isExtra(write)),
    (write) => current(write)!.isExtra,
  );
  await vacate(tx, libraryId, [...added, ...moved]);
  settle(await assign.place(added.filter((write) => !isExtra(write))));
  settle(await assign.follow(followed, currentByFileId));
  settle(await assign.place(turned));
  await upsertFiles(
    tx,
    libraryId,
    probed.filter((write) => !isExtra(write)),
    movieIds,
    newId,
  );
  const movedMovies = moved.filter((write) => !isExtra(write));
  await moveFiles(tx, libraryId, movedMovies, movieIds);

  // Extras last: the movies that they belong to are there now [SCAN12].
  const homeless = [...added, ...moved].filter(isExtra);
  settle(await assign.homes(homeless));
  for (const write of moved.filter(isExtra)) if (!movieIds.has(write)) movieIds.set(write, current(write)!.movieId);
  await upsertFiles(
    tx,
    libraryId,
    probed.filter((write) => isExtra(write) && movieIds.has(write)),
    movieIds,
    newId,
  );
  await moveFiles(tx, libraryId, moved.filter(isExtra), movieIds);
  for (const movieId of movieIds.values()) touched.add(movieId);
  await keepFiles(tx, kept);
  await refreshMovies(tx, touched, assign.changes);
}

/** A file that is missing keeps its row, to be found by its content, and gives its path up to what lies there now [SCAN3]. */
async function vacate(tx: TransactionSql, libraryId: string, writes: readonly (Probed | Moved)[]): Promise<void> {
  const paths = writes.map(({ file }) => file.path);
  const ids = writes.flatMap(({ fileId }) => fileId ?? []);
  await tx`
    update movie_file set path = path || ' ~' || id
    where library_id = ${libraryId} and path = any(${paths}::text[]) and state = 'missing' and id <> all(${ids}::uuid[])`;
}

/** A row's state from what its last probe said. */
const restoredState = (tx: TransactionSql) => tx`case when f.failure is null then 'playable' else 'unplayable' end`;

async function upsertFiles(
  tx: TransactionSql,
  libraryId: string,
  writes: readonly Probed[],
  movieIds: ReadonlyMap<FileWrite, string>,
  newId: () => string,
): Promise<void> {
  if (writes.length === 0) return;
  const rows = writes.map((write) => {
    const { file, outcome } = write;
    const isPlayable = 'media' in outcome;
    return {
      id: newId(),
      movie_id: movieIds.get(write)!,
      ...nameColumns(write.name),
      path: file.path,
      size_bytes: file.sizeBytes,
      mtime_us: file.mtimeUs,
      inode: file.inode,
      content_hash: write.contentHash,
      state: isPlayable ? 'playable' : 'unplayable',
      failure: isPlayable ? null : outcome.failure,
      media: isPlayable ? outcome.media : null,
      resolution: isPlayable ? outcome.resolution : null,
      keyframes: isPlayable && outcome.keyframes ? Buffer.from(outcome.keyframes).toString('base64') : null,
    };
  });
  await tx`
    insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, part, edition, extra_kind, extra_title,
      name_facts, content_hash, state, failure, media, resolution, keyframes, probed_at)
    select id, movie_id, ${libraryId}, path, size_bytes, mtime_us, inode, part, edition, extra_kind, extra_title, name_facts,
      content_hash, state, failure, media, resolution, decode(keyframes, 'base64'), now()
    from jsonb_to_recordset(${tx.json(rows)}) as r(id uuid, movie_id uuid, path text, size_bytes bigint, mtime_us bigint,
      inode text, part int, edition text, extra_kind text, extra_title text, name_facts jsonb, content_hash text, state text,
      failure text, media jsonb, resolution int, keyframes text)
    on conflict (library_id, path) do update set size_bytes = excluded.size_bytes, mtime_us = excluded.mtime_us,
      inode = excluded.inode, part = excluded.part, edition = excluded.edition, extra_kind = excluded.extra_kind,
      extra_title = excluded.extra_title, name_facts = excluded.name_facts, content_hash = excluded.content_hash, whole_hash = null,
      state = excluded.state, failure = excluded.failure, media = excluded.media, resolution = excluded.resolution,
      keyframes = excluded.keyframes, probed_at = excluded.probed_at, missing_since = null`;
}

/** What a name says of its file, as it is stored. Facts that it does not state are left out. */
function nameColumns({ part, edition, extra, extraTitle, tmdbId, imdbId, alternativeTitles, release }: NamedMovie) {
  const facts = Object.entries({ tmdbId, imdbId, alternativeTitles, ...release }).filter(
    ([, value]) => value !== null && value !== false && !(Array.isArray(value) && value.length === 0),
  );
  return {
    part,
    edition,
    extra_kind: extra,
    extra_title: extraTitle,
    name_facts: Object.fromEntries(facts),
  };
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
  movieIds: ReadonlyMap<FileWrite, string>,
): Promise<void> {
  if (writes.length === 0) return;
  const rows = statRows(writes).map((row, index) => ({
    ...row,
    movie_id: movieIds.get(writes[index]!),
    ...nameColumns(writes[index]!.name),
  }));
  await tx`
    update movie_file f set library_id = ${libraryId}, path = r.path, size_bytes = r.size_bytes, mtime_us = r.mtime_us,
      inode = r.inode, movie_id = r.movie_id, part = r.part, edition = r.edition, extra_kind = r.extra_kind,
      extra_title = r.extra_title, name_facts = r.name_facts, state = ${restoredState(tx)}, missing_since = null
    from jsonb_to_recordset(${tx.json(rows)})
      as r(id uuid, path text, size_bytes bigint, mtime_us bigint, inode text, movie_id uuid, part int, edition text,
        extra_kind text, extra_title text, name_facts jsonb)
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
 * statements of a transaction. The best file is one that plays, the first of its parts, with the highest resolution, then the
 * highest bitrate; an extra is none. The length is that of the best file, or of all the parts that it is one of.
 */
export async function refreshMovies(
  tx: TransactionSql,
  movieIds: ReadonlySet<string>,
  changes: readonly NewChange[] = [],
): Promise<void> {
  const ids = [...movieIds];
  if (ids.length > 0) {
    const refreshed = await tx<{ id: string; isCut: boolean }[]>`
      update movie m set
        best_file_id = b.id,
        duration_ms = case when b.id is null then m.duration_ms else b.duration_ms end,
        resolution = case when b.id is null then m.resolution else b.resolution end,
        hdr = case when b.id is null then m.hdr else b.hdr end,
        video_codec = case when b.id is null then m.video_codec else b.video_codec end,
        audio_languages = case when b.id is null then m.audio_languages else coalesce(b.audio_languages, '{}') end,
        is_playable = coalesce(b.state = 'playable', false),
        library_ids = coalesce(b.library_ids, '{}'),
        deleted_at = case when b.id is null then coalesce(m.deleted_at, now()) end
      from unnest(${ids}::uuid[]) as i(id)
      left join lateral (
        select f.id, f.part, f.duration_ms, f.resolution, f.hdr, f.state, f.video_codec,
          (select array_agg(distinct track ->> 'language' order by track ->> 'language')
            from movie_file o cross join lateral jsonb_array_elements(o.media -> 'audio') track
            where o.movie_id = i.id and o.state = 'playable' and o.extra_kind is null and track ->> 'language' is not null
          ) as audio_languages,
          (select array_agg(distinct o.library_id) from movie_file o where o.movie_id = i.id and o.state <> 'missing' and o.extra_kind is null) as library_ids
        from movie_file f where f.movie_id = i.id and f.state <> 'missing' and f.extra_kind is null
        order by (f.state = 'playable') desc, (coalesce(f.part, 1) = 1) desc, f.resolution desc nulls last, f.bitrate_bps desc nulls last, f.id limit 1
      ) b on true
      where m.id = i.id
      returning m.id, b.part is not null and b.state = 'playable' as "isCut"`;
    const cutIds = refreshed.filter(({ isCut }) => isCut).map(({ id }) => id);
    if (cutIds.length > 0) await sumParts(tx, cutIds);
  }
  await recordChanges(tx, [...ids.map(movieChange), ...changes]);
}

/** The length of movies whose best file is one part of several. Which files those are: `planParts` in engine/media/part-plan.ts. */
async function sumParts(tx: TransactionSql, movieIds: readonly string[]): Promise<void> {
  const folders = tx`string_to_array(l.path || case when f.folder = '' then '' else '/' || f.folder end, '/')`;
  await tx`
    with cut as (
      select f.id, f.movie_id, f.part, f.edition, f.duration_ms, coalesce(f.width::bigint * f.height, 0) as pixels, ${folders} as folders
      from movie_file f join library l on l.id = f.library_id
      where f.movie_id = any(${[...movieIds]}::uuid[]) and f.state = 'playable' and f.extra_kind is null and f.part is not null
    ), part as (
      select distinct on (o.movie_id, o.part) o.movie_id, o.duration_ms
      from cut o join movie m on m.id = o.movie_id join cut b on b.id = m.best_file_id
      where o.edition is not distinct from b.edition
      order by o.movie_id, o.part, (o.id = b.id) desc, (
          select count(*) from generate_series(1, least(cardinality(o.folders), cardinality(b.folders))) depth
          where o.folders[1:depth] = b.folders[1:depth]
        ) desc, abs(o.pixels - b.pixels), o.id
    )
    update movie m set duration_ms = whole.duration_ms
    from (select movie_id, sum(duration_ms)::bigint as duration_ms from part group by movie_id) whole
    where m.id = whole.movie_id and whole.duration_ms > 0`;
}
