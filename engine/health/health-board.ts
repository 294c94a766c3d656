/**
 * What the person who runs the server should know. Owns: the findings that hold now. Whoever finds something sets it, and clears it
 * when it is mended; nothing here asks.
 */
import type { Clock } from '#engine/base/clock.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { server } from '#protocol/index.ts';
import type { HealthItem } from '#protocol/schema/health.ts';

const SEVERITIES = ['error', 'warning', 'info'] as const;

export type Finding = Omit<HealthItem, 'since'>;
export interface HealthEntry {
  readonly kind: 'health';
  readonly id: string;
  readonly item: HealthItem | null;
}

export class HealthBoard {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #items = new Map<string, HealthItem>();
  readonly #listeners = new Set<(entries: readonly HealthEntry[]) => void>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** States a finding, or states it anew; `since` stays that of the first time. */
  set(finding: Finding): void {
    const known = this.#items.get(finding.id);
    const item = { ...finding, since: known?.since ?? this.#clock.nowMs() };
    if (known && known.severity === item.severity && known.title === item.title && known.action === item.action) return;
    this.#items.set(item.id, item);
    this.#tell({ kind: 'health', id: item.id, item });
  }

  /** The finding no longer holds. */
  clear(id: string): void {
    if (this.#items.delete(id)) this.#tell({ kind: 'health', id, item: null });
  }

  /** Worst first, then the oldest. */
  items(): HealthItem[] {
    return [...this.#items.values()].toSorted(
      (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || a.since - b.since,
    );
  }

  onEntries(listener: (entries: readonly HealthEntry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  readonly handler: Handlers<typeof server>['health'] = () => ({ items: this.items() });

  #tell(entry: HealthEntry): void {
    for (const listener of this.#listeners) listener([entry]);
  }
}
