/**
 * Pictures a second while a movie is encoded: ours as the server runs it (a host process, segments on its plan) beside one ffmpeg
 * program with the same settings (x264 veryfast, crf 23, the same ceiling and keyframes, fMP4 segments). Then three rungs at once: ours
 * of one decoded picture in one host, the peer as three programs. And how long it takes until a host at work is gone.
 * The movie is in the page cache, sound is left out, rounds alternate, medians count. Both step back by the same niceness, and pictures a
 * processor second are told as well: on a machine with other work they say more than the clock.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '#engine/base/log.ts';
import { MediaHosts } from '#engine/hosts/media-hosts.ts';
import type { RenditionHandle } from '#engine/hosts/media-supervisor.port.ts';
import { maxBitrateFor } from '#engine/media/encode-ladder.ts';
import { videoLevel } from '#engine/media/video-level.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import type { VideoOutput } from '#engine/media/rendition-spec.ts';
import { planTranscode, segmentAt } from '#engine/media/segment-plan.ts';
import { mediaHosts } from '#test/support/processes.ts';
import { benchMovie } from './first-segment/movie.ts';
import { processorSeconds } from './processor-time.ts';
import { median } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';

const PEER_NAME = 'ffmpeg';
const ROUNDS = 3;
const SECONDS = 12;
/** Of our hosts. */
const NICENESS = 5;
const RATE = 24;
/** Longer than a busy machine lets a process that has something to do wait for a hundredth of a second. */
const SETTLE_MS = 1_000;
/** Less than this in that time is no start: a host at rest looks after its parent. */
const STARTING_S = 0.03;

interface Cost {
  readonly wallS: number;
  readonly processorS: number;
}

interface Source {
  readonly path: string;
  readonly trackIndex: number;
  readonly startUs: number;
  readonly plan: Float64Array;
  readonly last: number;
}

async function run(report: BenchReport): Promise<void> {
  const path = await benchMovie(join(import.meta.dirname, '.media'), (text) => report.note(text));
  await readFile(path); // into the page cache
  await using hosts = new MediaHosts({ log: silentLog, maxTranscodes: 4 });
  const probed = await hosts.probe(path);
  if (!probed.ok) throw new Error(`the movie cannot be probed: ${probed.failure}`);
  const [video] = probed.media.video;
  if (!video) throw new Error('the movie has no picture');
  const plan = planTranscode(probed.keyframesUs, (probed.media.durationMs ?? 0) * 1000, video.frameRate);
  const last = segmentAt(plan, SECONDS * 1e6) - 1;
  const source: Source = { path, trackIndex: video.index, startUs: probed.media.startMs * 1000, plan, last };
  const frames = Math.round((plan[last + 1]! / 1e6) * RATE);
  const rung = (heightPx: number): VideoOutput => {
    const size = pictureSize(video, heightPx);
    const maxBitrateBps = maxBitrateFor(size, RATE, null);
    const level = videoLevel('h264', size, RATE, maxBitrateBps);
    const how = { crf: 23, preset: 'veryfast', toneMap: false, deinterlace: false } as const;
    return { method: 'h264', encoder: 'software', heightPx: size.heightPx, level, maxBitrateBps, ...how };
  };

  for (const [name, heights] of [
    ['720p', [720]],
    ['720p + 480p + 360p', [720, 480, 360]],
  ] as const) {
    const outputs = heights.map((heightPx) => rung(heightPx));
    const ours: Cost[] = [];
    const theirs: Cost[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await oursCost(hosts, source, outputs));
      theirs.push(await peerCost(source, outputs));
    }
    for (const [of, unit] of [
      ['wallS', 'pictures/s'],
      ['processorS', 'pictures/processor s'],
    ] as const) {
      const perSecond = (costs: readonly Cost[]): number => frames / median(costs.map((cost) => cost[of]));
      const [mine, peer] = [perSecond(ours), perSecond(theirs)];
      report.row({ metric: `1080p to ${name}`, unit, ours: mine, peer, peerName: PEER_NAME, better: 'more' });
    }
    report.note(`1080p to ${name}: ours ${spread(ours)}, ${PEER_NAME} ${spread(theirs)} for ${frames} pictures`);
  }

  const goneMs: number[] = [];
  for (let round = 0; round < 5; round++) goneMs.push(await cancelMs(hosts, source, rung(720)));
  report.row({ metric: 'a host at work is gone after', unit: 'ms', ours: median(goneMs), better: 'less' });
  report.note(`a host at work is gone after ${goneMs.map((ms) => ms.toFixed(0)).join(', ')} ms`);
}

/** Opens all, makes the same segments of each, and waits for the last. */
async function oursCost(hosts: MediaHosts, source: Source, outputs: readonly VideoOutput[]): Promise<Cost> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-'));
  const handles: RenditionHandle[] = [];
  const ends = outputs.map(() => Promise.withResolvers<void>());
  try {
    while ((await hosts.status()).spareHosts < 2) await wait(100);
    // Those that are warm now: the spares that are started meanwhile are for others.
    const pids = mediaHosts(process.pid, 'rendition.host.ts').map(({ pid }) => pid);
    const usedS = (): number => pids.reduce((sum, pid) => sum + processorSeconds(pid), 0);
    const before = await settled(usedS);
    const startMs = performance.now();
    for (const [at, output] of outputs.entries()) {
      const outputDir = await mkdtemp(join(folder, 'rung'));
      const { path, trackIndex, startUs, plan } = source;
      handles.push(
        await hosts.openRendition(
          { path, trackIndex, startUs, kind: 'video', boundariesUs: plan, outputDir, output },
          (event) => {
            if (event.kind === 'failed') ends[at]!.reject(new Error(`${event.failure} ${event.detail}`));
            if (event.kind === 'idle') ends[at]!.resolve();
          },
        ),
      );
    }
    for (const handle of handles) handle.produce({ from: 0, until: source.last });
    await Promise.all(ends.map(({ promise }) => promise));
    const wallS = (performance.now() - startMs) / 1_000;
    return { wallS, processorS: usedS() - before };
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until nothing is used any more: a spare counts from its start on, and is warm half a second of processor time later. */
async function settled(usedS: () => number): Promise<number> {
  for (let before = usedS(); ;) {
    await wait(SETTLE_MS);
    const now = usedS();
    if (now > 0 && now - before < STARTING_S) return now;
    before = now;
  }
}

async function peerCost(source: Source, outputs: readonly VideoOutput[]): Promise<Cost> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-'));
  try {
    const startMs = performance.now();
    const seconds = await Promise.all(
      outputs.map(async (output) => {
        const command = ['-n', String(NICENESS), 'ffmpeg', ...(await peerArguments(source, output, folder))];
        const program = spawn('nice', command, { stdio: ['ignore', 'ignore', 'pipe'] });
        let told = '';
        program.stderr.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-4_096)));
        const [code] = (await once(program, 'close')) as [number | null];
        const [, user, kernel] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(told) ?? [];
        if (code !== 0 || user === undefined) throw new Error(`ffmpeg ended with ${String(code)}: ${told}`);
        return Number(user) + Number(kernel);
      }),
    );
    const processorS = seconds.reduce((sum, each) => sum + each, 0);
    return { wallS: (performance.now() - startMs) / 1_000, processorS };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function peerArguments({ path, plan, last }: Source, output: VideoOutput, folder: string): Promise<string[]> {
  const { heightPx, crf, maxBitrateBps, preset } = output;
  const borders = [...plan.slice(1, last + 2)].map((us) => (us / 1e6).toFixed(6));
  const out = await mkdtemp(join(folder, 'peer'));
  return [
    ...['-nostdin', '-hide_banner', '-nostats', '-benchmark', '-i', path, '-t', borders.at(-1)!, '-map', '0:v:0'],
    ...['-vf', `scale=-2:${heightPx}:flags=bicubic`, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', preset],
    ...['-crf', String(crf), '-maxrate', String(maxBitrateBps), '-bufsize', String(2 * maxBitrateBps)],
    ...['-sc_threshold', '0', '-g', '1000', '-force_key_frames', borders.join(',')],
    ...['-f', 'hls', '-hls_time', '1', '-hls_segment_type', 'fmp4', '-hls_flags', 'temp_file'],
    ...['-hls_segment_filename', join(out, 's%d.m4s'), join(out, 'list.m3u8')],
  ];
}

/** From the word to stop until the process is gone. */
async function cancelMs(hosts: MediaHosts, source: Source, output: VideoOutput): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-'));
  const { path, trackIndex, startUs, plan } = source;
  const { promise: isMade, resolve } = Promise.withResolvers<void>();
  const before = new Set(mediaHosts(process.pid, 'rendition.host.ts').map(({ pid }) => pid));
  const handle = await hosts.openRendition(
    { path, trackIndex, startUs, kind: 'video', boundariesUs: plan, outputDir: folder, output },
    (event) => event.kind === 'segment' && resolve(),
  );
  handle.produce({ from: 0, until: source.last });
  await isMade;
  const [startMs, count] = [performance.now(), mediaHosts(process.pid, 'rendition.host.ts').length];
  await handle.close();
  const endMs = performance.now();
  const left = mediaHosts(process.pid, 'rendition.host.ts').length;
  await rm(folder, { recursive: true, force: true });
  if (left >= count && before.size > 0) throw new Error('the host is still there');
  return endMs - startMs;
}

function spread(costs: readonly Cost[]): string {
  const seconds = costs.map(({ wallS }) => wallS);
  return `${Math.min(...seconds).toFixed(1)} to ${Math.max(...seconds).toFixed(1)} s`;
}

export const bench: Bench = {
  name: 'transcode',
  about: 'pictures a second of an encode, and of three rungs at once, beside the ffmpeg program',
  run,
};
