/**
 * Asks Typesense, and the database where that is away, slow or not up to date [SEARCH5]. Owns the circuit breaker. Names of people and of
 * collections are always the database's: its index of them is in memory, and Typesense holds movies only.
 */
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  TimeoutStrategy,
  circuitBreaker,
  handleAll,
  timeout,
  wrap,
} from 'cockatiel';
import type { CircuitBreakerPolicy } from 'cockatiel';
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { HealthPort, Ranking, RankOptions, SearchPort, SearchServerPort, Suggestion } from './ports.ts';

export interface SearchEngineOptions {
  readonly database: SearchPort;
  readonly server: SearchServerPort;
  /** Whether the server's index has everything; else the database is asked. */
  readonly isCurrent: () => boolean;
  readonly health: HealthPort;
  readonly clock: Pick<Clock, 'every'>;
  readonly log: Log;
  /** The server came back after it was away. */
  readonly onBack: () => void;
  /** For tests: how long an answer may take, and how long the server is left alone. */
  readonly suggestWithinMs?: number;
  readonly rankWithinMs?: number;
  readonly restMs?: number;
}

/** Slower than that, and the database is faster than any person notices. */
const SUGGEST_WITHIN_MS = 300;
const RANK_WITHIN_MS = 1_500;
const REST_MS = 5_000;
const FAILURES_TO_REST = 3;
const HEALTH_ID = 'typesense';

export class SearchEngine implements SearchPort, Disposable {
  readonly #options: SearchEngineOptions;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #probing: Timer;

  constructor(options: SearchEngineOptions) {
    this.#options = options;
    const { health, log, clock } = options;
    const restMs = options.restMs ?? REST_MS;
    this.#breaker = circuitBreaker(handleAll, {
      halfOpenAfter: restMs,
      breaker: new ConsecutiveBreaker(FAILURES_TO_REST),
    });
    this.#breaker.onBreak(() => {
      log.warn('Typesense does not answer; the database searches until it does');
      health.set({
        id: HEALTH_ID,
        severity: 'warning',
        title: 'Typesense does not answer. The built-in search stands in for it.',
        action: 'Start it again, or look at its address and its key. What changed meanwhile is sent to it by itself.',
      });
    });
    this.#breaker.onReset(() => {
      log.info('Typesense answers again');
      health.clear(HEALTH_ID);
      options.onBack();
    });
    // Nobody may search for a while, and it should be seen that it is back, or gone.
    this.#probing = clock.every(restMs, () => void this.#ask(() => options.server.ping(), RANK_WITHIN_MS)).unref();
  }

  async rank(text: string, options: RankOptions): Promise<Ranking> {
    const { server, database, isCurrent, rankWithinMs = RANK_WITHIN_MS } = this.#options;
    const ids = isCurrent() ? await this.#ask(() => server.rank(text, options), rankWithinMs) : null;
    return ids === null ? database.rank(text, options) : { ids, answeredBy: 'typesense' };
  }

  async suggest(text: string, limit: number): Promise<readonly Suggestion[]> {
    const { server, database, isCurrent, suggestWithinMs = SUGGEST_WITHIN_MS } = this.#options;
    const [movies, own] = await Promise.all([
      isCurrent() ? this.#ask(() => server.suggest(text, limit), suggestWithinMs) : null,
      database.suggest(text, limit),
    ]);
    if (movies === null) return own;
    const names = own.filter(({ kind }) => kind !== 'movie');
    return [...movies.slice(0, Math.max(1, limit - names.length)), ...names].slice(0, limit);
  }

  people(text: string, limit: number): Promise<readonly string[]> {
    return this.#options.database.people(text, limit);
  }

  collections(text: string, limit: number): Promise<readonly string[]> {
    return this.#options.database.collections(text, limit);
  }

  [Symbol.dispose](): void {
    this.#probing[Symbol.dispose]();
  }

  /** `null` where the server did not answer in time, or is left alone just now. */
  async #ask<T>(question: () => Promise<T>, withinMs: number): Promise<T | null> {
    try {
      return await wrap(this.#breaker, timeout(withinMs, TimeoutStrategy.Aggressive)).execute(question);
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) this.#options.log.debug('Typesense did not answer', { error });
      return null;
    }
  }
}
