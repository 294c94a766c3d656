/**
 * Ends playing by itself: after some minutes, at the end of the chapter, or with the movie, so that nothing follows it.
 * The sound fades out first, and as long as it does a word brings everything back.
 */
import { batch, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export const SLEEP_MINUTES = [15, 30, 45, 60, 90, 120] as const;

export type SleepChoice =
  | { readonly kind: 'after'; readonly minutes: number }
  | { readonly kind: 'chapter' }
  | { readonly kind: 'end' };

/** What plays, as far as it decides when to sleep. */
export interface SleepScene {
  positionMs(): number;
  rate(): number;
  /** Where the chapter at this place ends; `null` where the movie has none. */
  chapterEndMs(positionMs: number): number | null;
  pause(): void;
  now(): number;
}

const FADE_MS = 8_000;
const TICK_MS = 250;
/** How far playing runs on before the clock looks again, at three times the speed. */
const OVERRUN_MS = 1_500;

export class SleepTimer {
  readonly #scene: SleepScene;
  readonly #choice = signal<SleepChoice | null>(null);
  readonly #leftMs = signal<number | null>(null);
  readonly #loudness = signal(1);
  #endsAt = 0;
  #chapterEndMs: number | null = null;
  #clock: ReturnType<typeof setInterval> | undefined;

  constructor(scene: SleepScene) {
    this.#scene = scene;
  }

  get choice(): ReadonlySignal<SleepChoice | null> {
    return this.#choice;
  }

  /** Until the pause; `null` without a timer, and until the end of the movie. */
  get leftMs(): ReadonlySignal<number | null> {
    return this.#leftMs;
  }

  /** Share of the volume: 1, and down to 0 while it fades. */
  get loudness(): ReadonlySignal<number> {
    return this.#loudness;
  }

  choose(choice: SleepChoice | null): void {
    clearInterval(this.#clock);
    batch(() => {
      this.#choice.value = choice;
      this.#loudness.value = 1;
      this.#leftMs.value = null;
    });
    if (choice === null || choice.kind === 'end') return;
    if (choice.kind === 'after') this.#endsAt = this.#scene.now() + choice.minutes * 60_000;
    else this.#chapterEndMs = this.#scene.chapterEndMs(this.#scene.positionMs());
    this.#clock = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  dispose(): void {
    clearInterval(this.#clock);
  }

  #tick(): void {
    const leftMs = this.#left();
    if (leftMs > 0) {
      batch(() => {
        this.#leftMs.value = leftMs;
        this.#loudness.value = Math.min(1, leftMs / FADE_MS);
      });
      return;
    }
    this.#scene.pause();
    this.choose(null);
  }

  #left(): number {
    if (this.#choice.peek()?.kind === 'after') return this.#endsAt - this.#scene.now();
    const positionMs = this.#scene.positionMs();
    const leftMs = (this.#chapterEndMs ?? Infinity) - positionMs;
    // Sought out of the chapter: the one that plays now is meant.
    if (leftMs < -OVERRUN_MS) {
      this.#chapterEndMs = this.#scene.chapterEndMs(positionMs);
      return ((this.#chapterEndMs ?? Infinity) - positionMs) / this.#scene.rate();
    }
    return leftMs / this.#scene.rate();
  }
}
