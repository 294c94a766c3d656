/** Subtitles in files of their own, in Postgres: what scans found beside movies, and what people handed in. */
import type {
  Sight,
  StoredUpload,
  SubtitleFile,
  SubtitleStore,
  SubtitleVault,
  UploadOutcome,
} from '#engine/playback/ports.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';
import type { Sql } from './connect.ts';

interface SidecarRow {
  readonly id: string;
  readonly fileId: string;
  readonly root: string;
  readonly path: string;
  readonly format: string;
  readonly language: string | null;
  readonly isForced: boolean;
  readonly isDefault: boolean;
  readonly isHearingImpaired: boolean;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
}

export interface SubtitlePlaces {
  /** Where the files lie that people handed in. */
  readonly vault: Pick<SubtitleVault, 'pathOf'>;
  /** Scans tell of files that stand alone: whether the index of a `.sub` lies beside it is seen when it is wanted. */
  readonly hasFile: (path: string) => Promise<boolean>;
}

export function createSubtitleStore(sql: Sql, { vault, hasFile }: SubtitlePlaces): SubtitleStore {
  const uploadColumns = sql`
    up.id, up.user_id as "userId", up.name, up.format, up.language, up.is_forced as "isForced",
    up.is_hearing_impaired as "isHearingImpaired", up.size_bytes as "sizeBytes", app_user.name as "userName",
    (extract(epoch from up.uploaded_at) * 1000)::bigint as "uploadedAtMs"`;
  /**
   * What was handed in, each with the files that it is shown with: the one that it was made for while that is there, and else the files
   * that have taken its place, which are the same part of the same movie.
   */
  const shown = sql`
    uploaded_subtitle up
      left join movie_file own on own.id = up.file_id
      join movie home on home.id = coalesce(own.movie_id, up.movie_id)
      join movie_file file on file.id = own.id or (
        coalesce(own.state, 'missing') = 'missing' and own.extra_kind is null and file.extra_kind is null
        and file.movie_id = coalesce(home.merged_into, home.id) and file.state <> 'missing'
        and (own.id is null or own.part is not distinct from file.part))
      join movie on movie.id = file.movie_id
      left join app_user on app_user.id = up.user_id`;
  const presentFirst = sql`file.state = 'missing', file.id is distinct from up.file_id, file.id`;
  const isSeen = ({ withHidden }: Sight) => sql`(movie.hidden_at is null or ${withHidden})`;

  async function filesOf(fileId: string, subtitleId: string | null): Promise<SubtitleFile[]> {
    const only = (column: ReturnType<typeof sql>) => (subtitleId === null ? sql`` : sql`and ${column} = ${subtitleId}`);
    const [beside, given] = await Promise.all([
      sql<SidecarRow[]>`
        select s.id, s.file_id as "fileId", library.path as root, s.path, s.format, s.language, s.is_forced as "isForced",
          s.is_default as "isDefault", s.is_hearing_impaired as "isHearingImpaired", s.size_bytes as "sizeBytes",
          s.mtime_us as "mtimeUs"
        from sidecar s join movie_file file on file.id = s.file_id join library on library.id = file.library_id
        where s.file_id = ${fileId} ${only(sql`s.id`)} order by s.path`,
      sql<StoredUpload[]>`
        select ${uploadColumns}, file.id as "fileId", file.movie_id as "movieId" from ${shown}
        where file.id = ${fileId} ${only(sql`up.id`)} order by up.uploaded_at desc, up.id desc`,
    ]);
    return [...(await Promise.all(beside.map(toFile))), ...given.map((upload) => uploadedFile(upload, vault))];
  }

  async function toFile({ root, ...row }: SidecarRow): Promise<SubtitleFile> {
    const path = `${root}/${row.path}`;
    const indexPath = path.replace(/\.sub$/i, '.idx');
    const isIndexed = row.format === 'sub' && (await hasFile(indexPath));
    return { ...row, source: 'sidecar', path, indexPath: isIndexed ? indexPath : null, title: null };
  }

  return {
    filesOf: (fileId) => filesOf(fileId, null),
    async find(fileId, subtitleId) {
      const [file] = await filesOf(fileId, subtitleId);
      return file ?? null;
    },
    async offsets(userId, fileId) {
      // Of subtitles that have followed from another file, what was set there counts until something is set here.
      const rows = await sql<{ subtitleId: string; offsetMs: number }[]>`
        select subtitle_id as "subtitleId", offset_ms as "offsetMs" from subtitle_offset
        where user_id = ${userId} and (file_id = ${fileId} or subtitle_id in (
          select 's' || up.id from ${shown} where file.id = ${fileId} and up.file_id is distinct from file.id))
        order by file_id = ${fileId}`;
      return new Map(rows.map(({ subtitleId, offsetMs }) => [subtitleId, offsetMs]));
    },
    async setOffset(userId, fileId, subtitleId, offsetMs, sight) {
      const id = subtitleId.slice(1);
      const isTrack = subtitleId.startsWith('t');
      const has = isTrack ? sql`file.media -> 'subtitles' @> ${`[{"index":${Number(id)}}]`}::text::jsonb` : sql`true`;
      const [file] = await sql`
        select 1 from movie_file file join movie on movie.id = file.movie_id
        where file.id = ${fileId} and ${isSeen(sight)} and ${has}`;
      if (!file || (!isTrack && (await filesOf(fileId, id)).length === 0)) return false;
      if (offsetMs === 0) {
        // Also where it was set for the file that this one took the place of.
        await sql`
          delete from subtitle_offset where user_id = ${userId} and subtitle_id = ${subtitleId}
            and (file_id = ${fileId} or ${!isTrack})`;
        return true;
      }
      await sql`
        insert into subtitle_offset (user_id, file_id, subtitle_id, offset_ms)
        select ${userId}, id, ${subtitleId}, ${offsetMs} from movie_file where id = ${fileId}
        on conflict (user_id, file_id, subtitle_id) do update set offset_ms = excluded.offset_ms`;
      return true;
    },
    async uploadsOf(movieId, sight) {
      const [movie] = await sql<{ id: string }[]>`
        select movie.id from movie named join movie on movie.id = coalesce(named.merged_into, named.id)
        where named.id = ${movieId} and ${isSeen(sight)}`;
      if (!movie) return null;
      return [
        ...(await sql<StoredUpload[]>`
          select * from (
            select distinct on (up.id) ${uploadColumns}, file.id as "fileId", file.movie_id as "movieId" from ${shown}
            where file.movie_id = ${movie.id} order by up.id, ${presentFirst}
          ) found order by "uploadedAtMs" desc, id desc`),
      ];
    },
    async upload(subtitleId, sight) {
      const [row] = await sql<StoredUpload[]>`
        select ${uploadColumns}, file.id as "fileId", file.movie_id as "movieId" from ${shown}
        where up.id = ${subtitleId} and ${isSeen(sight)} order by ${presentFirst} limit 1`;
      return row ?? null;
    },
    async addUpload(subtitle, { perFile, personBytes, totalBytes }, sight) {
      const { id, fileId, userId, name, format, language, isForced, isHearingImpaired, sizeBytes } = subtitle;
      return await sql.begin(async (tx): Promise<UploadOutcome> => {
        // Two at once count each other.
        await tx`select pg_advisory_xact_lock(${ADVISORY_LOCK.uploads})`;
        const [file] = await tx<{ movieId: string }[]>`
          select movie.id as "movieId" from movie_file file join movie on movie.id = file.movie_id
          where file.id = ${fileId} and ${isSeen(sight)} for no key update of file`;
        if (!file) return 'noFile';
        const [used] = await tx<{ count: number; person: number; total: number }[]>`
          select count(*) filter (where file_id = ${fileId})::integer as count,
            coalesce(sum(size_bytes) filter (where user_id = ${userId}), 0)::bigint as person,
            coalesce(sum(size_bytes), 0)::bigint as total
          from uploaded_subtitle`;
        if (used!.count >= perFile) return 'perFile';
        if (used!.person + sizeBytes > personBytes) return 'person';
        if (used!.total + sizeBytes > totalBytes) return 'total';
        await tx`
          insert into uploaded_subtitle (id, file_id, movie_id, user_id, name, format, language, is_forced, is_hearing_impaired, size_bytes)
          values (${id}, ${fileId}, ${file.movieId}, ${userId}, ${name}, ${format}, ${language}, ${isForced}, ${isHearingImpaired},
            ${sizeBytes})`;
        return 'kept';
      });
    },
    async editUpload(subtitleId, { language, isForced, isHearingImpaired }) {
      await sql`
        update uploaded_subtitle set
          language = ${language === undefined ? sql`language` : language},
          is_forced = ${isForced ?? sql`is_forced`},
          is_hearing_impaired = ${isHearingImpaired ?? sql`is_hearing_impaired`}
        where id = ${subtitleId}`;
      return await this.upload(subtitleId, { withHidden: true });
    },
    async removeUpload(subtitleId) {
      await sql.begin(async (tx) => {
        await tx`delete from subtitle_offset where subtitle_id = ${`s${subtitleId}`}`;
        await tx`delete from uploaded_subtitle where id = ${subtitleId}`;
      });
    },
    async uploadIds() {
      const rows = await sql<{ id: string }[]>`select id from uploaded_subtitle`;
      return new Set(rows.map(({ id }) => id));
    },
  };
}

function uploadedFile(upload: StoredUpload, vault: Pick<SubtitleVault, 'pathOf'>): SubtitleFile {
  const { id, fileId, format, language, name, isForced, isHearingImpaired, sizeBytes, uploadedAtMs } = upload;
  return {
    ...{ id, fileId, format, language, isForced, isHearingImpaired, sizeBytes },
    source: 'uploaded',
    path: vault.pathOf(id),
    indexPath: null,
    title: name,
    isDefault: false,
    mtimeUs: uploadedAtMs * 1_000,
  };
}
