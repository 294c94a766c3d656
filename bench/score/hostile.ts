/**
 * `npm run score -- hostile DIR`: files and file names made to break a media server, through a real probe host.
 *
 * DIR is a media folder with `INDEX.json`, or the `hostile` folder in it. An item is survived when the host answers within
 * its limit, lives on, opens no address or file that the item names, and reacts as the item's `expect` asks. The files are
 * given to all three calls of the host; names and special files are made in a folder of their own, which is removed again.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { ProbeResult } from '#engine/hosts/probe.port.ts';
import { ScoredProbeHost } from './probe-host.ts';
import { Tally } from './score-row.ts';
import type { ScoreRow } from './score-row.ts';

const TIME_LIMIT_MS = 20_000;
const PICTURE = { widthPx: 320, atFraction: 0.3 };

const Names = v.object({ names: v.array(v.string()) });
const Index = v.object({ hostile: v.array(v.object({ file: v.string(), expect: v.optional(v.string(), '') })) });

/** What a file must come to: `refused` with a reason, `played`, or `either`. */
type Reaction = 'refused' | 'played' | 'either';

export async function scoreHostile(path: string): Promise<ScoreRow[]> {
  const folder = existsSync(join(path, 'hostile')) ? join(path, 'hostile') : path;
  const tally = new Tally('hostile');
  await using host = new ScoredProbeHost();
  const judge = async (item: string, file: string, reaction: Reaction): Promise<void> => {
    const result = await host.probe(file, TIME_LIMIT_MS);
    const lived = result === null ? false : result.ok ? await playsOn(host, file, result) : true;
    const reacted = result !== null && (reaction === 'either' || result.ok === (reaction === 'played'));
    const isSurvived = lived && reacted;
    tally.count('survived', isSurvived ? 'right' : 'wrong');
    const told =
      result === null ? 'host died or hung' : result.ok ? `opened as ${result.media.container}` : result.failure;
    console.error(
      `${isSurvived ? 'survived' : 'FAILED  '} ${JSON.stringify(item)}: ${lived ? told : `${told}, then the host died`}`,
    );
  };

  const expectations = await readExpectations(folder);
  for (const name of (await readdir(folder)).toSorted()) {
    if (name.endsWith('.json')) continue;
    const file = join(folder, name);
    await using canary = await Canary.for(file);
    await judge(name, file, reactionTo(expectations.get(name)));
    if (canary.visits > 0) {
      tally.count('survived', 'wrong');
      console.error(`FAILED   ${JSON.stringify(name)}: an address in it was opened ${canary.visits} times`);
    }
  }
  const sample = join(dirname(folder), 'real', 'androidx--sample.mkv');
  const list = join(folder, 'names.json');
  if (existsSync(list)) await judgeNames(list, sample, judge);
  return tally.rows(null);
}

/** A file that opens must also be fit for the other two calls; what they say about it does not matter, only that they do. */
async function playsOn(
  host: ScoredProbeHost,
  file: string,
  { media }: Extract<ProbeResult, { ok: true }>,
): Promise<boolean> {
  const [track] = media.video;
  if (track === undefined) return true;
  return (await host.keyframes(file, track.index, TIME_LIMIT_MS)) && (await host.picture(file, PICTURE, TIME_LIMIT_MS));
}

async function readExpectations(folder: string): Promise<Map<string, string>> {
  for (const place of [folder, dirname(folder)]) {
    const file = join(place, 'INDEX.json');
    if (!existsSync(file)) continue;
    const { hostile } = v.parse(Index, JSON.parse(await readFile(file, 'utf8')));
    return new Map(hostile.map((entry) => [basename(entry.file), entry.expect]));
  }
  console.error(`${folder}: no INDEX.json here or above, so survival alone is judged`);
  return new Map();
}

/** "plays or unplayable" leaves it open; "unplayable" or "refused" alone does not. */
function reactionTo(expect: string | undefined): Reaction {
  if (expect === undefined || /plays|playable or/u.test(expect.replace('unplayable', ''))) return 'either';
  return /unplayable|refuse|not listed|reject/u.test(expect) ? 'refused' : 'either';
}

type Judge = (item: string, file: string, reaction: Reaction) => Promise<void>;

async function judgeNames(list: string, sample: string, judge: Judge): Promise<void> {
  if (!existsSync(sample)) {
    console.error(`${sample} is missing, so file names are not judged: the copies under those names are copies of it`);
    return;
  }
  const { names } = v.parse(Names, JSON.parse(await readFile(list, 'utf8')));
  const folder = await mkdtemp(join(tmpdir(), 'matinee-hostile-'));
  try {
    for (const name of names) {
      const file = `${folder}/${name}`;
      try {
        // A name with a slash is a file in a folder. None of them leads out.
        if (!normalize(file).startsWith(`${folder}/`)) throw new RangeError('it leads out of the folder');
        await mkdir(dirname(file), { recursive: true });
        await copyFile(sample, file);
      } catch (error) {
        console.error(`left out ${JSON.stringify(name)}: this file system does not take it (${String(error)})`);
        continue;
      }
      await judge(name, file, 'played');
    }
    await judgeSpecialFiles(folder, sample, judge);
    const made = (await readdir(folder)).filter((name) => /pwned/u.test(name) && !names.includes(name));
    for (const name of [...made, ...(existsSync('pwned') ? ['pwned'] : [])]) {
      await judge(`a name was run as a command and made ${name}`, join(folder, name), 'played');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function judgeSpecialFiles(folder: string, sample: string, judge: Judge): Promise<void> {
  const at = (name: string): string => join(folder, name);
  await symlink('/etc/passwd', at('link.mkv'));
  await judge('link.mkv → /etc/passwd', at('link.mkv'), 'refused');
  await symlink(at('loop-b.mkv'), at('loop-a.mkv'));
  await symlink(at('loop-a.mkv'), at('loop-b.mkv'));
  await judge('loop-a.mkv ⇄ loop-b.mkv', at('loop-a.mkv'), 'refused');
  await symlink(dirname(sample), at('outside.mkv'));
  await judge('outside.mkv → a folder elsewhere', at('outside.mkv'), 'refused');
  await promisify(execFile)('mkfifo', [at('fifo.mkv')]);
  await judge('fifo.mkv, a pipe nobody writes to', at('fifo.mkv'), 'refused');
  await mkdir(at('dir.mkv'));
  await judge('dir.mkv, a folder', at('dir.mkv'), 'refused');
  await copyFile(sample, at('unreadable.mkv'));
  await chmod(at('unreadable.mkv'), 0);
  // The superuser reads it all the same.
  await judge('unreadable.mkv', at('unreadable.mkv'), process.getuid?.() === 0 ? 'either' : 'refused');
  await judgeGrowingFile(at('growing.mkv'), sample, judge);
  // Not UTF-8, so a listing shows a name under which nothing lies.
  await copyFile(sample, Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.from([0xff]), Buffer.from('-name.mkv')]));
  for (const name of await readdir(folder)) if (name.startsWith('bad-')) await judge(name, at(name), 'either');
}

async function judgeGrowingFile(file: string, sample: string, judge: Judge): Promise<void> {
  const bytes = await readFile(sample);
  const half = Math.floor(bytes.length / 2);
  await writeFile(file, bytes.subarray(0, half));
  const growing = (async (): Promise<void> => {
    for (let at = half; at < bytes.length; at += 4096) await appendFile(file, bytes.subarray(at, at + 4096));
  })();
  await judge('growing.mkv, written while it is read', file, 'either');
  await growing;
}

/** Listens on the local ports that a file names in addresses, and counts who comes. */
class Canary implements AsyncDisposable {
  visits = 0;
  readonly #servers: Server[] = [];

  static async for(file: string): Promise<Canary> {
    const canary = new Canary();
    const text = (await readFile(file)).subarray(0, 1 << 20).toString('latin1');
    const ports = new Set(
      [...text.matchAll(/(?:127\.0\.0\.1|localhost|\[::1\]):(\d{2,5})/gu)].map((match) => Number(match[1])),
    );
    for (const port of ports) await canary.#listen(port);
    return canary;
  }

  async #listen(port: number): Promise<void> {
    const server = createServer((socket) => {
      this.visits += 1;
      socket.destroy();
    });
    const isListening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isListening) this.#servers.push(server);
    else console.error(`port ${port} is taken or not allowed, so visits to it are not seen`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}
