/** Tells the server where the person is in the movie: now and then, at every stop, and when the page goes away. */
import type { ProgressStore } from '#client/store/progress.ts';
import type { PlayerState } from './player-state.ts';

const REPORT_MS = 10_000;

export class PlaceReport {
  readonly #state: PlayerState;
  readonly #progress: ProgressStore;
  readonly #movieId: string;
  readonly #ending = new AbortController();

  constructor(state: PlayerState, progress: ProgressStore, movieId: string) {
    this.#state = state;
    this.#progress = progress;
    this.#movieId = movieId;
    const clock = setInterval(() => {
      if (state.isPlaying.peek()) this.report();
    }, REPORT_MS);
    const onLeave = (): void => {
      this.report();
      progress.flushOnLeave();
    };
    const { signal } = this.#ending;
    signal.addEventListener('abort', () => clearInterval(clock));
    addEventListener('pagehide', onLeave, { signal });
    document.addEventListener(
      'visibilitychange',
      () => {
        if (document.visibilityState === 'hidden') onLeave();
      },
      { signal },
    );
  }

  /** Only what was really seen is told: opening a movie and leaving again changes nothing. */
  report(): void {
    if (!this.#state.hasPlayed || this.#ending.signal.aborted) return;
    const playback = this.#state.playback.peek();
    // Nobody has seen a movie for having seen its trailer.
    if (playback?.isExtra === true) return;
    const placeMs = this.#state.partOffsetMs() + this.#state.positionMs.peek();
    const lengthMs = playback?.part?.movieDurationMs ?? this.#state.durationMs.peek();
    this.#progress.report(this.#movieId, placeMs, lengthMs);
  }

  dispose(): void {
    this.report();
    this.#ending.abort();
  }
}
