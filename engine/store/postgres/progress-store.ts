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
    async update(userId, asked, change) {
      return sql.begin(async (tx) => {
        // The movie's row stands in for a progress row that does not exist yet, so that two first reports do not race. Who watched while
        // their movie was made one with another reports on the one that has its files now [ONE3].
        const lock = async (id: string) =>
          (
            await tx<{ id: string; mergedInto: string | null; durationMs: number | null }[]>`
              select id, merged_into as "mergedInto", duration_ms as "durationMs" from movie where id = ${id} for no key update`
          )[0];
        const named = await lock(asked);
        const movie = named?.mergedInto == null ? named : await lock(named.mergedInto);
        if (!movie) return null;
        const movieId = movie.id;
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
