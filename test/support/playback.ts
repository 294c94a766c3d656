/** In-memory counterparts of what playback talks to: hosts that make segments when a test says so, a scratch space without a disk. */
import type { SubtitleRequest } from '#engine/hosts/probe.port.ts';
import type { RenditionHandle } from '#engine/hosts/media-supervisor.port.ts';
import type { RenditionEvent, RenditionSpec, SegmentRange } from '#engine/hosts/rendition.port.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { encodeKeyframes } from '#engine/media/keyframe-index.ts';
import type { MovieTitle, PlaybackHosts, PlaybackStore, ScratchPort, StoredFile } from '#engine/playback/ports.ts';
import { mediaInfo } from './media-info.ts';

/** One open rendition host. It makes nothing by itself: `make` moves it. */
export class FakeHost implements RenditionHandle {
  readonly spec: RenditionSpec;
  readonly #emit: (event: RenditionEvent) => void;
  /** Every command, in order: `5-15`, `pause`, `close`. */
  readonly commands: string[] = [];
  range: SegmentRange | null = null;
  next = 0;
  isOpen = true;
  segmentBytes = 1_000;
  #hasInit = false;

  constructor(spec: RenditionSpec, emit: (event: RenditionEvent) => void) {
    this.spec = spec;
    this.#emit = emit;
  }

  produce(range: SegmentRange): void {
    this.commands.push(`${range.from}-${range.until}`);
    this.range = range;
    this.next = range.from;
  }

  pause(): void {
    this.commands.push('pause');
    this.range = null;
    this.emit({ kind: 'idle', next: this.next });
  }

  close(): Promise<void> {
    this.commands.push('close');
    this.isOpen = false;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  emit(event: RenditionEvent): void {
    if (this.isOpen) this.#emit(event);
  }

  /** Makes the next segments of its range, and rests at its end. */
  make(count = 1): void {
    for (let made = 0; made < count && this.range; made++) {
      if (!this.#hasInit) this.emit({ kind: 'init', sizeBytes: 700 });
      this.#hasInit = true;
      this.emit({ kind: 'segment', index: this.next++, sizeBytes: this.segmentBytes });
      if (this.next <= this.range.until) continue;
      this.range = null;
      this.emit({ kind: 'idle', next: this.next });
    }
  }

  fail(failure: MediaFailure): void {
    this.range = null;
    this.emit({ kind: 'failed', failure, index: this.next, detail: 'a test said so' });
  }
}

export class FakeHosts implements PlaybackHosts {
  /** Every host that was ever opened. */
  readonly hosts: FakeHost[] = [];
  /** What the next `openRendition` throws. */
  refusal: Error | null = null;
  keyframesResult: Awaited<ReturnType<PlaybackHosts['keyframes']>> = { ok: false, failure: 'unsupported' };
  subtitleResult: (request: SubtitleRequest, signal: AbortSignal | undefined) => ReturnType<PlaybackHosts['subtitle']> =
    () => Promise.resolve({ ok: false, failure: 'unsupported' });
  entryPointsResult: Awaited<ReturnType<PlaybackHosts['entryPoints']>> = { ok: true, areUsable: true };
  /** What was asked for besides renditions. */
  readonly asked: string[] = [];

  get last(): FakeHost {
    const host = this.hosts.at(-1);
    if (!host) throw new Error('no host was opened');
    return host;
  }

  get open(): FakeHost[] {
    return this.hosts.filter(({ isOpen }) => isOpen);
  }

  openRendition(spec: RenditionSpec, onEvent: (event: RenditionEvent) => void): Promise<RenditionHandle> {
    const { refusal } = this;
    this.refusal = null;
    if (refusal) return Promise.reject(refusal);
    const host = new FakeHost(spec, onEvent);
    this.hosts.push(host);
    return Promise.resolve(host);
  }

  keyframes(path: string, trackIndex: number): ReturnType<PlaybackHosts['keyframes']> {
    this.asked.push(`keyframes of ${path} ${trackIndex}`);
    return Promise.resolve(this.keyframesResult);
  }

  entryPoints(path: string, { timesUs }: { timesUs: readonly number[] }): ReturnType<PlaybackHosts['entryPoints']> {
    this.asked.push(`entry points of ${path} at ${timesUs.map((timeUs) => timeUs / 1e6).join(' ')}`);
    return Promise.resolve(this.entryPointsResult);
  }

  subtitle(
    path: string,
    request: SubtitleRequest,
    options?: { signal?: AbortSignal | undefined },
  ): ReturnType<PlaybackHosts['subtitle']> {
    const what = request.kind === 'tracks' ? request.wanted.join(' ') : request.id;
    this.asked.push(`subtitles of ${path} ${what}`);
    return this.subtitleResult(request, options?.signal);
  }
}

export class MemoryScratch implements ScratchPort {
  readonly folders = new Map<string, Map<string, Uint8Array>>();
  /** Files that were asked to be removed, as `folder/file`. */
  readonly removed: string[] = [];

  pathOf(folder: string, file?: string): string {
    return file === undefined ? `/scratch/${folder}` : `/scratch/${folder}/${file}`;
  }

  createFolder(folder: string): Promise<void> {
    this.folders.set(folder, new Map());
    return Promise.resolve();
  }

  removeFolder(folder: string): Promise<void> {
    this.folders.delete(folder);
    return Promise.resolve();
  }

  removeFile(folder: string, file: string): Promise<void> {
    this.removed.push(`${folder}/${file}`);
    this.folders.get(folder)?.delete(file);
    return Promise.resolve();
  }

  writeFile(folder: string, file: string, bytes: Uint8Array): Promise<void> {
    this.folders.get(folder)?.set(file, bytes);
    return Promise.resolve();
  }
}

/** Movies and their files in memory. `isDown`: every question is answered with an error, as by a database that is away. */
export class MemoryPlaybackStore implements PlaybackStore {
  readonly files = new Map<string, StoredFile>();
  readonly keyframesById = new Map<string, Uint8Array>();
  isDown = false;

  add(
    part: Partial<StoredFile> & Pick<StoredFile, 'id' | 'movieId'>,
    keyframesUs: readonly number[] | null = null,
  ): StoredFile {
    const file: StoredFile = {
      isExtra: false,
      part: null,
      edition: null,
      path: `/movies/${part.id}.mp4`,
      sizeBytes: 30_000_000,
      mtimeUs: 1_700_000_000_000_000,
      state: 'playable',
      failure: null,
      media: mediaInfo(),
      ...part,
    };
    this.files.set(file.id, file);
    if (keyframesUs) this.keyframesById.set(file.id, encodeKeyframes(keyframesUs));
    return file;
  }

  filesOf(movieId: string): Promise<StoredFile[] | null> {
    return this.#answer(() => {
      const files = [...this.files.values()].filter((file) => file.movieId === movieId);
      return files.length > 0 ? files : null;
    });
  }

  titleOf(movieId: string): Promise<MovieTitle | null> {
    const isKnown = [...this.files.values()].some((file) => file.movieId === movieId);
    return this.#answer(() => (isKnown ? { title: 'Heat', year: 1995 } : null));
  }

  file(fileId: string): Promise<StoredFile | null> {
    return this.#answer(() => this.files.get(fileId) ?? null);
  }

  keyframes(fileId: string): Promise<Uint8Array | null> {
    return this.#answer(() => this.keyframesById.get(fileId) ?? null);
  }

  saveKeyframes({ id }: { id: string }, keyframes: Uint8Array): Promise<void> {
    return this.#answer(() => void this.keyframesById.set(id, keyframes));
  }

  #answer<T>(answer: () => T): Promise<T> {
    return this.isDown ? Promise.reject(new Error('the database is away')) : Promise.resolve(answer());
  }
}
