/** Subtitles in files of their own, in Postgres: what scans found beside movies, and what people handed in. */
import type { StoredUpload, SubtitleFile, SubtitleStore, SubtitleVault } from '#engine/playback/ports.ts';
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
    up.id, up.file_id as "fileId", up.user_id as "userId", up.name, up.format, up.language, up.is_forced as "isForced",
    up.is_hearing_impaired as "isHearingImpaired", up.size_bytes as "sizeBytes", file.movie_id as "movieId",
    app_user.name as "userName", (extract(epoch from up.uploaded_at) * 1000)::bigint as "uploadedAtMs"`;
  const uploads = sql`
    uploaded_subtitle up join movie_file file on file.id = up.file_id left join app_user on app_user.id = up.user_id`;

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
        select ${uploadColumns} from ${uploads} where up.file_id = ${fileId} ${only(sql`up.id`)}
        order by up.uploaded_at desc, up.id desc`,
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
      const rows = await sql<{ subtitleId: string; offsetMs: number }[]>`
        select subtitle_id as "subtitleId", offset_ms as "offsetMs" from subtitle_offset
        where user_id = ${userId} and file_id = ${fileId}`;
      return new Map(rows.map(({ subtitleId, offsetMs }) => [subtitleId, offsetMs]));
    },
    async setOffset(userId, fileId, subtitleId, offsetMs) {
      if (offsetMs === 0) {
        await sql`
          delete from subtitle_offset where user_id = ${userId} and file_id = ${fileId} and subtitle_id = ${subtitleId}`;
        return true;
      }
      const written = await sql`
        insert into subtitle_offset (user_id, file_id, subtitle_id, offset_ms)
        select ${userId}, id, ${subtitleId}, ${offsetMs} from movie_file where id = ${fileId}
        on conflict (user_id, file_id, subtitle_id) do update set offset_ms = excluded.offset_ms`;
      return written.count > 0;
    },
    async uploadsOf(movieId) {
      const [movie] = await sql`select 1 from movie where id = ${movieId}`;
      if (!movie) return null;
      return [
        ...(await sql<StoredUpload[]>`
          select ${uploadColumns} from ${uploads} where file.movie_id = ${movieId} order by up.uploaded_at desc, up.id desc`),
      ];
    },
    async upload(subtitleId) {
      const [row] = await sql<StoredUpload[]>`select ${uploadColumns} from ${uploads} where up.id = ${subtitleId}`;
      return row ?? null;
    },
    async addUpload(subtitle, most) {
      return await sql.begin(async (tx) => {
        // Two at once count each other.
        const [file] = await tx`select 1 from movie_file where id = ${subtitle.fileId} for no key update`;
        if (!file) return false;
        const [count] = await tx<{ count: number }[]>`
          select count(*)::integer as count from uploaded_subtitle where file_id = ${subtitle.fileId}`;
        if (count!.count >= most) return false;
        const { id, fileId, userId, name, format, language, isForced, isHearingImpaired, sizeBytes } = subtitle;
        await tx`
          insert into uploaded_subtitle (id, file_id, user_id, name, format, language, is_forced, is_hearing_impaired, size_bytes)
          values (${id}, ${fileId}, ${userId}, ${name}, ${format}, ${language}, ${isForced}, ${isHearingImpaired}, ${sizeBytes})`;
        return true;
      });
    },
    async editUpload(subtitleId, { language, isForced, isHearingImpaired }) {
      await sql`
        update uploaded_subtitle set
          language = ${language === undefined ? sql`language` : language},
          is_forced = ${isForced ?? sql`is_forced`},
          is_hearing_impaired = ${isHearingImpaired ?? sql`is_hearing_impaired`}
        where id = ${subtitleId}`;
      return await this.upload(subtitleId);
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
