/** Jobs in Postgres. */
import type { JobStore } from '#engine/jobs/ports.ts';
import type { Job } from '#protocol/schema/job.ts';
import type { Sql } from './connect.ts';

export function createJobStore(sql: Sql): JobStore {
  const columns = sql`
    id, kind, state, subject, library_id as "libraryId", done, total, note,
    (extract(epoch from created_at) * 1000)::bigint as "createdAt",
    (extract(epoch from started_at) * 1000)::bigint as "startedAt",
    (extract(epoch from ended_at) * 1000)::bigint as "endedAt"`;
  const time = (ms: number | null) => (ms === null ? sql`null` : sql`to_timestamp(${ms}::double precision / 1000)`);

  return {
    async add(job) {
      await sql`
        insert into job (id, kind, state, subject, library_id, done, total, note, created_at, started_at)
        values (${job.id}, ${job.kind}, ${job.state}, ${job.subject}, ${job.libraryId}, ${job.done}, ${job.total},
          ${job.note}, ${time(job.createdAt)}, ${time(job.startedAt)})`;
    },
    async update(job) {
      // A late write of progress must not reopen a job that has ended.
      await sql`
        update job set state = ${job.state}, done = ${job.done}, total = ${job.total}, note = ${job.note},
          ended_at = ${time(job.endedAt)}
        where id = ${job.id} and ended_at is null`;
    },
    async find(jobId) {
      const [row] = await sql<Job[]>`select ${columns} from job where id = ${jobId}`;
      return row ?? null;
    },
    async list(limit) {
      return [
        ...(await sql<Job[]>`
          select ${columns} from job
          order by (state in ('waiting', 'running')) desc, job.created_at desc, id desc limit ${limit}`),
      ];
    },
    async endOpen(note) {
      return [
        ...(await sql<Job[]>`
          with open as (select * from job where state in ('waiting', 'running') for update),
            closed as (
              update job set state = 'failed', note = ${note}, ended_at = now() from open where job.id = open.id)
          select ${columns} from open`),
      ];
    },
    async prune(keep) {
      await sql`
        delete from job where ended_at is not null and id not in (
          select id from job where ended_at is not null order by created_at desc, id desc limit ${keep})`;
    },
  };
}
