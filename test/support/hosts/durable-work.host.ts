/**
 * A process that does durable work until somebody kills it. Told where the queue is by `MATINEE_TEST_QUEUE`; says `began` with the
 * payload of everything it begins. A payload with `dies` takes it with it; one with `hangs` never ends.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { DurableWork } from '#engine/jobs/durable-work.ts';
import { openQueueServer } from '#engine/store/queue/queue-server.ts';
import type { QueueServerOptions } from '#engine/store/queue/queue-server.ts';

export interface DurableWorkHostStart {
  readonly server: Omit<QueueServerOptions, 'log'>;
  /** Each work makes a file named by its `n` here. */
  readonly folder: string;
  readonly concurrency: number;
}

const { server, folder, concurrency } = JSON.parse(process.env['MATINEE_TEST_QUEUE'] ?? '') as DurableWorkHostStart;

const work = new DurableWork({
  server: await openQueueServer({ ...server, log: silentLog }),
  health: { set: () => {}, clear: () => {} },
  clock: systemClock,
  newId: createUuidFactory(systemClock),
  log: silentLog,
});
work.handle('match', { title: 'Looking for movies', concurrency }, async (payload) => {
  const { n, dies, hangs } = payload as { n: number; dies?: boolean; hangs?: boolean };
  await writeFile(join(folder, `${n}`), 'made\n');
  process.send?.({ began: n });
  if (dies) process.kill(process.pid, 'SIGKILL');
  if (hangs) await Promise.withResolvers<never>().promise;
  return { kind: 'done' };
});
work.start();
process.once('disconnect', () => process.exit(0));
