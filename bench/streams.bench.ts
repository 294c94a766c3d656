/**
 * How many people can watch at once before the first of them waits: the file as it is, repackaged, transcoded to 720p. Viewers come in
 * steps, each two or four times as many as the one before, play in real time and keep twelve seconds ahead; a step in which one runs dry is one too many.
 * Ours: the whole engine, a process of its own, through signed addresses. Peers: nginx with sendfile for the file, and for transcodes
 * one ffmpeg for each viewer with the same settings. A repackaged movie has no peer: without a server in front ffmpeg makes a copy for each.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { readFileSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { playback } from '#protocol/index.ts';
import { movieNames, putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { descendants } from '#test/support/processes.ts';
import { startEngine } from '#test/support/running-engine.ts';
import { benchMovie } from './first-segment/movie.ts';
import { Program } from './program.ts';
import { quantile } from './quantile.ts';
import { NGINX_MISSING, Nginx, findNginx } from './ranges/nginx.ts';
import type { Bench, BenchReport } from './row.ts';
import type { Piece, StepResult, ViewersProgram } from './streams/viewers.program.ts';

/** Viewers are dealt out among so many. */
const MOVIES = 4;
const STEP_MS = 8_000;
const RANGE_BYTES = 2 << 20;
/** Where it ends without a stall, so that it ends at all. */
const MOST = { direct: 512, remux: 256, transcode: 8 } as const;
const FIRST = { direct: 8, remux: 4, transcode: 1 } as const;
/** How many more come with each step. */
const FACTOR = { direct: 4, remux: 4, transcode: 2 } as const;
/** What was encoded in one step lies there for all: each has movies of its own (1, 2, 4 and 4 of them), as each ffmpeg begins anew. */
const ENCODED_MOVIES = 1 + 2 + MOVIES + MOVIES;
type Kind = keyof typeof MOST;
type Deal = (count: number) => Promise<{ viewers: Piece[][] } & Partial<AsyncDisposable>>;

interface Outcome {
  /** The largest step in which nobody waited; 0 where there is none. */
  readonly viewers: number;
  readonly isMost: boolean;
  readonly last: StepResult | null;
  readonly memoryMib: number;
}

async function run(report: BenchReport): Promise<void> {
  const movie = await benchMovie(join(import.meta.dirname, '.media'), (text) => report.note(text));
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matinee-bench-streams-')));
  try {
    await mkdir(join(folder, 'movies'));
    for (const name of movieNames(MOVIES + ENCODED_MOVIES, '.mkv')) await putMovie(join(folder, 'movies', name), movie);
    await measure(report, folder, movie);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(report: BenchReport, folder: string, movie: string): Promise<void> {
  report.note(
    `the machine’s load before: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
  await using engine = await startEngine({
    dataFolder: join(folder, 'data'),
    libraries: [join(folder, 'movies')],
    environment: { ...adminEnvironment, MATINEE_MAX_TRANSCODES: String(MOST.transcode) },
  });
  using ada = await Person.signIn(engine.url);
  await ada.scan();
  const allMovieIds = (await ada.movies()).map(({ id }) => id);
  const movieIds = allMovieIds.slice(0, MOVIES);
  const unencoded = allMovieIds.slice(MOVIES);
  await using crowd = await Program.start<ViewersProgram>(join(import.meta.dirname, 'streams/viewers.program.ts'));
  const memory = (): number => memoryMib([engine.pid, ...descendants(engine.pid).map(({ pid }) => pid)]);
  const idleMib = memory();

  const nginxPath = findNginx();
  if (nginxPath === null) report.note(NGINX_MISSING);
  const webRoot = join(folder, 'web');
  await mkdir(webRoot);
  await symlink(movie, join(webRoot, 'movie.mkv'));
  await using nginx = nginxPath === null ? null : await Nginx.start(nginxPath, folder, join(folder, 'nginx'));

  const linkFor = async (index: number, kind: 'file' | 'stream'): Promise<string> => {
    const { url } = await ada.request(playback.link, { movieId: movieIds[index % movieIds.length]!, kind });
    return new URL(url, engine.url).href;
  };
  const direct: Deal = async (count) => {
    const urls = await Promise.all(movieIds.map((_, index) => linkFor(index, 'file')));
    return { viewers: Array.from({ length: count }, (_, index) => ranges(urls[index % urls.length]!, index, movie)) };
  };
  const remux: Deal = async (count) => ({
    viewers: await Promise.all(
      Array.from({ length: count }, async (_, index) => await segments(await linkFor(index, 'stream'), index)),
    ),
  });
  const transcode: Deal = async (count) => {
    // One of an account's devices watches one thing at a time, so each viewer is a device of their own.
    const people = await Promise.all(Array.from({ length: count }, () => Person.signIn(engine.url)));
    const stepIds = unencoded.splice(0, Math.min(count, MOVIES));
    const opened: { person: Person; url: string }[] = [];
    const viewers = await Promise.all(
      people.map(async (person, index) => {
        const movieId = stepIds[index % stepIds.length]!;
        const { url } = await person.request(playback.open, {
          movieId,
          without: ['directPlay', 'remux'],
          startMs: placeMs(index),
        });
        opened.push({ person, url });
        return await segments(new URL(url, engine.url).href, index);
      }),
    );
    // As the client does when somebody leaves the player: nothing is made for them in the next step.
    const leave = async (): Promise<void> => {
      await Promise.all(opened.map(({ person, url }) => person.request(playback.close, { url })));
      for (const person of people) person[Symbol.dispose]();
    };
    return { viewers, [Symbol.asyncDispose]: leave };
  };
  const ours: Record<Kind, Deal> = { direct, remux, transcode };
  const peers: Partial<Record<Kind, { name: string; deal: Deal }>> = {
    ...(nginx && {
      direct: {
        name: 'nginx',
        deal: (count) => {
          const url = `http://127.0.0.1:${nginx.port}/web/movie.mkv`;
          return Promise.resolve({ viewers: Array.from({ length: count }, (_, index) => ranges(url, index, movie)) });
        },
      },
    }),
    transcode: { name: 'ffmpeg, one each', deal: (count) => ffmpegViewers(count, movie, folder) },
  };

  for (const kind of ['direct', 'remux', 'transcode'] as const) {
    const mine = await climb(kind, ours[kind], crowd, memory, (text) => report.note(`ours, ${text}`));
    const peer = peers[kind];
    const theirs =
      peer &&
      (await climb(
        kind,
        peer.deal,
        crowd,
        () => 0,
        (text) => report.note(`${peer.name}, ${text}`),
      ));
    const beside = (value: number | undefined) =>
      peer && value !== undefined ? { peer: value, peerName: peer.name } : {};
    report.row({
      metric: `${kind}, viewers without a stall`,
      unit: mine.isMost ? 'or more' : 'viewers',
      ours: mine.viewers,
      ...beside(theirs?.viewers),
      better: 'more',
    });
    if (mine.last) {
      const p99 = (of: Outcome | undefined): number | undefined =>
        of?.last ? quantile(of.last.pieceMs, 0.99) : undefined;
      report.row({
        metric: `${kind}, p99 of a segment then`,
        unit: 'ms',
        ours: p99(mine)!,
        ...beside(p99(theirs)),
        better: 'less',
      });
      report.row({
        metric: `${kind}, memory then, above idle`,
        unit: 'MiB',
        ours: Math.max(0, mine.memoryMib - idleMib),
        better: 'less',
      });
      note(report, `${kind}, ours`, mine);
      if (theirs) note(report, `${kind}, ${peer?.name ?? ''}`, theirs);
    }
  }
  report.note(`idle, the engine with its database and hosts takes ${idleMib.toFixed(0)} MiB`);
  report.note(
    `the machine’s load after: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
}

/** As k6 prints it. */
function note(report: BenchReport, what: string, { viewers, last }: Outcome): void {
  if (!last) return report.note(`${what}: not even one viewer without a stall`);
  const of = (values: readonly number[]): string =>
    [0.5, 0.9, 0.95, 0.99].map((share) => `p(${share * 100})=${quantile(values, share).toFixed(0)}ms`).join(' ');
  report.note(
    `${what}: ${viewers} viewers, ${last.pieceMs.length} segments ${of(last.pieceMs)}; first segment ${of(last.startMs)}`,
  );
}

async function climb(
  kind: Kind,
  deal: Deal,
  crowd: Program<ViewersProgram>,
  memory: () => number,
  tell: (text: string) => void,
): Promise<Outcome> {
  let best: Outcome = { viewers: 0, isMost: false, last: null, memoryMib: 0 };
  for (let count: number = FIRST[kind]; count <= MOST[kind]; count *= FACTOR[kind]) {
    const dealt = await deal(count);
    let mostMib = 0;
    const watching = crowd.ask('step', { viewers: dealt.viewers, forMs: STEP_MS });
    const look = setInterval(() => (mostMib = Math.max(mostMib, memory())), 1_000);
    const result = await watching.finally(() => clearInterval(look));
    await dealt[Symbol.asyncDispose]?.();
    if (result.stalled > 0) {
      tell(
        `${kind}: of ${count} viewers ${result.stalled} waited${result.problem === null ? '' : `: ${result.problem}`}`,
      );
      break;
    }
    best = { viewers: count, isMost: count * FACTOR[kind] > MOST[kind], last: result, memoryMib: mostMib };
  }
  return best;
}

/** Everybody is somewhere else. */
const placeMs = (index: number): number => (index * 17_000) % 60_000;

/** A file by ranges of 2 MiB from somewhere in the middle, as fast as it is played. */
function ranges(url: string, index: number, movie: string): Piece[] {
  const { size } = statSync(movie);
  const lengthMs = (RANGE_BYTES / size) * 80_000;
  const first = Math.floor(((placeMs(index) / 80_000) * size) / RANGE_BYTES);
  const count = Math.floor(size / RANGE_BYTES) - first;
  return Array.from({ length: count }, (_, at) => {
    const from = (first + at) * RANGE_BYTES;
    return { url, range: `${from}-${from + RANGE_BYTES - 1}`, lengthMs };
  });
}

/** The first variant of an HLS address from somewhere in the middle. Sound is left out: it costs little, and is the same for all. */
async function segments(url: string, index: number): Promise<Piece[]> {
  const text = async (address: string): Promise<string> => {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${response.status} for a playlist: ${await response.text()}`);
    return await response.text();
  };
  const variant = new URL(/^[^#\n].*$/m.exec(await text(url))![0], url).href;
  let startMs = 0;
  const pieces = [...(await text(variant)).matchAll(/#EXTINF:([\d.]+),\n(.+)/g)].map(([, length, uri]) => {
    const piece = { url: new URL(uri!, variant).href, lengthMs: Number(length) * 1_000, startMs };
    startMs += piece.lengthMs;
    return piece;
  });
  return pieces.filter((piece) => piece.startMs + piece.lengthMs > placeMs(index));
}

/** A program for each viewer, which encodes from their place on as fast as it can. */
async function ffmpegViewers(count: number, movie: string, folder: string): ReturnType<Deal> {
  const base = await mkdtemp(join(folder, 'ffmpeg-'));
  const programs = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const own = join(base, String(index));
      await mkdir(own);
      const picture = [
        '-map',
        '0:v:0',
        '-vf',
        'scale=-2:720',
        '-pix_fmt',
        'yuv420p',
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
      ];
      const rate = [
        '-crf',
        '23',
        '-maxrate',
        '3500k',
        '-bufsize',
        '7000k',
        '-g',
        '48',
        '-keyint_min',
        '48',
        '-sc_threshold',
        '0',
      ];
      const out = [
        '-f',
        'hls',
        '-hls_time',
        '2',
        '-hls_segment_type',
        'fmp4',
        '-hls_flags',
        'temp_file',
        '-hls_list_size',
        '0',
      ];
      return spawn(
        'ffmpeg',
        [
          ...[
            '-nostdin',
            '-v',
            'error',
            '-ss',
            String(placeMs(index) / 1_000),
            '-i',
            movie,
            ...picture,
            ...rate,
            '-an',
            ...out,
          ],
          ...['-hls_segment_filename', join(own, '%d.m4s'), join(own, 'list.m3u8')],
        ],
        { stdio: 'ignore' },
      );
    }),
  );
  const pieces = (index: number): Piece[] =>
    Array.from({ length: 9 }, (_, at) => ({ url: '', file: join(base, String(index), `${at}.m4s`), lengthMs: 2_000 }));
  return {
    viewers: programs.map((_, index) => pieces(index)),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        programs.map(async (program) => {
          if (program.exitCode !== null || program.signalCode !== null) return;
          program.kill('SIGKILL');
          await once(program, 'exit');
        }),
      );
      await rm(base, { recursive: true, force: true });
    },
  };
}

/** What processes hold by themselves (PSS is dear to ask for, and RSS counts what they share). */
function memoryMib(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      kib += Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    } catch {
      // It has ended.
    }
  }
  return kib / 1_024;
}

export const bench: Bench = {
  name: 'streams',
  about: 'how many viewers before the first stall: direct, repackaged, transcoded; p99 of a segment and memory',
  run,
};
