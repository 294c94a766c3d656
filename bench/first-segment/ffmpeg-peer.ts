/** The ffmpeg program as a streaming server would call it: one process that seeks, then writes HLS with fMP4 segments. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';

export interface PeerOrder {
  readonly path: string;
  /** Where the wanted segment begins, and where those behind it do. */
  readonly startUs: number;
  readonly bordersUs: readonly number[];
  /** `null` copies both tracks. */
  readonly encode: PeerEncode | null;
}

export interface PeerEncode {
  readonly heightPx: number;
  readonly crf: number;
  readonly maxBitrateBps: number;
  readonly preset: string;
  readonly audioBitrateBps: number;
}

/** Milliseconds from the start of the program until its first segment has its final name. */
export async function firstSegmentMs(order: PeerOrder, folder: string): Promise<number> {
  const wanted = join(folder, 's0.m4s');
  const startMs = performance.now();
  const program = spawn('ffmpeg', argumentsFor(order, folder), { stdio: 'ignore' });
  const exited = once(program, 'exit');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const watcher = watch(folder, () => {
    if (existsSync(wanted)) resolve(performance.now() - startMs);
  });
  void exited.then(() => reject(new Error('ffmpeg ended before its first segment')));
  try {
    return await promise;
  } finally {
    watcher.close();
    program.kill('SIGKILL');
    await exited;
  }
}

function argumentsFor({ path, startUs, bordersUs, encode }: PeerOrder, folder: string): string[] {
  const lengthS = (bordersUs[0]! - startUs) / 1e6;
  const tracks = ['-map', '0:v:0', '-map', '0:a:0'];
  // A copied segment ends at the first keyframe after its length: a little before the one that is wanted.
  const hlsTimeS = encode ? lengthS : lengthS - 0.2;
  const hls = ['-f', 'hls', '-hls_time', String(hlsTimeS), '-hls_segment_type', 'fmp4', '-hls_flags', 'temp_file'];
  const seek = startUs > 0 ? ['-ss', String(startUs / 1e6)] : [];
  const output = ['-hls_segment_filename', join(folder, 's%d.m4s'), join(folder, 'list.m3u8')];
  return [
    '-nostdin',
    '-v',
    'error',
    ...seek,
    '-i',
    path,
    ...tracks,
    ...codecs(startUs, bordersUs, encode),
    ...hls,
    ...output,
  ];
}

function codecs(startUs: number, bordersUs: readonly number[], encode: PeerEncode | null): string[] {
  if (!encode) return ['-c', 'copy'];
  const { heightPx, crf, maxBitrateBps, preset, audioBitrateBps } = encode;
  const rate = ['-crf', String(crf), '-maxrate', String(maxBitrateBps), '-bufsize', String(2 * maxBitrateBps)];
  const keyframes = bordersUs.map((us) => ((us - startUs) / 1e6).toFixed(6)).join(',');
  return [
    ...['-vf', `scale=-2:${heightPx}`, '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', preset, ...rate],
    ...['-sc_threshold', '0', '-g', '1000', '-force_key_frames', keyframes],
    ...['-c:a', 'aac', '-b:a', String(audioBitrateBps), '-ac', '2'],
  ];
}
