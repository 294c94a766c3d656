/**
 * Which movie a file belongs to, by its name. Rules MATCH1 to MATCH12 of engine/library/SPEC.md. Lives for one transaction, which
 * holds the lock of movies.
 */
import type { FileWrite, KnownFile, NamedMovie } from '#engine/library/ports.ts';
import type { NewChange } from './change-feed.ts';
import { moveTrackChoices } from './preference-store.ts';
import type { TransactionSql } from './connect.ts';
import { forgetFacts } from './forgotten-facts.ts';

type Probed = Extract<FileWrite, { kind: 'probed' }>;
type Moved = Extract<FileWrite, { kind: 'moved' }>;

/** The movie that a known file belongs to now. */
export interface CurrentMovie {
  readonly fileId: string;
  readonly state: KnownFile['state'];
  readonly isExtra: boolean;
  readonly movieId: string;
  /** As its files call it, which may be something else than what is shown. */
  readonly title: string;
  readonly key: string;
  readonly year: number | null;
  readonly match: string;
}

interface Target {
  readonly key: string;
  readonly movieId: string | null;
}

/** A movie that was made in this batch. */
interface Made {
  readonly movieId: string;
  readonly tmdbId: number | null;
}

export class MovieAssignment {
  readonly #tx: TransactionSql;
  readonly #libraryId: string;
  readonly #newId: () => string;
  /** Movies that this batch met, by id of the catalogue, by name and year, and by name and folder; `null` where there are several. */
  readonly #met = new Map<string, Made | null>();
  /** Changes beside those of movies: progress that moved along. */
  readonly changes: NewChange[] = [];

  constructor(tx: TransactionSql, libraryId: string, newId: () => string) {
    this.#tx = tx;
    this.#libraryId = libraryId;
    this.#newId = newId;
  }

  /** Finds or makes the movies of new files. */
  async place<Write extends Probed | Moved>(files: readonly Write[]): Promise<Map<Write, string>> {
    const targets = await this.#targets(files);
    const byFile = new Map<Write, string>();
    const fresh: { id: string; name: NamedMovie }[] = [];
    const order = files.map((file, index) => ({ file, target: targets[index]! }));
    // Names with a year first, so that a name without one finds their movie in the same folder.
    for (const { file, target } of order.toSorted((a, b) => rank(a.file.name) - rank(b.file.name))) {
      let movieId = target.movieId ?? this.#metAs(target.key, file);
      if (movieId === null) {
        movieId = this.#newId();
        fresh.push({ id: movieId, name: file.name });
      }
      this.#remember(target.key, file, movieId);
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
    const targets = await this.#targets(files);
    const groups = Map.groupBy(
      files.map((file, index) => ({ file, target: targets[index]!, movie: currentByFileId.get(file.fileId)! })),
      ({ target, movie, file }) => `${movie.movieId} ${file.name.year ?? ''} ${file.name.tmdbId ?? ''} ${target.key}`,
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

  /** The movie that each extra belongs to; those without one are absent. */
  async homes<Named extends NamedPlace>(extras: readonly Named[]): Promise<Map<Named, string>> {
    if (extras.length === 0) return new Map();
    const ids = await homesOf(this.#tx, this.#libraryId, extras);
    return new Map(extras.flatMap((extra, index) => (ids[index] ? [[extra, ids[index]] as const] : [])));
  }

  async #destination(movie: CurrentMovie, target: Target, file: Moved, fileIds: readonly string[]): Promise<string> {
    const tx = this.#tx;
    const { name } = file;
    // A person said which movie this is.
    if (movie.match === 'confirmed') return movie.movieId;
    const isSameName = target.key === movie.key && (name.year === null || name.year === movie.year);
    if (isSameName && name.title === movie.title && (target.movieId ?? movie.movieId) === movie.movieId) {
      return movie.movieId;
    }
    const [others] = await tx<{ count: number }[]>`
      select count(*)::int as count from movie_file
      where movie_id = ${movie.movieId} and state <> 'missing' and extra_kind is null
        and id <> all(${[...fileIds]}::uuid[])`;
    const isAlone = (others?.count ?? 0) === 0;
    if (isSameName && (name.tmdbId === null || target.movieId === movie.movieId || target.movieId === null)) {
      // The same movie, spelled better.
      if (isAlone && name.title !== movie.title) await this.#rename(movie.movieId, { ...name, year: movie.year });
      return movie.movieId;
    }
    const found = target.movieId ?? this.#metAs(target.key, file);
    const destination = found === movie.movieId || (await this.#isApart(movie.movieId, found)) ? null : found;
    if (isAlone) {
      if (destination === null) {
        // Called now as it is shown already, or by its number, it keeps what it has until it was looked for. Else it is another one.
        if (found !== movie.movieId) await this.#forget(movie.movieId);
        await this.#rename(movie.movieId, name);
      } else await this.#mergeInto(movie.movieId, destination);
      return destination ?? movie.movieId;
    }
    if (destination !== null) return destination;
    const movieId = this.#newId();
    await this.#make([{ id: movieId, name }]);
    this.#remember(target.key, file, movieId);
    return movieId;
  }

  /** A person said that the two are not one. */
  async #isApart(movieId: string, other: string | null): Promise<boolean> {
    if (other === null) return false;
    const rows = await this.#tx`
      select from movie_apart where movie_id = least(${movieId}::uuid, ${other}::uuid)
        and other_id = greatest(${movieId}::uuid, ${other}::uuid)`;
    return rows.length > 0;
  }

  /**
   * The movie that is there for each name: by an id in the name, by name and year in all libraries, else by name in the same
   * folder. Both the title that is shown and the one that its files bear count.
   */
  async #targets(files: readonly (Probed | Moved)[]): Promise<Target[]> {
    const tx = this.#tx;
    if (files.length === 0) return [];
    return [
      ...(await tx<Target[]>`
        select n.key, (select coalesce(t.merged_into, t.id) from movie t where t.id = coalesce(
          case when n.tmdb_id is not null then coalesce(
            (select m.id from movie m where m.tmdb_id = n.tmdb_id),
            (select f.movie_id from movie_file f
              where f.name_facts ? 'tmdbId' and f.name_facts ->> 'tmdbId' = n.tmdb_id::text and f.extra_kind is null
              order by f.state = 'missing', f.movie_id limit 1)) end,
          (select m.id from (${namedAs(tx, tx`m.year = n.year`, tx`m.file_year = n.year`)}) m
            where ${isCompatible(tx)} order by m.deleted_at nulls first, m.id limit 1),
          (select case
              -- Several movies of one name and different years: a name without a year is none of them.
              when n.year is null and m.dated[2] is not null then m.undated[1]
              else coalesce(m.dated[1], m.undated[1], m.gone[1]) end
            from (
              select array_agg(distinct m.id) filter (where m.year is not null and m.deleted_at is null and n.year is null) as dated,
                array_agg(m.id order by m.deleted_at nulls first, m.id) filter (where m.year is null) as undated,
                array_agg(m.id order by m.id) filter (where m.deleted_at is not null and n.year is null) as gone
              from (${namedAs(tx)}) m
              where (n.year is null or m.year is null) and ${isCompatible(tx)} and ${liesIn(tx, this.#libraryId, tx`n.folder`)}
            ) m)
        )) as "movieId"
        from (
          select name_key(title) as key, year, folder, tmdb_id, place
          from unnest(${files.map(({ name }) => name.title)}::text[], ${files.map(({ name }) => name.year)}::int[],
            ${files.map(({ file }) => folderOf(file.path))}::text[], ${files.map(({ name }) => name.tmdbId)}::int[])
            with ordinality as t(title, year, folder, tmdb_id, place)
        ) n order by n.place`),
    ];
  }

  #metAs(key: string, { name, file }: Probed | Moved): string | null {
    if (name.tmdbId !== null) {
      const byId = this.#met.get(idKey(name.tmdbId));
      if (byId) return byId.movieId;
    }
    const met = name.year === null ? this.#met.get(folderKey(key, file.path)) : this.#met.get(yearKey(key, name.year));
    // Without a year a name says too little to join files of different folders.
    return met && (name.tmdbId === null || met.tmdbId === null || met.tmdbId === name.tmdbId) ? met.movieId : null;
  }

  #remember(key: string, { name, file }: Probed | Moved, movieId: string): void {
    const made = { movieId, tmdbId: name.tmdbId };
    if (name.tmdbId !== null) this.#met.set(idKey(name.tmdbId), made);
    if (name.year !== null) this.#met.set(yearKey(key, name.year), made);
    const inFolder = folderKey(key, file.path);
    const known = this.#met.get(inFolder);
    this.#met.set(inFolder, known === undefined || known?.movieId === movieId ? made : null);
  }

  async #make(movies: readonly { id: string; name: NamedMovie }[]): Promise<void> {
    const tx = this.#tx;
    if (movies.length === 0) return;
    await tx`
      insert into movie (id, title, year, file_title, file_year)
      select id, title, year, title, year from unnest(${movies.map(({ id }) => id)}::uuid[],
        ${movies.map(({ name }) => name.title)}::text[], ${movies.map(({ name }) => name.year)}::int[]) t(id, title, year)`;
  }

  /** It waits to be looked for again, as what its files call it now; what people locked stays, and when it was fetched, which says that it holds more than names. */
  async #rename(movieId: string, { title, year }: Pick<NamedMovie, 'title' | 'year'>): Promise<void> {
    const tx = this.#tx;
    await tx`
      update movie set file_title = ${title}, file_year = ${year},
        title = case when 'title' = any(locked_fields) then title else ${title} end,
        year = case when 'year' = any(locked_fields) then year else ${year} end,
        match = 'waiting', tmdb_id = null, imdb_id = null, match_score = null, match_reasons = '{}', matched_at = null
      where id = ${movieId} and match <> 'confirmed'`;
  }

  /** Nothing of the movie that it was taken for is to be shown under another name. */
  async #forget(movieId: string): Promise<void> {
    const [movie] = await this.#tx`
      select from movie where id = ${movieId} and (match <> 'waiting' or refreshed_at is not null)`;
    if (movie) this.changes.push(...(await forgetFacts(this.#tx, movieId)));
  }

  /** A movie that was found by its folder without a year gets the one that another of its files states. */
  async #giveYears(movies: readonly { id: string; year: number }[]): Promise<void> {
    const tx = this.#tx;
    if (movies.length === 0) return;
    await tx`
      update movie m set file_year = y.year,
        year = case when m.match = 'matched' or 'year' = any(m.locked_fields) then m.year else y.year end,
        match = case when m.match in ('unmatched', 'doubtful') then 'waiting' else m.match end,
        matched_at = case when m.match in ('unmatched', 'doubtful') then null else m.matched_at end
      from unnest(${movies.map(({ id }) => id)}::uuid[], ${movies.map(({ year }) => year)}::int[]) y(id, year)
      where m.id = y.id and m.file_year is null and m.match <> 'confirmed'`;
  }

  /** Its last file went to another movie: its extras and what people did go along; the newest observation wins. */
  async #mergeInto(from: string, to: string): Promise<void> {
    const tx = this.#tx;
    await tx`update movie_file set movie_id = ${to} where movie_id = ${from} and extra_kind is not null`;
    const rows = await tx<{ userId: string }[]>`
      insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, watch_count, observed_at)
      select user_id, ${to}::uuid, position_ms, duration_ms, is_watched, watch_count, observed_at from progress where movie_id = ${from}
      on conflict (user_id, movie_id) do update set
        position_ms = case when excluded.observed_at > progress.observed_at then excluded.position_ms else progress.position_ms end,
        duration_ms = case when excluded.observed_at > progress.observed_at then excluded.duration_ms else progress.duration_ms end,
        -- Watched stays watched, also where that was seen before.
        is_watched = excluded.is_watched or progress.is_watched,
        watch_count = greatest(excluded.watch_count, progress.watch_count),
        observed_at = greatest(excluded.observed_at, progress.observed_at), updated_at = now()
      where excluded.observed_at > progress.observed_at or (excluded.is_watched and not progress.is_watched)
        or excluded.watch_count > progress.watch_count
      returning user_id as "userId"`;
    for (const { userId } of rows) {
      this.changes.push({ feed: 'progress', audience: userId, kind: 'progress', entityId: to });
    }
    await moveTrackChoices(tx, [from], to);
  }
}

export interface NamedPlace {
  readonly name: NamedMovie;
}

// Parts of statements. A first scan fills empty tables faster than Postgres looks at them again, and plans made without
// knowing better read whole folders for each file, so these leave it one way: from the name to the few movies called so.

/** Movies called `n.key`, as they are shown or as their files call them. */
const namedAs = (tx: TransactionSql, ofShown: Fragment = tx`true`, ofFiles: Fragment = tx`true`) => tx`
  select m.id, m.year, m.file_year, m.tmdb_id, m.deleted_at from movie m where m.name_key = n.key and ${ofShown}
  union all
  select m.id, m.year, m.file_year, m.tmdb_id, m.deleted_at from movie m where name_key(m.file_title) = n.key and ${ofFiles}
  offset 0`;

/** Whether `m` has a file in a folder. `is true` keeps that off the indexes of libraries and folders, `offset 0` out of a join. */
const liesIn = (tx: TransactionSql, libraryId: string, folder: Fragment) => tx`
  exists (select from movie_file f where f.movie_id = m.id and f.extra_kind is null
    and (f.library_id = ${libraryId} and f.folder = ${folder}) is true offset 0)`;

/** Neither the catalogue nor a name of its files says that `m` is another one than `n.tmdb_id`. */
const isCompatible = (tx: TransactionSql) => tx`
  (n.tmdb_id is null or (m.tmdb_id is null or m.tmdb_id = n.tmdb_id) and not exists (
    select from movie_file o where o.movie_id = m.id and o.state <> 'missing'
      and (o.name_facts ->> 'tmdbId')::int <> n.tmdb_id offset 0))`;

type Fragment = ReturnType<TransactionSql>;

/** For each extra the movie of its name in its folder, else the one of its name and year, else the only one in its folder. */
export async function homesOf(
  tx: TransactionSql,
  libraryId: string,
  extras: readonly NamedPlace[],
): Promise<(string | null)[]> {
  const inHome = tx`
    f.library_id = ${libraryId} and f.folder = n.home and f.extra_kind is null and f.state <> 'missing'`;
  const rows = await tx<{ movieId: string | null }[]>`
    select coalesce(
      (select m.id from (${namedAs(tx)}) m
        where m.deleted_at is null and (n.year is null or m.file_year is null or m.file_year = n.year)
          and ${liesIn(tx, libraryId, tx`n.home`)}
        order by m.id limit 1),
      (select m.id from (${namedAs(tx, tx`m.year = n.year`, tx`m.file_year = n.year`)}) m
        where m.deleted_at is null order by m.id limit 1),
      (select one.movie_id from (select f.movie_id from movie_file f where n.home <> '' and ${inHome} limit 1) one
        where not exists (select from movie_file f where ${inHome} and f.movie_id <> one.movie_id))
    ) as "movieId"
    from (
      select name_key(title) as key, year, home, place
      from unnest(${extras.map(({ name }) => name.title)}::text[], ${extras.map(({ name }) => name.year)}::int[],
        ${extras.map(({ name }) => name.home)}::text[]) with ordinality as t(title, year, home, place)
    ) n order by n.place`;
  return rows.map(({ movieId }) => movieId);
}

const rank = ({ year }: NamedMovie): number => (year === null ? 1 : 0);

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const idKey = (tmdbId: number): string => `id ${tmdbId}`;
const yearKey = (key: string, year: number): string => `year ${year} ${key}`;
const folderKey = (key: string, path: string): string => `folder ${folderOf(path)}\0${key}`;
