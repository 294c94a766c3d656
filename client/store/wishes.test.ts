import { describe, expect, it } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import { preferencesFeed } from '#protocol/feeds.ts';
import { preferences as calls } from '#protocol/methods/preferences.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { PlaybackLesson } from '#protocol/schema/preferences.ts';
import { MemoryServer } from '#test/support/memory-server.ts';
import { WishStore } from './wishes.ts';

const lesson: PlaybackLesson = {
  id: '01890000-0000-7000-8000-000000000001',
  deviceId: '01890000-0000-7000-8000-000000000002',
  ...{ device: 'Firefox on Linux', browser: 'Firefox 153', fileIds: [], learnedAt: 0 },
  form: {
    ...{ method: 'directPlay', container: 'mp4', videoCodec: 'hevc' },
    ...{ videoBitDepth: 10, videoBoxPx: 2160, audioCodec: null },
  },
};

function open(): { server: MemoryServer; wishes: WishStore } {
  const server = new MemoryServer();
  server.setLive(true);
  const wishes = new WishStore(server);
  return { server, wishes };
}

describe('[PLAY41] what a person prefers', () => {
  it('is that of somebody who has set nothing until the server says', () => {
    const { server, wishes } = open();
    expect([wishes.isKnown, wishes.preferences.value]).toEqual([false, DEFAULT_PREFERENCES]);
    server.snapshot(preferencesFeed, { preferences: { ...DEFAULT_PREFERENCES, playsNext: false }, lessons: [] });
    expect([wishes.isKnown, wishes.preferences.value.playsNext]).toEqual([true, false]);
  });

  it('shows a change at once, together with what another screen changes meanwhile', async () => {
    const { server, wishes } = open();
    server.snapshot(preferencesFeed, { preferences: DEFAULT_PREFERENCES, lessons: [] });
    const reply = Promise.withResolvers<{ preferences: typeof DEFAULT_PREFERENCES }>();
    server.answer(calls.change, () => reply.promise);
    const changed = wishes.change({ subtitleMode: 'always' });
    expect(wishes.preferences.value.subtitleMode).toBe('always');
    const preferences = { ...DEFAULT_PREFERENCES, playsNext: false };
    server.entries(preferencesFeed, [{ kind: 'preferences', id: 'mine', preferences }]);
    expect(wishes.preferences.value).toMatchObject({ subtitleMode: 'always', playsNext: false });
    reply.resolve({ preferences: { ...preferences, subtitleMode: 'always' } });
    await changed;
    expect(wishes.preferences.value).toMatchObject({ subtitleMode: 'always', playsNext: false });
  });

  it('takes back what the server does not take', async () => {
    const { server, wishes } = open();
    server.answer(calls.change, () => Promise.reject(new Failure('timeout', { afterMs: 1 })));
    await expect(wishes.change({ playsNext: false })).rejects.toThrow();
    expect(wishes.preferences.value.playsNext).toBe(true);
  });
});

describe('[PLAY45] what failed on devices', () => {
  it('is listed, and told of when it is forgotten anywhere', () => {
    const { server, wishes } = open();
    server.snapshot(preferencesFeed, { preferences: DEFAULT_PREFERENCES, lessons: [] });
    server.entries(preferencesFeed, [{ kind: 'lesson', id: lesson.id, lesson }]);
    server.entries(preferencesFeed, [{ kind: 'lesson', id: lesson.id, lesson: { ...lesson, device: 'Phone' } }]);
    expect(wishes.lessons.value.map(({ device }) => device)).toEqual(['Phone']);
    server.entries(preferencesFeed, [{ kind: 'lesson', id: lesson.id, lesson: null }]);
    server.entries(preferencesFeed, [{ kind: 'lesson', id: lesson.id, lesson: null }]);
    expect(wishes.lessons.value).toEqual([]);
  });

  it('is forgotten by the server, one by one or all', async () => {
    const { server, wishes } = open();
    server.answer(calls.forget, () => ({ forgotten: 2 }));
    expect(await wishes.forget(null)).toBe(2);
    await wishes.forget(lesson.id);
    expect(server.sentOf(calls.forget).map(({ input }) => input)).toEqual([{}, { lessonId: lesson.id }]);
  });
});
