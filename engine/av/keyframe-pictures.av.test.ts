import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { planPictures } from '#engine/media/segment-plan.ts';
import { MAX_KEYFRAME_BITS } from '#engine/media/rendition-spec.ts';
import { clip, clips, h264, picture } from '#test/support/media.ts';
import { findKeyframes } from './keyframes.ts';
import { KeyframePictures } from './keyframe-pictures.ts';
import { probe } from './probe.ts';

const run = promisify(execFile);
const SIZE = { widthPx: 320, heightPx: 180 };

interface Made {
  readonly plan: Float64Array;
  readonly init: Buffer;
  readonly segments: readonly Buffer[];
}

async function make(path: string, order?: (count: number) => number[]): Promise<Made> {
  const { media } = probe(path);
  const track = media.video[0]!;
  const startUs = media.startMs * 1_000;
  const keyframesUs = findKeyframes(path, track.index, { startUs, timeLimitMs: 60_000 }).timesUs;
  const plan = planPictures(keyframesUs, media.durationMs! * 1_000)!;
  const outputDir = await mkdtemp(join(tmpdir(), 'matinee-pictures-'));
  try {
    const output = { method: 'keyframes', ...SIZE, source: track } as const;
    const spec = {
      path,
      trackIndex: track.index,
      kind: 'video',
      outputDir,
      boundariesUs: plan,
      startUs,
      output,
    } as const;
    const told: number[] = [];
    using pictures = new KeyframePictures(spec, output, (index) => void told.push(index));
    const indices = order?.(plan.length - 1) ?? [...Array(plan.length - 1).keys()];
    for (const index of indices) {
      pictures.start(index);
      expect(pictures.step()).toBe(index < plan.length - 2);
    }
    expect(told).toEqual(indices);
    const segments = await Promise.all(
      [...Array(plan.length - 1).keys()].map((index) => readFile(join(outputDir, `${index}.m4s`))),
    );
    return { plan, init: await readFile(join(outputDir, 'init.mp4')), segments };
  } finally {
    await rm(outputDir, { recursive: true, force: true });
  }
}

/** Luma of one picture at 32×18: enough to tell pictures apart, little enough not to mind how they were coded. */
async function luma(args: readonly string[], input?: Buffer): Promise<Buffer> {
  const out = ['-frames:v', '1', '-vf', 'scale=32:18:flags=area,format=gray', '-f', 'rawvideo', '-'];
  const done = run('ffmpeg', ['-v', 'error', ...args, ...out], { encoding: 'buffer', maxBuffer: 1 << 20 });
  done.child.stdin?.end(input);
  return (await done).stdout;
}

const distance = (a: Buffer, b: Buffer): number =>
  a.reduce((sum, value, index) => sum + Math.abs(value - b[index]!), 0) / Math.max(1, a.length);

describe('pictures of keyframes', () => {
  it.each([
    ['Matroska', clips.h264Mkv],
    ['MP4 with keyframes at irregular places', clips.irregularMp4],
    ['MPEG-TS, where a seek ends before the place', clips.h264Ts],
    ['WebM', clips.vp9Webm],
  ])('[PLAY84] %s: each is the picture that is shown at its time', async (_what, source) => {
    const path = await source();
    const { plan, init, segments } = await make(path);
    const { media } = probe(path);
    const truth = await Promise.all(
      segments.map((_, index) => {
        const atS = plan[index]! / 1e6;
        // A hair before, so that the first picture at or after it is the one.
        return luma(['-i', path, '-ss', String(Math.max(0, atS - 0.01)), '-map', `0:${media.video[0]!.index}`]);
      }),
    );
    const made = await Promise.all(
      segments.map((bytes) => luma(['-f', 'mp4', '-i', '-'], Buffer.concat([init, bytes]))),
    );
    for (const [index, pixels] of made.entries()) {
      const distances = truth.map((other) => distance(pixels, other));
      expect(distances[index], `picture ${index}`).toBeLessThan(6);
      expect(Math.min(...distances)).toBe(distances[index]);
    }
  });

  it('[PLAY84] their bytes do not depend on which were made before', async () => {
    const path = await clips.h264Mkv();
    const forth = await make(path);
    const back = await make(path, (count) => [...Array(count).keys()].toReversed());
    expect(back.init.equals(forth.init)).toBe(true);
    for (const [index, bytes] of forth.segments.entries()) expect(bytes.equals(back.segments[index]!)).toBe(true);
  });

  it('[PLAY84] noise takes no more than what the playlist promised', async () => {
    const noise = await clip({
      name: 'noise.mkv',
      args: ['-f', 'lavfi', '-i', 'color=gray:size=640x360:rate=24:duration=6,noise=alls=100:allf=t', ...h264(48)],
    });
    for (const bytes of (await make(noise)).segments) expect(bytes.length * 8).toBeLessThan(MAX_KEYFRAME_BITS + 8_000);
  });

  it('[PLAY84] a keyframe that an edit list hides is stood for by the next', async () => {
    expect((await make(await clips.editListMp4())).segments.length).toBeGreaterThan(0);
  });

  it.each([
    ['interlaced', clips.interlacedMkv],
    ['turned', clips.rotatedMp4],
    ['HDR', clips.hdr10Mkv],
    ['of a black beginning', clips.blackFirstMkv],
  ])('[PLAY84] %s: comes out', async (_what, source) => {
    const { init, segments } = await make(await source());
    expect((await luma(['-f', 'mp4', '-i', '-'], Buffer.concat([init, segments[0]!]))).length).toBe(32 * 18);
  });

  it('takes a moving picture of one keyframe', async () => {
    const path = await clip({ name: 'one-keyframe.mkv', args: [...picture(2), ...h264(250)] });
    expect((await make(path)).segments.length).toBe(1);
  });
});
