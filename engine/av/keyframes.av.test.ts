import { stat } from 'node:fs/promises';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { clips, ffprobe } from '#test/support/media.ts';
import type { MediaError } from '#engine/media/media-failure.ts';
import { findKeyframes } from './keyframes.ts';
import { probe } from './probe.ts';

const Packets = v.object({ packets: v.array(v.object({ pts_time: v.string(), flags: v.string() })) });

const Places = v.object({ packets: v.array(v.object({ pos: v.string(), flags: v.string() })) });

/** Keyframes as ffprobe lists the packets of the track, on the movie's timeline. */
async function reference(path: string, startMs: number): Promise<number[]> {
  const output = await ffprobe(['-select_streams', 'v:0', '-show_entries', 'packet=pts_time,flags', `file:${path}`]);
  const times = v
    .parse(Packets, output)
    .packets.filter((packet) => packet.flags.startsWith('K'))
    .map((packet) => Math.round(Number(packet.pts_time) * 1e6) - startMs * 1000);
  // Ours: a keyframe before the beginning counts as the beginning.
  return [...new Set(times.map((time) => Math.max(0, time)))].toSorted((a, b) => a - b);
}

/** What lies between the places of the keyframes that ffprobe lists. */
async function bytesBetween(path: string): Promise<number[]> {
  const output = await ffprobe(['-select_streams', 'v:0', '-show_entries', 'packet=pos,flags', `file:${path}`]);
  const places = v
    .parse(Places, output)
    .packets.filter((packet) => packet.flags.startsWith('K'))
    .map((packet) => Number(packet.pos));
  const { size } = await stat(path);
  return places.map((at, index) => (places[index + 1] ?? size) - at);
}

const toList = (times: Float64Array | null): number[] | null => (times === null ? null : [...times]);
/** Both sides round to microseconds. */
const expectSame = (ours: readonly number[] | null, theirs: readonly number[]): void => {
  expect(ours).toHaveLength(theirs.length);
  theirs.forEach((time, i) => expect(Math.abs((ours?.[i] ?? -1e9) - time)).toBeLessThanOrEqual(1));
};

const INDEXED = [
  ...['h264Mp4', 'h264Mkv', 'hevcMkv', 'hlgMp4', 'vp9Webm', 'irregularMp4', 'openGopMkv', 'openGopMp4', 'editListMp4'],
  ...['startAt1HourMkv', 'audioLongerMp4', 'fragmentedMp4', 'indexedFragmentsMp4', 'vfrMp4', 'rotatedMp4'],
] as (keyof typeof clips)[];
const WITHOUT_INDEX = ['h264Ts', 'startAt10HoursTs', 'xvidAvi', 'interlacedTs'] as const;

describe('keyframes', () => {
  it.each(INDEXED)("%s: the container's index, and the way without it, equal the packets", async (name) => {
    const path = await clips[name]();
    const { media, keyframesUs } = probe(path);
    const expected = await reference(path, media.startMs);
    const options = { startUs: media.startMs * 1000, timeLimitMs: 60_000 };
    const index = media.video[0]?.index ?? -1;
    expectSame(toList(keyframesUs), expected);
    expectSame(toList(findKeyframes(path, index, options).timesUs), expected);
    expectSame(toList(findKeyframes(path, index, { ...options, ignoreIndex: true }).timesUs), expected);
  });

  it.each(WITHOUT_INDEX)('%s: has none, and is read for them', async (name) => {
    const path = await clips[name]();
    const { media, keyframesUs } = probe(path);
    expect(keyframesUs).toBeNull();
    const { timesUs, bytes } = findKeyframes(path, 0, { startUs: media.startMs * 1000, timeLimitMs: 60_000 });
    expectSame(toList(timesUs), await reference(path, media.startMs));
    expect(toList(bytes)).toEqual(await bytesBetween(path));
  });

  it("begin near 0 wherever the file's clock begins", async () => {
    for (const name of ['startAt10HoursTs', 'startAt1HourMkv'] as const) {
      const path = await clips[name]();
      const { media } = probe(path);
      expect(media.startMs).toBeGreaterThan(3_500_000);
      const [first = -1] = findKeyframes(path, 0, { startUs: media.startMs * 1000, timeLimitMs: 60_000 }).timesUs;
      expect(first).toBeGreaterThanOrEqual(0);
      expect(first).toBeLessThan(100_000);
    }
  });

  it('begin at 0 where an edit begins inside a group of pictures', async () => {
    expect(probe(await clips.editListMp4()).keyframesUs?.[0]).toBe(0);
  });

  it('stop at the time limit', async () => {
    const path = await clips.h264Ts();
    expect(() => findKeyframes(path, 0, { startUs: 0, timeLimitMs: -1 })).toThrow(
      expect.objectContaining({ failure: 'timeout' }) as MediaError,
    );
  });

  it('refuse a track that is not there', async () => {
    const path = await clips.h264Mkv();
    expect(() => findKeyframes(path, 7, { startUs: 0, timeLimitMs: 60_000 })).toThrow(
      expect.objectContaining({ failure: 'unsupported' }) as MediaError,
    );
  });
});
