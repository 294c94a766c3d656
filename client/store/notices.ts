/** Short messages that appear for a moment and are read out: what was done, or why it could not be. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export interface Notice {
  readonly id: number;
  readonly tone: 'plain' | 'bad';
  readonly text: string;
}

const SHOWN_MS = { plain: 4_000, bad: 9_000 } as const;
const MOST = 3;

export class Notices {
  readonly #shown = signal<readonly Notice[]>([]);
  #nextId = 1;

  get shown(): ReadonlySignal<readonly Notice[]> {
    return this.#shown;
  }

  show(text: string, tone: Notice['tone'] = 'plain'): void {
    const notice: Notice = { id: this.#nextId++, tone, text };
    this.#shown.value = [...this.#shown.value.filter((other) => other.text !== text), notice].slice(-MOST);
    setTimeout(() => this.dismiss(notice.id), SHOWN_MS[tone]);
  }

  dismiss(id: number): void {
    this.#shown.value = this.#shown.value.filter((notice) => notice.id !== id);
  }
}
