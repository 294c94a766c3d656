/**
 * Knows what the catalogue says of movies, and keeps it so. Owns: how TMDB is asked, and whose NFO is being read. The truth about
 * each movie is in the database (`waiting`, `unmatched`, `doubtful`, `matched`, `confirmed`), the orders are with the queue, and
 * whatever a kill cuts short is found there by the next start. Rules: SPEC.md.
 */
import * as v from 'valibot';
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Secret } from '#engine/base/secret.ts';
import { parseNfo } from '#engine/media/nfo.ts';
import type { NfoFacts } from '#engine/media/nfo.ts';
import { Matching } from './matching.ts';
import { withNfo } from './nfo-facts.ts';
import type {
  ChangePort,
  HealthPort,
  KnownMovie,
  MetadataStore,
  MovieFacts,
  MoviePort,
  NfoPort,
  PicturePort,
  ReplyCache,
  RunningWork,
  SettingPort,
  Urgency,
  WorkOutcome,
  WorkPort,
} from './ports.ts';
import { MetadataPreferences } from './preferences.ts';
import { factsOf, personFactsOf } from './tmdb-facts.ts';
import { WaitingMovies } from './waiting-movies.ts';
import { showHealth } from './tmdb-health.ts';
import type { AskOptions, Languages, TmdbClient } from './tmdb/tmdb-client.ts';
import { LONGEST_KEPT_MS, TmdbFailure } from './tmdb/tmdb-client.ts';

export interface MetadataPorts {
  readonly store: MetadataStore;
  readonly replies: ReplyCache;
  readonly nfo: NfoPort;
  readonly pictures: PicturePort;
  readonly movies: MoviePort;
  readonly settings: SettingPort;
  readonly health: HealthPort;
  readonly changes: ChangePort;
  readonly work: WorkPort;
  readonly clock: Pick<Clock, 'every' | 'nowMs'>;
  readonly log: Log;
}

/** What an order carries. It may have been written by another version. */
const Uuid = v.pipe(v.string(), v.uuid());
const UrgencyText = v.optional(v.picklist(['click', 'normal', 'bulk']));
const Order = v.object({ movieId: Uuid, urgency: UrgencyText });
const PersonOrder = v.object({ personId: Uuid, urgency: UrgencyText });

const CONCURRENCY = { match: 4, refresh: 4 };
const ATTEMPTS = 6;
const PAGE = 500;
const READ_TOGETHER = 50;
/** Of those that were put off, the newest: more would keep the queue from everything else. */
const MOST_AT_ONCE = 2_000;
const HOUR_MS = 3_600_000;
/** TMDB changes slowly, and is to be asked seldom. */
const STALE_MS = 30 * 24 * HOUR_MS;
const LEAST_STALE_AN_HOUR = 20;
const MAX_REPLIES = 5_000;
const MAX_JITTER_MS = 20_000;

export class MetadataDomain implements AsyncDisposable {
  readonly ports: MetadataPorts;
  readonly client: TmdbClient;
  readonly preferences: MetadataPreferences;
  readonly waiting: WaitingMovies;
  readonly #log: Log;
  readonly #matching: Matching;
  /** Whose NFO is to be read while there is no key. */
  readonly #unread = new Set<string>();
  #reading: Promise<void> | null = null;
  #lookingThrough: Promise<void> | null = null;
  #isStarted = false;
  #isStopped = false;
  #timer: Timer | null = null;

  private constructor(ports: MetadataPorts, client: TmdbClient, preferences: MetadataPreferences) {
    this.ports = ports;
    this.client = client;
    this.preferences = preferences;
    this.#log = ports.log;
    this.waiting = new WaitingMovies(
      ports,
      () => this.#isKeyless,
      (movieIds) => this.#find(movieIds),
    );
    this.#matching = new Matching({
      ...{ store: ports.store, client, languages: () => this.languages },
      nfoOf: (movie) => this.#nfoOf(movie),
      orderRefresh: (movieIds, urgency) => this.orderRefresh(movieIds, urgency),
    });
    client.onState(({ kind }) => {
      showHealth(ports.health, kind);
      if (kind === 'ready' && this.#isStarted) this.#comeBack();
    });
    client.setKey(preferences.key);
    ports.work.handle(
      'match',
      { concurrency: CONCURRENCY.match, attempts: ATTEMPTS, title: 'Recognising movies' },
      (payload, job) => this.#carryOut(payload, job, (movie, ask) => this.#matching.match(movie, ask)),
    );
    ports.work.handle(
      'refresh',
      { concurrency: CONCURRENCY.refresh, attempts: ATTEMPTS, title: 'Fetching metadata' },
      (payload, job) =>
        v.is(PersonOrder, payload)
          ? this.#asking(job, null, () => this.#refreshPerson(payload, job))
          : this.#carryOut(payload, job, (movie, ask) => this.refresh(movie, ask)),
    );
  }

  static async open(ports: MetadataPorts, client: TmdbClient, environmentKey: Secret | null): Promise<MetadataDomain> {
    return new MetadataDomain(ports, client, await MetadataPreferences.open(ports.settings, environmentKey));
  }

  /** What was put off while TMDB could not be asked comes now: an order that is given again takes the earlier time. */
  #comeBack(): void {
    this.waiting
      .sweep(MOST_AT_ONCE)
      .catch((error: unknown) => this.#log.warn('what waited for TMDB waits until its time', { error }));
  }

  /** Looks for all that waits, and from then on for whatever comes. Once the work has begun. */
  async start(): Promise<void> {
    await this.waiting.start();
    this.#isStarted = true;
    const lookThrough = (): void => {
      this.#lookingThrough ??= this.#everyHour().finally(() => {
        this.#lookingThrough = null;
      });
    };
    this.#timer = this.ports.clock.every(HOUR_MS, lookThrough).unref();
    // Not waited for: a hundred thousand orders take a while to write down.
    lookThrough();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#timer?.[Symbol.dispose]();
    this.client[Symbol.dispose]();
    await this.waiting[Symbol.asyncDispose]();
    await this.#lookingThrough;
    await this.#reading;
  }

  get languages(): Languages {
    const { language, fallbackLanguage } = this.preferences.values;
    return { language, fallback: fallbackLanguage };
  }

  /** Has movies looked for: by the queue, or at once where there is nobody to ask and their NFO is all there is. */
  async #find(movieIds: readonly string[]): Promise<void> {
    if (!this.#isKeyless) return this.orderMatch(movieIds, 'bulk');
    for (const movieId of movieIds) this.#unread.add(movieId);
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
  }

  /** One after the other, for a scan may be running. What a kill leaves is found by the next start: it is noted as read only afterwards. */
  async #readAll(): Promise<void> {
    while (this.#unread.size > 0 && !this.#isStopped) {
      const batch = [...this.#unread].slice(0, READ_TOGETHER);
      for (const movieId of batch) this.#unread.delete(movieId);
      try {
        for (const movieId of batch) {
          const movie = this.#isStopped ? null : await this.ports.store.movie(movieId);
          if (movie?.match === 'waiting') await this.#matching.withoutKey(movie);
        }
        if (!this.#isStopped) await this.ports.store.noteRead(batch);
      } catch (error) {
        this.#log.warn('what lies beside movies could not be read; tried again in an hour', { error });
      }
    }
  }

  async orderMatch(movieIds: readonly string[], urgency: Urgency): Promise<void> {
    if (movieIds.length === 0) return;
    await this.ports.work.order(
      movieIds.map((movieId) => ({ kind: 'match', payload: { movieId, urgency }, urgency, key: movieId })),
    );
  }

  async orderRefresh(movieIds: readonly string[], urgency: Urgency): Promise<void> {
    if (movieIds.length === 0) return;
    await this.ports.work.order(
      movieIds.map((movieId) => ({ kind: 'refresh', payload: { movieId, urgency }, urgency, key: movieId })),
    );
  }

  /** Somebody looks at a person: who they are is fetched for the next look, where it is not known yet. Never rejects. */
  wantPerson(personId: string): void {
    if (this.client.state.kind !== 'ready') return;
    const order = async (): Promise<void> => {
      if ((await this.ports.store.stalePerson(personId, STALE_MS)) === null) return;
      const payload = { personId, urgency: 'click' };
      await this.ports.work.order([{ kind: 'refresh', payload, urgency: 'click', key: `person ${personId}` }]);
    };
    order().catch((error: unknown) => this.#log.warn('a person could not be ordered', { error }));
  }

  async #refreshPerson({ personId }: v.InferOutput<typeof PersonOrder>, job: RunningWork): Promise<WorkOutcome> {
    const tmdbId = await this.ports.store.stalePerson(personId, STALE_MS);
    if (tmdbId === null) return { kind: 'done' };
    const { languages } = this;
    const reply = await this.client.person(tmdbId, languages, { urgency: 'click', signal: job.signal });
    await this.ports.store.writePerson(personId, reply && personFactsOf(reply, languages));
    return { kind: 'done' };
  }

  /** Fetches everything about a movie that is known to the catalogue, and writes it [META5]. Rejects with `TmdbFailure`. */
  async refresh(movie: KnownMovie, ask: AskOptions): Promise<WorkOutcome> {
    const { store } = this.ports;
    const { tmdbId } = movie;
    if (tmdbId === null) return { kind: 'done', note: 'The catalogue does not have it.' };
    if (this.#isKeyless) return { kind: 'done', note: 'There is no key for TMDB.' };
    const facts = await this.factsOf(tmdbId, ask);
    const nfo = await this.#nfoOf(movie);
    if (facts === null) {
      await store.noteGone(movie.id, tmdbId);
      return { kind: 'done', note: 'TMDB does not have it any more.' };
    }
    await store.writeFacts(movie.id, tmdbId, nfo === null ? facts : withNfo(facts, nfo), true);
    return { kind: 'done' };
  }

  /** Writes what the catalogue says of a movie, with what lies beside its files over it. */
  async write(movieId: string, tmdbId: number, facts: MovieFacts): Promise<void> {
    const movie = await this.ports.store.movie(movieId);
    const nfo = movie && (await this.#nfoOf(movie));
    await this.ports.store.writeFacts(movieId, tmdbId, nfo ? withNfo(facts, nfo) : facts, true);
  }

  /** Orders everything that the catalogue knows to be fetched anew; returns how many movies that are. */
  async refreshAll(): Promise<number> {
    let count = 0;
    let after: string | null = null;
    for (;;) {
      const movieIds: string[] = await this.ports.store.identified(after, PAGE);
      await this.orderRefresh(movieIds, 'bulk');
      count += movieIds.length;
      after = movieIds.at(-1) ?? null;
      if (movieIds.length < PAGE || this.#isStopped) return count;
    }
  }

  /** Looks again for what was not found; returns how many movies that are. */
  async lookAgainForAll(): Promise<number> {
    const movieIds = await this.ports.store.lookAgain('unmatched');
    for (let at = 0; at < movieIds.length; at += PAGE) await this.orderMatch(movieIds.slice(at, at + PAGE), 'bulk');
    return movieIds.length;
  }

  /** There is a key now: whatever waited for one is looked for, and fetched. */
  async keyCame(): Promise<void> {
    await this.waiting.sweep();
    await this.orderRefresh(await this.ports.store.stale(STALE_MS, 10_000), 'bulk');
  }

  /** What the catalogue says of a movie, `null` where it has none of that number. */
  async factsOf(tmdbId: number, ask: AskOptions): Promise<MovieFacts | null> {
    const { languages } = this;
    const details = await this.client.details(tmdbId, languages, ask);
    if (details === null) return null;
    const seriesId = details.belongs_to_collection?.id ?? null;
    const collection = seriesId === null ? null : await this.client.collection(seriesId, languages, ask);
    return factsOf(details, collection, { ...languages, country: this.preferences.values.country });
  }

  get #isKeyless(): boolean {
    return this.client.state.kind === 'noKey';
  }

  async #carryOut(
    payload: unknown,
    job: RunningWork,
    work: (movie: KnownMovie, ask: AskOptions) => Promise<WorkOutcome>,
  ): Promise<WorkOutcome> {
    const order = v.safeParse(Order, payload);
    if (!order.success) return { kind: 'done', note: 'The order was of another version.' };
    const { movieId, urgency = 'bulk' } = order.output;
    this.waiting.forget(movieId);
    const movie = await this.ports.store.movie(movieId);
    if (movie === null) return { kind: 'done', note: 'The movie is gone.' };
    return this.#asking(job, movieId, () => work(movie, { urgency, signal: job.signal }));
  }

  /** What comes of work where TMDB does not answer as it should. */
  async #asking(job: RunningWork, movieId: string | null, work: () => Promise<WorkOutcome>): Promise<WorkOutcome> {
    try {
      return await work();
    } catch (error) {
      job.signal.throwIfAborted();
      if (!(error instanceof TmdbFailure)) throw error;
      if (error.kind === 'badKey' || error.kind === 'away') {
        // Spread, so that whatever made TMDB stumble is not always the first to be asked for again.
        return { kind: 'later', afterMs: error.retryAfterMs + Math.random() * MAX_JITTER_MS, why: error.message };
      }
      if (error.kind === 'noKey') return { kind: 'done', note: error.message };
      if (job.attempt < ATTEMPTS) throw error;
      // Whatever TMDB answers for this one makes no sense: a person may know better [META8].
      if (movieId === null) return { kind: 'done', note: error.message };
      await this.ports.store.noteSearch(movieId, { state: 'unmatched', score: null, reasons: [], candidates: [] });
      return { kind: 'done', note: error.message };
    }
  }

  async #nfoOf(movie: KnownMovie): Promise<NfoFacts | null> {
    for (const file of movie.files.slice(0, 3)) {
      const bytes = await this.ports.nfo.read(file);
      const facts = bytes === null ? null : parseNfo(bytes);
      if (facts !== null) return facts;
    }
    return null;
  }

  async #everyHour(): Promise<void> {
    const { kind } = this.client.state;
    // What was ordered before TMDB went away is still with the queue.
    if (kind === 'away' || kind === 'badKey') return;
    try {
      await this.waiting.sweep();
      if (kind === 'ready') {
        const identified = await this.ports.store.identifiedCount();
        const anHour = Math.max(LEAST_STALE_AN_HOUR, Math.ceil(identified / (STALE_MS / HOUR_MS)));
        await this.orderRefresh(await this.ports.store.stale(STALE_MS, anHour), 'bulk');
      }
      await this.ports.replies.prune(LONGEST_KEPT_MS, MAX_REPLIES);
    } catch (error) {
      this.#log.warn('waiting movies could not be looked through; tried again in an hour', { error });
    }
  }
}
