import { describe, expect, it } from 'vitest';
import { preferencesFeed } from '#protocol/feeds/preferences.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { PlaybackLesson } from '#protocol/schema/preferences.ts';
import type { SentForm } from '#protocol/schema/playback.ts';
import { MemoryServer, memoryOf } from '#test/support/memory-server.ts';
import { DeviceLessons } from './device-lessons.ts';
import { LessonFollowing } from './lesson-following.ts';
import { WishStore } from './wishes.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [ADA, BOB] = [id(1), id(2)];
const form: SentForm = {
  ...{ method: 'directPlay', container: 'matroska', videoCodec: 'hevc' },
  ...{ videoBitDepth: 10, videoBoxPx: 2160, audioCodec: 'aac' },
};
const other: SentForm = { ...form, container: 'mp4' };
const BROWSER = 'Firefox 153';

/** A page, opened on a device with what it remembers, by a person of whom the server keeps these lessons. */
function page(memory: ReturnType<typeof memoryOf>, personId: string, kept: (here: DeviceLessons) => PlaybackLesson[]) {
  const server = new MemoryServer();
  server.setLive(true);
  const here = new DeviceLessons(memory, BROWSER);
  const wishes = new WishStore(server);
  const following = new LessonFollowing(wishes, here, personId);
  server.snapshot(preferencesFeed, { preferences: DEFAULT_PREFERENCES, lessons: kept(here) });
  return { server, here, following };
}
const lesson = (last: number, sent: SentForm, { deviceId }: DeviceLessons): PlaybackLesson => ({
  ...{ id: id(last), deviceId, device: 'Firefox on Linux', browser: BROWSER, form: sent, fileIds: [id(7)] },
  learnedAt: 1,
});
const forms = (here: DeviceLessons): SentForm[] => here.all.map((one) => one.form);

describe('[PLAY45] what a device learned', () => {
  it('is forgotten here when it is forgotten on another screen', () => {
    const memory = memoryOf();
    const { server, here } = page(memory, ADA, () => []);
    here.learn(form, id(7));
    here.learn(other, id(7));
    for (const [at, sent] of [form, other].entries()) {
      server.entries(preferencesFeed, [{ kind: 'lesson', id: id(20 + at), lesson: lesson(20 + at, sent, here) }]);
    }
    expect(here.all).toHaveLength(2);
    server.entries(preferencesFeed, [{ kind: 'lesson', id: id(20), lesson: null }]);
    expect(forms(here)).toEqual([other]);
  });

  it('is forgotten also where that happened while this page was closed', () => {
    const memory = memoryOf();
    const before = new DeviceLessons(memory, BROWSER);
    before.learn(form, id(7));
    const first = page(memory, ADA, (here) => [lesson(20, form, here)]);
    expect(forms(first.here)).toEqual([form]);
    first.following.dispose();
    expect(forms(page(memory, ADA, () => []).here)).toEqual([]);
    expect(new DeviceLessons(memory, BROWSER).all).toEqual([]);
  });

  it('stays where the server never heard of it, or keeps it for somebody else', () => {
    const memory = memoryOf();
    new DeviceLessons(memory, BROWSER).learn(form, id(7));
    expect(forms(page(memory, ADA, () => []).here)).toEqual([form]);
    page(memory, ADA, (here) => [lesson(20, form, here)]).following.dispose();
    // Of the person who sits here now the server keeps none, and never did.
    expect(forms(page(memory, BOB, () => []).here)).toEqual([form]);
  });

  it('stays when another device forgets the same', () => {
    const { server, here } = page(memoryOf(), ADA, () => []);
    here.learn(form, id(7));
    server.entries(preferencesFeed, [{ kind: 'lesson', id: id(20), lesson: lesson(20, form, here) }]);
    const elsewhere = { ...lesson(21, form, here), deviceId: id(99) };
    server.entries(preferencesFeed, [{ kind: 'lesson', id: id(21), lesson: elsewhere }]);
    server.entries(preferencesFeed, [{ kind: 'lesson', id: id(21), lesson: null }]);
    expect(forms(here)).toEqual([form]);
  });
});
