/**
 * Playing one movie on one video element: what a screen can see of it and ask of it. Its parts each own one thing:
 * `opening.ts` the way of the movie onto the element and back from trouble, `element-watch.ts` what the element tells,
 * `track-selection.ts` audio and subtitles, `place-report.ts` what the server is told, `device-session.ts` the device around it.
 *
 * phase: opening → ready ⇄ ended; any → failed.
 *
 * Positions and lengths here are those of the file that plays; what is told to the server and where a playback is opened are places
 * in the whole movie.
 */
import { batch, effect } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Playback } from '#protocol/schema/playback.ts';
import type { Link, Server } from '#client/store/ports.ts';
import type { Preferences } from '#client/store/preferences.ts';
import type { ProgressStore } from '#client/store/progress.ts';
import type { Captions } from './captions.ts';
import { ScreenWake, offerMediaSession, tellMediaSession } from './device-session.ts';
import { watchElement } from './element-watch.ts';
import { Opening } from './opening.ts';
import { PlaceReport } from './place-report.ts';
import { PlayerState } from './player-state.ts';
import type { FileChange, PlayerFacts, PlayerFailure, PlayerMovie, PlayerPhase, Span } from './player-state.ts';
import { TrackSelection } from './track-selection.ts';

export class Player {
  readonly tracks: TrackSelection;
  readonly #state = new PlayerState();
  readonly #video: HTMLVideoElement;
  readonly #movie: PlayerMovie;
  readonly #opening: Opening;
  readonly #report: PlaceReport;
  readonly #wake = new ScreenWake();
  readonly #disposers: (() => void)[] = [];
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
    this.#video = video;
    this.#movie = movie;
    const state = this.#state;
    this.#opening = new Opening({
      ...{ server, link, state, video, movie },
      audioTrack: () => this.tracks.audioTrack.peek(),
      onOpened: (playback) => this.tracks.takeAudio(playback),
      onAttached: async (playback) => {
        video.playbackRate = state.rate.peek();
        this.tracks.takeCaptions(playback);
        if (state.wantsPlaying) await this.#start();
      },
    });
    this.tracks = new TrackSelection(video, state, preferences, {
      switchRendition: (name) => this.#opening.source?.switchRendition(name) === true,
      reopen: (audioTrack) => void this.#opening.open(state.placeMs(), audioTrack),
      renewAddress: () => this.#opening.renewAddress(),
    });
    this.#report = new PlaceReport(state, progress, movie.movieId);
    this.#disposers.push(
      watchElement(video, state, {
        onPlaying: () => this.#opening.onPlaying(),
        onMilestone: () => this.#report.report(),
        onEnded: () => this.nextPart(),
        onMoved: () => this.#tellDevice(),
        onNativeDrawing: (isNative) => this.captions.drawNatively(isNative),
      }),
      effect(() => {
        video.volume = preferences.volume.value;
        video.muted = preferences.isMuted.value;
      }),
      effect(() => this.#wake.want(state.isPlaying.value)),
    );
    void this.#opening.open(movie.isFromStart ? 0 : null);
  }

  get captions(): Captions {
    return this.tracks.captions;
  }

  get phase(): ReadonlySignal<PlayerPhase> {
    return this.#state.phase;
  }

  /** What the server opened; `null` before its first answer. */
  get playback(): ReadonlySignal<Playback | null> {
    return this.#state.playback;
  }

  get failure(): ReadonlySignal<PlayerFailure | null> {
    return this.#state.failure;
  }

  get isPlaying(): ReadonlySignal<boolean> {
    return this.#state.isPlaying;
  }

  /** What has become of the file that was played; `null` as long as it is there. */
  get fileChange(): ReadonlySignal<FileChange | null> {
    return this.#state.fileChange;
  }

  /** The person wants it to play and it does not yet. */
  get isBuffering(): ReadonlySignal<boolean> {
    return this.#state.isBuffering;
  }

  /** The browser wants a click before it makes a sound. */
  get isBlocked(): ReadonlySignal<boolean> {
    return this.#state.isBlocked;
  }

  /** Where the file is, or is being sought to. */
  get positionMs(): ReadonlySignal<number> {
    return this.#state.positionMs;
  }

  get durationMs(): ReadonlySignal<number> {
    return this.#state.durationMs;
  }

  get buffered(): ReadonlySignal<readonly Span[]> {
    return this.#state.buffered;
  }

  get rate(): ReadonlySignal<number> {
    return this.#state.rate;
  }

  get isInPicture(): ReadonlySignal<boolean> {
    return this.#state.isInPicture;
  }

  play(): void {
    this.#state.wantsPlaying = true;
    this.#state.isBlocked.value = false;
    if (this.#state.phase.peek() === 'ended' && this.#state.partOffsetMs() > 0) {
      // What has ended is the last part, and it begins anew with the first.
      this.#opening.openFromBeginning();
      return;
    }
    if (this.#state.phase.peek() === 'ended') this.seekTo(0);
    void this.#start();
  }

  pause(): void {
    this.#state.wantsPlaying = false;
    this.#video.pause();
  }

  togglePlay(): void {
    if (this.#video.paused) this.play();
    else this.pause();
  }

  seekTo(ms: number): void {
    const target = Math.min(Math.max(0, ms), Math.max(0, this.#state.durationMs.peek() - 100));
    this.#state.seekTargetMs = target;
    batch(() => {
      this.#state.positionMs.value = target;
      if (this.#state.phase.peek() === 'ended') this.#state.phase.value = 'ready';
    });
    if (this.#opening.source !== null && this.#video.readyState > 0) this.#video.currentTime = target / 1_000;
  }

  /** Presses in quick succession add up, also while the first is still on its way. */
  seekBy(ms: number): void {
    this.seekTo((this.#state.seekTargetMs ?? this.#state.positionMs.peek()) + ms);
  }

  frameBy(steps: number): void {
    this.pause();
    const rate = this.#frameRate();
    this.seekTo(this.#video.currentTime * 1_000 + (steps * 1_000) / rate);
  }

  chapterBy(steps: number): void {
    const chapters = this.#state.playback.peek()?.chapters ?? [];
    const now = this.#state.positionMs.peek();
    // Back within the first seconds of a chapter means the one before.
    const current = chapters.findLastIndex(({ startMs }) => startMs <= now - (steps < 0 ? 3_000 : 0));
    const target = chapters[Math.max(0, steps < 0 ? current : current + steps)];
    if (target !== undefined) this.seekTo(target.startMs);
  }

  /** Goes on to the next part of a movie that is cut into several files. Whether there is one. */
  nextPart(): boolean {
    return this.#opening.nextPart();
  }

  setRate(rate: number): void {
    this.#video.playbackRate = rate;
    this.#video.defaultPlaybackRate = rate;
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
      next: this.#state.playback.peek()?.part?.nextFileId == null ? null : () => this.nextPart(),
    });
    this.#tellDevice();
  }

  /** After a failure that the person was told of: everything from the beginning, at the position where it stopped. */
  tryAgain(): void {
    this.#opening.tryAgain(this.#state.hasPlayed ? this.#state.placeMs() : this.#movie.isFromStart ? 0 : null);
  }

  facts(): PlayerFacts {
    const quality = this.#video.getVideoPlaybackQuality();
    const here = this.#video.currentTime * 1_000;
    const span = this.#state.buffered.peek().find(({ startMs, endMs }) => startMs <= here + 100 && endMs >= here);
    return {
      source: this.#opening.source?.facts() ?? null,
      width: this.#video.videoWidth,
      height: this.#video.videoHeight,
      droppedFrames: quality.droppedVideoFrames,
      totalFrames: quality.totalVideoFrames,
      bufferedAheadMs: span === undefined ? 0 : Math.max(0, span.endMs - here),
    };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#report.dispose();
    for (const dispose of this.#disposers) dispose();
    this.captions.hide();
    this.#opening.dispose();
    this.#wake.dispose();
    this.#endMediaSession();
    if (document.pictureInPictureElement === this.#video) void document.exitPictureInPicture();
  }

  async #start(): Promise<void> {
    try {
      await this.#video.play();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') {
        batch(() => {
          this.#state.isBlocked.value = true;
          this.#state.isBuffering.value = false;
        });
      }
      // `AbortError`: paused or given another source meanwhile. `NotSupportedError` arrives as an `error` event too.
    }
  }

  #tellDevice(): void {
    const { isPlaying, positionMs, durationMs, rate } = this.#state;
    tellMediaSession(isPlaying.peek(), positionMs.peek(), durationMs.peek(), rate.peek());
  }

  #frameRate(): number {
    const quality = this.#video.getVideoPlaybackQuality();
    const seconds = this.#video.currentTime;
    const measured = seconds > 5 ? quality.totalVideoFrames / seconds : 0;
    return measured >= 20 && measured <= 65 ? measured : 24;
  }
}
