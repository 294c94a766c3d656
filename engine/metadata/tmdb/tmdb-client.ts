/**
 * Asks TMDB's API, version 3, and nobody else. Owns: the key, the rate, the pauses, and the circuit that opens while it is away.
 *
 * - [TMDB1] The key is told apart by its form: a token (v4, a JWT) goes into the header, a key (v3) into the query. Neither is
 *   ever part of an error, a log line or the name of a kept reply.
 * - [TMDB2] At most `maxPerSecond` requests begin in any second, over few connections; what a person waits for goes first.
 * - [TMDB3] 429 stops everything for as long as `Retry-After` says, else for a growing while.
 * - [TMDB4] A reply is bounded in time and size, a redirect is not followed, and what is not what was asked for is a failure.
 * - [TMDB5] After some failures in a row nothing is asked for a growing while (`away`); one request then finds out.
 * - [TMDB6] A refused key (401, 403) ends all asking until there is another one; it is tried again every ten minutes, for it may be TMDB that errs.
 * - [TMDB7] A reply that a person waited for, and what many movies share, is kept. It answers while it is fresh, and where TMDB cannot, for as long as its terms allow.
 */
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  DelegateBackoff,
  circuitBreaker,
  handleType,
  handleWhen,
  retry,
} from 'cockatiel';
import PQueue from 'p-queue';
import * as v from 'valibot';
import { backoffMs } from '#engine/base/backoff.ts';
import type { Clock } from '#engine/base/clock.ts';
import { HttpFailure, fetchJson } from '#engine/base/http-json.ts';
import type { Dispatcher } from '#engine/base/http-json.ts';
import type { Log } from '#engine/base/log.ts';
import type { Secret } from '#engine/base/secret.ts';
import type { ReplyCache, Urgency } from '../ports.ts';
import { CollectionReply, ConfigurationReply, DetailsReply, FindReply, PersonReply, SearchReply } from './reply.ts';
import type { ShortMovie } from './reply.ts';

/** `noKey`, `badKey`, `away`: as in the settings. `nonsense`: this one reply cannot be used, others may. */
export type TmdbFailureKind = 'noKey' | 'badKey' | 'away' | 'nonsense';

export class TmdbFailure extends Error {
  readonly kind: TmdbFailureKind;
  /** When asking again makes sense, from now. */
  readonly retryAfterMs: number;

  constructor(kind: TmdbFailureKind, message: string, retryAfterMs = 0) {
    super(message);
    this.name = 'TmdbFailure';
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

export type TmdbState =
  | { readonly kind: 'ready' | 'noKey' | 'badKey' }
  | { readonly kind: 'away'; readonly retryAtMs: number };

export interface TmdbOptions {
  /** With the version: `https://api.themoviedb.org/3`. */
  readonly baseUrl: string;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs' | 'after'>;
  readonly replies: ReplyCache;
  readonly log: Log;
  readonly dispatcher?: Dispatcher;
  readonly timing?: Partial<TmdbTiming>;
}

export interface TmdbTiming {
  readonly maxPerSecond: number;
  readonly connections: number;
  /** For one reply, its last byte included. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Of requests that failed, and of those that were too many. */
  readonly attempts: number;
  readonly firstWaitMs: number;
  /** A longer pause is not waited for. */
  readonly longestPauseMs: number;
  readonly failuresToBreak: number;
  readonly breakMs: number;
  readonly longestBreakMs: number;
}

/** TMDB's ceiling is “somewhere in the 40 requests per second range”, and about 20 connections. */
const TIMING: TmdbTiming = {
  maxPerSecond: 35,
  connections: 8,
  timeoutMs: 15_000,
  maxBytes: 8_000_000,
  attempts: 3,
  firstWaitMs: 500,
  longestPauseMs: 60_000,
  failuresToBreak: 5,
  breakMs: 15_000,
  longestBreakMs: 600_000,
};
const MAX_PAUSES = 5;
const BAD_KEY_RETRY_MS = 600_000;
const DAY_MS = 86_400_000;
/** TMDB's terms: six months at most. */
export const LONGEST_KEPT_MS = 180 * DAY_MS;
const FRESH_MS = { search: DAY_MS, brief: DAY_MS, find: 7 * DAY_MS, collection: 7 * DAY_MS };
const PRIORITY: Readonly<Record<Urgency, number>> = { click: 2, normal: 1, bulk: 0 };

export interface AskOptions {
  readonly urgency: Urgency;
  readonly signal?: AbortSignal | undefined;
  /** Asks even where a fresh reply was kept. */
  readonly isAnew?: boolean;
}

export interface Languages {
  /** `de`, `pt-BR`. */
  readonly language: string;
  readonly fallback: string | null;
}

type Outcome =
  | { readonly kind: 'reply'; readonly json: unknown }
  | { readonly kind: 'missing' }
  | { readonly kind: 'badKey' }
  | { readonly kind: 'tooMany'; readonly waitMs: number | null };

/** A failure that another attempt may not meet; counts towards `away`. */
class Outage extends Error {}

export class TmdbClient implements Disposable {
  readonly #options: TmdbOptions;
  readonly #timing: TmdbTiming;
  readonly #queue: PQueue;
  readonly #breaker;
  readonly #retry;
  #key: Secret | null = null;
  /** In monotonic time. */
  #badKeyUntilMs: number | null = null;
  #awayUntilMs: number | null = null;
  #pausedUntilMs = 0;
  #pauses = 0;
  #listener: (state: TmdbState) => void = () => {};
  #toldState = '';

  constructor(options: TmdbOptions) {
    this.#options = options;
    const timing = { ...TIMING, ...options.timing };
    this.#timing = timing;
    this.#queue = new PQueue({
      concurrency: timing.connections,
      intervalCap: timing.maxPerSecond,
      interval: 1_000,
      strict: true,
    });
    this.#breaker = circuitBreaker(handleType(Outage), {
      breaker: new ConsecutiveBreaker(timing.failuresToBreak),
      halfOpenAfter: new DelegateBackoff(({ attempt }) => {
        const waitMs = backoffMs(attempt, { firstMs: timing.breakMs, maxMs: timing.longestBreakMs });
        this.#awayUntilMs = options.clock.monotonicMs() + waitMs;
        this.#tell();
        return waitMs;
      }),
    });
    this.#breaker.onReset(() => {
      this.#awayUntilMs = null;
      this.#tell();
    });
    this.#retry = retry(
      handleWhen((error) => error instanceof Outage),
      {
        maxAttempts: timing.attempts - 1,
        backoff: new DelegateBackoff(({ attempt }) =>
          backoffMs(attempt, { firstMs: timing.firstWaitMs, maxMs: 10_000 }),
        ),
      },
    );
  }

  get state(): TmdbState {
    if (this.#key === null) return { kind: 'noKey' };
    if (this.#badKeyUntilMs !== null) return { kind: 'badKey' };
    if (this.#awayUntilMs === null) return { kind: 'ready' };
    const { clock } = this.#options;
    return { kind: 'away', retryAtMs: clock.nowMs() + Math.max(0, this.#awayUntilMs - clock.monotonicMs()) };
  }

  /** Told whenever the kind of state changes. */
  onState(listener: (state: TmdbState) => void): void {
    this.#listener = listener;
  }

  setKey(key: Secret | null): void {
    this.#key = key;
    this.#badKeyUntilMs = null;
    this.#tell();
  }

  /** Whether TMDB takes this key. Asks once, and changes nothing. */
  async tryKey(key: Secret, signal?: AbortSignal): Promise<'taken' | 'refused' | 'notReachable'> {
    try {
      const outcome = await this.#fetch('/configuration', {}, ConfigurationReply, key, signal);
      return outcome.kind === 'badKey' ? 'refused' : outcome.kind === 'reply' ? 'taken' : 'notReachable';
    } catch (error) {
      if (error instanceof Outage) return 'notReachable';
      throw error;
    }
  }

  /** Movies by a title, the likeliest first as TMDB has it. `year`: of any release of theirs. */
  async search(query: string, year: number | null, languages: Languages, ask: AskOptions): Promise<ShortMovie[]> {
    const params = {
      query: query.slice(0, 300),
      include_adult: 'false',
      language: languages.language,
      page: '1',
      ...(year === null ? {} : { year: String(year) }),
    };
    if (params.query.trim() === '') return [];
    return (await this.#get('/search/movie', params, SearchReply, FRESH_MS.search, ask)) ?? [];
  }

  /** The movie with this number at IMDb, `null` where TMDB knows none. */
  async findByImdb(imdbId: string, languages: Languages, ask: AskOptions): Promise<ShortMovie | null> {
    const params = { external_source: 'imdb_id', language: languages.language };
    const found = await this.#get(`/find/${encodeURIComponent(imdbId)}`, params, FindReply, FRESH_MS.find, ask);
    return found?.[0] ?? null;
  }

  /** Names and length of a movie, without the rest. */
  async brief(tmdbId: number, languages: Languages, ask: AskOptions): Promise<DetailsReply | null> {
    const params = { append_to_response: 'alternative_titles,translations', language: languages.language };
    return this.#movie(tmdbId, params, FRESH_MS.brief, ask);
  }

  /** Everything about a movie, `null` where there is none (deleted ones are none). */
  async details(tmdbId: number, languages: Languages, ask: AskOptions): Promise<DetailsReply | null> {
    const codes = [languages.language, languages.fallback ?? '', 'en'].map((tag) => tag.slice(0, 2));
    const among = [...new Set(codes.filter((code) => code !== ''))].join(',');
    const params = {
      append_to_response:
        'credits,images,release_dates,videos,similar,external_ids,keywords,alternative_titles,translations',
      language: languages.language,
      include_image_language: `${among},null`,
      include_video_language: `${among},null`,
    };
    return this.#movie(tmdbId, params, null, ask);
  }

  async collection(collectionId: number, languages: Languages, ask: AskOptions): Promise<CollectionReply | null> {
    const params = { language: languages.language };
    return this.#get(`/collection/${collectionId}`, params, CollectionReply, FRESH_MS.collection, ask);
  }

  async person(tmdbId: number, languages: Languages, ask: AskOptions): Promise<PersonReply | null> {
    const params = { append_to_response: 'translations', language: languages.language };
    return this.#get(`/person/${tmdbId}`, params, PersonReply, null, ask);
  }

  [Symbol.dispose](): void {
    this.#queue.pause();
    this.#queue.clear();
  }

  async #movie(
    tmdbId: number,
    params: Readonly<Record<string, string>>,
    freshMs: number | null,
    ask: AskOptions,
  ): Promise<DetailsReply | null> {
    const found = await this.#get(`/movie/${tmdbId}`, params, DetailsReply, freshMs, ask);
    if (found !== null && found.id !== tmdbId) {
      throw new TmdbFailure('nonsense', `TMDB was asked for movie ${tmdbId} and answered with ${found.id}`);
    }
    return found;
  }

  /** `freshMs`: how long a reply answers without asking again; `null`: it is not kept. */
  async #get<const S extends v.GenericSchema>(
    path: string,
    params: Readonly<Record<string, string>>,
    schema: S,
    freshMs: number | null,
    ask: AskOptions,
  ): Promise<v.InferOutput<S> | null> {
    const { clock, replies } = this.#options;
    const query = new URLSearchParams(params);
    query.sort();
    const name = `${path}?${query}`;
    const kept = freshMs === null ? null : await replies.read(name);
    const ageMs = kept === null ? Infinity : clock.nowMs() - kept.keptAtMs;
    const parseKept = () => v.safeParse(schema, kept?.reply);
    if (freshMs !== null && ask.isAnew !== true && ageMs < freshMs) {
      if (kept?.reply === null) return null;
      const parsed = parseKept();
      if (parsed.success) return parsed.output;
    }
    try {
      const outcome = await this.#ask(path, params, schema, ask);
      const reply = outcome.kind === 'reply' ? outcome.json : null;
      // Of thousands of searches in the background none is asked twice, and their own movies remember what came of them.
      if (freshMs !== null && (ask.urgency !== 'bulk' || freshMs >= FRESH_MS.find)) await replies.write(name, reply);
      return reply === null ? null : v.parse(schema, reply);
    } catch (error) {
      const parsed = ageMs < LONGEST_KEPT_MS && error instanceof TmdbFailure ? parseKept() : null;
      if (parsed?.success === true) return parsed.output;
      throw error;
    }
  }

  /** One answer, after as many attempts as it takes. Rejects with `TmdbFailure` or the signal's reason. */
  async #ask(
    path: string,
    params: Readonly<Record<string, string>>,
    schema: v.GenericSchema,
    { urgency, signal }: AskOptions,
  ): Promise<Outcome> {
    for (let pause = 0; ; pause++) {
      const key = this.#usableKey();
      const outcome = await this.#attempts(path, params, schema, key, PRIORITY[urgency], signal);
      if (outcome.kind === 'badKey') {
        if (this.#key === key) {
          this.#badKeyUntilMs = this.#options.clock.monotonicMs() + BAD_KEY_RETRY_MS;
          this.#tell();
        }
        throw new TmdbFailure('badKey', 'TMDB refuses the API key', BAD_KEY_RETRY_MS);
      }
      if (outcome.kind !== 'tooMany') {
        this.#pauses = 0;
        if (this.#badKeyUntilMs !== null) {
          this.#badKeyUntilMs = null;
          this.#tell();
        }
        return outcome;
      }
      const waitMs = this.#pause(outcome.waitMs);
      if (pause >= MAX_PAUSES || waitMs > this.#timing.longestPauseMs) {
        throw new TmdbFailure('away', 'TMDB wants to be asked less often', waitMs);
      }
    }
  }

  #usableKey(): Secret {
    if (this.#key === null) throw new TmdbFailure('noKey', 'there is no key for TMDB');
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#badKeyUntilMs !== null && nowMs < this.#badKeyUntilMs) {
      throw new TmdbFailure('badKey', 'TMDB refuses the API key', this.#badKeyUntilMs - nowMs);
    }
    return this.#key;
  }

  async #attempts(
    path: string,
    params: Readonly<Record<string, string>>,
    schema: v.GenericSchema,
    key: Secret,
    priority: number,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const once = async (): Promise<Outcome> =>
      this.#queue.add(() => this.#breaker.execute(() => this.#fetch(path, params, schema, key, signal)), {
        priority,
        ...(signal === undefined ? {} : { signal }),
      });
    try {
      return await this.#retry.execute(once, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof BrokenCircuitError || (error instanceof Outage && this.#awayUntilMs !== null)) {
        const leftMs = (this.#awayUntilMs ?? 0) - this.#options.clock.monotonicMs();
        throw new TmdbFailure('away', 'TMDB is not answering', Math.max(1_000, leftMs));
      }
      if (error instanceof Outage) throw new TmdbFailure('nonsense', error.message, this.#timing.breakMs);
      throw error;
    }
  }

  /** One request. Throws `Outage`, or the signal's reason. */
  async #fetch(
    path: string,
    params: Readonly<Record<string, string>>,
    schema: v.GenericSchema,
    key: Secret,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    signal?.throwIfAborted();
    const text = key.reveal();
    // A token has dots in it, a key is 32 hexadecimal digits; what is neither is sent as a key, as TMDB's oldest way.
    const isToken = text.includes('.');
    const url = new URL(`${this.#options.baseUrl.replace(/\/+$/, '')}${path}`);
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
    if (!isToken) url.searchParams.set('api_key', text);
    try {
      const { status, headers, json } = await fetchJson(url, {
        timeoutMs: this.#timing.timeoutMs,
        maxBytes: this.#timing.maxBytes,
        ...(isToken ? { headers: { authorization: `Bearer ${text}` } } : {}),
        ...(signal === undefined ? {} : { signal }),
        ...(this.#options.dispatcher === undefined ? {} : { dispatcher: this.#options.dispatcher }),
      });
      if (status === 429) {
        return { kind: 'tooMany', waitMs: waitOf(headers['retry-after'], this.#options.clock.nowMs()) };
      }
      if (status === 401 || status === 403) return { kind: 'badKey' };
      if (status >= 500 || status < 200 || (status >= 300 && status < 400)) {
        throw new Outage(`TMDB answered with status ${status}`);
      }
      if (status >= 400) {
        if (status !== 404) this.#options.log.warn('TMDB refused a request', { path, status });
        return { kind: 'missing' };
      }
      if (!v.is(schema, json)) throw new Outage('TMDB answered with something else than was asked for');
      return { kind: 'reply', json };
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      signal?.throwIfAborted();
      throw new Outage(error.message);
    }
  }

  /** Stops asking for a while; returns how long. */
  #pause(waitMs: number | null): number {
    const { clock } = this.#options;
    this.#pauses++;
    const stepMs = waitMs ?? backoffMs(this.#pauses, { firstMs: 2 * this.#timing.firstWaitMs, maxMs: 60_000 });
    const untilMs = clock.monotonicMs() + stepMs;
    if (untilMs > this.#pausedUntilMs) {
      this.#pausedUntilMs = untilMs;
      this.#queue.pause();
      clock.after(Math.min(stepMs, this.#timing.longestPauseMs), () => this.#resume()).unref();
    }
    return Math.max(0, this.#pausedUntilMs - clock.monotonicMs());
  }

  #resume(): void {
    const leftMs = this.#pausedUntilMs - this.#options.clock.monotonicMs();
    // A longer pause than anybody waits for: what is asked meanwhile finds out by itself whether it is over.
    if (leftMs <= 0 || leftMs > this.#timing.longestPauseMs) this.#queue.start();
    else this.#options.clock.after(leftMs, () => this.#resume()).unref();
  }

  #tell(): void {
    const { state } = this;
    if (state.kind === this.#toldState) return;
    this.#toldState = state.kind;
    this.#listener(state);
  }
}

/** Seconds or a date (RFC 9110, section 10.2.3); `null` where it is neither. */
function waitOf(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
