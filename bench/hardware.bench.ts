/**
 * What the machine's hardware brings: each proven encoder on the way that a playback takes (media hosts, segments on a plan), 1080p to 720p, beside
 * the processor in the same run. Speed alone, movies at once before one falls behind its viewer, and how near the pictures are to the
 * source at the bit rate that came out. Without hardware the processor's own row is what is printed.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLog } from '#engine/base/log.ts';
import { MediaHosts } from '#engine/hosts/media-hosts.ts';
import { maxBitrateFor } from '#engine/media/encode-ladder.ts';
import type { ProvenHardware } from '#engine/media/hardware-plan.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import type { RenditionSpec, VideoOutput } from '#engine/media/rendition-spec.ts';
import { planTranscode } from '#engine/media/segment-plan.ts';
import { videoLevel } from '#engine/media/video-level.ts';
import { HARDWARE_TESTS } from '#protocol/schema/hardware.ts';
import type { HardwareKind, HardwareRow } from '#protocol/schema/hardware.ts';
import { benchMovie } from './first-segment/movie.ts';
import type { Bench, BenchReport } from './row.ts';

const run = promisify(execFile);
const RATE = 24;
/** Enough for an encoder to settle; quality is judged by the same. */
const SECONDS = 12;
const MOST_AT_ONCE = 32;

interface Way {
  readonly name: HardwareKind | 'software';
  readonly hardware: ProvenHardware | null;
}

async function runAll(report: BenchReport): Promise<void> {
  const path = await benchMovie(join(import.meta.dirname, '.media'), (text) => report.note(text));
  await readFile(path); // into the page cache
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-hardware-'));
  await using hosts = new MediaHosts({ log: silentLog, maxTranscodes: MOST_AT_ONCE, spareHosts: 2 });
  try {
    const ways = await proveWays(hosts, report);
    const results = new Map<string, Result>();
    for (const way of ways) results.set(way.name, await measure(hosts, path, folder, way));
    const software = results.get('software')!;
    for (const [name, { fps, atOnce, psnrDb, ssim, bitrateBps }] of results) {
      const isPeer = name !== 'software';
      const beside = (peer: number) => (isPeer ? { peer, peerName: 'software' } : {});
      report.row({ metric: `${name}: speed`, unit: 'fps', ours: fps, ...beside(software.fps), better: 'more' });
      report.row({
        metric: `${name}: movies at once`,
        unit: '',
        ours: atOnce,
        ...beside(software.atOnce),
        better: 'more',
      });
      report.row({ metric: `${name}: PSNR`, unit: 'dB', ours: psnrDb, ...beside(software.psnrDb), better: 'more' });
      report.row({ metric: `${name}: SSIM`, unit: '', ours: ssim, ...beside(software.ssim), better: 'more' });
      report.row({
        ...{ metric: `${name}: bit rate`, unit: 'kbit/s', ours: Math.round(bitrateBps / 1_000), better: 'less' },
        ...beside(Math.round(software.bitrateBps / 1_000)),
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The processor, and every kind that was proven to encode H.264. What each test took is told on the way. */
async function proveWays(hosts: MediaHosts, report: BenchReport): Promise<Way[]> {
  const ways: Way[] = [{ name: 'software', hardware: null }];
  const look = await hosts.lookForHardware({ kind: 'auto', device: null });
  const software: HardwareRow[] = [];
  for (const test of HARDWARE_TESTS) {
    software.push(await hosts.tryHardware({ kind: null, device: null, test, softwareMs: null }));
  }
  report.note(`software: ${software.map(asText).join(', ')}`);
  for (const { kind, device, verdict, detail } of look?.candidates ?? []) {
    if (verdict !== 'works') {
      report.note(`${kind}: ${verdict}${detail === null ? '' : ` (${detail})`}`);
      continue;
    }
    const rows: HardwareRow[] = [];
    for (const test of HARDWARE_TESTS) {
      const softwareMs = software.find((row) => row.test === test)?.msPerFrame ?? null;
      rows.push(await hosts.tryHardware({ kind, device, test, softwareMs }));
    }
    report.note(`${kind}: ${rows.map(asText).join(', ')}`);
    const working = rows.filter((row) => row.verdict === 'works');
    const proven = { kind, device, ways: Object.fromEntries(working.map((row) => [row.test, row.variant ?? ''])) };
    if (proven.ways['encode-h264'] !== undefined) ways.push({ name: kind, hardware: proven });
  }
  await hosts.endHardwareHosts();
  return ways;
}

const asText = ({ test, verdict, msPerFrame, variant }: HardwareRow): string =>
  `${test} ${msPerFrame === null ? verdict : `${msPerFrame} ms`}${variant === null ? '' : ` by ${variant}`}`;

interface Result {
  readonly fps: number;
  readonly atOnce: number;
  readonly psnrDb: number;
  readonly ssim: number;
  readonly bitrateBps: number;
}

async function measure(hosts: MediaHosts, path: string, folder: string, way: Way): Promise<Result> {
  const first = await encode(hosts, path, folder, way, 1);
  const fps = (SECONDS * RATE) / first.seconds;
  let atOnce = Math.min(1, Math.floor(fps / RATE));
  // Twice as many each time, then one by one back to what was kept up with.
  for (let count = 2; atOnce > 0 && count <= MOST_AT_ONCE; count *= 2) {
    const { seconds } = await encode(hosts, path, folder, way, count);
    if (seconds > SECONDS) {
      atOnce = Math.max(atOnce, Math.floor((count * SECONDS) / seconds));
      break;
    }
    atOnce = count;
  }
  return { fps: Math.round(fps), atOnce, ...(await quality(path, first.file)), bitrateBps: first.bitrateBps };
}

/** Encodes the beginning of the movie as often as told, at the same time; the time until the last has it, and the first's file. */
async function encode(hosts: MediaHosts, path: string, folder: string, { name, hardware }: Way, count: number) {
  const probed = await hosts.probe(path);
  if (!probed.ok || !probed.keyframesUs) throw new Error('the movie cannot be probed');
  const video = probed.media.video[0]!;
  const size = pictureSize(video, 720);
  const maxBitrateBps = maxBitrateFor(size, RATE, null);
  const output: VideoOutput = {
    ...{ method: 'h264', encoder: name, heightPx: size.heightPx, crf: 23, maxBitrateBps, preset: 'veryfast' },
    ...{ level: videoLevel('h264', size, RATE, maxBitrateBps), toneMap: false, deinterlace: false },
  };
  const plan = planTranscode(probed.keyframesUs, (probed.media.durationMs ?? 0) * 1_000, video.frameRate);
  const until = plan.findIndex((us) => us >= SECONDS * 1e6) - 1;
  const startMs = performance.now();
  const outputDirs = Array.from({ length: count }, (_, index) => join(folder, `${name}-${count}-${index}`));
  await Promise.all(
    outputDirs.map(async (outputDir) => {
      mkdirSync(outputDir, { recursive: true });
      const spec: RenditionSpec = {
        ...{ path, trackIndex: video.index, kind: 'video', outputDir, boundariesUs: plan },
        ...{ startUs: probed.media.startMs * 1_000, output, hardware },
      };
      const done = Promise.withResolvers<void>();
      const rendition = await hosts.openRendition(spec, (event) => {
        if (event.kind === 'idle') done.resolve();
        if (event.kind === 'failed' || event.kind === 'hardwareFailed') {
          done.reject(new Error(`${name} failed: ${event.detail ?? ''}`));
        }
      });
      rendition.produce({ from: 0, until });
      await done.promise.finally(() => rendition.close());
    }),
  );
  const madeUs = plan[until + 1]!;
  const seconds = ((performance.now() - startMs) / 1_000) * ((SECONDS * 1e6) / madeUs);
  const parts = ['init.mp4', ...Array.from({ length: until + 1 }, (_, index) => `${index}.m4s`)];
  const bytes = Buffer.concat(parts.map((part) => readFileSync(join(outputDirs[0]!, part))));
  const file = join(folder, `${name}-${count}.mp4`);
  await writeFile(file, bytes);
  return { seconds, file, bitrateBps: (bytes.length * 8 * 1e6) / madeUs };
}

/** Against the source at the same size, picture by picture. */
async function quality(path: string, file: string): Promise<{ psnrDb: number; ssim: number }> {
  const numbered = 'setpts=N/24/TB';
  const filters =
    `[0:v]${numbered},split[a][b];[1:v]scale=1280:720:flags=bicubic,format=yuv420p,${numbered},split[c][d];` +
    '[a][c]psnr=shortest=1[x];[b][d]ssim=shortest=1[y]';
  const args = ['-nostdin', '-v', 'info', '-i', file, '-t', String(SECONDS + 4), '-i', path];
  const outputs = ['-map', '[x]', '-f', 'null', '-', '-map', '[y]', '-f', 'null', '-'];
  const { stderr } = await run('ffmpeg', [...args, '-filter_complex', filters, ...outputs]);
  const psnr = /PSNR .*average:([\d.]+)/.exec(stderr)?.[1];
  const ssim = /SSIM .*All:([\d.]+)/.exec(stderr)?.[1];
  return { psnrDb: Number(psnr ?? 0), ssim: Number(ssim ?? 0) };
}

export const bench: Bench = {
  name: 'hardware',
  about: 'encoding by each proven kind of hardware, beside the processor: speed, movies at once, quality',
  run: runAll,
};
