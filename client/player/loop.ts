/** Repeats a part of the movie between two marks. One key sets the beginning, then the end, then lets go. */
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

/** A shorter part would be more seeking than playing. */
const SHORTEST_MS = 300;

/** A mark lies this far beside the frame that was on the screen when it was made, at most. */
const MARK_SLACK_MS = 100;

export interface LoopMarks {
  readonly startMs: number;
  /** `null` while only the beginning is marked. */
  readonly endMs: number | null;
}

export class Loop {
  readonly #marks = signal<LoopMarks | null>(null);

  readonly isOn: ReadonlySignal<boolean> = computed(() => this.#marks.value?.endMs != null);

  get marks(): ReadonlySignal<LoopMarks | null> {
    return this.#marks;
  }

  /** The next mark at this place. An end before the beginning makes the two change places. */
  mark(ms: number): void {
    const marks = this.#marks.peek();
    if (marks === null) this.#marks.value = { startMs: ms, endMs: null };
    else if (marks.endMs !== null) this.#marks.value = null;
    else if (Math.abs(ms - marks.startMs) >= SHORTEST_MS) {
      this.#marks.value = { startMs: Math.min(ms, marks.startMs), endMs: Math.max(ms, marks.startMs) };
    }
  }

  clear(): void {
    this.#marks.value = null;
  }

  /** Where to go from here; `null`: on. Who seeks beyond the end by hand has left the loop and is not pulled back. */
  returnFrom(ms: number, beforeMs: number): number | null {
    const marks = this.#marks.peek();
    if (marks?.endMs == null) return null;
    // The end may have been marked between the frame that is on the screen and the next.
    const isCrossed = ms > beforeMs && ms >= marks.endMs && beforeMs <= marks.endMs + MARK_SLACK_MS;
    return isCrossed && ms - beforeMs < 1_500 ? marks.startMs : null;
  }
}
