/**
 * Where this person is in every movie, and what still has to be told to the server.
 *
 * A report shows at once, goes out coalesced to the newest of each movie, and is kept on this device until the server has it,
 * so that what was watched without a line counts when the line is back. The server decides which of two devices was last
 * (rules in engine/progress/SPEC.md); its answer replaces what is shown here.
 */
import { effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { progressFeed } from '#protocol/feeds/progress.ts';
import { progress as calls } from '#protocol/methods/progress.ts';
import { isFailure } from '#protocol/errors.ts';
import { WATCHED_SHARE } from '#protocol/schema/progress.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import type { Link, Memory, Server } from './ports.ts';

interface Observation {
  readonly positionMs: number;
  readonly durationMs: number;
  readonly observedAt: number;
}

/** Failures that a later try may not meet again. Everything else would fail for ever, so the report is dropped. */
const PASSING: ReadonlySet<string> = new Set([
  'disconnected',
  'overloaded',
  'rateLimited',
  'timeout',
  'internal',
  'cancelled',
  'unauthenticated',
]);

/** How long to wait after a passing failure while the line is up. */
const RETRY_MS = 5_000;

function isObservation(value: unknown): value is Observation {
  const { positionMs, durationMs, observedAt } = (value ?? {}) as Partial<Record<keyof Observation, unknown>>;
  return [positionMs, durationMs, observedAt].every(
    (number) => Number.isSafeInteger(number) && (number as number) >= 0,
  );
}

function parseBacklog(text: string | null): Map<string, Observation> {
  try {
    const parsed: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(parsed)) return new Map();
    return new Map(
      parsed.filter((pair): pair is [string, Observation] => {
        return Array.isArray(pair) && typeof pair[0] === 'string' && isObservation(pair[1]);
      }),
    );
  } catch {
    return new Map();
  }
}

export class ProgressStore {
  readonly #server: Server;
  readonly #link: Pick<Link, 'state'>;
  readonly #memory: Memory;
  readonly #memoryName: string;
  readonly #byMovie = signal<ReadonlyMap<string, Progress>>(new Map());
  /** Newest observation of each movie that the server does not have yet. */
  readonly #unsent: Map<string, Observation>;
  readonly #disposers: (() => void)[] = [];
  readonly #listeners = new Set<(progress: Progress, before: Progress | undefined) => void>();
  #isSending = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(server: Server, link: Pick<Link, 'state'>, memory: Memory, userId: string) {
    this.#server = server;
    this.#link = link;
    this.#memory = memory;
    this.#memoryName = `unsentProgress.${userId}`;
    this.#unsent = parseBacklog(memory.read(this.#memoryName));
    this.#disposers.push(
      server.follow(progressFeed, null, {
        onSnapshot: (snapshot) => {
          this.#byMovie.value = new Map(snapshot.progress.map((progress) => [progress.movieId, progress]));
        },
        onEntries: (entries) => {
          for (const entry of entries) this.#take(entry.progress);
        },
      }),
      effect(() => {
        if (link.state.value.kind === 'live') void this.#send();
      }),
    );
  }

  get byMovie(): ReadonlySignal<ReadonlyMap<string, Progress>> {
    return this.#byMovie;
  }

  /** The newer of what a list carried and what has been heard since. */
  of(movieId: string, carried: Progress | null = null): Progress | null {
    const heard = this.#byMovie.value.get(movieId);
    return heard === undefined || (carried !== null && carried.updatedAt > heard.updatedAt) ? carried : heard;
  }

  onChange(listener: (progress: Progress, before: Progress | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Says where the person is. Never fails: what can't be sent now is sent later. */
  report(movieId: string, positionMs: number, durationMs: number): void {
    const observedAt = Math.round(this.#server.now());
    const observation: Observation = {
      positionMs: Math.max(0, Math.round(positionMs)),
      durationMs: Math.max(0, Math.round(durationMs)),
      observedAt,
    };
    this.#unsent.set(movieId, observation);
    this.#remember();
    const before = this.#byMovie.peek().get(movieId);
    const hasEnded = durationMs > 0 && positionMs / durationMs >= WATCHED_SHARE;
    this.#take({
      movieId,
      positionMs: hasEnded ? 0 : observation.positionMs,
      durationMs: observation.durationMs,
      isWatched: hasEnded || (before?.isWatched ?? false),
      watchCount: before?.watchCount ?? 0,
      updatedAt: observedAt,
    });
    void this.#send();
  }

  /** The page is going away: what is unsent leaves by a request that outlives it. */
  flushOnLeave(): void {
    for (const [movieId, observation] of this.#unsent) {
      this.#server
        .request(calls.report, { movieId, ...observation }, { keepalive: true })
        .then(() => this.#settle(movieId, observation))
        .catch(() => undefined);
    }
  }

  /** Shows at once; rolls back and rejects when the server refuses. */
  async setWatched(movieId: string, isWatched: boolean): Promise<void> {
    this.#unsent.delete(movieId);
    this.#remember();
    const before = this.#byMovie.peek().get(movieId);
    this.#take({
      movieId,
      positionMs: 0,
      durationMs: before?.durationMs ?? 0,
      isWatched,
      watchCount: before?.watchCount ?? 0,
      updatedAt: Math.round(this.#server.now()),
    });
    try {
      this.#take((await this.#server.call(calls.setWatched, { movieId, isWatched })).progress);
    } catch (error) {
      this.#restore(movieId, before);
      throw error;
    }
  }

  /** Takes the movie off “continue watching”; rolls back and rejects when the server refuses. */
  async clear(movieId: string): Promise<void> {
    this.#unsent.delete(movieId);
    this.#remember();
    const before = this.#byMovie.peek().get(movieId);
    if (before !== undefined) this.#take({ ...before, positionMs: 0, updatedAt: Math.round(this.#server.now()) });
    try {
      this.#take((await this.#server.call(calls.clear, { movieId })).progress);
    } catch (error) {
      this.#restore(movieId, before);
      throw error;
    }
  }

  dispose(): void {
    clearTimeout(this.#retry);
    for (const dispose of this.#disposers) dispose();
    this.#listeners.clear();
  }

  #take(progress: Progress): void {
    const before = this.#byMovie.peek().get(progress.movieId);
    this.#byMovie.value = new Map(this.#byMovie.peek()).set(progress.movieId, progress);
    for (const listener of this.#listeners) listener(progress, before);
  }

  #restore(movieId: string, before: Progress | undefined): void {
    if (before !== undefined) {
      this.#take(before);
      return;
    }
    const next = new Map(this.#byMovie.peek());
    next.delete(movieId);
    this.#byMovie.value = next;
  }

  async #send(): Promise<void> {
    // Without a line it stays on the device: a call that waits for one would go out old.
    if (this.#isSending || this.#link.state.peek().kind !== 'live') return;
    this.#isSending = true;
    clearTimeout(this.#retry);
    try {
      for (let next = first(this.#unsent); next !== null; next = first(this.#unsent)) {
        const [movieId, observation] = next;
        try {
          const { progress } = await this.#server.call(calls.report, { movieId, ...observation });
          // Watched on since: the newer report is on its way, and its position must not jump back here.
          if (this.#unsent.get(movieId) === observation) this.#take(progress);
          this.#settle(movieId, observation);
        } catch (error) {
          if (!isFailure(error)) throw error;
          if (PASSING.has(error.code)) {
            if (error.code !== 'disconnected') this.#retry = setTimeout(() => void this.#send(), RETRY_MS);
            return;
          }
          this.#settle(movieId, observation);
        }
      }
    } finally {
      this.#isSending = false;
    }
  }

  #settle(movieId: string, observation: Observation): void {
    if (this.#unsent.get(movieId) === observation) this.#unsent.delete(movieId);
    this.#remember();
  }

  #remember(): void {
    this.#memory.write(this.#memoryName, this.#unsent.size === 0 ? null : JSON.stringify([...this.#unsent]));
  }
}

function first<K, V>(map: ReadonlyMap<K, V>): readonly [K, V] | null {
  for (const entry of map) return entry;
  return null;
}
