/** What the person who runs the server should know. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { healthFeed } from '#protocol/feeds/health.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { Server } from './ports.ts';

const SEVERITY_RANK = { error: 0, warning: 1, info: 2 } as const;

const worstFirst = (items: readonly HealthItem[]): readonly HealthItem[] =>
  items.toSorted((a, b) => SEVERITY_RANK[a.severity] - SEVERITY_RANK[b.severity] || b.since - a.since);

export class HealthStore {
  readonly #items = signal<readonly HealthItem[] | null>(null);
  readonly #unfollow: () => void;

  constructor(server: Server) {
    this.#unfollow = server.follow(healthFeed, null, {
      onSnapshot: (snapshot) => {
        this.#items.value = worstFirst(snapshot.items);
      },
      onEntries: (entries) => {
        const byId = new Map((this.#items.peek() ?? []).map((item) => [item.id, item]));
        for (const { id, item } of entries) {
          if (item === null) byId.delete(id);
          else byId.set(id, item);
        }
        this.#items.value = worstFirst([...byId.values()]);
      },
    });
  }

  /** `null` until the first snapshot. */
  get items(): ReadonlySignal<readonly HealthItem[] | null> {
    return this.#items;
  }

  /** What concerns one thing that there can be several of: a library, by its id. */
  about(subject: string): readonly HealthItem[] {
    return this.#items.value?.filter(({ id }) => id.endsWith(`/${subject}`)) ?? [];
  }

  dispose(): void {
    this.#unfollow();
  }
}
