/** The movie that is played: 80 s of 1080p H.264 with B-pictures and uneven keyframes, and 5.1 sound, made once and kept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const SECONDS = 80;
/** Between 2 and 4 s apart, as in movies, where a new scene brings a keyframe. */
const KEYFRAMES = 'expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+2+mod(n_forced*7,5)/2))';

export async function benchMovie(folder: string, note: (text: string) => void): Promise<string> {
  const path = join(folder, 'first-segment-1.mkv');
  if (existsSync(path)) return path;
  note(`${SECONDS} s of movie are made, once, which takes a minute or two`);
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `draft-${process.pid}.mkv`);
  const picture = `testsrc2=size=1920x1080:rate=24:duration=${SECONDS},noise=alls=6:allf=t`;
  const sound = `anoisesrc=duration=${SECONDS}:color=pink:sample_rate=48000:amplitude=0.2,aformat=channel_layouts=5.1`;
  const program = spawn(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound],
      ...['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '9M', '-maxrate', '14M', '-bufsize', '18M'],
      ...['-bf', '3', '-b_strategy', '0', '-g', '250', '-force_key_frames', KEYFRAMES, '-pix_fmt', 'yuv420p'],
      ...['-c:a', 'ac3', '-b:a', '448k', draft],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const [code] = (await once(program, 'exit')) as [number | null];
  if (code !== 0) throw new Error('ffmpeg could not make the movie');
  renameSync(draft, path);
  return path;
}
