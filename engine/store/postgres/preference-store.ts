/** How people like to watch, what they chose, and what failed on their devices, in Postgres. */
import type { PreferenceStore, WatchingContext } from '#engine/playback/ports.ts';
import type { PlaybackLesson } from '#protocol/schema/preferences.ts';
import { recordChanges } from './change-feed.ts';
import type { NewChange } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';

/** Of one device: browsers differ in a handful of forms, not in hundreds. */
const LESSONS_OF_DEVICE = 64;
/** Of one person: devices that come and go leave theirs behind. */
const LESSONS_OF_PERSON = 256;
/** Files that a lesson names: two are enough to blame the form. */
const FILES_OF_LESSON = 8;

export function createPreferenceStore(sql: Sql, { newId }: { readonly newId: () => string }): PreferenceStore {
  const columns = sql`
    id, device_id as "deviceId", device, browser, form, file_ids as "fileIds",
    (extract(epoch from learned_at) * 1000)::bigint as "learnedAt"`;
  const changed = (userId: string, kind: 'preferences' | 'lesson', entityId: string): NewChange => ({
    feed: 'preferences',
    audience: userId,
    kind,
    entityId,
  });

  return {
    async watching(userId, movieId) {
      // Of a movie that turned out to be another one, what counts is kept with that.
      const whole = sql`select coalesce(merged_into, id) from movie where id = ${movieId}`;
      const [[person], [tracks], [movie], lessons] = await Promise.all([
        sql<{ value: unknown }[]>`select value from playback_preferences where user_id = ${userId}`,
        // Where nothing was chosen stands what is no choice, since the JSON null is one: no subtitles.
        sql<{ audio: unknown; subtitle: unknown }[]>`
          select coalesce(audio, '{}'::jsonb) as audio, coalesce(subtitle, '{}'::jsonb) as subtitle
          from track_choice where user_id = ${userId} and movie_id = (${whole})`,
        sql<{ language: string | null }[]>`select original_language as language from movie where id = (${whole})`,
        sql<PlaybackLesson[]>`select ${columns} from playback_lesson where user_id = ${userId}`,
      ]);
      return {
        preferences: person?.value ?? null,
        tracks: tracks ?? null,
        lessons: [...lessons],
        originalLanguage: movie?.language ?? null,
      } satisfies WatchingContext;
    },
    async read(userId) {
      const [row] = await sql<{ value: unknown }[]>`select value from playback_preferences where user_id = ${userId}`;
      return row?.value ?? null;
    },
    change: (userId, change) =>
      sql.begin(async (tx) => {
        // The person's row stands in for one that does not exist yet, so that two first changes do not race.
        await tx`select from app_user where id = ${userId} for no key update`;
        const [row] = await tx<{ value: unknown }[]>`select value from playback_preferences where user_id = ${userId}`;
        const next = change(row?.value ?? null);
        await tx`
          insert into playback_preferences (user_id, value) values (${userId}, ${tx.json(next)})
          on conflict (user_id) do update set value = excluded.value, updated_at = now()`;
        await recordChanges(tx, [changed(userId, 'preferences', 'mine')]);
        return next;
      }),
    async remember(userId, movieId, { audio, subtitle }) {
      if (audio === undefined && subtitle === undefined) return;
      await sql`
        insert into track_choice (user_id, movie_id, audio, subtitle)
        select ${userId}, coalesce(merged_into, id), ${audio === undefined ? null : JSON.stringify(audio)}::text::jsonb,
          ${subtitle === undefined ? null : JSON.stringify(subtitle)}::text::jsonb
        from movie where id = ${movieId}
        on conflict (user_id, movie_id) do update set audio = coalesce(excluded.audio, track_choice.audio),
          subtitle = coalesce(excluded.subtitle, track_choice.subtitle), updated_at = now()`;
    },
    async lessons(userId) {
      return [
        ...(await sql<PlaybackLesson[]>`
          select ${columns} from playback_lesson where user_id = ${userId} order by learned_at desc, id`),
      ];
    },
    learn: (userId, { deviceId, device, browser, form, fileId }) =>
      sql.begin(async (tx) => {
        const gone = await tx<{ id: string }[]>`
          delete from playback_lesson where user_id = ${userId} and device_id = ${deviceId} and browser <> ${browser}
          returning id`;
        await tx`
          insert into playback_lesson as known (id, user_id, device_id, device, browser, form, file_ids)
          values (${newId()}, ${userId}, ${deviceId}, ${device}, ${browser}, ${tx.json(form)}, ${[fileId]}::uuid[])
          on conflict (user_id, device_id, form) do update set device = excluded.device, learned_at = now(),
            file_ids = case
              when known.file_ids @> excluded.file_ids then known.file_ids
              else (excluded.file_ids || known.file_ids)[1:${FILES_OF_LESSON}]
            end`;
        const over = await tx<{ id: string }[]>`
          delete from playback_lesson where id in (
            select id from (
              select id, row_number() over (order by learned_at desc, id) as place,
                row_number() over (partition by device_id order by learned_at desc, id) as place_on_device
              from playback_lesson where user_id = ${userId}
            ) ranked where place > ${LESSONS_OF_PERSON} or place_on_device > ${LESSONS_OF_DEVICE})
          returning id`;
        const kept = await tx<PlaybackLesson[]>`
          select ${columns} from playback_lesson where user_id = ${userId} and device_id = ${deviceId}
          order by learned_at desc, id`;
        const ids = new Set([...gone, ...over, ...kept].map(({ id }) => id));
        await recordChanges(
          tx,
          [...ids].map((id) => changed(userId, 'lesson', id)),
        );
        return [...kept];
      }),
    forget: (userId, { lessonId = null, deviceId = null, fileId = null }) =>
      sql.begin(async (tx) => {
        const gone = await tx<{ id: string }[]>`
          delete from playback_lesson
          where user_id = ${userId} and (${lessonId}::uuid is null or id = ${lessonId})
            and (${deviceId}::uuid is null or device_id = ${deviceId}) and (${fileId}::uuid is null or ${fileId} = any(file_ids))
          returning id`;
        await recordChanges(
          tx,
          gone.map(({ id }) => changed(userId, 'lesson', id)),
        );
        return gone.length;
      }),
  };
}

/** Movies that are made one: of what each person chose in them the newest counts. */
export async function moveTrackChoices(tx: TransactionSql, from: readonly string[], to: string): Promise<void> {
  await tx`
    with moved as (delete from track_choice where movie_id = any(${[...from]}::uuid[]) returning *)
    insert into track_choice as t (user_id, movie_id, audio, subtitle, updated_at)
    select distinct on (user_id) user_id, ${to}::uuid, audio, subtitle, updated_at from moved order by user_id, updated_at desc
    on conflict (user_id, movie_id) do update set
      audio = excluded.audio, subtitle = excluded.subtitle, updated_at = excluded.updated_at
    where excluded.updated_at > t.updated_at`;
}
