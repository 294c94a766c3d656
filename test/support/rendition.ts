/** Runs renditions in the test's own process and reads what they wrote. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';
import { findKeyframes } from '#engine/av/keyframes.ts';
import { probe } from '#engine/av/probe.ts';
import { Rendition } from '#engine/av/rendition.ts';
import type { RenditionNews } from '#engine/av/rendition.ts';
import type { RenditionOutput, RenditionSpec, SegmentRange } from '#engine/media/rendition-spec.ts';
import { planRemux, planTranscode } from '#engine/media/segment-plan.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { readInit, readSegment } from './fragment.ts';
import type { InitFacts, Sample } from './fragment.ts';
import { ffprobe } from './media.ts';

const run = promisify(execFile);

export const H264 = {
  method: 'h264',
  encoder: 'software',
  heightPx: 180,
  level: 31,
  crf: 28,
  maxBitrateBps: 2_000_000,
  preset: 'ultrafast',
  toneMap: false,
  deinterlace: false,
} as const satisfies RenditionOutput;
export const AAC = { method: 'aac', channels: 2, bitrateBps: 128_000 } as const satisfies RenditionOutput;
export const COPY = { method: 'copy' } as const satisfies RenditionOutput;

export interface Movie {
  readonly path: string;
  readonly media: MediaInfo;
  readonly durationUs: number;
  readonly startUs: number;
  readonly keyframesUs: readonly number[];
}

/** What the server knows of a file before it plays it. */
export function movie(path: string): Movie {
  const { media, keyframesUs } = probe(path);
  const startUs = media.startMs * 1000;
  const [video] = media.video;
  const found =
    keyframesUs ?? (video ? findKeyframes(path, video.index, { startUs, timeLimitMs: 60_000 }).timesUs : null);
  return { path, media, startUs, durationUs: (media.durationMs ?? 0) * 1000, keyframesUs: [...(found ?? [])] };
}

/** What the server would ask a host for, less the folder. `boundariesUs` where its own plan is not the point. */
export function orderOf(
  of: Movie,
  kind: 'video' | 'audio',
  output: RenditionOutput,
  boundariesUs?: readonly number[],
): Omit<RenditionSpec, 'outputDir'> {
  const [track] = kind === 'video' ? of.media.video : of.media.audio;
  if (!track) throw new Error(`${of.path} has no ${kind}`);
  const rate = of.media.video[0]?.frameRate ?? null;
  const plan =
    boundariesUs ??
    (kind === 'video' && output.method === 'copy'
      ? planRemux(of.keyframesUs, of.durationUs)
      : planTranscode(of.keyframesUs, of.durationUs, rate));
  if (!plan) throw new Error(`${of.path} cannot be planned`);
  return { path: of.path, trackIndex: track.index, kind, boundariesUs: plan, startUs: of.startUs, output };
}

export function countOf({ boundariesUs }: Pick<RenditionSpec, 'boundariesUs'>): number {
  return boundariesUs.length - 1;
}

/** Makes ranges one after the other, each in a session of its own, into one folder that goes with the test. */
export async function make(order: Omit<RenditionSpec, 'outputDir'>, ranges: readonly SegmentRange[]): Promise<Made> {
  const outputDir = temporaryFolder();
  const news: RenditionNews[] = [];
  for (const range of ranges) news.push(...(await session({ ...order, outputDir }, range)));
  return new Made(outputDir, countOf(order), news);
}

/** All segments in one session. */
export const makeAll = (order: Omit<RenditionSpec, 'outputDir'>): Promise<Made> =>
  make(order, [{ from: 0, until: countOf(order) - 1 }]);

/** Each segment in a session of its own, the last one first. */
export const makeEach = (order: Omit<RenditionSpec, 'outputDir'>): Promise<Made> =>
  make(order, Array.from({ length: countOf(order) }, (_, index) => ({ from: index, until: index })).toReversed());

async function session(spec: RenditionSpec, range: SegmentRange): Promise<RenditionNews[]> {
  const news: RenditionNews[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  using rendition = new Rendition(spec, (event) => {
    news.push(event);
    if (event.kind === 'idle' || event.kind === 'failed') resolve();
  });
  rendition.produce(range);
  await promise;
  return news;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'matinee-rendition-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What lies in a rendition's folder. Times are movie times: the ten seconds are taken off. */
export class Made {
  readonly folder: string;
  readonly news: readonly RenditionNews[];
  readonly #count: number;

  constructor(folder: string, count: number, news: readonly RenditionNews[]) {
    this.folder = folder;
    this.news = news;
    this.#count = count;
  }

  get failures(): readonly RenditionNews[] {
    return this.news.filter(({ kind }) => kind === 'failed');
  }

  get initBytes(): Buffer {
    return readFileSync(join(this.folder, 'init.mp4'));
  }

  get init(): InitFacts {
    return readInit(this.initBytes);
  }

  bytes(index: number): Buffer {
    return readFileSync(join(this.folder, `${index}.m4s`));
  }

  samples(index: number): Sample[] {
    return readSegment(this.bytes(index), this.init).map((sample) => ({
      ...sample,
      ptsUs: sample.ptsUs - 10e6,
      dtsUs: sample.dtsUs - 10e6,
    }));
  }

  get segments(): Sample[][] {
    return Array.from({ length: this.#count }, (_, index) => this.samples(index));
  }

  get shownUs(): number[] {
    return this.segments
      .flat()
      .map(({ ptsUs }) => ptsUs)
      .toSorted((a, b) => a - b);
  }

  /** One playable file of the init segment and these segments, all of them unless told. */
  joined(indexes: readonly number[] = Array.from({ length: this.#count }, (_, index) => index)): string {
    const file = join(this.folder, `joined-${indexes.join('-')}.mp4`);
    writeFileSync(file, Buffer.concat([this.initBytes, ...indexes.map((index) => this.bytes(index))]));
    return file;
  }
}

/** Decodes a whole file and returns what ffmpeg has to say against it: nothing, where it is sound. */
export async function complaintsAbout(file: string): Promise<string> {
  const args = ['-nostdin', '-v', 'error', '-xerror', '-i', file, '-fps_mode', 'passthrough', '-f', 'null', '-'];
  const { stderr } = await run('ffmpeg', args).catch((error: unknown) => ({ stderr: String(error) }));
  return stderr;
}

/** Decoded sound, 48 kHz stereo, as interleaved floats. */
export function sound(file: string): Promise<Float32Array> {
  return pcm(['-i', file, '-vn']);
}

/** The sound of a movie from its beginning on, with silence where there is none. */
export async function soundFrom(of: Movie): Promise<Float32Array> {
  const Format = v.object({ format: v.object({ start_time: v.string() }) });
  const { format } = v.parse(Format, await ffprobe(['-show_entries', 'format=start_time', `file:${of.path}`]));
  // ffmpeg counts from the container's first time stamp, which may be that of sound which is never heard (Opus, 7 ms).
  const first = Math.round((of.startUs - Number(format.start_time) * 1e6) * 0.048);
  const filter = `aresample=48000:async=1:min_comp=0.00001:min_hard_comp=0.02:first_pts=${first}`;
  return pcm(['-i', of.path, '-vn', '-af', filter]);
}

async function pcm(args: readonly string[]): Promise<Float32Array> {
  const all = ['-nostdin', '-v', 'error', ...args, '-f', 'f32le', '-ac', '2', '-ar', '48000', '-'];
  const { stdout } = await run('ffmpeg', all, { encoding: 'buffer', maxBuffer: 256 << 20 });
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~3)));
}

/** When the frames of a file's first video track are shown, by ffprobe, in microseconds of movie time. */
export async function framesUs(of: Movie): Promise<number[]> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'frame=best_effort_timestamp_time',
    '-of',
    'csv=p=0',
  ];
  const { stdout } = await run('ffprobe', [...args, `file:${of.path}`], { maxBuffer: 64 << 20 });
  return stdout
    .split('\n')
    .map((line) => Number.parseFloat(line) * 1e6 - of.startUs)
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);
}
