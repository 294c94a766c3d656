import { describe, expect, it } from 'vitest';
import { clips } from '#test/support/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { areEntryPoints } from './entry-points.ts';

const S = 1_000_000;
const look = (path: string, timesUs: number[], more: Partial<Parameters<typeof areEntryPoints>[1]> = {}): boolean =>
  areEntryPoints(path, { trackIndex: 0, startMs: 0, timeLimitMs: 60_000, timesUs, ...more });

describe('keyframes that a player can begin at', () => {
  it.each<[string, () => Promise<string>, number[], boolean]>([
    ['closed GOPs in Matroska', clips.h264Mkv, [0, 3 * S, 7 * S], true],
    ['closed GOPs in MP4', clips.h264Mp4, [0, 3 * S, 7 * S], true],
    ['closed GOPs in MPEG-TS', clips.h264Ts, [2 * S, 5 * S], true],
    ['the first of open GOPs', clips.openGopMkv, [0], true],
    ['later ones, in Matroska', clips.openGopMkv, [0, 3 * S], false],
    ['later ones, in MP4', clips.openGopMp4, [3 * S], false],
    ['HEVC, where open GOPs are no obstacle', clips.hevcMkv, [0, S, 2 * S], true],
    ['VP9', clips.vp9Webm, [0, S], true],
    ['pictures that an edit list hides', clips.editListMp4, [], false],
    ['a picture that begins with the sound’s delay', clips.audioLongerMp4, [S], true],
    ['none asked for', clips.openGopMkv, [], true],
    ['none there', clips.openGopMkv, [60 * S], true],
    ['closed GOPs in MPEG-TS that begins at ten hours', clips.startAt10HoursTs, [S, 2 * S, 3 * S], true],
  ])('[PLAY20] %s', async (_what, make, timesUs, expected) => {
    const path = await make();
    expect(look(path, timesUs, path.includes('ten-hours') ? { startMs: 36_000_000 } : {})).toBe(expected);
  });

  it('[PLAY20] are found on the file’s own time', async () => {
    expect(look(await clips.startAt1HourMkv(), [0, 2 * S], { startMs: 3_600_000 })).toBe(true);
  });

  it('[PLAY20] are looked for no longer than allowed, and in tracks that exist', async () => {
    const path = await clips.h264Mkv();
    expect(() => look(path, [S], { timeLimitMs: -1 })).toThrow(MediaError);
    expect(() => look(path, [S], { trackIndex: 9 })).toThrow(MediaError);
  });
});
