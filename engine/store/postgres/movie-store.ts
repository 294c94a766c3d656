/**
 * The catalogue as screens read it. A window of the grid is found by an index alone and only then joined with its rows, so
 * that a place far down costs no more than stepping over index entries; the size of the whole is remembered
 * until something is written.
 */
import type { MovieQuery, MovieStore, Pictureless } from '#engine/library/ports.ts';
import type { HdrKind } from '#protocol/schema/media.ts';
import type { MatchReason, MatchState } from '#protocol/schema/match.ts';
import type {
  ExtraKind,
  Movie,
  MovieCard,
  MovieField,
  MovieFile,
  MovieTile,
  Sidecar,
  Term,
} from '#protocol/schema/movie.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import { recordChanges } from './change-feed.ts';
import type { Sql } from './connect.ts';
import type { Remembered } from './remembered.ts';
import { searchMovies } from './movie-search.ts';
import type { Fragment } from './movie-search.ts';
import { searchTerms } from './search-terms.ts';
import type { SearchTerm } from './search-terms.ts';

/** Continue watching: from 1 % to 90 % of the length, for 90 days. */
const STARTED_SHARE = 0.01;
const WATCHED_SHARE = 0.9;
const CONTINUE_DAYS = 90;
const CREDITS_SHOWN = 30;

interface CardRow {
  readonly id: string;
  readonly title: string;
  readonly year: number | null;
  readonly durationMs: number | null;
  readonly resolution: number | null;
  readonly hdr: HdrKind | null;
  readonly rating: number | null;
  readonly isPlayable: boolean;
  readonly addedAt: number;
  readonly pictureVersion: string | null;
  readonly pictureWidth: number | null;
  readonly pictureHeight: number | null;
}

interface MovieRow extends CardRow, Pick<Movie, 'sortTitle' | 'originalTitle' | 'originalLanguage' | 'tagline'> {
  readonly overview: string | null;
  readonly releaseDate: string | null;
  readonly certification: string | null;
  readonly trailerUrl: string | null;
  readonly match: MatchState;
  readonly matchScore: number | null;
  readonly matchReasons: MatchReason[];
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly refreshedAt: number | null;
  readonly lockedFields: MovieField[];
  readonly isHidden: boolean;
}

interface FileRow extends Omit<MovieFile, 'path' | 'extra' | 'sidecars'> {
  readonly path: string;
  readonly extraKind: ExtraKind | null;
  readonly extraTitle: string | null;
}

type TermKind = 'genre' | 'keyword' | 'studio' | 'country' | 'tag';

interface CreditRow {
  readonly kind: 'cast' | 'crew';
  readonly personId: string;
  readonly name: string;
  readonly role: string;
  readonly department: string | null;
}

interface ProgressRow {
  readonly resumeMs: number;
  readonly progressDurationMs: number;
  readonly isWatched: boolean;
  readonly watchCount: number;
  readonly progressAt: number;
}

/** Without a line of progress its columns are null. */
type TileRow = CardRow & (ProgressRow | { readonly resumeMs: null });

export interface MovieStoreOptions {
  readonly pictureUrl: (movieId: string, version: string) => string;
  /** How many movies there are, in all (`''`) or in one library. */
  readonly count: Remembered<number>;
}

export function createMovieStore(sql: Sql, { pictureUrl, count }: MovieStoreOptions): MovieStore {
  const cardColumns = sql`
    m.id, m.title, m.year, m.duration_ms as "durationMs", m.resolution, m.hdr, m.rating, m.is_playable as "isPlayable",
    (extract(epoch from m.added_at) * 1000)::bigint as "addedAt", m.picture_version as "pictureVersion",
    m.picture_width as "pictureWidth", m.picture_height as "pictureHeight"`;
  const progressColumns = sql`
    p.resume_ms as "resumeMs", p.duration_ms as "progressDurationMs", p.is_watched as "isWatched", p.watch_count as "watchCount",
    (extract(epoch from p.observed_at) * 1000)::bigint as "progressAt"`;

  const movieColumns = sql`
    m.sort_title as "sortTitle", m.original_title as "originalTitle", m.original_language as "originalLanguage", m.tagline,
    m.overview, m.release_date::text as "releaseDate", m.certification, m.trailer_url as "trailerUrl", m.match,
    m.match_score as "matchScore", m.match_reasons as "matchReasons", m.tmdb_id as "tmdbId", m.imdb_id as "imdbId",
    (extract(epoch from m.refreshed_at) * 1000)::bigint as "refreshedAt", m.locked_fields as "lockedFields",
    m.hidden_at is not null as "isHidden"`;
  const creditsOf = (movieId: string, kind: CreditRow['kind']) => sql`
    select c.kind, c.person_id as "personId", p.name, c.role, c.department from credit c join person p on p.id = c.person_id
    where c.movie_id = ${movieId} and c.kind = ${kind}`;

  const toCard = (row: CardRow): MovieCard => ({
    id: row.id,
    title: row.title,
    year: row.year,
    durationMs: row.durationMs,
    picture:
      row.pictureVersion === null
        ? null
        : {
            url: pictureUrl(row.id, row.pictureVersion),
            width: row.pictureWidth ?? 0,
            height: row.pictureHeight ?? 0,
            placeholder: null,
          },
    poster: null,
    resolution: row.resolution,
    hdr: row.hdr,
    rating: row.rating,
    isPlayable: row.isPlayable,
    addedAt: row.addedAt,
  });

  const toProgress = (movieId: string, row: ProgressRow): Progress => ({
    movieId,
    positionMs: row.resumeMs,
    durationMs: row.progressDurationMs,
    isWatched: row.isWatched,
    watchCount: row.watchCount,
    updatedAt: row.progressAt,
  });

  const toTile = (row: TileRow): MovieTile => ({
    ...toCard(row),
    progress: row.resumeMs === null ? null : toProgress(row.id, row),
  });

  const isInLibrary = (libraryId: string | null) =>
    libraryId === null ? sql`true` : sql`m.library_ids @> array[${libraryId}]::uuid[]`;

  const total = (libraryId: string | null): Promise<number> =>
    count.get(libraryId ?? '', async () => {
      const [row] = await sql<{ count: number }[]>`
        select count(*) as count from movie m where m.deleted_at is null and ${isInLibrary(libraryId)}`;
      return row?.count ?? 0;
    });

  async function watchedCount(userId: string, libraryId: string | null): Promise<number> {
    const [row] = await sql<{ count: number }[]>`
      select count(*) as count from progress p join movie m on m.id = p.movie_id
      where p.user_id = ${userId} and p.is_watched and m.deleted_at is null and ${isInLibrary(libraryId)}`;
    return row?.count ?? 0;
  }

  /** Each order with its columns under the alias `m`; ids make it total, so that windows never overlap. */
  function orderBy(userId: string, { sort, order }: Pick<MovieQuery, 'sort' | 'order'>) {
    const isUp = (order ?? (sort === 'title' ? 'ascending' : 'descending')) === 'ascending';
    switch (sort) {
      case 'title':
        return isUp ? sql`m.sort_title, m.id` : sql`m.sort_title desc, m.id desc`;
      case 'year':
        return isUp ? sql`m.year, m.sort_title, m.id` : sql`m.year desc nulls last, m.sort_title, m.id`;
      case 'added':
        return isUp ? sql`m.added_at, m.id` : sql`m.added_at desc, m.id desc`;
      case 'duration':
        return isUp ? sql`m.duration_ms, m.id` : sql`m.duration_ms desc nulls last, m.id`;
      case 'release':
        return isUp ? sql`m.release_date, m.sort_title, m.id` : sql`m.release_date desc nulls last, m.sort_title, m.id`;
      case 'rating':
        return isUp ? sql`m.rating, m.sort_title, m.id` : sql`m.rating desc nulls last, m.sort_title, m.id`;
      case 'lastWatched': {
        const seen = sql`(select w.updated_at from progress w where w.movie_id = m.id and w.user_id = ${userId})`;
        return isUp ? sql`${seen}, m.id` : sql`${seen} desc nulls last, m.id`;
      }
      case 'random':
        return isUp ? sql`md5(m.id::text)` : sql`md5(m.id::text) desc`;
      case 'resolution':
        return isUp ? sql`m.resolution, m.sort_title, m.id` : sql`m.resolution desc nulls last, m.sort_title, m.id`;
    }
  }

  /** As a set that is made once: a sub-query for each row would be run for each row of the catalogue. */
  function watchedIs(isWatched: boolean | null, userId: string): Fragment {
    if (isWatched === null) return sql`true`;
    const watched = sql`(select w.movie_id from progress w where w.user_id = ${userId} and w.is_watched)`;
    return isWatched ? sql`m.id = any(array${watched})` : sql`m.id not in ${watched}`;
  }

  async function window(userId: string, query: MovieQuery): Promise<MovieTile[]> {
    const order = orderBy(userId, query);
    const { isWatched, libraryId } = query;
    const watched = watchedIs(isWatched, userId);
    const rows = await sql<TileRow[]>`
      with page as materialized (
        select m.id from movie m where m.deleted_at is null and ${isInLibrary(libraryId)} and ${watched}
        order by ${order} limit ${query.limit} offset ${query.offset})
      select ${cardColumns}, ${progressColumns}
      from page join movie m on m.id = page.id
      left join progress p on p.user_id = ${userId} and p.movie_id = m.id
      order by ${order}`;
    return rows.map(toTile);
  }

  async function search(userId: string, query: MovieQuery, typed: readonly SearchTerm[]) {
    const { total: size, ids } = await searchMovies(sql, {
      typed,
      among: sql`m.deleted_at is null and ${isInLibrary(query.libraryId)} and ${watchedIs(query.isWatched, userId)}`,
      order: query.sort === 'title' && query.order === null ? null : orderBy(userId, query),
      offset: query.offset,
      limit: query.limit,
    });
    const rows = await sql<TileRow[]>`
      select ${cardColumns}, ${progressColumns}
      from unnest(${[...ids]}::uuid[]) with ordinality as page(id, place) join movie m on m.id = page.id
      left join progress p on p.user_id = ${userId} and p.movie_id = m.id
      order by page.place`;
    return { total: size, movies: rows.map(toTile) };
  }

  async function movie(movieId: string, withPaths: boolean): Promise<Movie | null> {
    const [row] = await sql<MovieRow[]>`
      select ${cardColumns}, ${movieColumns} from movie m where m.id = ${movieId} and m.deleted_at is null`;
    if (!row) return null;
    const [files, sidecars, terms, credits, collections, ratings] = await Promise.all([
      sql<FileRow[]>`
        select f.id, regexp_replace(f.path, '^.*/', '') as name, f.path, f.library_id as "libraryId", f.size_bytes as "sizeBytes",
          f.state, case when f.state = 'unplayable' then f.failure end as failure, f.container, f.media, f.edition, f.part,
          f.extra_kind as "extraKind", f.extra_title as "extraTitle",
          (extract(epoch from f.added_at) * 1000)::bigint as "addedAt"
        from movie_file f join movie m on m.id = f.movie_id
        where f.movie_id = ${movieId}
        order by (f.extra_kind is null) desc, (f.id = m.best_file_id) desc nulls last, (f.state = 'playable') desc,
          f.part nulls first, f.resolution desc nulls last, f.path`,
      sql<(Sidecar & { fileId: string })[]>`
        select s.id, s.file_id as "fileId", regexp_replace(s.path, '^.*/', '') as name, s.format, s.language,
          s.is_forced as "isForced", s.is_default as "isDefault", s.is_hearing_impaired as "isHearingImpaired"
        from sidecar s join movie_file f on f.id = s.file_id where f.movie_id = ${movieId} order by s.path`,
      sql<(Term & { kind: TermKind })[]>`
        select t.id, t.name, t.kind from movie_term mt join term t on t.id = mt.term_id
        where mt.movie_id = ${movieId} order by mt.position, t.name`,
      sql<CreditRow[]>`
        (${creditsOf(movieId, 'cast')} order by c.position limit ${CREDITS_SHOWN})
        union all (${creditsOf(movieId, 'crew')} order by c.position limit ${CREDITS_SHOWN})`,
      sql<{ id: string; name: string }[]>`
        select c.id, c.name from collection_movie cm join collection c on c.id = cm.collection_id
        where cm.movie_id = ${movieId} order by (c.kind = 'series') desc, c.name_text, c.id`,
      sql<Movie['ratings']>`
        select source, value, votes from movie_rating where movie_id = ${movieId} order by source`,
    ]);
    const ofKind = (kind: TermKind): Term[] =>
      terms.filter((term) => term.kind === kind).map(({ id, name }) => ({ id, name }));
    const inKind = (kind: CreditRow['kind']) => credits.filter((credit) => credit.kind === kind);
    const personOf = ({ personId, name }: CreditRow) => ({ id: personId, name, portrait: null });
    const { match, matchScore, matchReasons, tmdbId, imdbId, refreshedAt, ...known } = row;
    return {
      ...toCard(row),
      sortTitle: known.sortTitle,
      originalTitle: known.originalTitle,
      originalLanguage: known.originalLanguage,
      tagline: known.tagline,
      overview: known.overview,
      releaseDate: known.releaseDate,
      certification: known.certification,
      backdrop: null,
      logo: null,
      ratings: [...ratings],
      genres: ofKind('genre'),
      keywords: ofKind('keyword'),
      studios: ofKind('studio'),
      countries: ofKind('country'),
      tags: ofKind('tag'),
      cast: inKind('cast').map((credit) => ({ person: personOf(credit), character: credit.role || null })),
      crew: inKind('crew').map((credit) => ({
        person: personOf(credit),
        job: credit.role,
        department: credit.department,
      })),
      collections: [...collections],
      trailerUrl: known.trailerUrl,
      match: { state: match, score: matchScore, reasons: matchReasons, tmdbId, imdbId, refreshedAt },
      lockedFields: known.lockedFields,
      isHidden: known.isHidden,
      files: files.map(({ extraKind, extraTitle, ...file }) => ({
        ...file,
        path: withPaths ? file.path : null,
        extra: extraKind === null ? null : { kind: extraKind, title: extraTitle ?? file.name },
        sidecars: sidecars.filter(({ fileId }) => fileId === file.id).map(({ fileId: _, ...sidecar }) => sidecar),
      })),
    };
  }

  return {
    async list(userId, query) {
      const { isWatched, libraryId } = query;
      const terms = query.search === null ? [] : searchTerms(query.search);
      if (terms.length > 0) return search(userId, query, terms);
      if (query.search !== null && query.search.trim() !== '') return { total: 0, movies: [] };
      const [movies, size, watched] = await Promise.all([
        window(userId, query),
        isWatched === true ? 0 : total(libraryId),
        isWatched === null ? 0 : watchedCount(userId, libraryId),
      ]);
      return { total: isWatched === true ? watched : Math.max(0, size - watched), movies };
    },
    async home(userId, limit) {
      const [going, newest, movieCount] = await Promise.all([
        sql<TileRow[]>`
          select ${cardColumns}, ${progressColumns}
          from progress p join movie m on m.id = p.movie_id
          where p.user_id = ${userId} and p.share >= ${STARTED_SHARE} and p.share < ${WATCHED_SHARE}
            and p.updated_at > now() - ${CONTINUE_DAYS} * interval '1 day' and m.deleted_at is null
          order by p.updated_at desc, m.id limit ${limit}`,
        sql<TileRow[]>`
          select ${cardColumns}, ${progressColumns}
          from (select * from movie where deleted_at is null order by added_at desc, id desc limit ${limit}) m
          left join progress p on p.user_id = ${userId} and p.movie_id = m.id
          order by m.added_at desc, m.id desc`,
        total(null),
      ]);
      return { continueWatching: going.map(toTile), recentlyAdded: newest.map(toTile), movieCount };
    },
    movie,
    async get(movieId, withPaths, userId) {
      const [found, [progress]] = await Promise.all([
        movie(movieId, withPaths),
        sql<
          ProgressRow[]
        >`select ${progressColumns} from progress p where p.user_id = ${userId} and p.movie_id = ${movieId}`,
      ]);
      return found && { movie: found, progress: progress ? toProgress(movieId, progress) : null };
    },
    async cards(movieIds) {
      const rows = await sql<CardRow[]>`
        select ${cardColumns} from movie m where m.id = any(${[...movieIds]}::uuid[]) and m.deleted_at is null`;
      return new Map(rows.map((row) => [row.id, toCard(row)]));
    },
    count: () => total(null),
    async pictureless(limit, { among, except }) {
      return [
        ...(await sql<Pictureless[]>`
          select m.id as "movieId", m.best_file_id as "fileId", l.path || '/' || f.path as path
          from movie m join movie_file f on f.id = m.best_file_id join library l on l.id = f.library_id
          where m.deleted_at is null and m.is_playable and m.picture_version is null
            and m.picture_file_id is distinct from m.best_file_id
            and ${among === null ? sql`true` : sql`m.id = any(${[...among]}::uuid[])`}
            and m.id <> all(${[...except]}::uuid[])
          order by m.added_at desc, m.id desc limit ${limit}`),
      ];
    },
    async picturelessCount() {
      const [row] = await sql<{ count: number }[]>`
        select count(*) as count from movie m where m.deleted_at is null and m.is_playable and m.picture_version is null
          and m.picture_file_id is distinct from m.best_file_id`;
      return row?.count ?? 0;
    },
    async setPicture(movieId, fileId, picture) {
      await sql.begin(async (tx) => {
        const { count: changed } = await tx`
          update movie set picture_file_id = ${fileId},
            picture_version = coalesce(${picture?.version ?? null}, picture_version),
            picture_width = coalesce(${picture?.widthPx ?? null}, picture_width),
            picture_height = coalesce(${picture?.heightPx ?? null}, picture_height)
          where id = ${movieId}`;
        if (changed === 0 || picture === null) return;
        await recordChanges(tx, [{ feed: 'library', audience: null, kind: 'movie', entityId: movieId }]);
      });
    },
    async pictureOf(movieId) {
      const [row] = await sql<{ version: string; path: string | null }[]>`
        select m.picture_version as version, l.path || '/' || f.path as path
        from movie m left join movie_file f on f.id = coalesce(m.best_file_id, m.picture_file_id) and f.state = 'playable'
        left join library l on l.id = f.library_id
        where m.id = ${movieId} and m.picture_version is not null`;
      return row ?? null;
    },
  };
}
