/**
 * What is played after the movie, with a moment to say no. After several that nobody said a word to, it asks whether somebody is
 * still watching and waits for the answer.
 *
 * state: none → counting → (time is up) none, with `play` called; counting → declined; none → asking → (yes) none
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export interface NextMovie {
  readonly movieId: string;
  readonly title: string;
}

export type NextState<M extends NextMovie> =
  | { readonly kind: 'none' }
  | { readonly kind: 'counting'; readonly movie: M; readonly secondsLeft: number }
  | { readonly kind: 'asking'; readonly movie: M }
  /** The person wants to stay with what has ended. */
  | { readonly kind: 'declined' };

const COUNTDOWN_S = 10;
/** Movies in a row that began by themselves, after which somebody has to say that they are there. */
const UNATTENDED = 2;

/** How many movies began by themselves since anybody touched anything. Outlives each of them. */
export class Streak {
  #unattended = 0;

  get isLong(): boolean {
    return this.#unattended >= UNATTENDED;
  }

  touched(): void {
    this.#unattended = 0;
  }

  wentOnByItself(): void {
    this.#unattended += 1;
  }
}

export class NextUp<M extends NextMovie> {
  readonly #state = signal<NextState<M>>({ kind: 'none' });
  readonly #streak: Streak;
  readonly #play: (movie: M) => void;
  #clock: ReturnType<typeof setInterval> | undefined;

  constructor(streak: Streak, play: (movie: M) => void) {
    this.#streak = streak;
    this.#play = play;
  }

  get state(): ReadonlySignal<NextState<M>> {
    return this.#state;
  }

  /** The movie is over, or as good as. */
  offer(movie: M): void {
    if (this.#state.peek().kind !== 'none') return;
    if (this.#streak.isLong) {
      this.#state.value = { kind: 'asking', movie };
      return;
    }
    this.#state.value = { kind: 'counting', movie, secondsLeft: COUNTDOWN_S };
    this.#clock = setInterval(() => this.#count(), 1_000);
  }

  /** The person wants it, now. */
  accept(): void {
    const state = this.#state.peek();
    if (state.kind !== 'counting' && state.kind !== 'asking') return;
    this.#streak.touched();
    this.#go(state.movie);
  }

  decline(): void {
    if (this.#state.peek().kind === 'none') return;
    clearInterval(this.#clock);
    this.#streak.touched();
    this.#state.value = { kind: 'declined' };
  }

  /** What had ended plays again: the end will come another time. */
  withdraw(): void {
    clearInterval(this.#clock);
    this.#state.value = { kind: 'none' };
  }

  dispose(): void {
    clearInterval(this.#clock);
  }

  #count(): void {
    const state = this.#state.peek();
    if (state.kind !== 'counting') return;
    if (state.secondsLeft > 1) {
      this.#state.value = { ...state, secondsLeft: state.secondsLeft - 1 };
      return;
    }
    this.#streak.wentOnByItself();
    this.#go(state.movie);
  }

  #go(movie: M): void {
    this.withdraw();
    this.#play(movie);
  }
}
