/**
 * Playing one movie on one video element. Owns the opened playback, the source that feeds the element, and every way back from trouble.
 *
 * phase: opening → ready ⇄ ended; any → failed. `opening` also while a playback is opened anew, at the position where it stopped:
 * - the address expired → opened again as it was, unseen by the person
 * - the device could not play what came → opened again without that play method, down to the transcode
 * - the server did not answer → waits for the line, then opened again
 * - the file was taken away, as by a better one → opened again on whichever is there, or as soon as there is one
 * Also `opening` → ready: the next part of a movie that is cut into several files, at the end of the one before.
 *
 * Positions and lengths here are those of the file that plays; what is told to the server and where a playback is opened are places
 * in the whole movie.
 */
import { batch, effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { movieFeed } from '#protocol/feeds.ts';
import { playback as calls } from '#protocol/methods/playback.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { Infer, InputOf } from '#protocol/contract.ts';
import type { AudioChoice, PlayMethod, Playback, SubtitleChoice } from '#protocol/schema/playback.ts';
import type { Link, Server } from '#client/store/ports.ts';
import type { Preferences } from '#client/store/preferences.ts';
import type { ProgressStore } from '#client/store/progress.ts';
import { deviceProfile, mediaSource, playsHlsItself } from './browser-media.ts';
import { Captions } from './captions.ts';
import { ScreenWake, offerMediaSession, tellMediaSession } from './device-session.ts';
import { openFileSource } from './file-source.ts';
import type { Source, SourceFacts, SourceProblem } from './source.ts';

export type AudioOption = Infer<typeof AudioChoice>;
export type SubtitleOption = Infer<typeof SubtitleChoice>;

export type PlayerFailure =
  /** The server would not open the movie. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** Every way of playing was tried on this device. */
  | { readonly kind: 'undecodable'; readonly tried: readonly PlayMethod[]; readonly detail: string }
  /** The server answers calls but not for the media itself. */
  | { readonly kind: 'unreachable' };

/** The file that was played is gone: another one is waited for, or has taken its place. */
export type FileChange = 'awaited' | 'replaced';

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Live numbers for the info panel. */
export interface PlayerFacts {
  readonly source: SourceFacts | null;
  readonly width: number;
  readonly height: number;
  readonly droppedFrames: number;
  readonly totalFrames: number;
  readonly bufferedAheadMs: number;
}

export interface PlayerMovie {
  readonly movieId: string;
  readonly fileId: string | null;
  readonly isFromStart: boolean;
}

const REPORT_MS = 10_000;
/** Silent reopenings in a row without any playing in between, after which the person is told. */
const REOPENINGS = 4;
const REOPEN_DELAY_MS = 1_500;
/** A large file takes this long to be copied to its place, where it is not moved. */
const FILE_WAIT_MS = 20 * 60_000;
/** Files that came and could not be opened after all, before the person is told. */
const FILE_WAITS = 5;

export class Player {
  readonly #server: Server;
  readonly #link: Pick<Link, 'state'>;
  readonly #progress: ProgressStore;
  readonly #preferences: Preferences;
  readonly #video: HTMLVideoElement;
  readonly #movie: PlayerMovie;
  readonly captions: Captions;
  readonly #wake = new ScreenWake();
  readonly #disposers: (() => void)[] = [];

  readonly #phase = signal<'opening' | 'ready' | 'ended' | 'failed'>('opening');
  readonly #playback = signal<Playback | null>(null);
  readonly #failure = signal<PlayerFailure | null>(null);
  readonly #isPlaying = signal(false);
  readonly #isBuffering = signal(true);
  readonly #isBlocked = signal(false);
  readonly #positionMs = signal(0);
  readonly #durationMs = signal(0);
  readonly #buffered = signal<readonly Span[]>([]);
  readonly #rate = signal(1);
  readonly #isInPicture = signal(false);
  readonly #fileChange = signal<FileChange | null>(null);
  readonly #audioTrack = signal<number | null>(null);
  readonly #captionTrack = signal<number | null>(null);

  #source: Source | null = null;
  #without: readonly PlayMethod[] = [];
  #opening = 0;
  #reopenings = 0;
  #wantsPlaying = true;
  #hasPlayed = false;
  /** The file that the person chose; any will do once that one is gone. */
  #fileId: string | null;
  /** The address that was played from is no longer accepted, and no other has been opened since. */
  #isFileInDoubt = false;
  #fileWaits = 0;
  #seekTargetMs: number | null = null;
  /** What the last way of playing ended in. */
  #detail = '';
  readonly #report: ReturnType<typeof setInterval>;
  #later: ReturnType<typeof setTimeout> | undefined;
  #endMediaSession: () => void = () => undefined;
  #isDisposed = false;

  constructor(
    server: Server,
    link: Pick<Link, 'state'>,
    progress: ProgressStore,
    preferences: Preferences,
    video: HTMLVideoElement,
    movie: PlayerMovie,
  ) {
    this.#server = server;
    this.#link = link;
    this.#progress = progress;
    this.#preferences = preferences;
    this.#video = video;
    this.#movie = movie;
    this.#fileId = movie.fileId;
    this.captions = new Captions(video, () => this.#onCaptionsFailed());
    this.#listen();
    this.#disposers.push(
      effect(() => {
        video.volume = preferences.volume.value;
        video.muted = preferences.isMuted.value;
      }),
    );
    this.#report = setInterval(() => {
      if (this.#isPlaying.peek()) this.#reportNow();
    }, REPORT_MS);
    void this.#open(movie.isFromStart ? 0 : null);
  }

  get phase(): ReadonlySignal<'opening' | 'ready' | 'ended' | 'failed'> {
    return this.#phase;
  }

  /** What the server opened; `null` before its first answer. */
  get playback(): ReadonlySignal<Playback | null> {
    return this.#playback;
  }

  get failure(): ReadonlySignal<PlayerFailure | null> {
    return this.#failure;
  }

  get isPlaying(): ReadonlySignal<boolean> {
    return this.#isPlaying;
  }

  /** What has become of the file that was played; `null` as long as it is there. */
  get fileChange(): ReadonlySignal<FileChange | null> {
    return this.#fileChange;
  }

  /** The person wants it to play and it does not yet. */
  get isBuffering(): ReadonlySignal<boolean> {
    return this.#isBuffering;
  }

  /** The browser wants a click before it makes a sound. */
  get isBlocked(): ReadonlySignal<boolean> {
    return this.#isBlocked;
  }

  /** Where the movie is, or is being sought to. */
  get positionMs(): ReadonlySignal<number> {
    return this.#positionMs;
  }

  get durationMs(): ReadonlySignal<number> {
    return this.#durationMs;
  }

  get buffered(): ReadonlySignal<readonly Span[]> {
    return this.#buffered;
  }

  get rate(): ReadonlySignal<number> {
    return this.#rate;
  }

  get isInPicture(): ReadonlySignal<boolean> {
    return this.#isInPicture;
  }

  /** FFmpeg's number of the audio track that plays. */
  get audioTrack(): ReadonlySignal<number | null> {
    return this.#audioTrack;
  }

  /** FFmpeg's number of the subtitle track that shows; `null` for none. */
  get captionTrack(): ReadonlySignal<number | null> {
    return this.#captionTrack;
  }

  play(): void {
    this.#wantsPlaying = true;
    this.#isBlocked.value = false;
    if (this.#phase.peek() === 'ended' && this.#partOffsetMs() > 0) {
      // What has ended is the last part, and it begins anew with the first.
      this.#fileId = null;
      void this.#open(0);
      return;
    }
    if (this.#phase.peek() === 'ended') this.seekTo(0);
    void this.#start();
  }

  pause(): void {
    this.#wantsPlaying = false;
    this.#video.pause();
  }

  togglePlay(): void {
    if (this.#video.paused) this.play();
    else this.pause();
  }

  seekTo(ms: number): void {
    const target = Math.min(Math.max(0, ms), Math.max(0, this.#durationMs.peek() - 100));
    this.#seekTargetMs = target;
    batch(() => {
      this.#positionMs.value = target;
      if (this.#phase.peek() === 'ended') this.#phase.value = 'ready';
    });
    if (this.#source !== null && this.#video.readyState > 0) this.#video.currentTime = target / 1_000;
  }

  /** Presses in quick succession add up, also while the first is still on its way. */
  seekBy(ms: number): void {
    this.seekTo((this.#seekTargetMs ?? this.#positionMs.peek()) + ms);
  }

  frameBy(steps: number): void {
    this.pause();
    const rate = this.#frameRate();
    this.seekTo(this.#video.currentTime * 1_000 + (steps * 1_000) / rate);
  }

  chapterBy(steps: number): void {
    const chapters = this.#playback.peek()?.chapters ?? [];
    const now = this.#positionMs.peek();
    // Back within the first seconds of a chapter means the one before.
    const current = chapters.findLastIndex(({ startMs }) => startMs <= now - (steps < 0 ? 3_000 : 0));
    const target = chapters[Math.max(0, steps < 0 ? current : current + steps)];
    if (target !== undefined) this.seekTo(target.startMs);
  }

  /** Goes on to the next part of a movie that is cut into several files. Whether there is one. */
  nextPart(): boolean {
    const playback = this.#playback.peek();
    const fileId = playback?.part?.nextFileId ?? null;
    if (playback === null || fileId === null) return false;
    this.#fileId = fileId;
    // What could not be played was the file before.
    this.#without = [];
    this.#wantsPlaying = true;
    void this.#open(this.#partOffsetMs() + playback.durationMs);
    return true;
  }

  setRate(rate: number): void {
    this.#video.playbackRate = rate;
    this.#video.defaultPlaybackRate = rate;
  }

  chooseAudio(trackIndex: number): void {
    if (trackIndex === this.#audioTrack.peek()) return;
    const option = this.#playback.peek()?.audioTracks.find((track) => track.trackIndex === trackIndex);
    if (option === undefined) return;
    this.#audioTrack.value = trackIndex;
    // A rendition of the playlist has the name of its choice. In a file as it is there is nothing to switch.
    if (this.#source?.switchRendition(option.label) === true) return;
    void this.#open(this.#here(), trackIndex);
  }

  /** `null` turns subtitles off. The choice is remembered for the next movie. */
  chooseCaptions(trackIndex: number | null): void {
    const option = this.#playback.peek()?.subtitleTracks.find((track) => track.trackIndex === trackIndex);
    this.#preferences.areCaptionsOn.value = option !== undefined;
    if (option !== undefined) this.#preferences.captionLanguage.value = option.language ?? '';
    this.#showCaptions(option ?? null);
  }

  toggleCaptions(): void {
    const options = this.showableCaptions();
    if (this.#captionTrack.peek() !== null) this.chooseCaptions(null);
    else this.chooseCaptions(preferredCaptions(options, this.#preferences.captionLanguage.peek())?.trackIndex ?? null);
  }

  showableCaptions(): readonly SubtitleOption[] {
    return this.#playback.value?.subtitleTracks.filter((track) => track.url !== null) ?? [];
  }

  async togglePictureInPicture(): Promise<void> {
    if (document.pictureInPictureElement === this.#video) await document.exitPictureInPicture();
    else if (document.pictureInPictureEnabled) await this.#video.requestPictureInPicture();
  }

  /** Names the movie to the device: lock screen, media keys. */
  introduce(title: string, artworkUrl: string | null): void {
    this.#endMediaSession();
    this.#endMediaSession = offerMediaSession(title, artworkUrl, {
      play: () => this.play(),
      pause: () => this.pause(),
      seekBy: (ms) => this.seekBy(ms),
      seekTo: (ms) => this.seekTo(ms),
      next: this.#playback.peek()?.part?.nextFileId == null ? null : () => this.nextPart(),
    });
    this.#tellDevice();
  }

  /** After a failure that the person was told of: everything from the beginning, at the position where it stopped. */
  tryAgain(): void {
    this.#without = [];
    this.#reopenings = 0;
    void this.#open(this.#hasPlayed ? this.#here() : this.#movie.isFromStart ? 0 : null);
  }

  facts(): PlayerFacts {
    const quality = this.#video.getVideoPlaybackQuality();
    const here = this.#video.currentTime * 1_000;
    const span = this.#buffered.peek().find(({ startMs, endMs }) => startMs <= here + 100 && endMs >= here);
    return {
      source: this.#source?.facts() ?? null,
      width: this.#video.videoWidth,
      height: this.#video.videoHeight,
      droppedFrames: quality.droppedVideoFrames,
      totalFrames: quality.totalVideoFrames,
      bufferedAheadMs: span === undefined ? 0 : Math.max(0, span.endMs - here),
    };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#reportNow();
    this.#isDisposed = true;
    this.#opening += 1;
    clearInterval(this.#report);
    clearTimeout(this.#later);
    for (const dispose of this.#disposers) dispose();
    this.captions.hide();
    this.#source?.close();
    this.#source = null;
    this.#wake.dispose();
    this.#endMediaSession();
    if (document.pictureInPictureElement === this.#video) void document.exitPictureInPicture();
  }

  /** Opens the movie at a place in it; `null` means where this person left off. */
  async #open(startMs: number | null, audioTrack: number | null = this.#audioTrack.peek()): Promise<void> {
    const opening = ++this.#opening;
    clearTimeout(this.#later);
    batch(() => {
      this.#phase.value = 'opening';
      this.#failure.value = null;
      this.#isBuffering.value = true;
    });
    try {
      const input: InputOf<typeof calls.open> = {
        movieId: this.#movie.movieId,
        profile: await deviceProfile(),
        without: [...this.#without],
        ...(this.#fileId !== null && { fileId: this.#fileId }),
        ...(startMs !== null && { startMs: Math.round(startMs) }),
        ...(audioTrack !== null && { audioTrack }),
      };
      const playback = await this.#server.call(calls.open, input);
      if (opening !== this.#opening) return;
      // In a file of unknown length the server can't tell the place.
      const placeMs = startMs !== null && playback.durationMs === 0 ? startMs : playback.resumeMs;
      await this.#attach(playback, placeMs, opening);
    } catch (error) {
      if (opening !== this.#opening) return;
      if (!isFailure(error)) throw error;
      const isGone = error.code === 'notPlayable' || error.code === 'notFound';
      if (error.code === 'disconnected') this.#openWhenLive(startMs, audioTrack);
      else if (isGone && this.#isFollowing()) {
        // The part that was to follow: whatever is at its place now.
        this.#fileId = null;
        void this.#open(startMs, null);
      } else if (isGone && this.#isFileInDoubt) {
        if (this.#fileId === null) this.#openWhenPlayable();
        else {
          this.#fileId = null;
          void this.#open(this.#here(), null);
        }
      } else {
        const isExhausted = this.#without.length > 0 && error.code === 'notPlayable';
        this.#fail(
          isExhausted
            ? { kind: 'undecodable', tried: this.#without, detail: this.#detail }
            : { kind: 'refused', failure: error },
        );
      }
    }
  }

  async #attach(playback: Playback, startMs: number, opening: number): Promise<void> {
    const isHls = playback.kind === 'hls';
    // hls.js wherever it can work: it says why it failed and switches renditions; a device's own player is for devices without.
    const hls = isHls && mediaSource() !== null ? await import('./hls-source.ts') : null;
    if (opening !== this.#opening) return;
    if (isHls && hls === null && !playsHlsItself()) {
      this.#fail({ kind: 'undecodable', tried: [playback.method], detail: '' });
      return;
    }
    this.#source?.close();
    this.#source = null;
    const before = this.#playback.peek();
    const isOther =
      before !== null &&
      before.part?.number === playback.part?.number &&
      (before.fileId !== playback.fileId || before.source.sizeBytes !== playback.source.sizeBytes);
    this.#isFileInDoubt = false;
    batch(() => {
      this.#fileChange.value = isOther ? 'replaced' : null;
      this.#playback.value = playback;
      this.#durationMs.value = playback.durationMs;
      this.#positionMs.value = startMs;
      this.#audioTrack.value = playback.audioTracks.find((track) => track.isSelected)?.trackIndex ?? null;
      this.#phase.value = 'ready';
    });
    const events = {
      onProblem: (problem: SourceProblem, detail: string): void => this.#onProblem(problem, detail),
    };
    this.#seekTargetMs = null;
    this.#source =
      hls === null
        ? openFileSource(this.#video, playback.url, startMs, isHls ? 'nativeHls' : 'file', events)
        : hls.openHlsSource(this.#video, playback.url, startMs, events);
    this.#video.playbackRate = this.#rate.peek();
    this.#showCaptions(this.#captionsToShow(playback));
    if (this.#wantsPlaying) await this.#start();
  }

  async #start(): Promise<void> {
    try {
      await this.#video.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        batch(() => {
          this.#isBlocked.value = true;
          this.#isBuffering.value = false;
        });
      }
      // `AbortError`: paused or given another source meanwhile. `NotSupportedError` arrives as an `error` event too.
    }
  }

  #onProblem(problem: SourceProblem, detail: string): void {
    // A source asks for several parts at once, and each is told the same.
    if (problem === 'expired' && this.#isFileInDoubt) return;
    if (problem === 'undecodable') this.#detail = detail;
    const here = this.#here();
    const method = this.#playback.peek()?.method;
    if (problem === 'undecodable' && method !== undefined && !this.#without.includes(method)) {
      this.#without = [...this.#without, method];
      void this.#open(here);
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
      this.#isFileInDoubt = this.#hasPlayed;
      void this.#open(here);
      return;
    }
    // What was loaded before goes on playing.
    this.#isBuffering.value = this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (this.#link.state.peek().kind === 'live') {
      this.#later = setTimeout(() => void this.#open(this.#here()), REOPEN_DELAY_MS);
    } else {
      this.#openWhenLive(here, this.#audioTrack.peek());
    }
  }

  #openWhenLive(startMs: number | null, audioTrack: number | null): void {
    const opening = ++this.#opening;
    const stop = this.#link.state.subscribe((state) => {
      if (state.kind !== 'live') return;
      queueMicrotask(() => stop());
      if (opening !== this.#opening) return;
      // It played on, or was sought in, while it waited.
      void this.#open(this.#playback.peek() === null ? startMs : this.#here(), audioTrack);
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
    const opening = ++this.#opening;
    const end = (): void => {
      clearTimeout(timer);
      unfollow();
    };
    const look = (movie: { readonly isPlayable: boolean } | null): void => {
      if (opening !== this.#opening) queueMicrotask(end);
      else if (movie?.isPlayable === true) {
        queueMicrotask(end);
        void this.#open(this.#here(), null);
      }
    };
    const timer = setTimeout(() => {
      unfollow();
      if (opening === this.#opening) this.#fail({ kind: 'unreachable' });
    }, FILE_WAIT_MS);
    batch(() => {
      this.#fileChange.value = 'awaited';
      this.#isBuffering.value = this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    });
    const unfollow = this.#server.follow(movieFeed, this.#movie.movieId, {
      onSnapshot: ({ movie }) => look(movie),
      onEntries: (entries) => look(entries.at(-1)?.movie ?? null),
    });
    this.#disposers.push(end);
  }

  #fail(failure: PlayerFailure): void {
    this.#source?.close();
    this.#source = null;
    this.#isFileInDoubt = false;
    batch(() => {
      this.#failure.value = failure;
      this.#phase.value = 'failed';
      this.#isBuffering.value = false;
      this.#isPlaying.value = false;
    });
    this.#wake.want(false);
  }

  /** The file is one that the person did not choose, but that follows the one they chose. */
  #isFollowing(): boolean {
    return this.#fileId !== null && this.#fileId !== this.#movie.fileId;
  }

  /** Where in the movie to go on after a reopening. */
  #here(): number {
    return this.#partOffsetMs() + (this.#seekTargetMs ?? this.#positionMs.peek());
  }

  /** Where in the movie the file begins that plays. */
  #partOffsetMs(): number {
    return this.#playback.peek()?.part?.offsetMs ?? 0;
  }

  #listen(): void {
    const video = this.#video;
    const on = <K extends keyof HTMLVideoElementEventMap>(
      type: K,
      listener: (event: HTMLVideoElementEventMap[K]) => void,
    ): void => {
      video.addEventListener(type, listener);
      this.#disposers.push(() => video.removeEventListener(type, listener));
    };
    on('playing', () => {
      this.#hasPlayed = true;
      this.#reopenings = 0;
      this.#fileWaits = 0;
      batch(() => {
        this.#isPlaying.value = true;
        this.#isBuffering.value = false;
        this.#isBlocked.value = false;
      });
      this.#wake.want(true);
      this.#tellDevice();
    });
    on('pause', () => {
      this.#isPlaying.value = false;
      this.#wake.want(false);
      this.#tellDevice();
      if (!video.ended) this.#reportNow();
    });
    on('waiting', () => {
      this.#isBuffering.value = this.#wantsPlaying || this.#seekTargetMs !== null;
    });
    on('canplay', () => {
      this.#isBuffering.value = false;
    });
    on('timeupdate', () => {
      if (this.#seekTargetMs !== null || this.#source === null || video.readyState < 1) return;
      this.#positionMs.value = video.currentTime * 1_000;
    });
    on('seeked', () => {
      const target = this.#seekTargetMs;
      // A newer target was set while this seek was running: it is on its way already.
      if (target !== null && Math.abs(video.currentTime * 1_000 - target) > 1_500) return;
      this.#seekTargetMs = null;
      this.#positionMs.value = video.currentTime * 1_000;
      this.#isBuffering.value = false;
      this.#tellDevice();
      this.#reportNow();
    });
    on('durationchange', () => {
      if (Number.isFinite(video.duration) && video.duration > 0) this.#durationMs.value = video.duration * 1_000;
    });
    on('loadedmetadata', () => {
      // Sought before there was anything to seek in.
      if (this.#seekTargetMs !== null) video.currentTime = this.#seekTargetMs / 1_000;
    });
    on('progress', () => {
      this.#buffered.value = Array.from({ length: video.buffered.length }, (_, index) => ({
        startMs: video.buffered.start(index) * 1_000,
        endMs: video.buffered.end(index) * 1_000,
      }));
    });
    on('ratechange', () => {
      this.#rate.value = video.playbackRate;
      this.#tellDevice();
    });
    on('ended', () => {
      batch(() => {
        this.#phase.value = 'ended';
        this.#isPlaying.value = false;
        this.#positionMs.value = this.#durationMs.peek();
      });
      this.#reportNow();
      if (this.nextPart()) return;
      this.#wantsPlaying = false;
      this.#wake.want(false);
    });
    on('enterpictureinpicture', () => {
      this.#isInPicture.value = true;
      this.captions.drawNatively(true);
    });
    on('leavepictureinpicture', () => {
      this.#isInPicture.value = false;
      this.captions.drawNatively(false);
    });
    // An iPhone plays full screen in its own player, which the page can't draw over.
    const onNativeStart = (): void => this.captions.drawNatively(true);
    const onNativeEnd = (): void => this.captions.drawNatively(false);
    video.addEventListener('webkitbeginfullscreen', onNativeStart);
    video.addEventListener('webkitendfullscreen', onNativeEnd);

    const onLeave = (): void => {
      this.#reportNow();
      this.#progress.flushOnLeave();
    };
    const onHidden = (): void => {
      if (document.visibilityState === 'hidden') onLeave();
    };
    addEventListener('pagehide', onLeave);
    document.addEventListener('visibilitychange', onHidden);
    this.#disposers.push(() => {
      video.removeEventListener('webkitbeginfullscreen', onNativeStart);
      video.removeEventListener('webkitendfullscreen', onNativeEnd);
      removeEventListener('pagehide', onLeave);
      document.removeEventListener('visibilitychange', onHidden);
    });
  }

  /** Only what was really seen is told: opening a movie and leaving again changes nothing. */
  #reportNow(): void {
    if (!this.#hasPlayed || this.#isDisposed) return;
    // Nobody has seen a movie for having seen its trailer.
    const playback = this.#playback.peek();
    if (playback?.isExtra === true) return;
    const placeMs = this.#partOffsetMs() + this.#positionMs.peek();
    this.#progress.report(this.#movie.movieId, placeMs, playback?.part?.movieDurationMs ?? this.#durationMs.peek());
  }

  #tellDevice(): void {
    tellMediaSession(this.#isPlaying.peek(), this.#positionMs.peek(), this.#durationMs.peek(), this.#rate.peek());
  }

  #frameRate(): number {
    const quality = this.#video.getVideoPlaybackQuality();
    const seconds = this.#video.currentTime;
    const measured = seconds > 5 ? quality.totalVideoFrames / seconds : 0;
    return measured >= 20 && measured <= 65 ? measured : 24;
  }

  #captionsToShow(playback: Playback): SubtitleOption | null {
    const options = playback.subtitleTracks.filter((track) => track.url !== null);
    const current = this.#captionTrack.peek();
    if (current !== null) return options.find((track) => track.trackIndex === current) ?? null;
    if (this.#preferences.areCaptionsOn.peek()) {
      return preferredCaptions(options, this.#preferences.captionLanguage.peek());
    }
    // Forced subtitles translate what is foreign in the language that is heard, so they belong to the sound.
    const heard = playback.audioTracks.find((track) => track.isSelected)?.language ?? null;
    return options.find((track) => track.isForced && track.language === heard) ?? null;
  }

  #showCaptions(option: SubtitleOption | null): void {
    this.#captionTrack.value = option?.trackIndex ?? null;
    if (option?.url == null) this.captions.hide();
    else this.captions.show(option.url, option.language, option.label);
  }

  #onCaptionsFailed(): void {
    const playback = this.#playback.peek();
    if (playback !== null && playback.expiresAt <= this.#server.now() && this.#reopenings < REOPENINGS) {
      this.#reopenings += 1;
      void this.#open(this.#here());
      return;
    }
    this.#captionTrack.value = null;
    this.captions.hide();
  }
}

/** In the language chosen last, whole dialogue before forced signs, plain before hearing-impaired. */
export function preferredCaptions(options: readonly SubtitleOption[], language: string): SubtitleOption | null {
  const score = (option: SubtitleOption): number =>
    Number((option.language ?? '') === language) * 8 +
    Number(!option.isForced) * 4 +
    Number(option.isDefault) * 2 +
    Number(!option.isHearingImpaired);
  return options.reduce<SubtitleOption | null>(
    (best, option) => (best === null || score(option) > score(best) ? option : best),
    null,
  );
}
