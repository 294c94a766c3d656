/**
 * Makes the segments of one movie file in every form that its tracks allow, and judges what comes out. Its own process, so that a file
 * that ends it costs one verdict: `node segments.host.ts FILE` prints a line of JSON for each verdict.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { areEntryPoints } from '#engine/av/entry-points.ts';
import { findKeyframes } from '#engine/av/keyframes.ts';
import { probe } from '#engine/av/probe.ts';
import { Rendition } from '#engine/av/rendition.ts';
import type { RenditionNews } from '#engine/av/rendition.ts';
import { isCopyableAudio, isCopyableVideo } from '#engine/media/codec-string.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { RenditionOutput, RenditionSpec } from '#engine/media/rendition-spec.ts';
import { planRemux, planTranscode } from '#engine/media/segment-plan.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { readInit, readSegment } from '#test/support/fragment.ts';
import type { Sample } from '#test/support/fragment.ts';

const run = promisify(execFile);
const LIMITS = { maxBuffer: 256 << 20, timeout: 60_000 };
const COPY: RenditionOutput = { method: 'copy' };
const AAC: RenditionOutput = { method: 'aac', channels: 2, bitrateBps: 128_000 };
/** Longer movies are judged by their beginning: what can go wrong there goes wrong there. */
const MAX_SEGMENTS = 12;

export interface SegmentVerdict {
  readonly key: string;
  readonly isRight: boolean;
  readonly detail: string;
}

const path = process.argv[2] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'matinee-score-'));
try {
  await judge();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function tell(key: string, isRight: boolean, detail = ''): void {
  console.log(JSON.stringify({ key, isRight, detail } satisfies SegmentVerdict));
}

async function judge(): Promise<void> {
  let media: MediaInfo;
  let keyframesUs: ArrayLike<number> | null;
  try {
    ({ media, keyframesUs } = probe(path));
  } catch (thrown) {
    const failure = thrown instanceof MediaError ? thrown.failure : 'internal';
    return tell('refused', failure !== 'internal', failure);
  }
  const startUs = media.startMs * 1000;
  const durationUs = (media.durationMs ?? 0) * 1000;
  const [video] = media.video;
  if (durationUs === 0) return tell('refused', true, 'no duration');
  if (video) {
    const found = attempt(
      () => keyframesUs ?? findKeyframes(path, video.index, { startUs, timeLimitMs: 30_000 }).timesUs,
    );
    const remux = found && planRemux(found, durationUs);
    const isEntry =
      remux &&
      attempt(() =>
        areEntryPoints(path, {
          trackIndex: video.index,
          startMs: media.startMs,
          timesUs: [...remux.subarray(1, -1)].slice(0, 6),
          timeLimitMs: 30_000,
        }),
      );
    const base = { path, trackIndex: video.index, kind: 'video', startUs } as const;
    if (remux && isEntry === true && isCopyableVideo(video.codec)) {
      await make('video copy', { ...base, boundariesUs: remux, output: COPY }, media);
    } else {
      console.error(
        `${path}: ${video.codec} is encoded, ${remux ? `its keyframes are ${String(isEntry)}` : 'no plan'}`,
      );
    }
    const output: RenditionOutput = {
      method: 'h264',
      encoder: 'software',
      heightPx: 240,
      level: 31,
      crf: 30,
      maxBitrateBps: 1_000_000,
      preset: 'ultrafast',
      toneMap: video.hdr !== null,
      deinterlace: video.isInterlaced,
    };
    const boundariesUs = planTranscode(found, durationUs, video.isVariableFrameRate ? null : video.frameRate);
    await make('video encode', { ...base, boundariesUs, output }, media);
  }
  const boundariesUs = planTranscode(null, durationUs, null);
  for (const { index, codec } of media.audio) {
    const base = { path, trackIndex: index, kind: 'audio', startUs, boundariesUs } as const;
    if (isCopyableAudio(codec)) await make('audio copy', { ...base, output: COPY }, media);
    await make('audio encode', { ...base, output: AAC }, media);
  }
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof MediaError) return null;
    throw thrown;
  }
}

async function make(what: string, order: Omit<RenditionSpec, 'outputDir'>, media: MediaInfo): Promise<void> {
  const planned = order.boundariesUs.length - 1;
  const count = Math.min(MAX_SEGMENTS, planned);
  const whole = mkdtempSync(join(folder, 'whole-'));
  const news = await session({ ...order, outputDir: whole }, 0, count - 1);
  const failed = news.find(({ kind }) => kind === 'failed');
  const label = `${what} #${order.trackIndex}`;
  if (failed?.kind === 'failed') {
    // A damaged file may end early, or be in no form that we take; it may not be our own fault.
    const isNamed = failed.failure !== 'internal';
    tell(`${what}: named failure`, isNamed, `${label}: ${failed.failure} at ${failed.index}: ${failed.detail}`);
    return;
  }
  const init = readInit(readFileSync(join(whole, 'init.mp4')));
  const offset = (sample: Sample): Sample => ({
    ...sample,
    ptsUs: sample.ptsUs - TIMELINE_OFFSET_US,
    dtsUs: sample.dtsUs - TIMELINE_OFFSET_US,
  });
  const bytesOf = (from: string, index: number): Buffer => readFileSync(join(from, `${index}.m4s`));
  const samplesOf = (from: string, index: number): Sample[] => readSegment(bytesOf(from, index), init).map(offset);
  const segments = Array.from({ length: count }, (_, index) => samplesOf(whole, index));
  const samples = segments.flat();

  // Segments made alone, the last one first, are the same.
  const alone = mkdtempSync(join(folder, 'alone-'));
  let different = '';
  for (const index of [count - 1, Math.floor(count / 2), 1, 0].filter(
    (n, at, all) => n >= 0 && n < count && all.indexOf(n) === at,
  )) {
    const own = await session({ ...order, outputDir: alone }, index, index);
    if (own.some(({ kind }) => kind === 'failed')) different = `segment ${index} fails alone: ${JSON.stringify(own)}`;
    else if (order.output.method === 'copy') {
      if (!bytesOf(alone, index).equals(bytesOf(whole, index))) different = `segment ${index} differs`;
    } else {
      const times = (list: readonly Sample[]): string =>
        list
          .map(({ ptsUs }) => ptsUs)
          .toSorted((a, b) => a - b)
          .join();
      if (times(samplesOf(alone, index)) !== times(samplesOf(whole, index))) different = `times of ${index} differ`;
    }
  }
  if (!readFileSync(join(alone, 'init.mp4')).equals(readFileSync(join(whole, 'init.mp4')))) different = 'init differs';
  tell(`${what}: same from anywhere`, different === '', `${label}: ${different}`);

  const broken = samples.findIndex((sample, index) => {
    const next = samples[index + 1];
    return next !== undefined && Math.abs(sample.dtsUs + sample.durationUs - next.dtsUs) >= 1 && order.kind === 'video';
  });
  const falls = samples.findIndex((sample, index) => index > 0 && sample.dtsUs <= samples[index - 1]!.dtsUs);
  const isEach = segments.every(([first]) => first?.isKeyframe === true);
  tell(
    `${what}: joined`,
    broken < 0 && falls < 0 && isEach,
    `${label}: gap at ${broken}, back at ${falls}, keyframes ${isEach}`,
  );

  const endUs = Math.max(...samples.map(({ ptsUs, durationUs }) => ptsUs + durationUs));
  const frameUs = Math.max(...samples.slice(-50).map(({ durationUs }) => durationUs));
  const wantedUs = order.boundariesUs[count]!;
  tell(
    `${what}: as long as planned`,
    // Not shorter than planned by more than a frame; longer where a header leaves the last packets out.
    endUs > wantedUs - frameUs - 1000 && endUs <= wantedUs + frameUs + 100_000,
    `${label}: ends at ${Math.round(endUs)}, planned ${wantedUs}, a sample lasts ${Math.round(frameUs)}`,
  );

  if (order.kind === 'video' && count === planned) await compareFrames(what, label, order, media, samples);
  const joined = join(whole, 'joined.mp4');
  const names = ['init.mp4', ...Array.from({ length: count }, (_, index) => `${index}.m4s`)];
  writeFileSync(joined, Buffer.concat(names.map((name) => readFileSync(join(whole, name)))));
  const complaint = await complaintOf(joined);
  const own = order.output.method === 'copy' ? await complaintOf(path, order.trackIndex) : '';
  tell(`${what}: decodes`, complaint === '' || own !== '', `${label}: ${complaint.slice(0, 300)}`);
}

async function compareFrames(
  what: string,
  label: string,
  { trackIndex, startUs, output }: Omit<RenditionSpec, 'outputDir'>,
  media: MediaInfo,
  samples: readonly Sample[],
): Promise<void> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    String(trackIndex),
    '-show_entries',
    'frame=best_effort_timestamp_time',
  ];
  const { stdout } = await run('ffprobe', [...args, '-of', 'csv=p=0', `file:${path}`], LIMITS).catch(() => ({
    stdout: '',
  }));
  const frames = stdout
    .split('\n')
    .map((line) => Number.parseFloat(line) * 1e6 - startUs)
    .filter(Number.isFinite)
    .toSorted((a, b) => a - b);
  const shown = samples.map(({ ptsUs }) => ptsUs).toSorted((a, b) => a - b);
  const rate = media.video[0]?.frameRate;
  const frameUs = rate ? (rate.den * 1e6) / rate.num : 40_000;
  let worstUs = 0;
  for (const us of frames) {
    const nearest = shown.reduce((best, at) => Math.min(best, Math.abs(at - us)), Infinity);
    worstUs = Math.max(worstUs, nearest);
  }
  tell(
    `${what}: every frame at its time`,
    worstUs < frameUs / 2 && (output.method !== 'copy' || shown.length === frames.length),
    `${label}: ${frames.length} frames in the file, ${shown.length} made, worst ${Math.round(worstUs)} µs`,
  );
}

async function complaintOf(file: string, track?: number): Promise<string> {
  const map = track === undefined ? [] : ['-map', `0:${track}`];
  const args = ['-nostdin', '-v', 'error', '-i', `file:${file}`, ...map, '-fps_mode', 'passthrough', '-f', 'null', '-'];
  const { stderr } = await run('ffmpeg', args, LIMITS).catch((error: unknown) => ({ stderr: String(error) }));
  // The null muxer counts in whole frames, and two that are shown within one are its own affair.
  const isOwn = (line: string): boolean =>
    /non monotonically increasing dts to muxer|Last message repeated/u.test(line);
  return stderr
    .split('\n')
    .filter((line) => line !== '' && !isOwn(line))
    .join('\n');
}

async function session(spec: RenditionSpec, from: number, until: number): Promise<RenditionNews[]> {
  const news: RenditionNews[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  using rendition = new Rendition(spec, (event) => {
    news.push(event);
    if (event.kind === 'idle' || event.kind === 'failed') resolve();
  });
  rendition.produce({ from, until });
  await promise;
  return news;
}
