/**
 * How a movie comes onto the video element, and every way back from trouble. Owns the source that feeds the element.
 *
 * `opening` also while a playback is opened anew, at the position where it stopped:
 * - the address expired → opened again as it was, unseen by the person
 * - the device could not play what came → opened again without that play method, down to the transcode
 * - the server did not answer → waits for the line, then opened again
 * - the file was taken away, as by a better one → opened again on whichever is there, or as soon as there is one
 * Also `opening` → ready: the next part of a movie that is cut into several files, at the end of the one before.
 *
 * A playback is opened at a place in the whole movie; the source and the element count in the file.
 */
import { batch } from '@preact/signals';
import { movieFeed } from '#protocol/feeds/movie.ts';
import { playback as calls } from '#protocol/methods/playback.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { InputOf } from '#protocol/contract.ts';
import type { DeviceProfile, PlayMethod, Playback } from '#protocol/schema/playback.ts';
import type { Link, Server } from '#client/store/ports.ts';
import { deviceLessons, deviceProfile, mediaSource, playsHlsItself } from './browser-media.ts';
import { learnFrom, unlearn } from './lesson-report.ts';
import { openFileSource } from './file-source.ts';
import { HeldPicture } from './held-picture.ts';
import type { PlayerFailure, PlayerMovie, PlayerState, QualityChoice } from './player-state.ts';
import type { Source, SourceEvents, SourceVariant } from './source.ts';
import { placeIn, standInLine } from './transcode-line.ts';

/** Silent reopenings in a row without any playing in between, after which the person is told. */
const REOPENINGS = 4;
const REOPEN_DELAY_MS = 1_500;
/** What the server says of a part whose file is not where it was. */
const GONE: ReadonlySet<string> = new Set(['notFound', 'missing']);
/** A large file takes this long to be copied to its place, where it is not moved. */
const FILE_WAIT_MS = 20 * 60_000;
/** Files that came and could not be opened after all, before the person is told. */
const FILE_WAITS = 5;

export interface OpeningOptions {
  readonly server: Server;
  readonly link: Pick<Link, 'state'>;
  readonly state: PlayerState;
  readonly video: HTMLVideoElement;
  readonly movie: PlayerMovie;
  /** What the line carried last; `null`: nobody knows. */
  readonly lineBps: () => number | null;
  /** Whether the sound is wanted as for a house that sleeps. */
  readonly isNightSound: () => boolean;
  /** FFmpeg's number of the audio to open with; `null` leaves it to the server. */
  readonly audioTrack: () => number | null;
  /** Id of the subtitles that the person has chosen in this file (`null`: in any), `null` for none; absent leaves it to the server. */
  readonly subtitle: (fileId: string | null) => string | null | undefined;
  /** What was opened is about to be given to the element. */
  readonly onOpened: (playback: Playback) => void;
  /** The sound of this name is heard from now on. */
  readonly onSound: (name: string) => void;
  /** It was given to the element. */
  readonly onAttached: (playback: Playback) => Promise<void>;
}

export class Opening {
  readonly #server: Server;
  readonly #link: Pick<Link, 'state'>;
  readonly #state: PlayerState;
  readonly #video: HTMLVideoElement;
  readonly #movie: PlayerMovie;
  readonly #options: OpeningOptions;
  readonly #disposers: (() => void)[] = [];
  readonly #held: HeldPicture;

  #source: Source | null = null;
  #without: readonly PlayMethod[] = [];
  /** Only the latest counts. */
  #attempt = 0;
  #reopenings = 0;
  /** The file that the person chose; any will do once that one is gone. */
  #fileId: string | null;
  #isFileStale: boolean;
  /** The address that was played from is no longer accepted, and no other has been opened since. */
  #isFileInDoubt = false;
  /** It has played, and nobody was told that it does not go on. */
  #isMidway = false;
  #fileWaits = 0;
  /** What the last way of playing ended in. */
  #detail = '';
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#server = options.server;
    this.#link = options.link;
    this.#state = options.state;
    this.#video = options.video;
    this.#movie = options.movie;
    this.#held = new HeldPicture(options.video);
    this.#fileId = options.movie.fileId;
    this.#isFileStale = options.movie.fileId !== null && options.movie.isFileStale === true;
    const onHide = (): void => this.#sayClosed((call, input) => this.#server.request(call, input, { keepalive: true }));
    addEventListener('pagehide', onHide);
    this.#disposers.push(() => removeEventListener('pagehide', onHide));
  }

  get source(): Source | null {
    return this.#source;
  }

  /** Opens the movie at a place in it; `null` means where this person left off. */
  async open(startMs: number | null, audioTrack: number | null = this.#options.audioTrack()): Promise<void> {
    const attempt = ++this.#attempt;
    clearTimeout(this.#later);
    // Meant is the place that is on the screen, wherever that is by the time the answer is here.
    const isHere = this.#source !== null && startMs === this.#state.placeMs();
    batch(() => {
      this.#state.phase.value = 'opening';
      this.#state.failure.value = null;
      this.#state.queuePlace.value = null;
      this.#state.isBuffering.value = true;
    });
    try {
      const subtitle = this.#options.subtitle(this.#fileId);
      const profile = deviceProfile();
      const input: InputOf<typeof calls.open> = {
        movieId: this.#movie.movieId,
        // Awaited only where it must be: sent before the screen is drawn, the answer is there when it has been.
        profile: this.#limited(profile instanceof Promise ? await profile : profile),
        without: [...this.#without],
        ...(this.#fileId !== null && { fileId: this.#fileId }),
        ...(startMs !== null && { startMs: Math.round(startMs) }),
        ...(audioTrack !== null && { audioTrack }),
        ...(subtitle !== undefined && { subtitle }),
      };
      const playback = await this.#server.call(calls.open, input);
      if (attempt !== this.#attempt) return;
      if (this.#isFileStale && playback.part !== null && startMs === null) {
        this.#isFileStale = false;
        this.#fileId = null;
        return await this.open(null, audioTrack);
      }
      this.#isFileStale = false;
      // In a file of unknown length the server can't tell the place.
      const placeMs = startMs !== null && playback.durationMs === 0 ? startMs : playback.resumeMs;
      await this.#attach(playback, (isHere ? this.#hereIn(playback) : null) ?? placeMs, attempt);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (!isFailure(error)) throw error;
      this.#onRefusal(error, startMs, audioTrack);
    }
  }

  /** Better or softer: within the source where it can, else opened again at the same place. */
  chooseQuality(choice: QualityChoice): void {
    const before = this.#state.quality.peek();
    const wasLimited = before.kind === 'limit' || this.#state.softenedBps.peek() !== null;
    batch(() => {
      this.#state.quality.value = choice;
      this.#state.softenedBps.value = null;
    });
    if (choice.kind === 'limit' || wasLimited) void this.open(this.#state.placeMs());
    else this.#source?.chooseVariant(choice.kind === 'variant' ? choice.index : null);
  }

  /** The line does not carry what comes: opened again so that it does. */
  soften(maxBitrateBps: number): void {
    this.#state.softenedBps.value = maxBitrateBps;
    void this.open(this.#state.placeMs());
  }

  /** Nothing has come for too long although the line is up: opened again as it is. */
  reopen(): void {
    void this.open(this.#state.placeMs());
  }

  /** Nothing helps. What happened is told, with a button to try it again. */
  giveUp(): void {
    this.#fail({ kind: 'unreachable' });
  }

  /** Everything from the beginning, also the ways of playing that failed. */
  tryAgain(startMs: number | null): void {
    this.#without = [];
    this.#reopenings = 0;
    const fileId = this.#state.playback.peek()?.fileId;
    if (fileId !== undefined) unlearn(this.#server, deviceLessons(), fileId);
    void this.open(startMs);
  }

  /** Begins with the first file again, of a movie that is cut into several. */
  openFromBeginning(): void {
    this.#fileId = null;
    void this.open(0);
  }

  /** At a place in the whole movie, in whichever part that is. */
  openAt(placeMs: number): void {
    this.#fileId = null;
    void this.open(placeMs);
  }

  /** Goes on to the next part of a movie that is cut into several files. Whether there is one. */
  nextPart(): boolean {
    const playback = this.#state.playback.peek();
    const fileId = playback?.part?.nextFileId ?? null;
    if (playback === null || fileId === null) return false;
    this.#fileId = fileId;
    // What could not be played was the file before.
    this.#without = [];
    this.#state.wantsPlaying = true;
    void this.open(this.#state.partOffsetMs() + playback.durationMs);
    return true;
  }

  /** The picture moves: whatever was the matter is over. */
  onPlaying(): void {
    this.#isMidway = true;
    this.#reopenings = 0;
    this.#fileWaits = 0;
  }

  /** Opens again where what was given out is past its time; `false` where it is not, or that was tried before. */
  renewAddress(): boolean {
    const playback = this.#state.playback.peek();
    if (playback === null || playback.expiresAt > this.#server.now() || this.#reopenings >= REOPENINGS) return false;
    this.#reopenings += 1;
    void this.open(this.#state.placeMs());
    return true;
  }

  dispose(): void {
    this.#attempt += 1;
    clearTimeout(this.#later);
    for (const dispose of this.#disposers) dispose();
    this.#closeSource();
    this.#held.release();
    this.#sayClosed((call, input) => this.#server.call(call, input));
  }

  /** Nobody watches any more: what would be made ahead would be made for nobody. One who comes back to the page asks again. */
  #sayClosed(send: (call: typeof calls.close, input: InputOf<typeof calls.close>) => Promise<unknown>): void {
    const playback = this.#state.playback.peek();
    if (playback?.kind === 'hls') send(calls.close, { url: playback.url }).catch(() => undefined);
  }

  #onRefusal(error: Failure, startMs: number | null, audioTrack: number | null): void {
    const isGone = error.code === 'notPlayable' || error.code === 'notFound';
    if (error.code === 'disconnected') this.#openWhenLive(startMs, audioTrack);
    else if (isGone && this.#isFollowing()) {
      // The part that was to follow: whatever is at its place now.
      this.#fileId = null;
      void this.open(startMs, null);
    } else if (isGone && (this.#isFileInDoubt || (this.#isMidway && isFileMissing(error)))) {
      // Whatever it was opened again for: a file that went while somebody watches may be on its way to be replaced.
      if (this.#fileId === null) this.#openWhenPlayable();
      else {
        this.#fileId = null;
        void this.open(this.#state.placeMs(), null);
      }
    } else if (placeIn(error) !== null) {
      void this.#waitInLine(placeIn(error)!, startMs, audioTrack);
    } else {
      const isExhausted = this.#without.length > 0 && error.code === 'notPlayable';
      this.#fail(
        isExhausted
          ? { kind: 'undecodable', tried: this.#without, detail: this.#detail }
          : { kind: 'refused', failure: error },
      );
    }
  }

  /** As many are being converted as the server manages: this one comes when it is its turn. */
  async #waitInLine(place: number, startMs: number | null, audioTrack: number | null): Promise<void> {
    const attempt = this.#attempt;
    try {
      await standInLine(this.#server, place, this.#state.queuePlace, () => attempt !== this.#attempt);
      if (attempt === this.#attempt) await this.open(startMs, audioTrack);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (!isFailure(error)) throw error;
      this.#onRefusal(error, startMs, audioTrack);
    }
  }

  /** The place that is on the screen now, in the file that was opened; `null` where it lies in another part. */
  #hereIn({ part, durationMs }: Playback): number | null {
    const placeMs = this.#state.placeMs() - (part?.offsetMs ?? 0);
    return placeMs >= 0 && placeMs < durationMs ? placeMs : null;
  }

  async #attach(playback: Playback, startMs: number, attempt: number): Promise<void> {
    const isHls = playback.kind === 'hls';
    // hls.js wherever it can work: it says why it failed and switches renditions; a device's own player is for devices without.
    const needsHls = isHls && mediaSource() !== null;
    // This part of the page does not come where the line is down, or where the server has been updated since the page was loaded.
    const hls = needsHls ? await import('./hls-source.ts').catch(() => null) : null;
    if (attempt !== this.#attempt) return;
    if (needsHls && hls === null) {
      this.#fail({ kind: 'unreachable' });
      return;
    }
    if (isHls && hls === null && !playsHlsItself()) {
      this.#fail({ kind: 'undecodable', tried: [playback.method], detail: '' });
      return;
    }
    this.#held.hold();
    this.#closeSource();
    const before = this.#state.playback.peek();
    const isOther =
      before !== null &&
      before.part?.number === playback.part?.number &&
      (before.fileId !== playback.fileId || before.source.sizeBytes !== playback.source.sizeBytes);
    this.#isFileInDoubt = false;
    batch(() => {
      if (hls === null) this.#takeVariants([]);
      this.#state.fileChange.value = isOther ? 'replaced' : null;
      this.#state.playback.value = playback;
      this.#state.durationMs.value = playback.durationMs;
      this.#state.positionMs.value = startMs;
      this.#options.onOpened(playback);
      this.#state.phase.value = 'ready';
    });
    const events: SourceEvents = {
      onProblem: (problem, detail) => this.#onProblem(problem, detail),
      onVariants: (variants) => this.#takeVariants(variants),
      onVariant: (index) => {
        this.#state.variant.value = this.#state.variants.peek().find((variant) => variant.index === index) ?? null;
      },
      onSound: (name) => this.#options.onSound(name),
    };
    this.#state.seekTargetMs = null;
    this.#source =
      hls === null
        ? openFileSource(this.#video, playback.url, startMs, isHls ? 'nativeHls' : 'file', events, {
            names: playback.audioTracks.map(({ label }) => label),
            chosen: playback.audioTracks.findIndex(({ isSelected }) => isSelected),
          })
        : hls.openHlsSource(
            this.#video,
            playback.url,
            {
              startMs,
              lineBps: this.#options.lineBps(),
              hasOriginal: playback.variants.some(({ isOriginal }) => isOriginal),
            },
            events,
          );
    await this.#options.onAttached(playback);
  }

  /** The choice outlives the source: a rung of the same height is the same choice. */
  #takeVariants(variants: readonly SourceVariant[]): void {
    const quality = this.#state.quality.peek();
    const chosen = quality.kind === 'variant' ? this.#state.variants.peek()[quality.index] : undefined;
    const same = chosen && variants.find(({ height }) => height === chosen.height);
    batch(() => {
      this.#state.variants.value = variants;
      this.#state.variant.value = null;
      if (quality.kind === 'variant') {
        this.#state.quality.value = same ? { kind: 'variant', index: same.index } : { kind: 'auto' };
      }
    });
    if (same) this.#source?.chooseVariant(same.index);
  }

  /** The device's, with what the person or the line allows. */
  #limited(profile: DeviceProfile): DeviceProfile {
    const quality = this.#state.quality.peek();
    const maxBitrateBps = quality.kind === 'limit' ? quality.maxBitrateBps : this.#state.softenedBps.peek();
    return {
      ...profile,
      ...(maxBitrateBps !== null && { maxBitrateBps }),
      ...(this.#options.isNightSound() && { nightSound: true }),
    };
  }

  #onProblem(...[problem, detail]: Parameters<SourceEvents['onProblem']>): void {
    // A source asks for several parts at once, and each is told the same.
    if (problem === 'expired' && this.#isFileInDoubt) return;
    if (problem === 'undecodable') this.#detail = detail;
    const here = this.#state.placeMs();
    const playback = this.#state.playback.peek();
    if (problem === 'undecodable' && GONE.has(detail)) {
      // No device is to blame, and no other way of playing helps. It may be on its way to be replaced, which the server finds out soon.
      this.#reopenings += 1;
      this.#showWhetherLoaded();
      if (this.#reopenings > REOPENINGS) this.#fail({ kind: 'undecodable', tried: this.#without, detail });
      else this.#later = setTimeout(() => void this.open(this.#state.placeMs()), REOPEN_DELAY_MS);
      return;
    }
    if (problem === 'undecodable' && playback !== null && !this.#without.includes(playback.method)) {
      // Pictures encoded in a leaner codec are tried in the next one before a transcode is given up.
      const isLean = playback.method === 'transcode' && playback.sent.videoCodec !== 'h264';
      const isNews = learnFrom(this.#server, deviceLessons(), playback);
      if (!isLean || !isNews) this.#without = [...this.#without, playback.method];
      void this.open(here);
      return;
    }
    if (problem === 'undecodable') {
      this.#fail({ kind: 'undecodable', tried: this.#without, detail: this.#detail });
      return;
    }
    this.#reopenings += 1;
    if (this.#reopenings > REOPENINGS) {
      this.#fail({ kind: 'unreachable' });
      return;
    }
    if (problem === 'expired') {
      this.#isFileInDoubt = this.#state.hasPlayed;
      void this.open(here);
      return;
    }
    this.#showWhetherLoaded();
    if (this.#link.state.peek().kind === 'live') {
      this.#later = setTimeout(() => this.#goOn(this.#state.placeMs(), this.#options.audioTrack()), REOPEN_DELAY_MS);
    } else {
      this.#openWhenLive(here, this.#options.audioTrack());
    }
  }

  /** The server is there again. A picture that moves is not stopped for that: the source fetches what follows, where it can. */
  #goOn(startMs: number | null, audioTrack: number | null): void {
    const source = this.#source;
    const isLoaded = this.#video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && !this.#video.seeking;
    // An element that failed with its file is good for nothing more.
    if (this.#state.phase.peek() === 'ready' && isLoaded && source?.facts().engine === 'hls.js') {
      this.#reopenings = 0;
      source.restart();
    } else {
      void this.open(startMs, audioTrack);
    }
  }

  #openWhenLive(startMs: number | null, audioTrack: number | null): void {
    const attempt = ++this.#attempt;
    const stop = this.#link.state.subscribe((state) => {
      if (state.kind !== 'live') return;
      queueMicrotask(() => stop());
      if (attempt !== this.#attempt) return;
      // It played on, or was sought in, while it waited.
      this.#goOn(this.#state.playback.peek() === null ? startMs : this.#state.placeMs(), audioTrack);
    });
    this.#disposers.push(() => stop());
  }

  /** Goes on as soon as the movie has a file again. What was loaded before is shown meanwhile. */
  #openWhenPlayable(): void {
    this.#fileWaits += 1;
    if (this.#fileWaits > FILE_WAITS) {
      this.#fail({ kind: 'unreachable' });
      return;
    }
    const attempt = ++this.#attempt;
    const end = (): void => {
      clearTimeout(timer);
      unfollow();
    };
    const look = (movie: { readonly isPlayable: boolean } | null): void => {
      if (attempt !== this.#attempt) queueMicrotask(end);
      else if (movie?.isPlayable === true) {
        queueMicrotask(end);
        void this.open(this.#state.placeMs(), null);
      }
    };
    const timer = setTimeout(() => {
      unfollow();
      if (attempt === this.#attempt) this.#fail({ kind: 'unreachable' });
    }, FILE_WAIT_MS);
    batch(() => {
      this.#state.fileChange.value = 'awaited';
      this.#showWhetherLoaded();
    });
    const unfollow = this.#server.follow(movieFeed, this.#movie.movieId, {
      onSnapshot: ({ movie }) => look(movie),
      onEntries: (entries) => look(entries.at(-1)?.movie ?? null),
    });
    this.#disposers.push(end);
  }

  /** What was loaded before goes on playing. */
  #showWhetherLoaded(): void {
    this.#state.isBuffering.value = this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  #fail(failure: PlayerFailure): void {
    this.#closeSource();
    this.#held.release();
    this.#isFileInDoubt = false;
    this.#isMidway = false;
    batch(() => {
      this.#state.failure.value = failure;
      this.#state.phase.value = 'failed';
      this.#state.isBuffering.value = false;
      this.#state.isPlaying.value = false;
    });
  }

  #closeSource(): void {
    this.#source?.close();
    this.#source = null;
  }

  /** The file is one that the person did not choose, but that follows the one they chose. */
  #isFollowing(): boolean {
    return this.#fileId !== null && this.#fileId !== this.#movie.fileId;
  }
}

/** No file of the movie is where it was: nothing is said of what is in it. */
function isFileMissing({ code, data }: Failure): boolean {
  const { failure } = data as { readonly failure?: unknown };
  return code === 'notFound' || (typeof failure === 'string' && GONE.has(failure));
}
