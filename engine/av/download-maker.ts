/**
 * Makes one MP4 file out of tracks of a movie. Owns: a folder with the segments of each track, from which a later process goes on, and the
 * file while it is written.
 *
 * Two steps. First every track is copied or encoded into segments, by what makes them for streaming, all tracks side by side so that the
 * movie is read once from its disk. Then their samples are put into one file in a single pass, its head first, since all sizes are known
 * by then. It needs the file's size twice for that while, and gains that nothing is lost by a kill: a segment is there whole or not at all.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { DownloadSpec, DownloadTrouble } from '#engine/media/download-spec.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { RenditionSpec } from '#engine/media/rendition-spec.ts';
import { NO_SPACE } from './fmp4-segment-writer.ts';
import { SampleList, addSegment, readFragmentInit } from './fragment-samples.ts';
import type { FragmentInit, SegmentBoxes } from './fragment-samples.ts';
import { movieHead, planChunks } from './mp4-movie.ts';
import type { Chunk, Mp4MovieTrack } from './mp4-movie.ts';
import { Rendition } from './rendition.ts';
import type { HardwareNews, RenditionNews } from './rendition.ts';
import { TEXT_TIMESCALE, chapterDescription, chapterTrack, subtitleDescription, subtitleTrack } from './timed-text.ts';

export type DownloadNews =
  /** Movie time that is there of every track, and bytes of all. */
  | { readonly kind: 'progress'; readonly doneUs: number; readonly sizeBytes: number }
  /** The tracks are there; so much of the file is written, 0 to 1. */
  | { readonly kind: 'joining'; readonly share: number }
  | HardwareNews
  | { readonly kind: 'finished'; readonly sizeBytes: number }
  | { readonly kind: 'failed'; readonly trouble: DownloadTrouble; readonly detail: string };

/** Segments that are asked of every track before the others catch up: half a minute of an encoded picture. */
const WINDOW = 16;
/** A file that ends early is taken as it is from here on. */
const ENOUGH_SHARE = 0.9;
const COPY_BYTES = 4 << 20;
const TELL_EVERY_BYTES = 64 << 20;
/** Counts up when the segments of an earlier version do not fit. */
const FORM_VERSION = 1;
const FORM_FILE = 'form';
/** The hardware failed: the processor encodes from here on, in later processes, too. */
const SOFTWARE_FILE = 'software';
/** A track that could not be copied is encoded, in later processes, too. */
const ENCODED_FILE = 'encoded';
const MAX_MOOF_BYTES = 16 << 20;

interface Track {
  readonly folder: string;
  spec: RenditionSpec;
  /** What the track becomes when it can't be copied; `null` for a picture, and when it has become that. */
  otherwise: RenditionSpec['output'] | null;
  init: FragmentInit | null;
  samples: SampleList;
  /** Segments that are there and were looked at. */
  there: number;
  /** How many there will be. */
  count: number;
  sizeBytes: number;
  rendition: Rendition | null;
  settle: ((end: Extract<RenditionNews, { kind: 'idle' | 'failed' }>) => void) | null;
}

/** A track before it is opened. */
type Order = [name: string, spec: Omit<RenditionSpec, 'outputDir'>, otherwise: Track['otherwise']];

/** Ends the making with a reason from the closed set. */
class Trouble extends Error {
  readonly trouble: DownloadTrouble;
  constructor(trouble: DownloadTrouble, detail: string) {
    super(detail);
    this.trouble = trouble;
  }
}

export class DownloadMaker implements Disposable {
  readonly #spec: DownloadSpec;
  readonly #tell: (news: DownloadNews) => void;
  #tracks: Track[] = [];
  /** Resolves when it may go on; `null` while it may. */
  #hold: PromiseWithResolvers<void> | null = null;
  #isStarted = false;
  #hasFailed = false;

  constructor(spec: DownloadSpec, tell: (news: DownloadNews) => void) {
    this.#spec = spec;
    this.#tell = tell;
  }

  /** Answers at once; what comes of it is told, `finished` or `failed` last. */
  start(): void {
    if (this.#isStarted) throw new Error('A download is started once in its life.');
    this.#isStarted = true;
    void this.#make().then(
      (sizeBytes) => this.#tell({ kind: 'finished', sizeBytes }),
      (error: unknown) => this.#tell({ kind: 'failed', ...troubleOf(error) }),
    );
  }

  /** Comes to rest within a packet or so. */
  hold(): void {
    this.#hold ??= Promise.withResolvers();
    for (const { rendition, settle } of this.#tracks) if (settle) rendition?.pause();
  }

  goOn(): void {
    this.#hold?.resolve();
    this.#hold = null;
  }

  [Symbol.dispose](): void {
    for (const { rendition } of this.#tracks) rendition?.[Symbol.dispose]();
  }

  async #make(): Promise<number> {
    this.#tracks = await this.#openTracks();
    for (const track of this.#tracks) await this.#takeFound(track);
    this.#tellProgress();
    for (let until = 0; this.#tracks.some(({ there, count }) => there < count);) {
      const least = Math.min(...this.#tracks.map(({ there, count }) => (there < count ? there : Infinity)));
      until = least + WINDOW;
      const ends = this.#tracks.map((track) =>
        this.#advance(track, until).catch((error: unknown) => {
          this.#hasFailed = true;
          for (const { rendition } of this.#tracks) rendition?.pause();
          throw error;
        }),
      );
      // All of them, so that nobody writes while the folder is removed.
      await Promise.allSettled(ends);
      await Promise.all(ends);
    }
    for (const track of this.#tracks) {
      track.rendition?.[Symbol.dispose]();
      track.rendition = null;
    }
    return await this.#join();
  }

  async #openTracks(): Promise<Track[]> {
    const { workFolder, video, audio, hardware, path, boundariesUs, startUs } = this.#spec;
    const form = createHash('sha256')
      .update(JSON.stringify([FORM_VERSION, path, startUs, [...boundariesUs], video, audio, hardware?.kind ?? null]))
      .digest('hex');
    await mkdir(workFolder, { recursive: true, mode: 0o700 });
    const known = await readFile(join(workFolder, FORM_FILE), 'latin1').catch(() => null);
    if (known !== form) {
      for (const name of await readdir(workFolder)) await rm(join(workFolder, name), { recursive: true, force: true });
      await writeFile(join(workFolder, FORM_FILE), form);
    }
    const hasFailed = await isThere(join(workFolder, SOFTWARE_FILE));
    const common = { path, boundariesUs, startUs };
    const pictureOrder = (picture: NonNullable<typeof video>, chip: typeof hardware): Order[1] => {
      const { burnInPath } = picture;
      const drawn = burnInPath === undefined ? {} : { burnInPath };
      return { ...common, ...pick(picture), ...drawn, kind: 'video', hardware: chip };
    };
    const orders: Order[] = [
      ...(video === null ? [] : [['v', pictureOrder(video, hasFailed ? null : hardware), null] satisfies Order]),
      ...audio.map((sound): Order => [
        `a${sound.trackIndex}`,
        { ...common, ...pick(sound), kind: 'audio' },
        sound.output.method === 'copy' ? sound.otherwise : null,
      ]),
    ];
    const tracks: Track[] = [];
    for (const [name, spec, otherwise] of orders) {
      const folder = join(workFolder, name);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const fresh = { init: null, samples: new SampleList(), there: 0, sizeBytes: 0, rendition: null, settle: null };
      const track: Track = {
        ...fresh,
        folder,
        spec: { ...spec, outputDir: folder },
        otherwise,
        count: boundariesUs.length - 1,
      };
      // An earlier process came to know that it can't be copied.
      if (await isThere(join(folder, ENCODED_FILE))) useOther(track);
      tracks.push(track);
    }
    return tracks;
  }

  /** Looks through what an earlier process made, up to the first that is missing or damaged. */
  async #takeFound(track: Track): Promise<void> {
    while (track.there < track.count && (await this.#take(track))) continue;
  }

  /** Takes the segment that is next. False where it is not there, or damaged; it is made again then. */
  async #take(track: Track): Promise<boolean> {
    track.init ??= await readFile(join(track.folder, 'init.mp4')).then(readFragmentInit, () => null);
    const path = join(track.folder, `${track.there}.m4s`);
    const boxes = track.init && (await readSegment(path));
    if (!track.init || !boxes || !addSegment(track.samples, track.there, boxes, track.init)) return false;
    track.there += 1;
    track.sizeBytes += boxes.sizeBytes;
    return true;
  }

  async #advance(track: Track, until: number): Promise<void> {
    while (track.there < Math.min(until, track.count)) {
      while (this.#hold) await this.#hold.promise;
      if (this.#hasFailed) return;
      track.rendition ??= new Rendition(track.spec, (news) => this.#hear(track, news));
      const { promise, resolve } = Promise.withResolvers<Extract<RenditionNews, { kind: 'idle' | 'failed' }>>();
      track.settle = resolve;
      track.rendition.produce({ from: track.there, until: Math.min(until, track.count) - 1 });
      const end = await promise;
      track.settle = null;
      await this.#takeFound(track);
      if (end.kind === 'failed') await this.#judge(track, end.failure, end.detail);
      else if (track.there < end.next) throw new Trouble('trouble', `segment ${track.there} cannot be read again`);
      this.#tellProgress();
      this.#checkSize(this.#tracks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    }
  }

  #checkSize(sizeBytes: number): void {
    const { maxBytes } = this.#spec;
    if (sizeBytes > maxBytes) throw new Trouble('tooLarge', `${sizeBytes} bytes are more than ${maxBytes}`);
  }

  #hear(track: Track, news: RenditionNews): void {
    if (news.kind === 'idle' || news.kind === 'failed') track.settle?.(news);
    else if (news.kind === 'hardwareFailed') {
      writeFile(join(this.#spec.workFolder, SOFTWARE_FILE), '').catch(() => undefined);
      this.#tell(news);
    } else if (news.kind === 'segment') {
      // Counted before it is looked at, so that nobody has to wait for the end of the window.
      this.#tellProgress(track, news.index + 1);
    }
  }

  async #judge(track: Track, failure: MediaFailure, detail: string): Promise<void> {
    if (detail === NO_SPACE) throw new Trouble('diskFull', detail);
    if (failure === 'truncated' && track.there >= track.count * ENOUGH_SHARE) {
      track.count = track.there;
      return;
    }
    if (track.otherwise !== null && (failure === 'unsupported' || failure === 'internal')) {
      track.rendition?.[Symbol.dispose]();
      await rm(track.folder, { recursive: true, force: true });
      await mkdir(track.folder, { recursive: true, mode: 0o700 });
      await writeFile(join(track.folder, ENCODED_FILE), '');
      useOther(track);
      return;
    }
    const isCopy = track.spec.kind === 'video' && track.spec.output.method === 'copy';
    if (isCopy && (failure === 'unsupported' || failure === 'tooComplex')) throw new Trouble('cannotCopy', detail);
    const isGone = failure === 'notFound' || failure === 'notReadable' || failure === 'notAFile';
    throw new Trouble(isGone ? 'sourceGone' : failure === 'internal' ? 'trouble' : 'sourceDamaged', detail);
  }

  #tellProgress(ahead: Track | null = null, there = 0): void {
    const sizeBytes = this.#tracks.reduce((sum, track) => sum + track.sizeBytes, 0);
    const all = this.#tracks.map((track) => (track === ahead ? Math.max(there, track.there) : track.there));
    const { boundariesUs } = this.#spec;
    const least = this.#tracks.reduce(
      (done, { count }, index) => Math.min(done, all[index]! >= count ? boundariesUs.length - 1 : all[index]!),
      boundariesUs.length - 1,
    );
    this.#tell({ kind: 'progress', doneUs: boundariesUs[least] ?? 0, sizeBytes });
  }

  async #join(): Promise<number> {
    const { resultPath, chapters, title, year } = this.#spec;
    const texts = await this.#texts();
    const tracks = [...this.#tracks.map((track) => this.#mp4Track(track)), ...texts.map(({ track }) => track)];
    const chunks = planChunks(tracks);
    const head = movieHead(tracks, chunks, { title, year, chapters });
    const totalBytes = chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, head.length);
    this.#checkSize(totalBytes);
    const sources = [...this.#tracks.map(({ folder }) => folder), ...texts.map(({ bytes }) => bytes)];
    const result = await open(resultPath, 'w', 0o600);
    try {
      await writeMovie(result, head, tracks, chunks, sources, (share) => this.#tell({ kind: 'joining', share }));
      await result.sync();
    } finally {
      await result.close();
    }
    return totalBytes;
  }

  #mp4Track({ spec, init, samples }: Track): Mp4MovieTrack {
    if (!init || samples.count === 0) {
      throw new Trouble('sourceDamaged', `nothing was found in track ${spec.trackIndex}`);
    }
    const sound =
      spec.kind === 'audio' ? this.#spec.audio.find(({ trackIndex }) => trackIndex === spec.trackIndex) : null;
    return {
      kind: spec.kind,
      timescale: init.timescale,
      sampleDescription: init.sampleDescription,
      samples,
      originTicks: Math.round((TIMELINE_OFFSET_US / 1e6) * init.timescale) + init.delayTicks,
      language: sound ? sound.language : (this.#spec.video?.language ?? null),
      title: sound?.title ?? null,
      isDefault: sound?.isDefault ?? true,
      roles: sound?.roles ?? [],
      ...(spec.kind === 'video' && { picture: init }),
    };
  }

  async #texts(): Promise<{ readonly track: Mp4MovieTrack; readonly bytes: Buffer }[]> {
    const { texts, chapters, boundariesUs } = this.#spec;
    const durationMs = Math.round((boundariesUs.at(-1) ?? 0) / 1_000);
    const common = { timescale: TEXT_TIMESCALE, originTicks: 0 };
    // Where the lines are written: over the whole picture, at its lower edge.
    const picture = this.#tracks.find(({ spec }) => spec.kind === 'video')?.init;
    const made: { readonly track: Mp4MovieTrack; readonly bytes: Buffer }[] = [];
    for (const { vttPath, isForced, language, title, isDefault, roles } of texts) {
      const { samples, bytes } = subtitleTrack(await readFile(vttPath, 'utf8'), durationMs);
      const sampleDescription = subtitleDescription(isForced);
      const facts = { kind: 'subtitle', language, title, isDefault, roles, sampleDescription, samples } as const;
      const box = picture && { picture: { matrix: UNTURNED, width: picture.width, height: picture.height } };
      made.push({ track: { ...common, ...facts, ...box }, bytes });
    }
    if (chapters.length > 0) {
      const { samples, bytes } = chapterTrack(chapters, durationMs);
      const facts = { kind: 'chapters', language: null, title: null, isDefault: false, roles: [] } as const;
      made.push({ track: { ...common, ...facts, sampleDescription: chapterDescription(), samples }, bytes });
    }
    return made;
  }
}

const UNTURNED = Buffer.from('000100000000000000000000000000000001000000000000000000000000000040000000', 'hex');

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const pick = <O>({ trackIndex, output }: { readonly trackIndex: number; readonly output: O }) => ({
  trackIndex,
  output,
});

function useOther(track: Track): void {
  if (track.otherwise !== null) track.spec = { ...track.spec, output: track.otherwise };
  Object.assign(track, {
    otherwise: null,
    rendition: null,
    init: null,
    samples: new SampleList(),
    there: 0,
    sizeBytes: 0,
  });
}

/** The heads of a segment's boxes; `null` where it is not there, or is cut off. */
async function readSegment(path: string): Promise<SegmentBoxes | null> {
  const file = await open(path).catch(() => null);
  if (!file) return null;
  try {
    const { size: sizeBytes } = await file.stat();
    const fragments: { at: number; content: Buffer }[] = [];
    const head = Buffer.alloc(16);
    for (let at = 0; at < sizeBytes;) {
      const { bytesRead } = await file.read(head, 0, 16, at);
      if (bytesRead < 8) return null;
      const stated = head.readUInt32BE(0);
      const length = stated === 1 ? Number(head.readBigUInt64BE(8)) : stated;
      if (length < 8 || at + length > sizeBytes) return null;
      if (head.toString('latin1', 4, 8) === 'moof') {
        if (length > MAX_MOOF_BYTES) return null;
        const content = Buffer.alloc(length - 8);
        await file.read(content, 0, content.length, at + 8);
        fragments.push({ at, content });
      }
      at += length;
    }
    return { sizeBytes, fragments };
  } finally {
    await file.close();
  }
}

/** `sources`: the folder of a track's segments, or the bytes of its samples. */
async function writeMovie(
  result: FileHandle,
  head: Buffer,
  tracks: readonly Mp4MovieTrack[],
  chunks: readonly Chunk[],
  sources: readonly (string | Buffer)[],
  tell: (share: number) => void,
): Promise<void> {
  const totalBytes = chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const opened = new Map<number, { readonly segment: number; readonly file: FileHandle }>();
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  let filled = 0;
  let done = 0;
  let told = 0;
  const flush = async (): Promise<void> => {
    await writeAll(result, buffer.subarray(0, filled));
    done += filled;
    filled = 0;
    if (done - told < TELL_EVERY_BYTES) return;
    told = done;
    tell(done / Math.max(1, totalBytes));
  };
  const source = async (track: number, folder: string, segment: number): Promise<FileHandle> => {
    const known = opened.get(track);
    if (known?.segment === segment) return known.file;
    await known?.file.close();
    opened.delete(track);
    const file = await open(join(folder, `${segment}.m4s`));
    opened.set(track, { segment, file });
    return file;
  };
  try {
    await writeAll(result, head);
    tell(0);
    for (const { track, first, sizeBytes } of chunks) {
      const { samples } = tracks[track]!;
      const from = sources[track]!;
      const position = samples.position(first);
      for (let at = 0; at < sizeBytes;) {
        if (filled === COPY_BYTES) await flush();
        const length = Math.min(sizeBytes - at, COPY_BYTES - filled);
        if (typeof from !== 'string') from.copy(buffer, filled, position + at, position + at + length);
        else {
          const file = await source(track, from, samples.segment(first));
          const { bytesRead } = await file.read(buffer, filled, length, position + at);
          if (bytesRead !== length) throw new Trouble('trouble', `segment ${samples.segment(first)} became shorter`);
        }
        filled += length;
        at += length;
      }
    }
    await flush();
  } finally {
    for (const { file } of opened.values()) await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}

function troubleOf(error: unknown): { readonly trouble: DownloadTrouble; readonly detail: string } {
  if (error instanceof Trouble) return { trouble: error.trouble, detail: error.message };
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const detail = error instanceof Error ? error.message : String(error);
  return { trouble: code === 'ENOSPC' || code === 'EDQUOT' ? 'diskFull' : 'trouble', detail };
}
