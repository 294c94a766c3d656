import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import type { SentForm } from '#protocol/schema/playback.ts';
import { Id } from '#protocol/schema/scalar.ts';
import { memoryOf } from '#test/support/memory-server.ts';
import { DeviceLessons } from './device-lessons.ts';

const form: SentForm = {
  ...{ method: 'directPlay', container: 'matroska', videoCodec: 'hevc' },
  ...{ videoBitDepth: 10, videoBoxPx: 2160, audioCodec: 'aac' },
};
const file = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;

describe('[PLAY44] what this device learned', () => {
  it('is there after the page, with a name for the device that stays', () => {
    const memory = memoryOf();
    const before = new DeviceLessons(memory, 'Firefox 153');
    before.learn(form, file(1));
    before.learn(form, file(2));
    before.learn(form, file(2));
    const after = new DeviceLessons(memory, 'Firefox 153');
    expect(after.all).toEqual([{ form, fileIds: [file(2), file(1)] }]);
    expect(after.deviceId).toBe(before.deviceId);
    expect(v.is(Id, after.deviceId)).toBe(true);
  });

  it('is void for another version of the browser, but the device is the same', () => {
    const memory = memoryOf();
    const before = new DeviceLessons(memory, 'Firefox 153');
    before.learn(form, file(1));
    const after = new DeviceLessons(memory, 'Firefox 154');
    expect(after.all).toEqual([]);
    expect(after.deviceId).toBe(before.deviceId);
  });

  it('is forgotten by form, by file, or all of it', () => {
    const memory = memoryOf();
    const lessons = new DeviceLessons(memory, 'Firefox 153');
    const other = { ...form, container: 'mp4' as const };
    lessons.learn(form, file(1));
    lessons.learn(other, file(2));
    lessons.forgetForm(form);
    expect(lessons.all.map((lesson) => lesson.form)).toEqual([other]);
    lessons.forget(({ fileIds }) => fileIds.includes(file(2)));
    expect(new DeviceLessons(memory, 'Firefox 153').all).toEqual([]);
  });

  it('takes bounded room, and makes nothing of what is no lesson', () => {
    const lessons = new DeviceLessons(memoryOf(), 'x');
    for (let count = 0; count < 80; count++) lessons.learn({ ...form, videoBoxPx: count }, file(count));
    expect(lessons.all).toHaveLength(64);
    for (const text of ['{', '[]', '{"browser":"x","lessons":[{}]}']) {
      expect(new DeviceLessons(memoryOf({ lessons: text }), 'x').all).toEqual([]);
    }
  });
});
