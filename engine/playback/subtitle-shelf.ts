/**
 * Subtitles that were read out of movies and of files beside them. Owns: the readings under way, and which files in the cache are whole.
 * Rules PLAY22 and PLAY52 to PLAY54 of SPEC.md.
 *
 * A reading writes files that grow; who asks meanwhile gets what is there and then the rest as it comes. What was read stays in the
 * cache, through restarts, until space is wanted for others.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { SubtitleRequest } from '#engine/hosts/probe.port.ts';
import { areRead, parseReadSpans } from '#engine/media/read-spans.ts';
import type { ReadSpan } from '#engine/media/read-spans.ts';
import type { PlaybackHosts, StoredFile } from './ports.ts';
import { RenditionError } from './rendition-error.ts';
import { codecOfFile, subtitleFormat } from './subtitle-choices.ts';
import type { GrowingFile, SubtitleCachePort, SubtitleFile } from './subtitle-ports.ts';

/** Counts up when the same movie would give other files. */
const VERSION = 1;
/** How often a file that grows is looked at. */
const LOOK_EVERY_MS = 150;
const PIECE_BYTES = 256 << 10;
/** Most that is said of how far a reading is. */
const MAX_SPANS_BYTES = 64 << 10;
/** An index is read in less; a reading that has not come to a place by then may be far from it. */
const PATIENCE_MS = 1_000;
/** A reading comes this far sooner than another one would begin there. */
const REACH_MS = 120_000;
/** What waits for pictures waits no longer: a player asks again. */
const HOLD_LIMIT_MS = 30_000;

/** `vtt`: text. `ass`: the styled script. `pics`: pictures. */
export const SUBTITLE_KINDS = ['vtt', 'ass', 'pics'] as const;
export type SubtitleKind = (typeof SUBTITLE_KINDS)[number];
/** What becomes a part of the picture. */
export type BurntKind = Exclude<SubtitleKind, 'vtt'>;

/** Subtitles of a movie's file: one of its tracks, or a file of their own. */
export type SubtitleOf = { readonly trackIndex: number; readonly fromMs: number } | { readonly file: SubtitleFile };

/** A file that is whole, or what comes of one that is still being written. */
export type ShelfFile = { readonly path: string } | { readonly pieces: AsyncIterable<Uint8Array> };

/** A stretch of the movie. */
export interface MovieSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface Reading {
  readonly key: string;
  /** Where in the movie it was told to begin; `null` for a file of subtitles, which is read as a whole. */
  readonly fromMs: number | null;
  /** Ids that were asked for; a reading of a whole file makes the others, too. */
  readonly ids: readonly string[];
  readonly abort: AbortController;
  /** Resolves when it is over; rejects with a RenditionError. */
  readonly done: Promise<void>;
  readonly isBackground: boolean;
  isOver: boolean;
  /** Nobody else gives it up while somebody waits for it. */
  waiting: number;
  /** Encoders work ahead of those who wait: it goes on to its end without them. */
  isKept: boolean;
}

interface Work {
  readonly key: string;
  readonly path: string;
  readonly fromMs: number | null;
  readonly ids: readonly string[];
  readonly request: (folder: string) => SubtitleRequest;
}

export class SubtitleShelf implements AsyncDisposable {
  readonly #hosts: PlaybackHosts;
  readonly #cache: SubtitleCachePort;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #readings = new Set<Reading>();
  /** Keys whose folders hold nothing that an earlier life left half done, once that has resolved. */
  readonly #swept = new Map<string, Promise<void>>();
  /** Movies that were opened and are to be read when nobody waits for others: the newest first, and few of them. */
  #ahead: Work[] = [];
  #isReadingAhead = false;
  #isClosed = false;

  constructor(options: { hosts: PlaybackHosts; cache: SubtitleCachePort; clock: Clock; log: Log }) {
    this.#hosts = options.hosts;
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Begins to read what somebody may want soon: the text of a movie, and the track of pictures that is chosen. One movie at a time. */
  prepare(file: StoredFile, chosen: number | null, fromMs: number): void {
    const tracks = file.media?.subtitles ?? [];
    const texts = tracks
      .filter(({ codec }) => ['text', 'styled'].includes(subtitleFormat(codec)))
      .map(({ index }) => index);
    const wanted = [...new Set([...(chosen === null ? [] : [chosen]), ...texts])];
    if (wanted.length === 0) return;
    const work = trackWork(file, wanted, fromMs);
    this.#ahead = [work, ...this.#ahead.filter(({ key }) => key !== work.key)].slice(0, 4);
    void this.#readAhead();
  }

  /** Rejects with a RenditionError, or with the signal's reason. `file` is the movie's. */
  async find(file: StoredFile, of: SubtitleOf, kind: SubtitleKind, signal: AbortSignal): Promise<ShelfFile> {
    signal.throwIfAborted();
    const work = 'file' in of ? fileWork(file, of.file) : this.#urgentWork(file, of.trackIndex, of.fromMs);
    const [id] = work.ids as [string];
    await this.#prepareFolder(work.key);
    const reading = await this.#join(work, id, kind, signal);
    if (reading === null) return await this.#wholeFile(work.key, id, kind);
    try {
      const opened = await this.#opened(reading, id, kind, signal);
      if (opened) return { pieces: this.#pieces(reading, opened, id, signal) };
      // It is over, and made nothing of this kind.
      await reading.done;
      throw new RenditionError('failed', 'unsupported');
    } catch (error) {
      this.#leave(reading);
      throw error;
    }
  }

  /** Where the pictures or the styled script of a track or file are, or will be. Absolute. */
  async pathOf(file: StoredFile, of: SubtitleOf, kind: BurntKind): Promise<string> {
    const { key, ids } = this.#burntWork(file, of, 0);
    return join(await this.#cache.folder(key), `${ids[0] ?? ''}.${kind}`);
  }

  /** A folder to keep what is known of this machine's fonts in. Absolute. */
  async fontsPath(): Promise<string> {
    return await this.#cache.folder(hashOf(['fonts', VERSION]));
  }

  /**
   * Resolves when all pictures, or events of a styled script, of a stretch of the movie have been read. Until what it resolves with is disposed of, nobody else gives the
   * reading up; after that it goes on, since encoders work ahead. A reading that is far from the place and that nobody else waits for
   * begins anew there. Rejects with a RenditionError, `late` after half a minute, or with the signal's reason.
   */
  async hold(
    file: StoredFile,
    of: SubtitleOf,
    kind: BurntKind,
    span: MovieSpan,
    signal: AbortSignal,
  ): Promise<Disposable> {
    signal.throwIfAborted();
    const work = this.#burntWork(file, of, Math.max(0, Math.floor(span.fromMs)));
    const [id] = work.ids as [string];
    await this.#prepareFolder(work.key);
    const untilMs = this.#clock.monotonicMs() + HOLD_LIMIT_MS;
    for (;;) {
      const reading = await this.#join(work, id, kind, signal);
      if (reading === null) {
        await this.#wholeFile(work.key, id, kind);
        return { [Symbol.dispose]: () => undefined };
      }
      reading.isKept = true;
      let isRead = false;
      try {
        isRead = await this.#reaches(reading, id, span, untilMs, signal);
      } finally {
        if (!isRead) reading.waiting--;
      }
      if (isRead) return { [Symbol.dispose]: () => void reading.waiting-- };
    }
  }

  /** The whole file, waited for. */
  async whole(file: StoredFile, of: SubtitleOf, kind: SubtitleKind, signal: AbortSignal): Promise<string> {
    const found = await this.find(file, of, kind, signal);
    if ('path' in found) return found.path;
    for await (const _ of found.pieces) signal.throwIfAborted();
    const again = await this.find(file, of, kind, signal);
    if ('path' in again) return again.path;
    throw new RenditionError('failed', 'internal');
  }

  /** A font that the movie's file brings; `null` where there is none of that number. It is written with the first styled track. */
  async font(file: StoredFile, attachmentIndex: number, signal: AbortSignal): Promise<string | null> {
    const isFont =
      file.media?.attachments.some(({ index, kind }) => index === attachmentIndex && kind === 'font') === true;
    const styled = file.media?.subtitles.find(({ codec }) => subtitleFormat(codec) === 'styled');
    if (!isFont || !styled) return null;
    const { key } = trackWork(file, [], 0);
    const name = `f${attachmentIndex}`;
    await this.#prepareFolder(key);
    const path = await this.#cache.find(key, name);
    if (path !== null) return path;
    await this.whole(file, { trackIndex: styled.index, fromMs: 0 }, 'ass', signal);
    return await this.#cache.find(key, name);
  }

  /** A path that was handed out leads nowhere: everything of that movie is read again when it is next asked for. */
  async forget(file: StoredFile, of: SubtitleOf): Promise<void> {
    const { key } = 'file' in of ? fileWork(file, of.file) : trackWork(file, [], 0);
    this.#swept.delete(key);
    await this.#cache.remove(key);
  }

  /** What a file of subtitles is, without keeping anything of it; `null` for what is none. */
  async look(path: string, language: string | null): Promise<string | null> {
    const request: SubtitleRequest = {
      kind: 'file',
      folder: null,
      id: 's',
      indexPath: null,
      language,
      frameRate: null,
    };
    const result = await this.#hosts.subtitle(path, request, { priority: 'interactive' });
    return result.ok ? result.fileKind : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#ahead = [];
    const ends = [...this.#readings].map(({ done }) => done.catch(() => undefined));
    for (const { abort } of this.#readings) abort.abort(new RenditionError('closed'));
    await Promise.all(ends);
  }

  /** All text of the file at once, since reading one track of it means passing by the others; pictures by themselves. */
  #urgentWork(file: StoredFile, trackIndex: number, fromMs: number): Work {
    const tracks = file.media?.subtitles ?? [];
    const isText = (index: number): boolean =>
      tracks.some((track) => track.index === index && ['text', 'styled'].includes(subtitleFormat(track.codec)));
    const others = isText(trackIndex)
      ? tracks.map(({ index }) => index).filter((index) => isText(index) && index !== trackIndex)
      : [];
    return trackWork(file, [trackIndex, ...others], fromMs);
  }

  #burntWork(file: StoredFile, of: SubtitleOf, fromMs: number): Work {
    return 'file' in of ? fileWork(file, of.file) : this.#urgentWork(file, of.trackIndex, fromMs);
  }

  /** Makes the folder, and clears what an earlier life left half done in it. */
  async #prepareFolder(key: string): Promise<void> {
    await this.#cache.folder(key);
    let swept = this.#swept.get(key);
    // Who comes meanwhile waits: what they make must not be swept away.
    if (!swept) this.#swept.set(key, (swept = this.#sweep(key)));
    await swept;
  }

  async #isWhole(key: string, id: string): Promise<boolean> {
    return (await this.#cache.find(key, `${id}.done`)) !== null;
  }

  async #wholeFile(key: string, id: string, kind: SubtitleKind): Promise<{ readonly path: string }> {
    const path = await this.#cache.find(key, `${id}.${kind}`);
    if (path === null) throw new RenditionError('failed', 'unsupported');
    return { path };
  }

  /** Removes what was left half done, of everything or of these ids only. Fonts are written whole. */
  async #sweep(key: string, ids?: readonly string[]): Promise<void> {
    const names = new Set(await this.#cache.names(key));
    for (const name of names) {
      const id = /^([ts][\w-]+)\.(?:vtt|ass|pics|read)(?:\.new)?$/.exec(name)?.[1];
      const isHalf = name.endsWith('.new') || (id !== undefined && !names.has(`${id}.done`));
      const isMeant = ids === undefined || (id !== undefined && ids.includes(id));
      if (isHalf && isMeant) await this.#cache.removeFile(key, name);
    }
  }

  /** The reading that makes it, or a new one, with the caller among those who wait for it; `null` where it is whole. */
  async #join(work: Work, id: string, kind: SubtitleKind, signal: AbortSignal): Promise<Reading | null> {
    const sinceMs = this.#clock.monotonicMs();
    for (;;) {
      await this.#leftEnd(work.key);
      const before = this.#readingsOf(work.key);
      const names = await this.#cache.names(work.key);
      // From here on nothing is waited for: two who ask at once must not begin two readings.
      if (before.some(({ isOver, abort }) => isOver || abort.signal.aborted)) continue;
      if (names.includes(`${id}.done`)) return null;
      const isBegun = names.includes(`${id}.${kind}`);
      const readings = this.#readingsOf(work.key);
      // One that goes through the whole file makes everything in it.
      const reading = readings.find(({ ids }) => ids.includes(id)) ?? (isBegun ? readings[0] : undefined);
      if (!reading || isBegun || !reading.isBackground || reading.waiting > 0) {
        const joined = reading ?? this.#start(work, false);
        joined.waiting++;
        return joined;
      }
      // By an index it comes to each track within a moment, which is sooner than another one could begin.
      const isUnderWay = names.some((name) => reading.ids.includes(name.slice(0, name.indexOf('.'))));
      if (isUnderWay && this.#clock.monotonicMs() - sinceMs < PATIENCE_MS) {
        await this.#change(reading, signal);
        continue;
      }
      // It stands in a queue behind others, or is busy with another track for long.
      reading.abort.abort(new RenditionError('left'));
    }
  }

  /** Until those that were given up write no more, and what they left half done is gone: a moment. Two would write the same files. */
  async #leftEnd(key: string): Promise<void> {
    const left = this.#readingsOf(key).filter(({ abort }) => abort.signal.aborted);
    await Promise.allSettled(left.map(({ done }) => done));
  }

  #readingsOf(key: string): Reading[] {
    return [...this.#readings].filter((reading) => reading.key === key);
  }

  /** False where another reading has to do it. */
  async #reaches(
    reading: Reading,
    id: string,
    span: MovieSpan,
    untilMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const sinceMs = this.#clock.monotonicMs();
    for (;;) {
      signal.throwIfAborted();
      const wasOver = reading.isOver;
      if (await this.#isWhole(reading.key, id)) return true;
      const spans = await this.#spansOf(reading.key, id);
      if (areRead(spans, span.fromMs, span.untilMs)) return true;
      if (wasOver) {
        // It was given up, or came by without this track.
        if (!reading.ids.includes(id) || reading.abort.signal.aborted) return false;
        await reading.done;
        throw new RenditionError('failed', 'unsupported');
      }
      const nowMs = this.#clock.monotonicMs();
      if (nowMs >= untilMs) throw new RenditionError('late');
      if (nowMs - sinceMs >= PATIENCE_MS && reading.waiting === 1 && !isOnTheWay(reading, spans, span.fromMs)) {
        reading.abort.abort(new RenditionError('left'));
        await reading.done.catch(() => undefined);
        return false;
      }
      await this.#change(reading, signal);
    }
  }

  async #spansOf(key: string, id: string): Promise<ReadSpan[]> {
    const file = await this.#cache.open(key, `${id}.read`);
    if (!file) return [];
    try {
      return parseReadSpans(Buffer.from(await file.read(0, MAX_SPANS_BYTES)).toString());
    } finally {
      await file.close();
    }
  }

  async #readAhead(): Promise<void> {
    if (this.#isReadingAhead) return;
    this.#isReadingAhead = true;
    try {
      for (let work = this.#ahead.shift(); work; work = this.#ahead.shift()) await this.#readOneAhead(work);
    } finally {
      this.#isReadingAhead = false;
    }
  }

  async #readOneAhead(work: Work): Promise<void> {
    try {
      await this.#prepareFolder(work.key);
      await this.#leftEnd(work.key);
      const names = await this.#cache.names(work.key);
      const missing = work.ids.filter((id) => !names.includes(`${id}.done`));
      if (missing.length === 0 || this.#readingsOf(work.key).length > 0) return;
      const only = { ...work, ids: missing, request: (into: string) => onlyTracks(work.request(into), missing) };
      await this.#start(only, true).done;
    } catch (error) {
      this.#log.debug('subtitles were not read ahead', { path: work.path, error });
    }
  }

  #start(work: Work, isBackground: boolean): Reading {
    if (this.#isClosed) throw new RenditionError('closed');
    const abort = new AbortController();
    const reading: Reading = {
      key: work.key,
      fromMs: work.fromMs,
      ids: work.ids,
      abort,
      isBackground,
      isOver: false,
      waiting: 0,
      isKept: false,
      done: this.#read(work, isBackground, abort.signal).finally(() => {
        reading.isOver = true;
        this.#readings.delete(reading);
      }),
    };
    reading.done.catch(() => undefined); // told to whoever still waits
    this.#readings.add(reading);
    return reading;
  }

  async #read({ key, path, ids, request }: Work, isBackground: boolean, signal: AbortSignal): Promise<void> {
    try {
      const folder = await this.#cache.folder(key);
      const priority = isBackground ? 'background' : 'interactive';
      const result = await this.#hosts.subtitle(path, request(folder), { priority, signal });
      if (!result.ok) {
        this.#log.warn('subtitles could not be read', { path, failure: result.failure });
        throw new RenditionError('failed', result.failure);
      }
      await this.#cache.trim(new Set([key, ...[...this.#readings].map((reading) => reading.key)]));
    } catch (error) {
      // A reading of the same movie that goes on keeps what is its own.
      const others = this.#readingsOf(key).filter(({ abort }) => abort.signal !== signal);
      const isTheirs = (id: string): boolean => others.some((reading) => reading.ids.includes(id));
      await this.#sweep(key, others.length === 0 ? undefined : ids.filter((id) => !isTheirs(id)));
      throw error;
    }
  }

  /** The file as soon as it is there; `null` where the reading is over and there is none. */
  async #opened(reading: Reading, id: string, kind: SubtitleKind, signal: AbortSignal): Promise<GrowingFile | null> {
    for (;;) {
      signal.throwIfAborted();
      const wasOver = reading.isOver;
      const file = await this.#cache.open(reading.key, `${id}.${kind}`);
      if (file || wasOver) return file;
      await this.#change(reading, signal);
    }
  }

  async *#pieces(reading: Reading, file: GrowingFile, id: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; ;) {
        const isWhole = await this.#isWhole(reading.key, id);
        const wasOver = reading.isOver;
        const piece = await file.read(at, PIECE_BYTES);
        if (piece.length > 0) {
          at += piece.length;
          yield piece;
        } else if (isWhole) return;
        else if (wasOver) {
          // A reading that failed, or made another track whole, ends the reply short of its end, so that nobody keeps it for the whole.
          await reading.done;
          if (!(await this.#isWhole(reading.key, id))) throw new RenditionError('failed', 'internal');
          return;
        } else await this.#change(reading, signal);
      }
    } finally {
      await file.close();
      this.#leave(reading);
    }
  }

  /** Until there may be more: a moment, the end of the reading, or of whoever waits. */
  async #change(reading: Reading, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    using _timer = this.#clock.after(LOOK_EVERY_MS, resolve);
    reading.done.then(resolve, () => resolve());
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** A reading that nobody waits for any more is given up, but for one that was begun ahead, and one that an encoder follows. */
  #leave(reading: Reading): void {
    if (--reading.waiting > 0 || reading.isBackground || reading.isKept || reading.isOver) return;
    reading.abort.abort(new RenditionError('left'));
  }
}

function trackWork(file: StoredFile, wanted: readonly number[], fromMs: number): Work {
  const startMs = file.media?.startMs ?? 0;
  return {
    key: hashOf(['movie', VERSION, file.id, file.sizeBytes, file.mtimeUs]),
    path: file.path,
    fromMs,
    ids: wanted.map((index) => `t${index}`),
    request: (folder) => ({ kind: 'tracks', folder, wanted, startMs, fromMs }),
  };
}

/** Whether a reading comes to a place by itself, and no other would be there sooner. */
function isOnTheWay({ fromMs }: Reading, spans: readonly ReadSpan[], placeMs: number): boolean {
  if (fromMs === null) return true;
  const isNear = (beganMs: number, untilMs: number): boolean => beganMs <= placeMs && placeMs - untilMs <= REACH_MS;
  const first = spans[0];
  // Told to begin in the middle, and begun at the beginning: no place can be sought in that file.
  const canSeek = first === undefined || first[0] > 0 || fromMs === 0;
  const [beganMs, untilMs] = spans.at(-1) ?? [fromMs, fromMs];
  return !canSeek || isNear(beganMs, untilMs) || isNear(fromMs, fromMs);
}

function onlyTracks(request: SubtitleRequest, ids: readonly string[]): SubtitleRequest {
  return request.kind === 'tracks'
    ? { ...request, wanted: request.wanted.filter((index) => ids.includes(`t${index}`)) }
    : request;
}

function fileWork(movie: StoredFile, file: SubtitleFile): Work {
  const frameRate = movie.media?.video[0]?.frameRate ?? null;
  const isIndexed = codecOfFile(file) === 'dvd_subtitle';
  return {
    key: hashOf(['file', VERSION, file.id, file.sizeBytes, file.mtimeUs, file.language, frameRate]),
    path: file.path,
    fromMs: null,
    ids: [`s${file.id}`],
    request: (folder) => ({
      kind: 'file',
      folder,
      id: `s${file.id}`,
      indexPath: isIndexed ? file.indexPath : null,
      language: file.language,
      frameRate: frameRate && frameRate.num / frameRate.den,
    }),
  };
}

function hashOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
