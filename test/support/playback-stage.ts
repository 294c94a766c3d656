/** Playback on real files with real media hosts, behind a plain HTTP server that stands in for the gateway. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { createLog } from '#engine/base/log.ts';
import type { Hardware } from '#engine/hardware/hardware.ts';
import { MediaHosts } from '#engine/hosts/media-hosts.ts';
import { encodeKeyframes } from '#engine/media/keyframe-index.ts';
import { createPlayback } from '#engine/playback/playback.ts';
import type { PlaybackPart } from '#engine/playback/playback.ts';
import { FileScratch } from '#engine/store/files/scratch.ts';
import { SubtitleCache } from '#engine/store/files/subtitle-cache.ts';
import { commonFailure } from '#protocol/errors.ts';
import { playback as calls } from '#protocol/index.ts';
import type { InputOf } from '#protocol/contract.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import * as v from 'valibot';
import { testContext } from './call-context.ts';
import { MemoryPlaybackStore } from './playback.ts';
import { MemoryPreferenceStore } from './preferences.ts';
import { MemorySubtitleStore, MemorySubtitleVault } from './subtitles.ts';

export interface StageOptions {
  /** Another rendition host. */
  readonly renditionEntry?: URL;
  readonly hardware?: Pick<Hardware, 'equip' | 'encoders'>;
}

export class PlaybackStage implements AsyncDisposable {
  readonly #folder: string;
  readonly #scratch: FileScratch;
  readonly #server: Server;
  readonly #newId = createUuidFactory(systemClock);
  readonly hosts: MediaHosts;
  readonly store = new MemoryPlaybackStore();
  part: PlaybackPart;

  readonly subtitles = new MemorySubtitleStore();
  readonly #subtitleCache: SubtitleCache;

  readonly #options: StageOptions;

  private constructor(folder: string, scratch: FileScratch, subtitleCache: SubtitleCache, options: StageOptions) {
    this.#options = options;
    this.#folder = folder;
    this.#scratch = scratch;
    this.#subtitleCache = subtitleCache;
    const { renditionEntry } = options;
    const entries = renditionEntry ? { renditionEntry } : {};
    this.hosts = new MediaHosts({ log: LOG, probeHosts: 1, spareHosts: 2, maxTranscodes: 4, ...entries });
    this.part = this.#create();
    // A client closes what it keeps: a server that did so as well would cut off what is just being asked on a busy machine.
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      const abort = new AbortController();
      response.on('close', () => abort.abort(new Error('the client has gone')));
      this.#serve(request.url ?? '', request.headers['accept-encoding'], abort.signal, response).catch(() =>
        response.destroyed ? undefined : response.writeHead(500).end(),
      );
    });
  }

  static async open(options: StageOptions = {}): Promise<PlaybackStage> {
    const folder = await mkdtemp(join(tmpdir(), 'matinee-playback-'));
    const stage = new PlaybackStage(
      folder,
      await FileScratch.open(join(folder, 'scratch')),
      await SubtitleCache.open(join(folder, 'subtitles'), 1e9),
      options,
    );
    await new Promise<void>((resolve) => stage.#server.listen(0, '127.0.0.1', resolve));
    return stage;
  }

  get scratchFolder(): string {
    return join(this.#folder, 'scratch');
  }

  /** Where a relative address of a playback is reached. */
  urlOf(address: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${address}`;
  }

  /** Probes a file, stores what was learned as a scan would, and returns the id of its movie. */
  async addMovie(path: string): Promise<string> {
    const probed = await this.hosts.probe(path);
    if (!probed.ok) throw new Error(`${path}: ${probed.failure}`);
    const { size, mtimeMs } = await stat(path);
    const [id, movieId] = [this.#newId(), this.#newId()];
    const version = { sizeBytes: size, mtimeUs: Math.round(mtimeMs * 1_000) };
    this.store.add({ id, movieId, path, ...version, media: probed.media });
    if (probed.keyframesUs) {
      await this.store.saveKeyframes({ id }, encodeKeyframes(probed.keyframesUs, probed.keyframeBytes));
    }
    return movieId;
  }

  async open(movieId: string, input: Partial<InputOf<typeof calls.open>> = {}): Promise<Playback> {
    return await this.part.handlers.open(v.parse(calls.open.input, { movieId, ...input }), testContext());
  }

  async get(address: string): Promise<Buffer> {
    const response = await fetch(this.urlOf(address));
    const body = Buffer.from(await response.arrayBuffer());
    if (response.ok) return body;
    throw new Error(`${response.status} for ${address.replace(/^\/media\/[^/]+/, '')}: ${body.toString()}`);
  }

  /** As after a restart of the engine: everything that was remembered is gone, and so is what was made. */
  async restart(): Promise<void> {
    await this.part[Symbol.asyncDispose]();
    await FileScratch.open(this.scratchFolder);
    this.part = this.#create();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.part[Symbol.asyncDispose]();
    await this.hosts[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #create(): PlaybackPart {
    return createPlayback({
      store: this.store,
      hosts: this.#options.hardware?.equip(this.hosts) ?? this.hosts,
      ...(this.#options.hardware ? { encoders: this.#options.hardware.encoders } : {}),
      scratch: this.#scratch,
      subtitles: {
        store: this.subtitles,
        vault: new MemorySubtitleVault(),
        cache: this.#subtitleCache,
        newId: this.#newId,
        quota: { personBytes: 1e9, totalBytes: 1e9 },
      },
      clock: systemClock,
      log: LOG,
      sessions: { isAlive: () => Promise.resolve(true) },
      progress: { ofMovies: () => Promise.resolve([]) },
      people: new MemoryPreferenceStore(),
      urlKey: Buffer.alloc(32, 1),
      scratchQuotaBytes: 1e9,
      maxTranscodes: 4,
      encode: { maxHeightPx: 180, crf: 28, preset: 'veryfast' },
    });
  }

  async #serve(
    url: string,
    acceptEncoding: string | undefined,
    signal: AbortSignal,
    response: ServerResponse,
  ): Promise<void> {
    const segments = url.split('/').slice(2);
    const route = this.part.routes.find(({ path }) => path.split('/').length - 2 === segments.length);
    if (!route) return void response.writeHead(404).end();
    const [grant = '', name = '', part = ''] = segments;
    await route.handle(
      { id: this.#newId(), params: { grant, name, part }, headers: { 'accept-encoding': acceptEncoding }, signal },
      {
        send: (status, headers, body) => void response.writeHead(status, { ...headers }).end(body),
        stream: async (status, headers, chunks) => {
          response.writeHead(status, { ...headers });
          await pipeline(chunks, response);
        },
        file: async ({ path, contentType, headers }) => {
          const stats = await stat(path).catch(() => null);
          if (!stats) throw commonFailure('notFound', { what: 'file', id: '' });
          response.writeHead(200, { ...headers, 'content-type': contentType, 'content-length': stats.size });
          await pipeline(createReadStream(path), response);
        },
      },
    );
  }
}

const LOG = createLog({ level: 'warn', write: (line) => process.stderr.write(line) });
