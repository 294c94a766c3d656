/** Durable work as the person who runs the server sees it: its lines, what failed, and a queue's server that goes away. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import type { QueueItem } from '#engine/jobs/ports.ts';
import { openQueueServer } from '#engine/store/queue/queue-server.ts';
import { healthFeed, jobsFeed } from '#protocol/feeds.ts';
import { jobs } from '#protocol/index.ts';
import type { Job } from '#protocol/schema/job.ts';
import { Person, adminEnvironment, jobsOf } from '#test/support/person.ts';
import type { FollowedFeed } from '#test/support/person.ts';
import { openRedis } from '#test/support/redis.ts';
import type { TestRedis } from '#test/support/redis.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

let base = '';
let redis: TestRedis;
let engine: RunningEngine;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee-work-')));
  redis = await openRedis();
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    environment: { ...adminEnvironment, REDIS_URL: redis.url },
  });
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

const lineOf = (followed: FollowedFeed<typeof jobsFeed>): Job | undefined =>
  jobsOf(followed).find(({ kind }) => kind === 'image');

it('orders that nobody can read are a line of failures, live, which an admin looks into and dismisses', async () => {
  using ada = await Person.signIn(engine.url);
  using followed = ada.follow(jobsFeed);
  await followed.until(({ snapshots }) => snapshots.length > 0, 'a snapshot');
  // As an older version, or somebody else at the same Redis, may have left them.
  await using queue = await openQueueServer({
    redisUrl: redis.url,
    postgres: { host: '127.0.0.1', port: 1, database: '', user: '', password: '' },
    log: silentLog,
  });
  const strange = [{ movie: 1 }, { payload: 7 }, { payload: { look: 'backwards' }, subject: 'Alien' }];
  await queue.add(
    'image',
    strange.map((content): QueueItem => ({ content, urgency: 'normal', key: null, delayMs: 0 })),
  );
  const line = await followed.until((feed) => {
    const found = lineOf(feed);
    return found?.failed === 3 && found.state === 'failed' && found;
  }, 'three failures');
  expect(line).toMatchObject({ subject: 'Looking for artwork', total: null });
  const { failures } = await ada.call(jobs.failures, { jobId: line.id });
  expect(failures.map(({ subject, reason }) => [subject, reason])).toEqual([
    ['Alien', 'It is from another version, and this one cannot read it.'],
    [null, 'It is not an order that this version knows.'],
    [null, 'It is not an order that this version knows.'],
  ]);
  expect(await ada.request(jobs.retry, { jobId: line.id, failureIds: [failures[1]!.id] })).toEqual({ count: 0 });
  await ada.request(jobs.dismiss, { jobId: line.id, failureIds: [failures[1]!.id] });
  await followed.until((feed) => lineOf(feed)?.failed === 2, 'two failures');
  // Tried again it fails again.
  expect(await ada.call(jobs.retry, { jobId: line.id })).toEqual({ count: 1 });
  await expect
    .poll(async () => (await ada.call(jobs.failures, { jobId: line.id })).failures.map(({ subject }) => subject))
    .toEqual(['Alien', null]);
  await ada.call(jobs.dismiss, { jobId: line.id });
  await followed.until((feed) => lineOf(feed) === undefined, 'the line to go');
});

it('while Redis is away everything else goes on, the health screen says so, and it comes back by itself', async () => {
  using ada = await Person.signIn(engine.url);
  using health = ada.follow(healthFeed);
  await health.until(({ snapshots }) => snapshots.length > 0, 'a snapshot');
  await redis.kill();
  const told = await health.until(({ news }) => news.findLast(({ id }) => id === 'queue')?.item, 'Redis to be missed');
  expect(told).toMatchObject({ severity: 'error', title: expect.stringContaining(`Redis at 127.0.0.1:${redis.port}`) });
  const jobId = '00000000-0000-7000-8000-000000000003';
  await expect(ada.call(jobs.failures, { jobId })).rejects.toMatchObject({ code: 'queueAway' });
  expect(await ada.movies()).toEqual([]);
  await redis.start();
  await health.until(({ news }) => news.findLast(({ id }) => id === 'queue')?.item === null, 'Redis to be back');
  expect(await ada.call(jobs.failures, { jobId })).toEqual({ failures: [] });
});
