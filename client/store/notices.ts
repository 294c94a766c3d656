/** Short messages that appear for a moment and are read out: what was done, or why it could not be. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

/** Something that can be done about what a notice says. */
export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}

export interface Notice {
  readonly id: number;
  readonly tone: 'plain' | 'bad';
  readonly text: string;
  readonly actions: readonly NoticeAction[];
}

const SHOWN_MS = { plain: 4_000, bad: 9_000 } as const;
/** Time to read it, to find the button, and to change one’s mind. */
const WITH_ACTION_MS = 10_000;
const MOST = 3;

export class Notices {
  readonly #shown = signal<readonly Notice[]>([]);
  #nextId = 1;

  get shown(): ReadonlySignal<readonly Notice[]> {
    return this.#shown;
  }

  show(text: string, tone: Notice['tone'] = 'plain', actions: readonly NoticeAction[] = []): void {
    const notice: Notice = { id: this.#nextId++, tone, text, actions };
    this.#shown.value = [...this.#shown.value.filter((other) => other.text !== text), notice].slice(-MOST);
    setTimeout(() => this.dismiss(notice.id), actions.length === 0 ? SHOWN_MS[tone] : WITH_ACTION_MS);
  }

  dismiss(id: number): void {
    this.#shown.value = this.#shown.value.filter((notice) => notice.id !== id);
  }
}
