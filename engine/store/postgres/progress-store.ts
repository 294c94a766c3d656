/** Where everyone is, in Postgres. */
import type { ProgressState, ProgressStore } from '#engine/progress/ports.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import { recordChanges } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';

export function createProgressStore(sql: Sql): ProgressStore {
  const stateColumns = sql`
    position_ms as "positionMs", duration_ms as "durationMs", is_watched as "isWatched", watch_count as "watchCount",
    (extract(epoch from observed_at) * 1000)::bigint as "observedAtMs"`;
  const columns = sql`
    movie_id as "movieId", resume_ms as "positionMs", duration_ms as "durationMs", is_watched as "isWatched",
    watch_count as "watchCount", (extract(epoch from observed_at) * 1000)::bigint as "updatedAt"`;

  return {
    async update(userId, movieId, change) {
      return sql.begin(async (tx) => {
        // The movie's row stands in for a progress row that does not exist yet, so that two first reports do not race.
        const [movie] = await tx<{ durationMs: number | null }[]>`
          select duration_ms as "durationMs" from movie where id = ${movieId} for no key update`;
        if (!movie) return null;
        const [stored] = await tx<ProgressState[]>`
          select ${stateColumns} from progress where user_id = ${userId} and movie_id = ${movieId}`;
        const next = change(stored ?? null, movie);
        if (next === stored) return next;
        await write(tx, userId, movieId, next);
        await recordChanges(tx, [{ feed: 'progress', audience: userId, kind: 'progress', entityId: movieId }]);
        return next;
      });
    },
    async latest(userId, limit) {
      return [
        ...(await sql<Progress[]>`
        select ${columns} from progress where user_id = ${userId} order by updated_at desc limit ${limit}`),
      ];
    },
    async ofMovies(userId, movieIds) {
      return [
        ...(await sql<Progress[]>`
        select ${columns} from progress where user_id = ${userId} and movie_id = any(${[...movieIds]}::uuid[])`),
      ];
    },
  };
}

async function write(
  tx: TransactionSql,
  userId: string,
  movieId: string,
  { positionMs, durationMs, isWatched, watchCount, observedAtMs }: ProgressState,
): Promise<void> {
  await tx`
    insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, watch_count, observed_at)
    values (${userId}, ${movieId}, ${positionMs}, ${durationMs}, ${isWatched}, ${watchCount},
      to_timestamp(${observedAtMs}::double precision / 1000))
    on conflict (user_id, movie_id) do update set position_ms = excluded.position_ms, duration_ms = excluded.duration_ms,
      is_watched = excluded.is_watched, watch_count = excluded.watch_count, observed_at = excluded.observed_at,
      updated_at = now()`;
}
