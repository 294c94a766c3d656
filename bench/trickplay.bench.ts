/**
 * Previews of some minutes of a movie, a picture every ten seconds: ours (keyframes found by seeking, in a host process, sheet after sheet, as the server makes
 * them) beside the ffmpeg program that decodes every picture, and the one that decodes keyframes only but reads the whole file. The
 * same pictures in the same size, tiles and WebP quality. And the first sheet in the middle of the movie, which somebody waits for.
 */
import { execFile } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLog } from '#engine/base/log.ts';
import { MediaHosts } from '#engine/hosts/media-hosts.ts';
import { planPreviews, sheetCount, sheetTimesMs } from '#engine/media/preview-plan.ts';
import { benchMovie } from './first-segment/movie.ts';
import { median } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';

const LOOPS = 2;
const ROUNDS = 3;
/** As in movies of two hours. */
const INTERVAL_MS = 10_000;
const run = promisify(execFile);

/** The movie of `first-segment`, again and again. */
async function longMovie(folder: string, report: BenchReport): Promise<string> {
  const path = join(folder, 'trickplay-3.mkv');
  if (existsSync(path)) return path;
  const source = await benchMovie(folder, (text) => report.note(text));
  const draft = join(folder, `draft-${process.pid}.mkv`);
  const loop = ['-stream_loop', String(LOOPS - 1), '-i', source];
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...loop, '-map', '0', '-c', 'copy', draft]);
  renameSync(draft, path);
  return path;
}

async function measure(report: BenchReport): Promise<void> {
  const path = await longMovie(join(import.meta.dirname, '.media'), report);
  await readFile(path); // into the page cache
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-'));
  await using hosts = new MediaHosts({ log: silentLog, probeHosts: 1, spareHosts: 0 });
  const probed = await hosts.probe(path);
  if (!probed.ok) throw new Error(`the movie cannot be probed: ${probed.failure}`);
  const { media } = probed;
  const durationMs = media.durationMs!;
  const count = Math.ceil(durationMs / INTERVAL_MS);
  const plan = { ...planPreviews(media)!, intervalMs: INTERVAL_MS, count };
  const { widthPx, heightPx, columns, rows } = plan;
  const request = { track: media.video[0]!, startMs: media.startMs, columns, widthPx, heightPx };
  const make = async (sheet: number): Promise<number> => {
    const timesMs = sheetTimesMs(plan, sheet, durationMs);
    const result = await hosts.previewSheet(path, { ...request, timesMs });
    if (!result.ok) throw new Error(`sheet ${sheet}: ${result.failure}`);
    return result.bytes.length;
  };
  const filter = `fps=1000/${plan.intervalMs},scale=${widthPx}:${heightPx}:flags=area,tile=${columns}x${rows}`;
  const webp = ['-c:v', 'libwebp', '-quality', '68', '-compression_level', '3', '-fps_mode', 'passthrough'];
  const ffmpeg = async (before: readonly string[], after: readonly string[] = []): Promise<number> => {
    const startMs = performance.now();
    const output = [...after, '-an', '-sn', '-vf', filter, ...webp, '-f', 'image2', join(folder, 's%d.webp')];
    await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...before, '-i', path, ...output]);
    return performance.now() - startMs;
  };
  const nokey = ['-skip_frame', 'nokey'];
  const middle = Math.floor(sheetCount(plan) / 2);
  const middleS = (middle * columns * rows * plan.intervalMs) / 1_000;
  const sheetS = (columns * rows * plan.intervalMs) / 1_000;

  try {
    const ours: number[] = [];
    const keyframes: number[] = [];
    const first: number[] = [];
    const firstOfPeer: number[] = [];
    let bytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      let startMs = performance.now();
      bytes = 0;
      for (let sheet = 0; sheet < sheetCount(plan); sheet++) bytes += await make(sheet);
      ours.push(performance.now() - startMs);
      keyframes.push(await ffmpeg(nokey));
      startMs = performance.now();
      await make(middle);
      first.push(performance.now() - startMs);
      firstOfPeer.push(await ffmpeg([...nokey, '-ss', String(middleS), '-t', String(sheetS)]));
    }
    const everyPicture = await ffmpeg([]);
    report.note(
      `${(durationMs / 60_000).toFixed(1)} minutes of 1080p, ${plan.count} pictures on ${sheetCount(plan)} sheets, ${(bytes / 1e6).toFixed(2)} MB`,
    );
    const wall = (metric: string, mine: number[], theirs: number[], peerName: string): void =>
      report.row({ metric, unit: 'ms', ours: median(mine), peer: median(theirs), peerName, better: 'less' });
    wall('whole movie, every picture decoded', ours, [everyPicture], 'ffmpeg');
    wall('whole movie, keyframes decoded', ours, keyframes, 'ffmpeg -skip_frame nokey');
    wall('one sheet in the middle', first, firstOfPeer, 'ffmpeg -skip_frame nokey');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const bench: Bench = {
  name: 'trickplay',
  about: 'previews of a whole movie and one sheet of them, beside the ffmpeg program on every picture and on keyframes',
  run: measure,
};
