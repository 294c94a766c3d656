/**
 * Movies that were not found, or not for certain. Owns the loaded part of the list and what was picked in it; what others confirm meanwhile
 * disappears by itself, and picks stay with their movies.
 */
import { batch, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { metadata } from '#protocol/methods/metadata.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { MatchCandidate, ReviewItem } from '#protocol/schema/match.ts';
import type { LibraryStore } from './library.ts';
import { Matching } from './matching.ts';
import type { Link, Server } from './ports.ts';

export type ReviewState = 'unmatched' | 'doubtful' | null;

const WINDOW = 25;
const LARGEST_WINDOW = 100;
/** As many as one call takes. */
const MOST_AT_ONCE = 200;
const SETTLE_MS = 1_000;

export interface ReviewCounts {
  readonly total: number;
  readonly unmatched: number;
  readonly doubtful: number;
}

export class ReviewStore {
  readonly #server: Server;
  readonly #matching: Matching;
  readonly #state: ReviewState;
  readonly #items = signal<readonly ReviewItem[] | null>(null);
  readonly #counts = signal<ReviewCounts | null>(null);
  readonly #picks = signal<ReadonlyMap<string, number>>(new Map());
  /** What was found by hand, in place of what the server proposed. */
  readonly #found = signal<ReadonlyMap<string, readonly MatchCandidate[]>>(new Map());
  readonly #failure = signal<Failure | null>(null);
  readonly #disposers: (() => void)[] = [];
  #settle: ReturnType<typeof setTimeout> | undefined;
  #generation = 0;

  constructor(server: Server, link: Pick<Link, 'state'>, library: LibraryStore, state: ReviewState) {
    this.#server = server;
    this.#matching = new Matching(server);
    this.#state = state;
    this.#disposers.push(
      library.listen({ onMovie: () => this.#makeStale(), onReset: () => this.#makeStale() }),
      link.state.subscribe((line) => {
        if (line.kind === 'live') void this.#load(this.#wanted());
      }),
    );
  }

  /** `null` until the first reply. */
  get items(): ReadonlySignal<readonly ReviewItem[] | null> {
    return this.#items;
  }

  get counts(): ReadonlySignal<ReviewCounts | null> {
    return this.#counts;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  get picks(): ReadonlySignal<ReadonlyMap<string, number>> {
    return this.#picks;
  }

  candidatesOf(item: ReviewItem): readonly MatchCandidate[] {
    return this.#found.value.get(item.movieId) ?? item.candidates;
  }

  pick(movieId: string, tmdbId: number | null): void {
    const picks = new Map(this.#picks.peek());
    if (tmdbId === null) picks.delete(movieId);
    else picks.set(movieId, tmdbId);
    this.#picks.value = picks;
  }

  /** Picks the first candidate of everything that is loaded and has one, where nothing is picked yet. */
  pickLikeliest(): void {
    const picks = new Map(this.#picks.peek());
    for (const item of this.#items.peek() ?? []) {
      const [first] = this.candidatesOf(item);
      if (first !== undefined && !picks.has(item.movieId)) picks.set(item.movieId, first.tmdbId);
    }
    this.#picks.value = picks;
  }

  /** Fails with `notReachable`. */
  async search(movieId: string, query: string, year: number | null): Promise<void> {
    const candidates = await this.#matching.search(query, year);
    this.#found.value = new Map(this.#found.peek()).set(movieId, candidates);
    this.pick(movieId, null);
  }

  /** Confirms what was picked, of these movies or of all. Fails with `notReachable` or `unknownMovie`; what was confirmed before stays so. */
  async confirm(movieIds?: readonly string[]): Promise<number> {
    const choices = [...this.#picks.peek()]
      .filter(([movieId]) => movieIds === undefined || movieIds.includes(movieId))
      .map(([movieId, tmdbId]) => ({ movieId, tmdbId }));
    for (let at = 0; at < choices.length; at += MOST_AT_ONCE) {
      const some = choices.slice(at, at + MOST_AT_ONCE);
      await this.#matching.match(some);
      this.#forget(some.map(({ movieId }) => movieId));
    }
    this.#makeStale();
    return choices.length;
  }

  /** It is in no catalogue, and is not asked about again. */
  async leaveOut(movieId: string): Promise<void> {
    await this.#matching.unmatch(movieId);
    this.#forget([movieId]);
    this.#makeStale();
  }

  retry(): void {
    void this.#load(this.#wanted());
  }

  async more(): Promise<void> {
    await this.#load((this.#items.peek()?.length ?? 0) + WINDOW);
  }

  dispose(): void {
    this.#generation += 1;
    clearTimeout(this.#settle);
    for (const dispose of this.#disposers) dispose();
  }

  #wanted(): number {
    return Math.max(WINDOW, this.#items.peek()?.length ?? 0);
  }

  /** Done: they leave the list at once, whenever the server says so too. */
  #forget(movieIds: readonly string[]): void {
    const gone = new Set(movieIds);
    batch(() => {
      const before = this.#items.peek() ?? [];
      this.#items.value = before.filter(({ movieId }) => !gone.has(movieId));
      this.#picks.value = new Map([...this.#picks.peek()].filter(([movieId]) => !gone.has(movieId)));
      const counts = this.#counts.peek();
      if (counts === null) return;
      const left = before.filter(({ movieId }) => gone.has(movieId));
      const unmatched = left.filter(({ match }) => match.state === 'unmatched').length;
      this.#counts.value = {
        total: Math.max(0, counts.total - left.length),
        unmatched: Math.max(0, counts.unmatched - unmatched),
        doubtful: Math.max(0, counts.doubtful - (left.length - unmatched)),
      };
    });
  }

  #makeStale(): void {
    this.#settle ??= setTimeout(() => {
      this.#settle = undefined;
      void this.#load(this.#wanted());
    }, SETTLE_MS);
  }

  async #load(wanted: number): Promise<void> {
    const generation = ++this.#generation;
    try {
      const items: ReviewItem[] = [];
      let counts: ReviewCounts;
      do {
        const reply = await this.#server.call(metadata.review, {
          offset: items.length,
          limit: Math.min(LARGEST_WINDOW, wanted - items.length),
          ...(this.#state !== null && { state: this.#state }),
        });
        if (generation !== this.#generation) return;
        counts = reply;
        items.push(...reply.items);
        if (reply.items.length === 0) break;
      } while (items.length < Math.min(wanted, counts.total));
      const { total, unmatched, doubtful } = counts;
      batch(() => {
        const here = new Set(items.map(({ movieId }) => movieId));
        this.#items.value = items;
        this.#counts.value = { total, unmatched, doubtful };
        this.#picks.value = new Map([...this.#picks.peek()].filter(([movieId]) => here.has(movieId)));
        this.#failure.value = null;
      });
    } catch (error) {
      if (generation !== this.#generation) return;
      if (!isFailure(error)) throw error;
      if (error.code !== 'disconnected' && error.code !== 'cancelled') this.#failure.value = error;
    }
  }
}

/** How many movies wait for a person: what the badge says. */
export class ReviewCount {
  readonly #count = signal(0);
  readonly #disposers: (() => void)[] = [];
  #settle: ReturnType<typeof setTimeout> | undefined;

  constructor(server: Server, link: Pick<Link, 'state'>, library: LibraryStore) {
    const load = (): void => {
      server.call(metadata.review, { limit: 1 }).then(
        ({ unmatched, doubtful }) => {
          this.#count.value = unmatched + doubtful;
        },
        (error: unknown) => {
          // A badge that can't be counted is left as it was.
          if (!isFailure(error)) throw error;
        },
      );
    };
    const soon = (): void => {
      this.#settle ??= setTimeout(() => {
        this.#settle = undefined;
        load();
      }, BADGE_SETTLE_MS);
    };
    this.#disposers.push(
      library.listen({ onMovie: soon, onReset: soon }),
      link.state.subscribe((state) => {
        if (state.kind === 'live') load();
      }),
    );
  }

  get count(): ReadonlySignal<number> {
    return this.#count;
  }

  dispose(): void {
    clearTimeout(this.#settle);
    for (const dispose of this.#disposers) dispose();
  }
}

const BADGE_SETTLE_MS = 3_000;
