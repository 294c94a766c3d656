/**
 * When the controls show. They leave a moment after the last movement, but never from under a person: not while the movie stands
 * still, while a menu or dialog is open, while a button has the keyboard's focus, or while the picture of a place that is pointed at is made.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export const IDLE_MS = 2_800;

export interface WakeScene {
  /** The movie stands still, or something is open that the controls belong to. */
  isBusy(): boolean;
  /** A button has the focus of somebody who uses keys, or what was pointed at is still on its way. */
  isUsed(): boolean;
}

export class Wakefulness {
  readonly #scene: WakeScene;
  readonly #isAwake = signal(true);
  #sleep: ReturnType<typeof setTimeout> | undefined;

  constructor(scene: WakeScene) {
    this.#scene = scene;
  }

  get isAwake(): ReadonlySignal<boolean> {
    return this.#isAwake;
  }

  /** Something moved: shown, and gone again when nothing more happens. */
  wake(): void {
    this.#isAwake.value = true;
    clearTimeout(this.#sleep);
    this.#sleep = setTimeout(() => {
      if (this.#scene.isBusy()) return;
      if (this.#scene.isUsed()) this.wake();
      else this.#isAwake.value = false;
    }, IDLE_MS);
  }

  /** At once, as when the pointer leaves or the picture is tapped. */
  rest(): void {
    if (this.#scene.isBusy()) return;
    clearTimeout(this.#sleep);
    this.#isAwake.value = false;
  }

  dispose(): void {
    clearTimeout(this.#sleep);
  }
}
