/**
 * Playing one movie on one video element: what a screen can see of it and ask of it. Its parts each own one thing:
 * `opening.ts` the way of the movie onto the element and back from trouble, `element-watch.ts` what the element tells,
 * `track-selection.ts` audio and subtitles, `place-report.ts` what the server is told, `device-session.ts` the device around it,
 * `frame-clock.ts` single frames, `loop.ts` a part that repeats, `sleep-timer.ts` the end of the evening, `weak-line.ts` a line
 * that does not carry the movie, `standstill.ts` one over which nothing comes, `remote-playback.ts` screens that the browser knows.
 *
 * phase: opening → ready ⇄ ended; any → failed.
 *
 * Positions and lengths here are those of the file that plays; what is told to the server and where a playback is opened are places
 * in the whole movie.
 */
import { batch, effect } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { preferences as preferenceCalls } from '#protocol/methods/preferences.ts';
import { subtitles as subtitleCalls } from '#protocol/methods/subtitles.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import type { Link, Server } from '#client/store/ports.ts';
import type { Preferences } from '#client/store/preferences.ts';
import type { ProgressStore } from '#client/store/progress.ts';
import { deviceLessons, drawsStyledSubtitles, drawsSubtitlePictures } from './browser-media.ts';
import type { Captions } from './captions.ts';
import { ScreenWake, offerMediaSession, tellMediaSession } from './device-session.ts';
import type { Billing } from './device-session.ts';
import { watchElement } from './element-watch.ts';
import { FrameClock, frameTarget } from './frame-clock.ts';
import { learnUndrawn } from './lesson-report.ts';
import { Loop } from './loop.ts';
import { Opening } from './opening.ts';
import { PlaceReport } from './place-report.ts';
import { PlayerState } from './player-state.ts';
import type {
  FileChange,
  PlayerFacts,
  PlayerFailure,
  PlayerMovie,
  PlayerPhase,
  QualityChoice,
  Span,
} from './player-state.ts';
import { RemotePlayback } from './remote-playback.ts';
import { SleepTimer } from './sleep-timer.ts';
import type { SourceVariant } from './source.ts';
import { Standstill } from './standstill.ts';
import type { StandstillStep } from './standstill.ts';
import { TrackSelection } from './track-selection.ts';
import { WeakLine } from './weak-line.ts';

const LINE_LOOK_MS = 1_000;
/** A seek often goes to where a frame begins, as every whole second may be: one frame from there rounding would decide which is shown. */
const BESIDE_BORDER_MS = 2;
/** Of what a picture took that does not come, a softer one gets so much. */
const SOFTER_SHARE = 0.4;
const UNKNOWN_BITRATE_BPS = 4_000_000;
const SOFTEST_BPS = 400_000;
/** What is remembered of the line is written as rarely as this. */
const LINE_KEPT_MS = 15_000;

export class Player {
  readonly tracks: TrackSelection;
  readonly loop = new Loop();
  readonly sleep: SleepTimer;
  readonly remote: RemotePlayback;
  readonly #state = new PlayerState();
  readonly #video: HTMLVideoElement;
  readonly #movie: PlayerMovie;
  readonly #opening: Opening;
  readonly #report: PlaceReport;
  readonly #wake = new ScreenWake();
  readonly #frames: FrameClock;
  readonly #weakLine = new WeakLine();
  readonly #standstill = new Standstill();
  readonly #preferences: Preferences;
  readonly #link: Pick<Link, 'state'>;
  readonly #disposers: (() => void)[] = [];
  #endMediaSession: () => void = () => undefined;
  #lastFrameMs = 0;
  /** Where the last step by a frame led. */
  #steppedToMs = -1;
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
    this.#preferences = preferences;
    this.#link = link;
    const state = this.#state;
    video.preservesPitch = true;
    this.remote = new RemotePlayback(video);
    this.#frames = new FrameClock(video);
    this.sleep = new SleepTimer({
      positionMs: () => state.positionMs.peek(),
      rate: () => state.rate.peek(),
      chapterEndMs: (ms) => this.#chapterEndMs(ms),
      pause: () => this.pause(),
      now: () => Date.now(),
    });
    this.#opening = new Opening({
      ...{ server, link, state, video, movie },
      lineBps: () => preferences.lineBps.peek() || null,
      isNightSound: () => preferences.isNightSound.peek(),
      audioTrack: () => this.tracks.chosenAudioTrack,
      subtitle: (fileId) => this.tracks.wantedCaptions(fileId),
      onOpened: (playback) => {
        this.#weakLine.reset();
        this.loop.clear();
        this.tracks.takeAudio(playback);
      },
      onSound: (name) => this.tracks.takeSound(name),
      onAttached: async (playback) => {
        video.playbackRate = state.rate.peek();
        this.tracks.takeCaptions(playback);
        if (state.wantsPlaying) await this.#start();
      },
    });
    this.tracks = new TrackSelection(video, state, preferences, {
      switchRendition: (name) => this.#opening.source?.switchRendition(name) === true,
      reopen: (audioTrack) => void this.#opening.open(state.placeMs(), audioTrack),
      draws: (kind, fileId) =>
        (kind === 'styled' ? drawsStyledSubtitles() : drawsSubtitlePictures()) &&
        !deviceLessons().isUndrawn(kind, fileId),
      learnUndrawn: (fileId, kind) => learnUndrawn(server, deviceLessons(), fileId, kind),
      renewAddress: () => this.#opening.renewAddress(),
      remember: (choice) =>
        void this.#tellServer((fileId) =>
          server.call(preferenceCalls.chooseTracks, { movieId: movie.movieId, fileId, ...choice }),
        ),
      rememberOffset: (subtitleId, offsetMs) =>
        this.#tellServer((fileId) => server.call(subtitleCalls.setOffset, { fileId, subtitleId, offsetMs })),
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
        video.volume = preferences.volume.value * this.sleep.loudness.value;
        video.muted = preferences.isMuted.value;
      }),
      effect(() => {
        this.#wake.want(state.isPlaying.value);
        // Also where it ended in trouble, of which the element tells nothing: no lock screen counts on.
        this.#tellDevice();
      }),
      preferences.isNightSound.subscribe(() => {
        // Told at once of how it is. What is set before anything was opened is asked for by the first opening.
        if (state.playback.peek() !== null) void this.#opening.open(state.placeMs());
      }),
      this.#frames.onFrame((ms) => this.#onFrame(ms)),
      this.#watchLine(),
    );
    void this.#opening.open(this.#firstMs());
  }

  /** Subtitles that somebody handed in just now: they are there when the movie is opened anew. */
  showHandedIn(subtitleId: string): void {
    this.tracks.awaitCaptions(subtitleId);
    void this.#opening.open(this.#state.placeMs());
  }

  /** What is not kept now is chosen again the next time: nobody is disturbed for it. */
  async #tellServer(send: (fileId: string) => Promise<unknown>): Promise<boolean> {
    const playback = this.#state.playback.peek();
    return (
      playback !== null &&
      (await send(playback.fileId).then(
        () => true,
        () => false,
      ))
    );
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

  /** Place in the line for a transcode, 1 is the next; `null`: none is waited for. */
  get queuePlace(): ReadonlySignal<number | null> {
    return this.#state.queuePlace;
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

  /** What can be switched between while it plays; none where the movie comes in one form only. */
  get variants(): ReadonlySignal<readonly SourceVariant[]> {
    return this.#state.variants;
  }

  /** The variant on the screen; `null` where there is but one. */
  get variant(): ReadonlySignal<SourceVariant | null> {
    return this.#state.variant;
  }

  get quality(): ReadonlySignal<QualityChoice> {
    return this.#state.quality;
  }

  /** What the line carries, where the movie had to be opened again to fit; else `null`. */
  get softenedBps(): ReadonlySignal<number | null> {
    return this.#state.softenedBps;
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
    const hereMs = this.#state.seekTargetMs ?? this.#video.currentTime * 1_000;
    // A step that has just arrived is told of a moment before its frame is.
    const isStepped = Math.abs(hereMs - this.#steppedToMs) < 1;
    const { shownMs, frameMs } = this.#frames;
    // Right after a seek the frame that was told last is one of elsewhere.
    const isKnown =
      !isStepped && this.#state.seekTargetMs === null && shownMs !== null && Math.abs(shownMs - hereMs) < 2 * frameMs;
    const fromMs = isKnown ? shownMs : isStepped ? hereMs : hereMs + BESIDE_BORDER_MS;
    this.#steppedToMs = frameTarget(fromMs, !isKnown, steps, frameMs);
    this.seekTo(this.#steppedToMs);
  }

  /** Marks the place that is on the screen: the beginning of a part to repeat, its end, then none. */
  markLoop(): void {
    this.loop.mark(this.#state.seekTargetMs ?? this.#video.currentTime * 1_000);
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
    // The element tells so a moment later, and the next press counts from here.
    this.#state.rate.value = rate;
  }

  chooseQuality(choice: QualityChoice): void {
    this.#opening.chooseQuality(choice);
  }

  /** To a place in the whole movie, also one in another part of it. */
  seekToPlace(placeMs: number): void {
    const offsetMs = this.#state.partOffsetMs();
    const lengthMs = this.#state.playback.peek()?.durationMs ?? 0;
    const isHere = placeMs >= offsetMs && (lengthMs === 0 || placeMs < offsetMs + lengthMs);
    if (isHere || this.#state.playback.peek()?.part == null) this.seekTo(placeMs - offsetMs);
    else this.#opening.openAt(placeMs);
  }

  /** From the beginning of the movie, whichever part that is in. */
  playFromBeginning(): void {
    this.#state.wantsPlaying = true;
    if (this.#state.partOffsetMs() > 0) this.#opening.openFromBeginning();
    else this.seekTo(0);
  }

  async togglePictureInPicture(): Promise<void> {
    try {
      if (document.pictureInPictureElement === this.#video) await document.exitPictureInPicture();
      else if (document.pictureInPictureEnabled) await this.#video.requestPictureInPicture();
    } catch {
      // Nothing of the movie is here yet, or nobody pressed anything: it stays where it is.
    }
  }

  /** Names the movie to the device: lock screen, media keys. `next`: what is played after it, `null` where nothing is. */
  introduce(billing: Billing, next: (() => void) | null, stop: () => void): void {
    this.#endMediaSession();
    const playback = this.#state.playback.peek();
    this.#endMediaSession = offerMediaSession(billing, {
      play: () => this.play(),
      pause: () => this.pause(),
      stop,
      seekBy: (ms) => this.seekBy(ms),
      seekTo: (ms) => this.seekTo(ms),
      next: playback?.part?.nextFileId == null ? next : () => this.nextPart(),
      previous: (playback?.chapters.length ?? 0) > 1 ? () => this.chapterBy(-1) : null,
      togglePictureInPicture: () => void this.togglePictureInPicture(),
    });
    this.#tellDevice();
  }

  /** After a failure that the person was told of: everything from the beginning, at the position where it stopped. */
  tryAgain(): void {
    this.#opening.tryAgain(this.#state.hasPlayed ? this.#state.placeMs() : this.#firstMs());
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
      stalls: this.#state.stalls.peek(),
    };
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#report.dispose();
    for (const dispose of this.#disposers) dispose();
    this.captions.hide();
    this.#rememberLine();
    this.#opening.dispose();
    this.sleep.dispose();
    this.remote.dispose();
    this.#frames.dispose();
    this.#wake.dispose();
    this.#endMediaSession();
    if (document.pictureInPictureElement === this.#video) void this.togglePictureInPicture();
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

  /** `null`: where this person left off. */
  #firstMs(): number | null {
    return this.#movie.startMs ?? (this.#movie.isFromStart ? 0 : null);
  }

  #chapterEndMs(atMs: number): number | null {
    const chapters = this.#state.playback.peek()?.chapters ?? [];
    const next = chapters.find(({ startMs }) => startMs > atMs);
    return chapters.length === 0 ? null : (next?.startMs ?? this.#state.durationMs.peek());
  }

  #onFrame(ms: number): void {
    const beforeMs = this.#lastFrameMs;
    this.#lastFrameMs = ms;
    if (this.#video.paused) return;
    const backMs = this.loop.returnFrom(ms, beforeMs);
    if (backMs !== null) this.seekTo(backMs);
  }

  /** Looks now and then whether the line carries the movie, and keeps in mind what it carries. */
  #watchLine(): () => void {
    const look = setInterval(() => this.#lookAtLine(), LINE_LOOK_MS);
    const keep = setInterval(() => this.#rememberLine(), LINE_KEPT_MS);
    return () => {
      clearInterval(look);
      clearInterval(keep);
    };
  }

  #lookAtLine(): void {
    const { phase, playback, variants, hasPlayed, wantsPlaying, seekTargetMs } = this.#state;
    if (this.#link.state.peek().kind !== 'live') {
      this.#weakLine.reset();
      this.#standstill.reset();
      return;
    }
    this.#lookWhetherItStands();
    // A source with variants gets softer by itself; a sample of a start or a seek would say nothing.
    if (phase.peek() !== 'ready' || variants.peek().length > 0 || !hasPlayed || seekTargetMs !== null) return;
    const { currentTime, buffered, readyState } = this.#video;
    let loadedMs = currentTime * 1_000;
    for (let index = 0; index < buffered.length; index++) {
      if (buffered.start(index) <= currentTime + 0.1) loadedMs = Math.max(loadedMs, buffered.end(index) * 1_000);
    }
    const carriedBps = this.#weakLine.add({
      nowMs: performance.now(),
      isStalled: wantsPlaying && readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !this.#video.ended,
      loadedMs,
      bitrateBps: playback.peek()?.source.bitrateBps ?? null,
    });
    if (carriedBps === null) return;
    this.#weakLine.reset();
    this.#opening.soften(carriedBps);
  }

  #lookWhetherItStands(): void {
    const { phase, isBlocked, wantsPlaying, seekTargetMs } = this.#state;
    const source = this.#opening.source;
    const { readyState, seeking, ended } = this.#video;
    const isWanted = (wantsPlaying && !ended) || seekTargetMs !== null;
    const isMissing = seeking || readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    // What the server is asked for has time limits of its own, and a place in the line for a transcode has none.
    if (source === null || phase.peek() !== 'ready' || isBlocked.peek() || this.remote.isConnected.peek()) return;
    const step = this.#standstill.add({
      nowMs: performance.now(),
      isWaiting: isWanted && isMissing,
      arrivedBytes: source.arrivedBytes(),
    });
    if (step !== null) this.#help(step);
  }

  #help(step: StandstillStep): void {
    switch (step) {
      case 'restart':
        this.#opening.source?.restart();
        break;
      case 'reopen':
        this.#opening.reopen();
        break;
      case 'soften': {
        const now =
          this.#opening.source?.facts().variantBitrateBps ?? this.#state.playback.peek()?.source.bitrateBps ?? null;
        this.#opening.soften(Math.max(SOFTEST_BPS, Math.round((now ?? UNKNOWN_BITRATE_BPS) * SOFTER_SHARE)));
        break;
      }
      case 'giveUp':
        this.#opening.giveUp();
        this.#standstill.reset();
        break;
    }
  }

  #rememberLine(): void {
    const measured = this.#opening.source?.facts().throughputBps ?? null;
    if (measured !== null) this.#preferences.lineBps.value = Math.round(measured);
  }
}
