/**
 * `npm run score -- segments PATH`: segments of every movie file under PATH, copied and encoded, each file in a process of its own.
 *
 * What is asked of them does not need a reference of ours: sessions that begin anywhere make the same, times rise without gap or
 * overlap, the whole is as long as its plan, each frame that ffprobe finds is shown when it says, and ffmpeg decodes it without
 * a word (or has the same to say of the source). A file that can't be played is refused by name; a host that dies or hangs is wrong.
 */
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { Tally } from './score-row.ts';
import type { ScoreRow } from './score-row.ts';

const run = promisify(execFile);
const TIME_LIMIT_MS = 120_000;
const NO_MOVIES = /\.(json|srt|ass|ssa|vtt|txt|md|sub|idx|sup)$/u;
const Line = v.object({ key: v.string(), isRight: v.boolean(), detail: v.string() });

export async function scoreSegments(path: string): Promise<ScoreRow[]> {
  const tally = new Tally('segments');
  const isFolder = statSync(path).isDirectory();
  const names = isFolder ? readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted() : [''];
  for (const name of names) {
    const file = join(path, name);
    if (NO_MOVIES.test(name) || !statSync(file).isFile()) continue;
    const script = join(import.meta.dirname, 'segments.host.ts');
    const options = { maxBuffer: 64 << 20, timeout: TIME_LIMIT_MS, killSignal: 'SIGKILL' } as const;
    const { stdout, stderr, died } = await run(process.execPath, [script, file], options).then(
      (output) => ({ ...output, died: '' }),
      (error: unknown) => ({
        ...v.parse(v.object({ stdout: v.string(), stderr: v.string() }), error),
        died: String(error),
      }),
    );
    const shown = isFolder ? relative(path, file) : file;
    if (stderr !== '') console.error(stderr.trimEnd());
    tally.count('host lives', died === '' ? 'right' : 'wrong');
    if (died !== '') console.error(`${shown}: the host died: ${died.slice(0, 500)}`);
    for (const line of stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const { key, isRight, detail } = v.parse(Line, JSON.parse(line));
      tally.count(key, isRight ? 'right' : 'wrong');
      if (!isRight || key.includes('failure') || key === 'refused') {
        console.error(`${isRight ? 'as it is' : 'WRONG   '} ${shown}: ${key}: ${detail}`);
      }
    }
  }
  return tally.rows();
}
