import { expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { testContext } from '#test/support/call-context.ts';
import type { Job } from '#protocol/schema/job.ts';
import type { FailedWork, WorkNews } from './durable-work.ts';
import { createJobs } from './handlers.ts';
import type { JobBoard } from './job-board.ts';
import type { QueueCounts, WorkKind } from './ports.ts';
import { WorkLines } from './work-lines.ts';
import type { LineWork } from './work-lines.ts';

const NOTHING: QueueCounts = { waiting: 0, delayed: 0, running: 0, failed: 0 };

/** Durable work of one kind, as a test says it is. */
class StagedWork implements LineWork {
  now: QueueCounts = NOTHING;
  failed: FailedWork[] = [];
  looks = 0;
  isAway = false;
  readonly calls: string[] = [];
  #tell: (kind: WorkKind, news: WorkNews) => void = () => {};
  #return = (): void => {};

  kinds = () => [{ kind: 'match' as const, title: 'Looking for movies' }];
  async counts() {
    this.looks += 1;
    if (this.isAway) throw new Error('away');
    return { ...this.now, failed: this.failed.length };
  }
  onNews(listener: (kind: WorkKind, news: WorkNews) => void) {
    this.#tell = listener;
    return () => {};
  }
  onReturn(listener: () => void) {
    this.#return = listener;
    return () => {};
  }
  async cancel(kind: WorkKind) {
    this.calls.push(`cancel ${kind}`);
    this.now = NOTHING;
  }
  async failures(_kind: WorkKind, limit: number) {
    if (this.isAway) throw new Error('away');
    return this.failed.slice(0, limit);
  }
  async retry(kind: WorkKind, ids: ReadonlySet<string> | null) {
    this.calls.push(`retry ${kind} ${ids === null ? 'all' : [...ids].join()}`);
    const retried = this.failed.filter(({ id }) => ids === null || ids.has(id));
    this.failed = this.failed.filter((one) => !retried.includes(one));
    return retried.length;
  }
  async forget(kind: WorkKind, ids: ReadonlySet<string> | null) {
    this.calls.push(`forget ${kind} ${ids === null ? 'all' : [...ids].join()}`);
    this.failed = this.failed.filter(({ id }) => ids !== null && !ids.has(id));
  }
  says(news: WorkNews, counts: Partial<QueueCounts> = {}): void {
    this.now = { ...this.now, ...counts };
    this.#tell('match', news);
  }
  comesBack(): void {
    this.isAway = false;
    this.#return();
  }
}

function stage() {
  const clock = new FakeClock();
  const work = new StagedWork();
  const lines = new WorkLines({ work, clock, log: silentLog });
  const told: (Job | null)[] = [];
  lines.onEntries((entries) => told.push(...entries.map(({ job }) => job)));
  return { clock, work, lines, told };
}

const failure = (id: string, failedAtMs: number, reason = 'The file is gone.'): FailedWork => ({
  id,
  kind: 'match',
  subject: `Movie ${id}`,
  reason,
  attempts: 5,
  failedAtMs,
});

it('[LINE1] a kind is one line while there is work of it, which counts what is done and what is left', async () => {
  const { clock, work, lines, told } = stage();
  work.says({ kind: 'ordered' }, { waiting: 1_200 });
  await clock.advance(1_000);
  expect(told.at(-1)).toMatchObject({
    kind: 'match',
    subject: 'Looking for movies',
    state: 'running',
    done: 0,
    total: 1_200,
  });
  for (let n = 0; n < 345; n += 1) work.says({ kind: 'done' });
  work.says({ kind: 'began' }, { waiting: 853, running: 2 });
  await clock.advance(1_000);
  expect(lines.list()).toMatchObject([{ done: 345, total: 1_200 }]);
  work.says({ kind: 'done' }, { waiting: 0, running: 0 });
  await clock.advance(1_000);
  expect(told.at(-1)).toBeNull();
  expect(lines.list()).toEqual([]);
  // The next work begins to count anew.
  work.says({ kind: 'ordered' }, { waiting: 2 });
  await clock.advance(2_000);
  expect(lines.list()).toMatchObject([{ done: 0, total: 2 }]);
});

it('[LINE2] thousands that begin and end are told about once a second', async () => {
  const { clock, work, told } = stage();
  for (let n = 0; n < 4_000; n += 1) {
    work.says({ kind: n % 2 === 0 ? 'began' : 'done' }, { waiting: 4_000 - n });
    await clock.advance(1);
  }
  expect(told.length).toBeGreaterThanOrEqual(4);
  expect(told.length).toBeLessThanOrEqual(5);
  expect(work.looks).toBeLessThanOrEqual(5);
});

it('[LINE2] while there is work, its number is asked for without news, and then no more', async () => {
  const { clock, work, lines } = stage();
  work.says({ kind: 'ordered' }, { waiting: 5 });
  await clock.advance(1_000);
  work.now = NOTHING;
  await clock.advance(5_000);
  expect(lines.list()).toEqual([]);
  const { looks } = work;
  await clock.advance(3_600_000);
  expect(work.looks).toBe(looks);
});

it('[LINE3] what is over at once is not shown', async () => {
  const { clock, work, told } = stage();
  work.says({ kind: 'ordered' }, { waiting: 1 });
  await clock.advance(100);
  work.says({ kind: 'done' }, { waiting: 0 });
  await clock.advance(5_000);
  expect(told).toEqual([]);
});

it('[LINE4] work that was put off waits with the reason; what is ordered for later is not shown', async () => {
  const { clock, work, lines } = stage();
  work.says({ kind: 'ordered' }, { delayed: 1 });
  await clock.advance(1_000);
  expect(lines.list()).toEqual([]);
  work.says({ kind: 'later', why: 'TMDB cannot be reached.' }, { delayed: 40 });
  await clock.advance(1_000);
  expect(lines.list()).toMatchObject([{ state: 'waiting', note: 'TMDB cannot be reached.', done: 0, total: 40 }]);
  work.says({ kind: 'done' }, { delayed: 38, running: 1 });
  await clock.advance(1_000);
  expect(lines.list()).toMatchObject([{ state: 'running', note: null, done: 1, total: 40 }]);
});

it('[LINE5] failures stay as a line with the latest reason; a line that goes on says how many there are', async () => {
  const { clock, work, lines } = stage();
  work.failed = [failure('b', 2_000, 'The disk is full.'), failure('a', 1_000)];
  work.says({ kind: 'failed' });
  await clock.advance(1_000);
  expect(lines.list()).toMatchObject([{ state: 'failed', failed: 2, note: 'The disk is full.', endedAt: 2_000 }]);
  work.says({ kind: 'ordered' }, { waiting: 3 });
  await clock.advance(1_000);
  expect(lines.list()).toMatchObject([{ state: 'running', failed: 2, note: null, endedAt: null }]);
});

it('[LINE6] one long work tells its own progress', async () => {
  const { clock, work, lines } = stage();
  work.says({ kind: 'began' }, { running: 1 });
  work.says({ kind: 'progress', progress: { done: 20, total: 900, note: 'Radarr’s movies' } });
  await clock.advance(1_000);
  expect(lines.list()).toMatchObject([{ done: 20, total: 900, note: 'Radarr’s movies' }]);
});

it('[LINE1] what earlier processes left is shown after the start, and when the server of the queue is back', async () => {
  const { clock, work, lines } = stage();
  work.isAway = true;
  work.now = { ...NOTHING, waiting: 7 };
  lines.lookAtAll();
  await clock.advance(5_000);
  expect(lines.list()).toEqual([]);
  work.comesBack();
  await clock.advance(1_000);
  expect(lines.list()).toMatchObject([{ total: 7 }]);
});

it('as calls: a line is stopped, what failed is listed, done again or forgotten; what is no line is the board’s', async () => {
  const { clock, work, lines } = stage();
  const board = {
    list: async () => [],
    onEntries: () => () => {},
    handlers: { list: () => ({ jobs: [] }), cancel: () => Promise.reject(new Error('asked the board')) },
  } as unknown as JobBoard;
  const { handlers } = createJobs({ board, lines });
  work.failed = [failure('a', 1_000), failure('b', 2_000)];
  work.says({ kind: 'ordered' }, { waiting: 3 });
  await clock.advance(1_000);
  const { jobs } = await handlers.list({ limit: 10 }, testContext());
  const jobId = jobs[0]!.id;
  expect(await handlers.failures({ jobId, limit: 1 }, testContext())).toEqual({
    failures: [{ id: 'a', subject: 'Movie a', reason: 'The file is gone.', attempts: 5, failedAt: 1_000 }],
  });
  expect(await handlers.retry({ jobId, failureIds: ['a'] }, testContext())).toEqual({ count: 1 });
  await handlers.dismiss({ jobId }, testContext());
  expect(await handlers.cancel({ jobId }, testContext())).toMatchObject({ job: { id: jobId, state: 'cancelled' } });
  expect(work.calls).toEqual(['retry match a', 'forget match all', 'cancel match']);
  expect(lines.list()).toEqual([]);
  await expect(handlers.cancel({ jobId }, testContext())).rejects.toMatchObject({ code: 'notFound' });
  work.isAway = true;
  await expect(handlers.failures({ jobId, limit: 1 }, testContext())).rejects.toMatchObject({ code: 'queueAway' });
  const other = '01890000-0000-7000-8000-00000000dead';
  await expect(handlers.retry({ jobId: other }, testContext())).rejects.toMatchObject({ code: 'notFound' });
  await expect(handlers.cancel({ jobId: other }, testContext())).rejects.toThrow('asked the board');
});
