/** One movie in the three forms that reach a browser in three ways. Made once of the movie of `first-segment`, and kept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { benchMovie } from '../first-segment/movie.ts';

export interface FrameMovies {
  /** H.264 and AAC in MP4, which a browser plays as it is. */
  readonly direct: string;
  /** H.264 and AC-3 in Matroska: the picture is copied, the sound made anew. */
  readonly remux: string;
  /** HEVC, which Chromium does not decode. */
  readonly transcode: string;
}

/** Of the movie that has to be encoded anew first. */
const TRANSCODE_SECONDS = 40;

export async function frameMovies(folder: string, note: (text: string) => void): Promise<FrameMovies> {
  const remux = await benchMovie(folder, note);
  const direct = join(folder, 'first-frame-direct.mp4');
  const transcode = join(folder, 'first-frame-hevc.mkv');
  const toAac = ['-c:a', 'aac', '-ac', '2', '-b:a', '160k'];
  if (!existsSync(direct)) {
    note('the movie for direct play is made, once');
    await make(direct, ['-i', remux, '-c:v', 'copy', ...toAac, '-movflags', '+faststart']);
  }
  if (!existsSync(transcode)) {
    note(`${TRANSCODE_SECONDS} s of HEVC are made, once, which takes a minute or two`);
    const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-b:v', '6M', '-x265-params', 'keyint=72:log-level=none'];
    await make(transcode, ['-t', String(TRANSCODE_SECONDS), '-i', remux, ...x265, ...toAac]);
  }
  return { direct, remux, transcode };
}

async function make(path: string, args: readonly string[]): Promise<void> {
  const draft = path.replace(/(\.\w+)$/, `-draft-${process.pid}$1`);
  const program = spawn('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, draft], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(program, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`ffmpeg could not make ${path}`);
  renameSync(draft, path);
}
