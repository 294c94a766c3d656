/** What was just done by key, tap or remote control: shown large for a moment and read out. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export const FLASH_MS = 650;

export type FlashSide = 'start' | 'middle' | 'end';

export interface Flash {
  readonly id: number;
  readonly text: string;
  readonly side: FlashSide;
}

export class FlashBoard {
  readonly #flash = signal<Flash | null>(null);
  #count = 0;
  /** Of the jumps that are still shown, added up. */
  #jumpedMs = 0;
  #end: ReturnType<typeof setTimeout> | undefined;

  get flash(): ReadonlySignal<Flash | null> {
    return this.#flash;
  }

  say(text: string, side: FlashSide = 'middle'): void {
    this.#jumpedMs = 0;
    this.#show(text, side);
  }

  /** Jumps in one direction in quick succession are one jump: `+30 s`. */
  sayJump(ms: number): void {
    this.#jumpedMs = Math.sign(ms) === Math.sign(this.#jumpedMs) ? this.#jumpedMs + ms : ms;
    const seconds = Math.round(Math.abs(this.#jumpedMs) / 1_000);
    this.#show(`${ms > 0 ? '+' : '−'}${seconds} s`, ms > 0 ? 'end' : 'start');
  }

  dispose(): void {
    clearTimeout(this.#end);
  }

  #show(text: string, side: FlashSide): void {
    this.#count += 1;
    this.#flash.value = { id: this.#count, text, side };
    clearTimeout(this.#end);
    this.#end = setTimeout(() => {
      this.#jumpedMs = 0;
      this.#flash.value = null;
    }, FLASH_MS);
  }
}
