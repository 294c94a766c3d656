/** Movies as screens read them, by their ids: which they are is found by the browse index. */
import type { MovieReader, Sight, TermKind } from '#engine/catalogue/ports.ts';
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
import { toMoviePictures, toPicture } from './artwork.ts';
import type { Artwork } from './artwork.ts';
import type { Sql } from './connect.ts';

/** Continue watching: from 1 % to 90 % of the length, for 90 days. */
const STARTED_SHARE = 0.01;
const WATCHED_SHARE = 0.9;
const CONTINUE_DAYS = 90;
const CREDITS_SHOWN = 30;
/** Who makes two movies kin: these jobs, and the first of the cast. */
const KIN_JOBS = ['Director', 'Writer', 'Screenplay', 'Novel', 'Original Music Composer'];
const KIN_CAST = 8;

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
  readonly artwork: Artwork;
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

interface CreditRow {
  readonly kind: 'cast' | 'crew';
  readonly personId: string;
  readonly name: string;
  readonly role: string;
  readonly department: string | null;
  readonly artwork: Artwork;
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

export function createMovieStore(sql: Sql): MovieReader {
  const cardColumns = sql`
    m.id, m.title, m.year, m.duration_ms as "durationMs", m.resolution, m.hdr, m.rating, m.is_playable as "isPlayable",
    (extract(epoch from m.added_at) * 1000)::bigint as "addedAt", m.artwork`;
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
    select c.kind, c.person_id as "personId", p.name, c.role, c.department, p.artwork from credit c join person p on p.id = c.person_id
    where c.movie_id = ${movieId} and c.kind = ${kind}`;

  const toCard = (row: CardRow): MovieCard => {
    const { poster, picture } = toMoviePictures(row.artwork);
    return {
      id: row.id,
      title: row.title,
      year: row.year,
      durationMs: row.durationMs,
      poster,
      picture,
      resolution: row.resolution,
      hdr: row.hdr,
      rating: row.rating,
      isPlayable: row.isPlayable,
      addedAt: row.addedAt,
    };
  };

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

  async function movie(movieId: string, { withPaths, withHidden }: Sight): Promise<Movie | null> {
    const [row] = await sql<MovieRow[]>`
      select ${cardColumns}, ${movieColumns} from movie m
      where m.id = ${movieId} and m.deleted_at is null and (m.hidden_at is null or ${withHidden})`;
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
    const personOf = ({ personId, name, artwork }: CreditRow) => {
      return { id: personId, name, portrait: toPicture(artwork.portrait) };
    };
    const { backdrop, logo } = toMoviePictures(row.artwork);
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
      backdrop,
      logo,
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
        extra: extraKind === null ? null : { kind: extraKind, title: extraTitle ?? '' },
        sidecars: sidecars.filter(({ fileId }) => fileId === file.id).map(({ fileId: _, ...sidecar }) => sidecar),
      })),
    };
  }

  return {
    async tiles(userId, movieIds) {
      const rows = await sql<TileRow[]>`
        select ${cardColumns}, ${progressColumns}
        from unnest(${[...movieIds]}::uuid[]) with ordinality as page(id, place)
        join movie m on m.id = page.id and m.deleted_at is null
        left join progress p on p.user_id = ${userId} and p.movie_id = m.id
        order by page.place`;
      return rows.map(toTile);
    },
    async continueWatching(userId, limit) {
      const rows = await sql<TileRow[]>`
        select ${cardColumns}, ${progressColumns}
        from progress p join movie m on m.id = p.movie_id
        where p.user_id = ${userId} and p.share >= ${STARTED_SHARE} and p.share < ${WATCHED_SHARE}
          and p.updated_at > now() - ${CONTINUE_DAYS} * interval '1 day' and m.deleted_at is null and m.hidden_at is null
        order by p.updated_at desc, m.id limit ${limit}`;
      return rows.map(toTile);
    },
    movie,
    async get(namedId, sight, userId) {
      // Links and open pages lead to the movie that this one was made one with [ONE3].
      const [named] = await sql<
        { id: string }[]
      >`select coalesce(merged_into, id) as id from movie where id = ${namedId}`;
      if (!named) return null;
      const movieId = named.id;
      const [found, [progress]] = await Promise.all([
        movie(movieId, sight),
        sql<
          ProgressRow[]
        >`select ${progressColumns} from progress p where p.user_id = ${userId} and p.movie_id = ${movieId}`,
      ]);
      return found && { movie: found, progress: progress ? toProgress(movieId, progress) : null };
    },
    async cards(movieIds) {
      const rows = await sql<CardRow[]>`
        select ${cardColumns} from movie m
        where m.id = any(${[...movieIds]}::uuid[]) and m.deleted_at is null and m.hidden_at is null`;
      return new Map(rows.map((row) => [row.id, toCard(row)]));
    },
    async kinship(movieId) {
      const [row] = await sql<{ alike: string[]; termIds: number[]; byPerson: string[] }[]>`
        select
          array(select o.id from similar_movie s join movie o on o.tmdb_id = s.tmdb_id and o.deleted_at is null
            where s.movie_id = m.id order by s.position) as alike,
          array(select term_id from movie_term where movie_id = m.id) as "termIds",
          array(
            select string_agg(distinct o.movie_id::text, ' ') from (
              select distinct person_id from credit
              where movie_id = m.id and (kind = 'cast' and position < ${KIN_CAST} or role = any(${KIN_JOBS}))
            ) who
            join credit o on o.person_id = who.person_id and o.movie_id <> m.id
              and (o.kind = 'cast' and o.position < ${KIN_CAST} or o.role = any(${KIN_JOBS}))
            group by who.person_id) as "byPerson"
        from movie m where m.id = ${movieId} and m.deleted_at is null`;
      if (!row) return null;
      return { ...row, byPerson: row.byPerson.map((movieIds) => movieIds.split(' ')) };
    },
  };
}
