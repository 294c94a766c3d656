/**
 * From the wish to play until the first segment can be played: picture and sound, both on disk under their final names.
 * Ours: the media hosts as the server runs them (supervisor thread, a host process for each of picture and sound, two warm spares),
 * on the plan that the server would make. Peer: one ffmpeg program that makes the same segment with the same settings.
 * `start` opens renditions; `seek` moves open ones that are at work elsewhere. All files are in the page cache; rounds alternate,
 * medians count.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '#engine/base/log.ts';
import { MediaHosts } from '#engine/hosts/media-hosts.ts';
import type { RenditionHandle } from '#engine/hosts/media-supervisor.port.ts';
import type { RenditionEvent } from '#engine/hosts/rendition.port.ts';
import { maxBitrateFor } from '#engine/media/encode-ladder.ts';
import { videoLevel } from '#engine/media/video-level.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import type { RenditionOutput, RenditionSpec } from '#engine/media/rendition-spec.ts';
import { planRemux, planTranscode, segmentAt } from '#engine/media/segment-plan.ts';
import type { SegmentPlan } from '#engine/media/segment-plan.ts';
import { benchMovie } from './first-segment/movie.ts';
import { firstSegmentMs } from './first-segment/ffmpeg-peer.ts';
import type { PeerEncode } from './first-segment/ffmpeg-peer.ts';
import { median } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';

const PEER_NAME = 'ffmpeg';
/** Where a seek goes, in parts of the movie, one a round. */
const PLACES = [0.5, 0.31, 0.62, 0.44, 0.73, 0.55, 0.38];
const AUDIO_BITRATE_BPS = 160_000;
const LEAD = 4;

interface Form {
  readonly name: string;
  readonly plan: SegmentPlan;
  readonly video: RenditionOutput;
  readonly audio: RenditionOutput;
  readonly encode: PeerEncode | null;
}

async function run(report: BenchReport): Promise<void> {
  const path = await benchMovie(join(import.meta.dirname, '.media'), (text) => report.note(text));
  await readFile(path); // into the page cache
  await using hosts = new MediaHosts({ log: silentLog });
  const probed = await hosts.probe(path);
  if (!probed.ok) throw new Error(`the movie cannot be probed: ${probed.failure}`);
  const { media, keyframesUs } = probed;
  const [video, audio] = [media.video[0], media.audio[0]];
  if (!video || !audio || !keyframesUs) throw new Error('the movie has no picture, no sound or no index');
  const durationUs = (media.durationMs ?? 0) * 1000;
  const tracks = { path, startUs: media.startMs * 1000, video: video.index, audio: audio.index };

  const encoded = (heightPx: number): Form => {
    const size = pictureSize(video, heightPx);
    const maxBitrateBps = maxBitrateFor(size, 24, null);
    const encode = { heightPx: size.heightPx, crf: 23, maxBitrateBps, preset: 'veryfast' as const };
    const level = videoLevel('h264', size, 24, maxBitrateBps);
    return {
      name: `transcode ${heightPx}p`,
      plan: planTranscode(keyframesUs, durationUs, video.frameRate),
      video: { method: 'h264', encoder: 'software', ...encode, level, toneMap: false, deinterlace: false },
      audio: { method: 'aac', channels: 2, bitrateBps: AUDIO_BITRATE_BPS },
      encode: { ...encode, audioBitrateBps: AUDIO_BITRATE_BPS },
    };
  };
  const plan = planRemux(keyframesUs, durationUs);
  if (!plan) throw new Error('the movie cannot be copied');
  const copied: Form = { name: 'remux', plan, video: { method: 'copy' }, audio: { method: 'copy' }, encode: null };

  for (const form of [copied, encoded(720), encoded(480)]) {
    for (const kind of ['start', 'seek'] as const) {
      const ours: number[] = [];
      const theirs: number[] = [];
      const lengths: number[] = [];
      for (const place of PLACES) {
        const index = kind === 'start' ? 0 : segmentAt(form.plan, durationUs * place);
        lengths.push((form.plan[index + 1]! - form.plan[index]!) / 1e6);
        ours.push(await oursMs(hosts, form, tracks, kind, index));
        theirs.push(await peerMs(form, path, index));
      }
      const metric = `${form.name}, ${kind === 'start' ? 'start at 0' : 'seek to the middle'}`;
      report.row({ metric, unit: 'ms', ours: median(ours), peer: median(theirs), peerName: PEER_NAME, better: 'less' });
      report.note(
        `${metric}: segments of ${median(lengths).toFixed(2)} s, ours ${spread(ours)}, ffmpeg ${spread(theirs)}`,
      );
    }
  }
}

async function oursMs(
  hosts: MediaHosts,
  { plan, ...form }: Form,
  tracks: { readonly path: string; readonly startUs: number; readonly video: number; readonly audio: number },
  kind: 'start' | 'seek',
  index: number,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-'));
  while ((await hosts.status()).spareHosts < 2) await wait(50);
  await wait(300); // a spare has just been started, and takes a moment to be warm
  const playing = new Playing();
  const open = async (of: 'video' | 'audio'): Promise<RenditionHandle> => {
    const outputDir = await mkdtemp(join(folder, of));
    const { path, startUs } = tracks;
    const spec: RenditionSpec = {
      path,
      startUs,
      kind: of,
      trackIndex: tracks[of],
      outputDir,
      boundariesUs: plan,
      output: form[of],
    };
    return hosts.openRendition(spec, (event) => playing.hear(of, event));
  };
  const handles: RenditionHandle[] = [];
  const produce = (from: number): void => {
    for (const handle of handles) handle.produce({ from, until: Math.min(from + LEAD, plan.length - 2) });
  };
  try {
    if (kind === 'seek') {
      handles.push(...(await Promise.all([open('video'), open('audio')])));
      const elsewhere = playing.wait(0);
      produce(0);
      await elsewhere;
    }
    const playable = playing.wait(index);
    const startMs = performance.now();
    if (kind === 'start') handles.push(...(await Promise.all([open('video'), open('audio')])));
    produce(index);
    await playable;
    return performance.now() - startMs;
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits for a segment of both picture and sound. */
class Playing {
  #index = -1;
  #missing = new Set<string>();
  #whenPlayable = Promise.withResolvers<void>();

  wait(index: number): Promise<void> {
    this.#index = index;
    this.#missing = new Set(['video', 'audio']);
    this.#whenPlayable = Promise.withResolvers<void>();
    return this.#whenPlayable.promise;
  }

  hear(of: string, event: RenditionEvent): void {
    if (event.kind === 'failed') {
      this.#whenPlayable.reject(new Error(`${of} failed: ${event.failure}, ${event.detail}`));
    }
    if (event.kind !== 'segment' || event.index !== this.#index) return;
    this.#missing.delete(of);
    if (this.#missing.size === 0) this.#whenPlayable.resolve();
  }
}

async function peerMs({ plan, encode }: Form, path: string, index: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-'));
  try {
    const bordersUs = [...plan.slice(index + 1, index + 1 + LEAD)];
    return await firstSegmentMs({ path, startUs: plan[index]!, bordersUs, encode }, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)} ms`;
}

export const bench: Bench = {
  name: 'first-segment',
  about:
    'time to the first playable segment, copied and encoded, at the start and after a seek, beside the ffmpeg program',
  run,
};
