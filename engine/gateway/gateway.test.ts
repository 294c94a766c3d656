/** The door itself: standing there before the house is built, and standing there alone. */
import { afterEach, expect, it } from 'vitest';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import { silentLog } from '#engine/base/log.ts';
import { MemorySessions, unreachedCalls, uwsFolder, viewerOf } from '#test/support/gateway.ts';
import { createDoor } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import type { HealthState } from './health-routes.ts';
import { loadUws } from './uws.ts';

const open = new Set<Gateway>();
afterEach(async () => {
  for (const gateway of open) await gateway[Symbol.asyncDispose]();
  open.clear();
});

async function door(health: HealthState = { phase: 'starting', isDatabaseUp: () => Promise.resolve(true) }) {
  const gateway = await createDoor({
    uws: loadUws(uwsFolder),
    health,
    server: { version: '0.0.0', startedAt: 0 },
    log: silentLog,
  });
  open.add(gateway);
  return gateway;
}

it('[HEALTH2] answers probes before there is anything behind it, and lets people in once there is', async () => {
  const health: HealthState = { phase: 'starting', isDatabaseUp: () => Promise.resolve(true) };
  const gateway = await door(health);
  const { port } = await gateway.listen('127.0.0.1', 0);
  const status = async (path: string, token = '') =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await status('/healthz'), await status('/readyz'), await status('/startupz')]).toEqual([200, 503, 503]);
  expect(await status('/api/v1/jobs')).toBe(503);

  const sessions = new MemorySessions();
  const { token } = sessions.open(viewerOf('admin'));
  gateway.open({ calls: unreachedCalls(), sessions, feeds: { subscribe: () => Promise.resolve(null) } });
  expect(await status('/api/v1/jobs', token)).toBe(503);
  health.phase = 'ready';
  expect([await status('/readyz'), await status('/startupz')]).toEqual([200, 200]);
  expect(await status('/api/v1/jobs')).toBe(401);
  expect([401, 503]).not.toContain(await status('/api/v1/jobs', token));
});

it('refuses a port that is taken, also by another of its kind', async () => {
  const first = await door();
  const { port } = await first.listen('127.0.0.1', 0);
  const second = await door();
  await expect(second.listen('127.0.0.1', port)).rejects.toThrow(StartRefusal);
});
