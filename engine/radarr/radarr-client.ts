/**
 * Asks Radarr, API v3. Every question is bounded in time and size, tried again where that may help, and given up at once
 * while Radarr has been failing (a circuit breaker), so that nothing here ever piles up behind a server that is away.
 * What goes wrong is one of a closed set, and says nothing of the key.
 */
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  ExponentialBackoff,
  TaskCancelledError,
  circuitBreaker,
  handleWhen,
  retry,
  wrap,
} from 'cockatiel';
import type { IPolicy } from 'cockatiel';
import * as v from 'valibot';
import { HttpFailure, fetchJson, fetchJsonList } from '#engine/base/http-json.ts';
import type { HttpOptions } from '#engine/base/http-json.ts';
import type { Secret } from '#engine/base/secret.ts';
import type { RadarrTroubleReason } from '#protocol/schema/radarr.ts';
import {
  Collection,
  Command,
  MovieFileResource,
  MovieResource,
  QualityProfile,
  RootFolder,
  SystemStatus,
  parseList,
} from './replies.ts';

/** Why Radarr could not be asked, as it stands beside a sync. */
const WORDS: Readonly<Record<RadarrTroubleReason, string>> = {
  notSet: 'Radarr’s address or key is not set',
  badKey: 'Radarr refuses the key',
  away: 'Radarr does not answer',
  slow: 'Radarr did not answer in time',
  redirected: 'Radarr’s address leads to another one',
  notRadarr: 'What answers is not Radarr',
  tooOld: 'Radarr is too old',
  broken: 'Radarr reports a fault of its own',
};

/** Radarr could not be asked. `detail`: the system's word for it, or the HTTP status. */
export class RadarrFailure extends Error {
  readonly reason: RadarrTroubleReason;
  /** For people; the message is for the log. */
  readonly words: string;
  readonly detail: string | null;

  constructor(reason: RadarrTroubleReason, detail: string | null = null) {
    super(`Radarr could not be asked: ${reason}${detail === null ? '' : ` (${detail})`}`);
    this.name = 'RadarrFailure';
    this.words = WORDS[reason];
    this.reason = reason;
    this.detail = detail;
  }
}

export interface RadarrClientOptions {
  /** With the base path that Radarr was given, if any. */
  readonly url: string;
  readonly apiKey: Secret;
  /** For one question; the list of all movies has four times as long. */
  readonly timeoutMs?: number;
  /** Between attempts, at first. */
  readonly retryMs?: number;
  /** How long Radarr is left alone after it failed several times in a row. */
  readonly restMs?: number;
}

const TIMEOUT_MS = 15_000;
const RETRY_MS = 400;
const REST_MS = 30_000;
const ATTEMPTS = 3;
const FAILURES_TO_REST = 6;
/** Ten thousand movies are 60 MB; one is 6 KB, and collections hold up to some hundred short ones. */
const MAX_LIST_BYTES = 1 << 30;
const MAX_MOVIE_BYTES = 1 << 20;
const MAX_REPLY_BYTES = 16 << 20;
/** The first version of this API is the first one that is called 3. */
const OLDEST_VERSION = 3;

/** What may be over a moment later. */
const PASSING: ReadonlySet<RadarrTroubleReason> = new Set<RadarrTroubleReason>(['away', 'slow', 'broken']);
const isPassing = (error: unknown): boolean => error instanceof RadarrFailure && PASSING.has(error.reason);

export class RadarrClient {
  readonly #options: RadarrClientOptions;
  readonly #policy: IPolicy;
  #lastFailure: RadarrFailure | null = null;

  constructor(options: RadarrClientOptions) {
    this.#options = options;
    const firstMs = options.retryMs ?? RETRY_MS;
    const passing = handleWhen(isPassing);
    this.#policy = wrap(
      retry(passing, {
        maxAttempts: ATTEMPTS - 1,
        backoff: new ExponentialBackoff({ initialDelay: firstMs, maxDelay: firstMs * 10 }),
      }),
      circuitBreaker(passing, {
        halfOpenAfter: options.restMs ?? REST_MS,
        breaker: new ConsecutiveBreaker(FAILURES_TO_REST),
      }),
    );
  }

  /** Who is there. Throws `notRadarr` or `tooOld` where it is not what we speak with. */
  async status(signal?: AbortSignal): Promise<SystemStatus> {
    const result = v.safeParse(SystemStatus, await this.#get('system/status', signal));
    if (!result.success || result.output.appName !== 'Radarr') throw new RadarrFailure('notRadarr');
    const { version } = result.output;
    if (Number.parseInt(version, 10) < OLDEST_VERSION) throw new RadarrFailure('tooOld', version);
    return result.output;
  }

  /** `null` where there is no such movie any more. */
  async movie(radarrId: number, signal?: AbortSignal): Promise<MovieResource | null> {
    const json = await this.#get(`movie/${radarrId}`, signal, true);
    if (json === null) return null;
    const result = v.safeParse(MovieResource, json);
    if (!result.success) throw new RadarrFailure('notRadarr');
    return result.output;
  }

  /** All movies, one by one; `skipped` counts what could not be read. `onMovie` may end it by `false`. */
  async movies(
    onMovie: (movie: MovieResource) => boolean | void | Promise<boolean | void>,
    signal?: AbortSignal,
  ): Promise<{ readonly skipped: number }> {
    const ended = new AbortController();
    let skipped = 0;
    try {
      const reply = await this.#ask(
        (options) =>
          fetchJsonList(
            this.#url('movie'),
            { ...options, maxBytes: MAX_LIST_BYTES, maxItemBytes: MAX_MOVIE_BYTES },
            async (item) => {
              const result = v.safeParse(MovieResource, item);
              if (!result.success) skipped++;
              else if ((await onMovie(result.output)) === false) {
                ended.abort();
                ended.signal.throwIfAborted();
              }
            },
          ),
        { signal, timeoutMs: 4 * this.#timeoutMs },
      );
      return { skipped: skipped + reply.skipped };
    } catch (error) {
      if (ended.signal.aborted) return { skipped };
      throw error;
    }
  }

  async movieFiles(radarrId: number, signal?: AbortSignal): Promise<MovieFileResource[]> {
    return this.#list(MovieFileResource, `moviefile?movieId=${radarrId}`, signal);
  }

  async qualityProfiles(signal?: AbortSignal): Promise<QualityProfile[]> {
    return this.#list(QualityProfile, 'qualityprofile', signal);
  }

  async rootFolders(signal?: AbortSignal): Promise<RootFolder[]> {
    return this.#list(RootFolder, 'rootfolder', signal);
  }

  async collections(signal?: AbortSignal): Promise<Collection[]> {
    return this.#list(Collection, 'collection', signal);
  }

  /** Has Radarr do something: `RescanMovie` with `{ movieId }`, `RefreshMovie` with `{ movieIds }` … Never tried twice: it may have begun. */
  async command(name: string, body: Readonly<Record<string, unknown>> = {}, signal?: AbortSignal): Promise<Command> {
    const { json } = await this.#once(
      (options) => fetchJson(this.#url('command'), { ...options, method: 'POST', body: { ...body, name } }),
      { signal },
    );
    return parseCommand(json);
  }

  async commandState(commandId: number, signal?: AbortSignal): Promise<Command> {
    return parseCommand(await this.#get(`command/${commandId}`, signal));
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? TIMEOUT_MS;
  }

  #url(path: string): string {
    return `${this.#options.url.replace(/\/+$/, '')}/api/v3/${path}`;
  }

  async #list<S extends v.GenericSchema>(schema: S, path: string, signal?: AbortSignal): Promise<v.InferOutput<S>[]> {
    const items = parseList(schema, await this.#get(path, signal));
    if (items === null) throw new RadarrFailure('notRadarr');
    return items;
  }

  async #get(path: string, signal?: AbortSignal, mayMiss: boolean = false): Promise<unknown> {
    const { json } = await this.#ask((options) => fetchJson(this.#url(path), options), { signal, mayMiss });
    return json;
  }

  /** Asks within the policy: again after a moment, and not at all while Radarr rests. */
  async #ask<R extends { readonly status: number }>(
    question: (options: HttpOptions) => Promise<R>,
    how: How,
  ): Promise<R> {
    try {
      return await this.#policy.execute(() => this.#once(question, how), how.signal);
    } catch (error) {
      how.signal?.throwIfAborted();
      if (error instanceof BrokenCircuitError || error instanceof TaskCancelledError) {
        throw this.#lastFailure ?? new RadarrFailure('away');
      }
      throw error;
    }
  }

  async #once<R extends { readonly status: number }>(
    question: (options: HttpOptions) => Promise<R>,
    { signal, timeoutMs = this.#timeoutMs, mayMiss = false }: How,
  ): Promise<R> {
    try {
      const reply = await question({
        headers: { 'x-api-key': this.#options.apiKey.reveal() },
        timeoutMs,
        maxBytes: MAX_REPLY_BYTES,
        ...(signal === undefined ? {} : { signal }),
      });
      const trouble = statusTrouble(reply.status, mayMiss);
      if (trouble !== null) throw new RadarrFailure(trouble, String(reply.status));
      // What comes with a 404 is of no use; that it is one is the answer.
      return reply.status === 404 ? { ...reply, json: null } : reply;
    } catch (error) {
      const failure = error instanceof HttpFailure ? toFailure(error) : error;
      if (failure instanceof RadarrFailure) this.#lastFailure = failure;
      throw failure;
    }
  }
}

interface How {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** A 404 is an answer. */
  readonly mayMiss?: boolean;
}

function parseCommand(json: unknown): Command {
  const result = v.safeParse(Command, json);
  if (!result.success) throw new RadarrFailure('notRadarr');
  return result.output;
}

function statusTrouble(status: number, mayMiss: boolean): RadarrTroubleReason | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return 'redirected';
  if (status === 401 || status === 403) return 'badKey';
  if (status === 404 && mayMiss) return null;
  if (status === 429 || status >= 500) return 'broken';
  return 'notRadarr';
}

function toFailure({ kind, code }: HttpFailure): RadarrFailure | DOMException {
  switch (kind) {
    case 'timeout':
      return new RadarrFailure('slow');
    case 'network':
      return new RadarrFailure('away', code);
    case 'notJson':
    case 'tooLarge':
      return new RadarrFailure('notRadarr', kind);
    case 'aborted':
      return new DOMException('called off', 'AbortError');
  }
}
