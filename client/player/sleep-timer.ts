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
/** What lies further away than playing can have come since the clock looked last was sought. */
const SEEK_MS = 1_000;

export class SleepTimer {
  readonly #scene: SleepScene;
  readonly #choice = signal<SleepChoice | null>(null);
  readonly #leftMs = signal<number | null>(null);
  readonly #loudness = signal(1);
  #endsAt = 0;
  #chapterEndMs: number | null = null;
  /** When the clock looked last, and where the movie was. */
  #last = { atMs: 0, positionMs: 0 };
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
    else this.#enterChapter();
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
    const { atMs, positionMs: beforeMs } = this.#last;
    const positionMs = this.#scene.positionMs();
    const ranMs = (this.#scene.now() - atMs) * this.#scene.rate();
    // Sought out of the chapter, also to the very beginning of the next one: the one that plays now is meant.
    if (positionMs > beforeMs + ranMs + SEEK_MS || positionMs < beforeMs - SEEK_MS) this.#enterChapter();
    this.#last = { atMs: this.#scene.now(), positionMs };
    return ((this.#chapterEndMs ?? Infinity) - positionMs) / this.#scene.rate();
  }

  #enterChapter(): void {
    const positionMs = this.#scene.positionMs();
    this.#chapterEndMs = this.#scene.chapterEndMs(positionMs);
    this.#last = { atMs: this.#scene.now(), positionMs };
  }
}
