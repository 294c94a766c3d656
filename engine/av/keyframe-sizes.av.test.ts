import { describe, expect, it } from 'vitest';
import { clip, clips, ffprobe, h264, picture, tone } from '#test/support/media.ts';
import { findKeyframes } from './keyframes.ts';
import { probe } from './probe.ts';

interface ProbedPackets {
  readonly packets: readonly { readonly stream_index: number; readonly size: string; readonly flags: string }[];
}

/** Bytes of packets from each keyframe of the picture to the next: of the picture alone, and of everything. */
async function packetBytes(path: string): Promise<{ pictures: number[]; all: number[] }> {
  const { packets } = (await ffprobe(['-show_entries', 'packet=stream_index,size,flags', path])) as ProbedPackets;
  const pictures: number[] = [];
  const all: number[] = [];
  for (const { stream_index: stream, size, flags } of packets) {
    if (stream === 0 && flags.startsWith('K')) {
      pictures.push(0);
      all.push(0);
    }
    if (pictures.length === 0) continue;
    all[all.length - 1]! += Number(size);
    if (stream === 0) pictures[pictures.length - 1]! += Number(size);
  }
  return { pictures, all };
}

describe('how many bytes lie between keyframes', () => {
  it.each([
    ['MP4', clips.h264Mp4],
    ['MP4 with keyframes at irregular places', clips.irregularMp4],
  ])('%s: exactly those of the picture', async (_what, make) => {
    const path = await make();
    expect([...probe(path).keyframeBytes!]).toEqual((await packetBytes(path)).pictures);
  });

  it.each([
    ['Matroska', clips.h264Mkv],
    ['Matroska with three languages', clips.manyAudioMkv],
    ['WebM', clips.vp9Webm],
  ])('%s: those of all tracks, with little around them', async (_what, make) => {
    const path = await make();
    const bytes = [...probe(path).keyframeBytes!];
    const { pictures, all } = await packetBytes(path);
    expect(bytes.length).toBe(pictures.length);
    for (const [index, size] of bytes.entries()) expect(size).toBeGreaterThanOrEqual(pictures[index]!);
    const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
    expect(sum(bytes)).toBeGreaterThan(sum(all));
    expect(sum(bytes)).toBeLessThan(sum(all) * 1.05 + 5_000);
  });

  it('Matroska without an index: those of all tracks, found where its keyframes are looked for', async () => {
    const args = [...picture(8), ...tone(8), ...h264(), '-c:a', 'aac', '-b:a', '64k', '-live', '1'];
    const path = await clip({ name: 'no-cues.mkv', args });
    const { media, keyframeBytes } = probe(path);
    expect(keyframeBytes).toBeNull();
    const found = findKeyframes(path, 0, { startUs: media.startMs * 1_000, timeLimitMs: 60_000 });
    const sizes = [...found.bytes!];
    const { pictures, all } = await packetBytes(path);
    expect(sizes.length).toBe(pictures.length);
    for (const [index, size] of sizes.entries()) expect(size).toBeGreaterThanOrEqual(pictures[index]!);
    const sum = (each: readonly number[]): number => each.reduce((total, size) => total + size, 0);
    expect(sum(sizes)).toBeGreaterThan(sum(all));
    expect(sum(sizes)).toBeLessThan(sum(all) * 1.05 + 5_000);
  });

  it.each([
    ['fragments have no table of sizes', clips.fragmentedMp4],
    ['the container has no index', clips.h264Ts],
  ])('is not said where %s', async (_what, make) => expect(probe(await make()).keyframeBytes).toBeNull());
});
