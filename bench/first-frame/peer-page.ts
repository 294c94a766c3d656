/**
 * The plainest thing that plays a movie: a page with a button, a video element, hls.js, and ffmpeg that makes HLS from where it is
 * told to begin. A file is sent by nginx. Seeking in what is made means ending that ffmpeg and starting another one, as servers do
 * that steer the program.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export type PeerMode = 'direct' | 'remux' | 'transcode';

const SEGMENT_S = 2;
const PATIENCE_MS = 20_000;

const ENCODE = [
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-maxrate', '8M', '-bufsize', '16M'],
  ...['-pix_fmt', 'yuv420p', '-force_key_frames', `expr:gte(t,n_forced*${SEGMENT_S})`],
];

const PAGE = `<!doctype html><title>Peer</title><button>Play</button><video muted playsinline style="width:100%"></video>
<script src="/hls.js"></script><script>
const video = document.querySelector('video');
let hls = null;
async function begin(at) {
  const mode = new URLSearchParams(location.search).get('mode');
  if (mode === 'direct') {
    if (video.src === '') video.src = new URLSearchParams(location.search).get('file');
    video.currentTime = at;
  } else {
    // What was made before is of no use from here on: a frame of it is not the one that is waited for.
    video.pause();
    hls?.destroy();
    const { url } = await (await fetch('/start?mode=' + mode + '&at=' + at, { method: 'POST' })).json();
    hls = new Hls({ startPosition: 0 });
    hls.loadSource(url);
    hls.attachMedia(video);
  }
  await video.play();
}
document.querySelector('button').addEventListener('click', () => begin(0));
addEventListener('keydown', ({ key }) => begin(Number(key) / 10 * Number(new URLSearchParams(location.search).get('length'))));
</script>`;

export class PeerPage implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #movies: Readonly<Record<'remux' | 'transcode', string>>;
  readonly #folder: string;
  #ffmpeg: ChildProcess | null = null;
  #run = 0;

  private constructor(server: Server, movies: Readonly<Record<'remux' | 'transcode', string>>, folder: string) {
    this.#server = server;
    this.#movies = movies;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.#answer(new URL(request.url ?? '/', this.url), response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  static async start(movies: Readonly<Record<'remux' | 'transcode', string>>): Promise<PeerPage> {
    const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-frame-'));
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PeerPage(server, movies, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answer(url: URL, response: ServerResponse): Promise<void> {
    if (url.pathname === '/') {
      response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
      return;
    }
    if (url.pathname === '/hls.js') {
      const path = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');
      response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'max-age=3600' });
      createReadStream(path).pipe(response);
      return;
    }
    if (url.pathname === '/start') {
      const mode = url.searchParams.get('mode') === 'remux' ? 'remux' : 'transcode';
      const path = await this.#begin(mode, Number(url.searchParams.get('at')));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ url: path }));
      return;
    }
    const bytes = await readFile(join(this.#folder, basename(url.pathname))).catch(() => null);
    if (bytes === null) response.writeHead(404).end();
    else response.writeHead(200, { 'cache-control': 'no-store' }).end(bytes);
  }

  /** Ends what it is still making: it would make ours slower. */
  async rest(): Promise<void> {
    await this.#stop();
  }

  /** Resolves when the playlist names its first segment, as such servers wait. */
  async #begin(mode: 'remux' | 'transcode', atS: number): Promise<string> {
    await this.#stop();
    const name = `run${++this.#run}`;
    const playlist = join(this.#folder, `${name}.m3u8`);
    const ffmpeg = spawn(
      'ffmpeg',
      [
        ...['-nostdin', '-v', 'error', '-ss', String(atS), '-i', this.#movies[mode]],
        ...(mode === 'remux' ? ['-c:v', 'copy'] : ENCODE),
        ...['-c:a', 'aac', '-ac', '2', '-b:a', '160k', '-f', 'hls', '-hls_time', String(SEGMENT_S)],
        ...['-hls_playlist_type', 'event', '-hls_segment_type', 'fmp4', '-hls_flags', 'temp_file'],
        ...['-hls_fmp4_init_filename', `${name}.mp4`, '-hls_segment_filename', join(this.#folder, `${name}-%d.m4s`)],
        playlist,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    this.#ffmpeg = ffmpeg;
    const deadline = performance.now() + PATIENCE_MS;
    while ((await stat(playlist).catch(() => null)) === null) {
      if (ffmpeg.exitCode !== null && ffmpeg.exitCode !== 0) throw new Error('ffmpeg made no playlist');
      if (performance.now() > deadline) throw new Error('ffmpeg made no playlist in time');
      await wait(10);
    }
    return `/${name}.m3u8`;
  }

  async #stop(): Promise<void> {
    const ffmpeg = this.#ffmpeg;
    this.#ffmpeg = null;
    if (ffmpeg === null || ffmpeg.exitCode !== null || ffmpeg.signalCode !== null) return;
    const ended = once(ffmpeg, 'exit');
    ffmpeg.kill('SIGKILL');
    await ended;
  }
}
