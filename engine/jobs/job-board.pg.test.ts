import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { createJobStore } from '#engine/store/postgres/job-store.ts';
import { testContext } from '#test/support/call-context.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import type { Job } from '#protocol/schema/job.ts';
import { JobBoard, JobFailure } from './job-board.ts';
import type { RunningJob } from './job-board.ts';

let database: TestDatabase;
let clock: FakeClock;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate job`;
  clock = new FakeClock(Date.now());
});

const open = () =>
  new JobBoard({ store: createJobStore(database.sql), clock, newId: createUuidFactory(clock), log: silentLog });
const spec = { kind: 'scan', subject: 'Movies', libraryId: null } as const;
const stored = () =>
  database.sql<{ state: string; note: string | null; done: number }[]>`select state, note, done from job`;

/** Work that goes on until the test says so, or its signal is aborted. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const started = Promise.withResolvers<RunningJob>();
  const work = async (job: RunningJob): Promise<void> => {
    job.signal.addEventListener('abort', () => reject(job.signal.reason));
    started.resolve(job);
    await promise;
  };
  return { work, finish: resolve, fail: reject, started: started.promise };
}

describe('a job', () => {
  it('[JOB1] is in the database before its work begins, and its end before anyone is told', async () => {
    const board = open();
    const heard: string[] = [];
    board.onEntries(([entry]) => heard.push(entry!.job!.state));
    let statesAtBegin: unknown;
    const { ended } = await board.run(spec, async () => {
      statesAtBegin = (await stored()).map(({ state }) => state);
    });
    expect(await ended).toMatchObject({ state: 'succeeded', subject: 'Movies' });
    expect(statesAtBegin).toEqual(['running']);
    expect((await stored()).map(({ state }) => state)).toEqual(['succeeded']);
    expect(heard).toEqual(['running', 'succeeded']);
  });

  it('[JOB2] tells progress at most five times a second, and always the last state', async () => {
    const board = open();
    const told: number[] = [];
    board.onEntries(([entry]) => told.push(entry!.job!.done));
    const { work, started, finish } = held();
    const { ended } = await board.run(spec, work);
    const job = await started;
    for (let done = 1; done <= 1_000; done++) {
      job.progress({ done, total: 1_000 });
      await clock.advance(1);
    }
    expect(told.length).toBeLessThanOrEqual(7);
    job.progress({ done: 1_001 });
    finish();
    expect(await ended).toMatchObject({ done: 1_001, total: 1_000 });
    expect(told.at(-1)).toBe(1_001);
    expect((await stored())[0]!.done).toBe(1_001);
  });

  it('[JOB4] fails with the text of a JobFailure, or with an error id', async () => {
    const board = open();
    const told = await board.run(spec, () => Promise.reject(new JobFailure('The folder /movies is gone.')));
    expect(await told.ended).toMatchObject({ state: 'failed', note: 'The folder /movies is gone.' });
    const defect = await board.run(spec, () => Promise.reject(new TypeError('secret detail')));
    const { note } = await defect.ended;
    expect(note).toMatch(/error [0-9a-f-]{36}/);
    expect(note).not.toContain('secret');
  });

  it('[JOB8] that ends while the database is away is shown as ended, and written later', async () => {
    const store = createJobStore(database.sql);
    let isAway = true;
    const board = new JobBoard({
      store: { ...store, update: (job) => (isAway ? Promise.reject(new Error('away')) : store.update(job)) },
      clock,
      newId: createUuidFactory(clock),
      log: silentLog,
    });
    const { job, ended } = await board.run(spec, async () => {});
    expect((await ended).state).toBe('succeeded');
    expect((await stored())[0]!.state).toBe('running');
    expect((await board.list(10)).map(({ state }) => state)).toEqual(['succeeded']);
    await expect(board.handlers.cancel({ jobId: job.id }, testContext())).rejects.toMatchObject({
      code: 'alreadyEnded',
      data: { job: { state: 'succeeded' } },
    });
    await clock.advance(5_000);
    isAway = false;
    await clock.advance(5_000);
    await expect.poll(async () => (await stored())[0]!.state).toBe('succeeded');
    await board[Symbol.asyncDispose]();
  });

  it('[JOB6] the 500 latest that ended are kept', async () => {
    await database.sql`
      insert into job (id, kind, state, subject, created_at, ended_at)
      select gen_random_uuid(), 'scan', 'succeeded', 'old', now() - n * interval '1 hour', now() from generate_series(1, 600) n`;
    await (
      await open().run(spec, async () => {})
    ).ended;
    const [row] = await database.sql<{ count: number }[]>`select count(*)::int as count from job`;
    expect(row!.count).toBe(500);
  });
});

describe('stopping', () => {
  it('[JOB3] cancelling ends the work, then the job', async () => {
    const board = open();
    const { work, started } = held();
    const { job } = await board.run(spec, work);
    await started;
    const reply = await board.handlers.cancel({ jobId: job.id }, testContext());
    expect(reply.job.state).toBe('cancelled');
    expect((await stored())[0]!.state).toBe('cancelled');
    await expect(board.handlers.cancel({ jobId: job.id }, testContext())).rejects.toMatchObject({
      code: 'alreadyEnded',
      data: { job: { state: 'cancelled' } },
    });
    await expect(
      board.handlers.cancel({ jobId: '01890000-0000-7000-8000-00000000dead' }, testContext()),
    ).rejects.toMatchObject({ code: 'notFound' });
  });

  it('[JOB5][JOB7] what ran when the server stopped is handed over at the next start', async () => {
    const board = open();
    const { work, started } = held();
    const { job } = await board.run(spec, work);
    await started;
    await board[Symbol.asyncDispose]();
    expect((await stored())[0]!.state).toBe('running');
    const interrupted: Job[] = await open().takeInterrupted();
    expect(interrupted.map(({ id, kind }) => ({ id, kind }))).toEqual([{ id: job.id, kind: 'scan' }]);
    expect(await stored()).toMatchObject([{ state: 'failed', note: expect.stringContaining('started again') }]);
    expect(await open().takeInterrupted()).toEqual([]);
  });

  it('[JOB2] a late write of progress does not reopen a job that has ended', async () => {
    const store = createJobStore(database.sql);
    const { job, ended } = await open().run(spec, async () => {});
    await ended;
    await store.update({ ...job, state: 'running' });
    expect((await stored())[0]!.state).toBe('succeeded');
  });
});

it('lists open jobs first, with their live progress', async () => {
  const board = open();
  const { work, started, finish } = held();
  const { ended } = await board.run({ ...spec, subject: 'open' }, work);
  (await started).progress({ done: 7 });
  await clock.advance(1_000);
  await (
    await board.run({ ...spec, subject: 'ended' }, async () => {})
  ).ended;
  expect((await board.list(10)).map(({ subject, done }) => [subject, done])).toEqual([
    ['open', 7],
    ['ended', 0],
  ]);
  finish();
  await ended;
});
