import { describe, expect, it } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import { preferences as calls } from '#protocol/methods/preferences.ts';
import type { Playback, SentForm } from '#protocol/schema/playback.ts';
import { DeviceLessons } from '#client/store/device-lessons.ts';
import { MemoryServer, memoryOf } from '#test/support/memory-server.ts';
import { learnFrom, unlearn } from './lesson-report.ts';

const FILE = '01890000-0000-7000-8000-000000000001';
const sent: SentForm = {
  ...{ method: 'transcode', container: 'mp4', videoCodec: 'av1' },
  ...{ videoBitDepth: 8, videoBoxPx: 1080, audioCodec: 'aac' },
};
const playback = { fileId: FILE, sent } as Playback;

function open(): { server: MemoryServer; lessons: DeviceLessons } {
  const server = new MemoryServer();
  server.setLive(true);
  server.answer(calls.learn, () => ({ lessons: [] }));
  server.answer(calls.forget, () => ({ forgotten: 1 }));
  return { server, lessons: new DeviceLessons(memoryOf(), 'Chrome 156') };
}

describe('[PLAY44] what a device could not play', () => {
  it('is kept on the device before anything else happens, and told with what names the device', () => {
    const { server, lessons } = open();
    expect(learnFrom(server, lessons, playback)).toBe(true);
    expect(lessons.all).toEqual([{ form: sent, fileIds: [FILE] }]);
    expect(server.sentOf(calls.learn)[0]?.input).toMatchObject({
      ...{ fileId: FILE, form: sent, deviceId: lessons.deviceId, browser: 'Chrome 156' },
    });
  });

  it('is no news the second time: a codec that the server sends again is not tried for ever', () => {
    const { server, lessons } = open();
    learnFrom(server, lessons, playback);
    expect(learnFrom(server, lessons, playback)).toBe(false);
    expect(learnFrom(server, lessons, { ...playback, sent: { ...sent, videoCodec: 'hevc' } })).toBe(true);
  });

  it('is kept where the server can’t be told', async () => {
    const { server, lessons } = open();
    server.answer(calls.learn, () => Promise.reject(new Failure('timeout', { afterMs: 1 })));
    learnFrom(server, lessons, playback);
    server.setLive(false);
    learnFrom(server, lessons, { ...playback, fileId: FILE.replace(/1$/, '2') });
    await Promise.resolve();
    expect(lessons.all[0]?.fileIds).toHaveLength(2);
  });

  it('[PLAY45] is forgotten for a file that is to be tried in every way again, and nothing is told where nothing was known', () => {
    const { server, lessons } = open();
    unlearn(server, lessons, FILE);
    expect(server.sent).toEqual([]);
    learnFrom(server, lessons, playback);
    unlearn(server, lessons, FILE);
    expect(lessons.all).toEqual([]);
    expect(server.sentOf(calls.forget)[0]?.input).toEqual({ fileId: FILE, deviceId: lessons.deviceId });
  });
});
