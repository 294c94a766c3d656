/** The engine as it starts with hardware that is not there, is asked to test, and stops in the middle of it. */
import { existsSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hardware, server } from '#protocol/index.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { descendants } from '#test/support/processes.ts';
import { startEngine } from '#test/support/running-engine.ts';

describe.skipIf(existsSync('/dev/nvidiactl'))('an engine whose hardware is set to what is not there', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'matinee-hardware-')));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const start = (environment: Readonly<Record<string, string>>) =>
    startEngine({ dataFolder: join(folder, 'data'), environment: { ...adminEnvironment, ...environment } });

  it('[PLAY74] starts, says so, and leaves everything to the processor', async () => {
    await using engine = await start({ MATINEE_HARDWARE: 'nvenc' });
    using ada = await Person.signIn(engine.url);
    await expect
      .poll(async () => (await ada.call(server.health, {})).items.map(({ id }) => id))
      .toContain('hardwareSetting');
    const state = await ada.request(hardware.state, {});
    expect(state).toMatchObject({ setting: 'nvenc', used: null, software: [] });
    const verdicts = Object.fromEntries(state.cards.map(({ kind, verdict }) => [kind, verdict]));
    expect(verdicts).toMatchObject({ nvenc: 'noDevice', vaapi: 'notTried' });
  });

  it('[PLAY78] is asked to test, and stops in the middle of it like at any other time', async () => {
    const engine = await start({ MATINEE_HARDWARE: 'auto' });
    using ada = await Person.signIn(engine.url);
    const { jobId } = await ada.call(hardware.test, {});
    expect((await ada.call(hardware.state, {})).jobId).toBe(jobId);
    await expect
      .poll(() => descendants(engine.pid).some(({ command }) => command.endsWith('/hosts/hardware.host.ts')))
      .toBe(true);
    await expect(engine.stop()).resolves.toEqual({ code: 0, signal: null });
  });

  it('stops the start at a setting that cannot be meant', async () => {
    await expect(start({ MATINEE_HARDWARE: 'gpu' })).rejects.toThrow('auto, off, nvenc');
  });
});
