/**
 * Whether hostile media is felt by anybody else: how long `movies.list` and `playback.open` of a whole movie take at rest, while whole
 * movies are scanned and played, and while damaged ones are, whose hosts are killed on top of that, as a fault in a decoder would. Same
 * number of files, same viewers, in turns, in one engine. The whole ones are the peer: what damage and deaths cost is what is above them.
 * The client's own page beside them needs no database, and tells the server's loop from it. The clock is a process of its own.
 */
import { mkdir, mkdtemp, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { libraries, playback } from '#protocol/index.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import { damaged, seededRandom } from '#test/support/damage.ts';
import { clips } from '#test/support/media.ts';
import { distinct, movieNames, putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { isAlive, mediaHosts } from '#test/support/processes.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { CallerProgram } from './hostile/caller.program.ts';
import { Program } from './program.ts';
import { quantile } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';

/** Everything happens within this, once for each kind and round. */
const PHASE_MS = 8_000;
const ROUNDS = 3;
const WHOLE_MOVIES = 60;
/** Handed to the scan in each phase. */
const FILES = 60;
const VIEWERS = 3;
const DEATH_EVERY_MS = 400;
/** As it lies when nobody has written to it for a quarter of an hour. */
const SETTLED_MS = 15 * 60_000;
const KINDS = ['rest', 'whole', 'hostile'] as const;
type Kind = (typeof KINDS)[number];

/** Gets everything in segments, so that hosts open every file that is played. */
const SEGMENTS_ONLY: DeviceProfile = {
  name: 'bench',
  file: [],
  segments: { video: [{ codec: 'h264', maxBitDepth: 8 }], audio: ['aac'] },
  hdr: [],
  maxAudioChannels: 2,
};

interface Times {
  readonly listMs: number[];
  readonly openMs: number[];
  readonly fileMs: number[];
}

async function run(report: BenchReport): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matinee-bench-hostile-')));
  try {
    await measure(report, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(report: BenchReport, folder: string): Promise<void> {
  report.note(`the machine’s load before: ${loads()}`);
  const [good, incoming] = [join(folder, 'movies'), join(folder, 'incoming')];
  await mkdir(incoming);
  for (const name of movieNames(WHOLE_MOVIES)) await putMovie(join(good, name), await clips.h264Mp4());
  const sources = await Promise.all(
    [clips.h264Mp4, clips.h264Mkv, clips.h264Ts, clips.hevcMkv].map(async (make) => {
      const path = await make();
      return { bytes: await readFile(path), extension: extname(path) };
    }),
  );
  await using engine = await startEngine({
    dataFolder: join(folder, 'data'),
    libraries: [good],
    // That hosts die is what is done here, not news.
    flags: ['--watch', 'off', '--log-level', 'error'],
    environment: adminEnvironment,
  });
  using ada = await Person.signIn(engine.url);
  await ada.scan();
  await ada.call(libraries.add, { path: incoming });
  await using caller = await Program.start<CallerProgram>(join(import.meta.dirname, 'hostile/caller.program.ts'));
  const movieId = (await ada.movies())[0]!.id;
  await caller.ask('call', { url: engine.url, movieId, forMs: 1_000 });

  const times: Record<Kind, Times> = {
    rest: { listMs: [], openMs: [], fileMs: [] },
    whole: { listMs: [], openMs: [], fileMs: [] },
    hostile: { listMs: [], openMs: [], fileMs: [] },
  };
  let deaths = 0;
  const random = seededRandom(2_026);
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of KINDS) {
      const over = new AbortController();
      const busy: Promise<unknown>[] = [];
      if (kind !== 'rest') {
        await fill(incoming, `${kind} ${round}`, ({ at }) => {
          const { bytes, extension } = sources[at % sources.length]!;
          return { extension, bytes: kind === 'whole' ? wholeCopy(bytes, extension) : damaged(bytes, random) };
        });
        busy.push(ada.scan());
        for (let at = 0; at < VIEWERS; at++) busy.push(watch(engine.url, `${kind} ${round}`, over.signal));
      }
      if (kind === 'hostile') busy.push(killHosts(engine.pid, over.signal, () => deaths++));
      const { listMs, openMs, fileMs } = await caller.ask('call', { url: engine.url, movieId, forMs: PHASE_MS });
      over.abort();
      await Promise.all(busy);
      times[kind].listMs.push(...listMs);
      times[kind].openMs.push(...openMs);
      times[kind].fileMs.push(...fileMs);
    }
  }

  for (const [call, of] of [
    ['movies.list', 'listMs'],
    ['playback.open', 'openMs'],
    ['a file of the client', 'fileMs'],
  ] as const) {
    for (const [name, share] of [
      ['p50', 0.5],
      ['p95', 0.95],
    ] as const) {
      const ours = quantile(times.hostile[of], share);
      const beside = (kind: Kind): number => quantile(times[kind][of], share);
      const row = { unit: 'ms', ours, better: 'less' } as const;
      report.row({
        ...row,
        metric: `${call} beside hostile media, ${name}`,
        peer: beside('whole'),
        peerName: 'beside whole movies',
      });
      report.row({
        ...row,
        metric: `${call} beside hostile media, ${name}`,
        peer: beside('rest'),
        peerName: 'at rest',
      });
    }
  }
  const count = (kind: Kind): string => `${times[kind].listMs.length + times[kind].openMs.length} calls (${kind})`;
  report.note(
    `${deaths} hosts were killed, ${ROUNDS * FILES} files were damaged; ${KINDS.map(count).join(', ')}; all answered`,
  );
  report.note(`the machine’s load after: ${loads()}`);
}

const loads = (): string =>
  loadavg()
    .map((load) => load.toFixed(1))
    .join(' ');

/** The file of the same movie under another content; what has no place for that is taken as it is. */
function wholeCopy(bytes: Buffer, extension: string): Buffer {
  return extension === '.ts' ? Buffer.concat([bytes, nullPackets(1 + (fresh++ % 50))]) : distinct(bytes, extension);
}

let fresh = 0;

/** Packets of MPEG-TS that hold nothing (ISO/IEC 13818-1, section 2.4.1). */
function nullPackets(count: number): Buffer {
  const packet = Buffer.alloc(188, 0xff);
  packet.set([0x47, 0x1f, 0xff, 0x10]);
  return Buffer.concat(Array.from({ length: count }, () => packet));
}

async function fill(
  folder: string,
  title: string,
  make: (file: { at: number }) => { bytes: Buffer; extension: string },
): Promise<void> {
  const settled = new Date(Date.now() - SETTLED_MS);
  for (let at = 0; at < FILES; at++) {
    const { bytes, extension } = make({ at });
    const path = join(folder, `${title} ${at} (1999)${extension}`);
    await writeFile(path, bytes);
    await utimes(path, settled, settled);
  }
}

/** Opens one after the other of the movies of a phase, in segments, and fetches what it gets; whatever comes of it. */
async function watch(url: string, title: string, signal: AbortSignal): Promise<void> {
  using person = await Person.signIn(url);
  const get = async (path: string): Promise<string> => {
    const response = await fetch(new URL(path, url), { signal });
    return await response.text();
  };
  while (!signal.aborted) {
    try {
      const found = (await person.movies()).filter((movie) => movie.title.startsWith(title));
      const movie = found[Math.floor(Math.random() * found.length)];
      if (movie === undefined) {
        await wait(100, undefined, { signal });
        continue;
      }
      const opened = await person.call(playback.open, { movieId: movie.id, profile: SEGMENTS_ONLY });
      const variant = opened.url.replace(basename(opened.url), 'v0/index.m3u8');
      const names = (await get(variant)).match(/^\d+\.m4s$/gm) ?? [];
      for (const name of names.slice(0, 3)) await get(variant.replace('index.m3u8', name));
    } catch {
      // Not playable, gone, its host dead, or the phase is over: that is what it is here for.
      await wait(20);
    }
  }
}

/** Ends a media host as a fault in its own code would, now one that probes, now one that makes segments. */
async function killHosts(enginePid: number, signal: AbortSignal, onDeath: () => void): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    await wait(DEATH_EVERY_MS);
    const hosts = mediaHosts(enginePid, turn % 2 === 0 ? 'probe.host.ts' : 'rendition.host.ts').filter(isAlive);
    const host = hosts[turn % Math.max(1, hosts.length)];
    if (host === undefined) continue;
    process.kill(host.pid, 'SIGKILL');
    onDeath();
  }
}

export const bench: Bench = {
  name: 'hostile',
  about: 'damaged movies are scanned and played, their hosts die: what others’ calls take meanwhile',
  run,
};
