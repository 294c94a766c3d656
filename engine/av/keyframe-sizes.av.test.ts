import { describe, expect, it } from 'vitest';
import { clips, ffprobe } from '#test/support/media.ts';
import { probe } from './probe.ts';

interface ProbedPackets {
  readonly packets: readonly { readonly stream_index: number; readonly size: string; readonly flags: string }[];
}

/** Bytes of packets from each keyframe of the picture to the next: of the picture alone, and of everything. */
async function packetBytes(path: string): Promise<{ picture: number[]; all: number[] }> {
  const { packets } = (await ffprobe(['-show_entries', 'packet=stream_index,size,flags', path])) as ProbedPackets;
  const picture: number[] = [];
  const all: number[] = [];
  for (const { stream_index: stream, size, flags } of packets) {
    if (stream === 0 && flags.startsWith('K')) {
      picture.push(0);
      all.push(0);
    }
    if (picture.length === 0) continue;
    all[all.length - 1]! += Number(size);
    if (stream === 0) picture[picture.length - 1]! += Number(size);
  }
  return { picture, all };
}

describe('how many bytes lie between keyframes', () => {
  it.each([
    ['MP4', clips.h264Mp4],
    ['MP4 with keyframes at irregular places', clips.irregularMp4],
  ])('%s: exactly those of the picture', async (_what, make) => {
    const path = await make();
    expect([...probe(path).keyframeBytes!]).toEqual((await packetBytes(path)).picture);
  });

  it.each([
    ['Matroska', clips.h264Mkv],
    ['Matroska with three languages', clips.manyAudioMkv],
    ['WebM', clips.vp9Webm],
  ])('%s: those of all tracks, with little around them', async (_what, make) => {
    const path = await make();
    const bytes = [...probe(path).keyframeBytes!];
    const { picture, all } = await packetBytes(path);
    expect(bytes.length).toBe(picture.length);
    for (const [index, size] of bytes.entries()) expect(size).toBeGreaterThanOrEqual(picture[index]!);
    const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
    expect(sum(bytes)).toBeGreaterThan(sum(all));
    expect(sum(bytes)).toBeLessThan(sum(all) * 1.05 + 5_000);
  });

  it.each([
    ['fragments have no table of sizes', clips.fragmentedMp4],
    ['the container has no index', clips.h264Ts],
  ])('is not said where %s', async (_what, make) => expect(probe(await make()).keyframeBytes).toBeNull());
});
