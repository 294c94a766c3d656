/**
 * The database's search as the main thread sees it: questions go to a thread, which is kept running [SEARCH8]. Owns that thread. Its index is
 * read anew in each life; questions wait for it, but not for ever.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { Supervisor } from '#engine/runtime/supervisor.ts';
import type { HealthPort, Ranking, RankOptions, SearchIndexPort, SearchLife, Suggestion } from './ports.ts';

export interface KeptSearchOptions {
  readonly start: () => Promise<SearchLife>;
  readonly health: HealthPort;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a question may wait for its answer. As long as a call may, unless told. */
  readonly answerWithinMs?: number;
}

const ANSWER_WITHIN_MS = 15_000;
/** A question that ends the thread is not asked for ever. */
const LIVES_A_QUESTION = 2;
/** For ever: without it nothing is found. The wait grows, so that one that never fits into memory costs little. */
const RESTARTS = { maxRestarts: Infinity, withinMs: 600_000, backoff: { firstMs: 200, maxMs: 60_000 } } as const;
const RETRY_MS = 2_000;
const HEALTH_ID = 'search';

export class KeptSearch implements SearchIndexPort, AsyncDisposable {
  readonly #options: KeptSearchOptions;
  readonly #supervisor: Supervisor<SearchLife>;
  readonly #closing = new AbortController();

  /** Starts the thread in the background. */
  constructor(options: KeptSearchOptions) {
    this.#options = options;
    const { clock, health, log } = options;
    this.#supervisor = new Supervisor(() => this.#start(), {
      name: 'search',
      ...RESTARTS,
      clock,
      onRestart: (error, waitMs) => {
        log.error('the thread that searches ended and is started again', { error, waitMs });
        health.set({
          id: HEALTH_ID,
          severity: 'warning',
          title: 'Search ended unexpectedly. It is starting again.',
          action:
            'Searches wait until all names are read again. If this stays or comes back, look for “the thread that searches ended” in the log: with many movies most likely the memory does not suffice.',
        });
      },
    });
  }

  rank(text: string, options: RankOptions): Promise<Ranking> {
    return this.#askInTime('rank', [text, options]);
  }

  suggest(text: string, limit: number): Promise<readonly Suggestion[]> {
    return this.#askInTime('suggest', [text, limit]);
  }

  people(text: string, limit: number): Promise<readonly string[]> {
    return this.#askInTime('people', [text, limit]);
  }

  collections(text: string, limit: number): Promise<readonly string[]> {
    return this.#askInTime('collections', [text, limit]);
  }

  caughtUp(): Promise<void> {
    return this.#ask('caughtUp', [], this.#closing.signal);
  }

  reindex(): Promise<void> {
    return this.#ask('reindex', [], this.#closing.signal);
  }

  /** Ends the thread. Whoever waits for an answer gets an error. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('search was closed'));
    await this.#supervisor[Symbol.asyncDispose]();
  }

  async #start(): Promise<SearchLife> {
    const life = await this.#options.start();
    void this.#tellWhenRead(life);
    return life;
  }

  async #tellWhenRead(life: SearchLife): Promise<void> {
    const { clock, health } = this.#options;
    const { signal } = this.#closing;
    for (;;) {
      try {
        await life.ask('caughtUp', [], signal);
        return health.clear(HEALTH_ID);
      } catch (error) {
        // Its end is the supervisor's to tell. Else the database is away, which the thread survives.
        if (isEnd(error) || signal.aborted) return;
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #askInTime<Name extends keyof SearchIndexPort>(
    name: Name,
    args: Parameters<SearchIndexPort[Name]>,
  ): Promise<Awaited<ReturnType<SearchIndexPort[Name]>>> {
    const { clock, answerWithinMs = ANSWER_WITHIN_MS } = this.#options;
    const late = new AbortController();
    using _limit = clock.after(answerWithinMs, () =>
      late.abort(new Error(`search did not answer within ${answerWithinMs} ms; right after a start it still reads`)),
    );
    return await this.#ask(name, args, AbortSignal.any([late.signal, this.#closing.signal]));
  }

  async #ask<Name extends keyof SearchIndexPort>(
    name: Name,
    args: Parameters<SearchIndexPort[Name]>,
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<SearchIndexPort[Name]>>> {
    let before: SearchLife | undefined;
    for (let lives = 1; ; lives++) {
      const life = await this.#lifeAfter(before, signal);
      try {
        return await life.ask(name, args, signal);
      } catch (error) {
        if (!isEnd(error) || lives >= LIVES_A_QUESTION || signal.aborted) throw error;
      }
      before = life;
    }
  }

  async #lifeAfter(before: SearchLife | undefined, signal: AbortSignal): Promise<SearchLife> {
    for (;;) {
      const life = await unlessAborted(this.#supervisor.running(), signal);
      if (life !== before) return life;
      // Who asks may hear of its end before the supervisor does.
      await nextTurn();
    }
  }
}

const isEnd = (error: unknown): boolean => error instanceof Error && error.name === 'SearchLifeEnd';

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
