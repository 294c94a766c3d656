/** A person at a running engine: signed in, with a live connection, the calls of the contract, and the feeds they follow. */
import { Connection } from '#client/net/connection.ts';
import type { ConnectionState, Following } from '#client/net/connection.ts';
import { createHttpCalls } from '#client/net/http-calls.ts';
import type { HttpCalls } from '#client/net/http-calls.ts';
import { liveUrl, webSocketOpener } from '#client/net/socket.ts';
import type { Call, EntryOf, Feed, InputOf, OutputOf, SnapshotOf } from '#protocol/contract.ts';
import { jobsFeed } from '#protocol/feeds.ts';
import type { feeds, libraryFeed } from '#protocol/feeds.ts';
import { libraries, movies, server, session, setup } from '#protocol/index.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { Job } from '#protocol/schema/job.ts';
import type { Library } from '#protocol/schema/library.ts';
import type { Movie, MovieTile } from '#protocol/schema/movie.ts';

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** An admin from the configuration, so that a test need not go through the setup. */
export const ADMIN: Credentials = { name: 'ada', password: 'a long afternoon' };
export const adminEnvironment = { MATINEE_ADMIN_NAME: ADMIN.name, MATINEE_ADMIN_PASSWORD: ADMIN.password };

/** How long to wait for something that must come, on a machine that has other things to do. */
const PATIENCE_MS = 100_000;

/** Calls by HTTP that remember the token they were given, as a browser its cookie. */
class Caller {
  readonly url: string;
  token: string | null;
  readonly calls: HttpCalls;

  constructor(url: string, token: string | null = null) {
    this.url = url;
    this.token = token;
    this.calls = createHttpCalls({
      serverUrl: url,
      headers: () => this.headers(),
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        for (const cookie of response.headers.getSetCookie()) {
          this.token = /^matinee_session=([^;]+)/.exec(cookie)?.[1] ?? null;
        }
        return response;
      },
    });
  }

  headers(): Record<string, string> {
    return this.token === null ? {} : { authorization: `Bearer ${this.token}` };
  }
}

export class Person implements Disposable {
  readonly url: string;
  readonly token: string;
  readonly connection: Connection;
  /** Every state that the connection has been in. */
  readonly states: ConnectionState[] = [];
  readonly #caller: Caller;
  readonly #followed: Disposable[] = [];

  private constructor(caller: Caller) {
    if (caller.token === null) throw new Error('signing in gave no session');
    this.url = caller.url;
    this.token = caller.token;
    this.#caller = caller;
    this.connection = new Connection({
      openSocket: webSocketOpener(liveUrl(caller.url), () => caller.headers()),
      client: { name: 'test', version: '0' },
    });
    this.connection.onState((state) => this.states.push(state));
    this.connection.start();
  }

  static async signIn(url: string, { name, password }: Credentials = ADMIN): Promise<Person> {
    const caller = new Caller(url);
    await caller.calls.request(session.create, { name, password });
    return new Person(caller);
  }

  /** Makes the first account. */
  static async setUp(url: string, code: string, { name, password }: Credentials = ADMIN): Promise<Person> {
    const caller = new Caller(url);
    await caller.calls.request(setup.createAdmin, { code, name, password });
    return new Person(caller);
  }

  /** By socket. */
  call<C extends Call>(call: C, input: InputOf<C>, options?: { deadlineMs?: number }): Promise<OutputOf<C>> {
    return this.connection.call(call, input, options);
  }

  /** By HTTP. */
  request<C extends Call>(call: C, input: InputOf<C>): Promise<OutputOf<C>> {
    return this.#caller.calls.request(call, input);
  }

  /** GET of any address of the server, with the session. */
  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), { headers: { ...this.#caller.headers(), ...headers } });
  }

  follow<F extends (typeof feeds)[number]>(feed: F, key: string | null = null): FollowedFeed<F> {
    const followed = new FollowedFeed<F>(this.connection, feed, key);
    this.#followed.push(followed);
    return followed;
  }

  /** Resolves with the first state of this name, also one that is past. */
  async inState(name: ConnectionState['name']): Promise<ConnectionState> {
    const past = this.states.find((state) => state.name === name);
    if (past) return past;
    return await within(
      new Promise<ConnectionState>((resolve) => {
        this.connection.onState((state) => {
          if (state.name === name) resolve(state);
        });
      }),
      () => `the connection to be ${name}; it was ${this.states.map((state) => state.name).join(', ')}`,
    );
  }

  /** All movies that there are. */
  async movies(): Promise<MovieTile[]> {
    const found: MovieTile[] = [];
    for (;;) {
      const page = await this.call(movies.list, { offset: found.length, limit: 200 });
      found.push(...page.movies);
      if (page.movies.length === 0 || found.length >= page.total) return found;
    }
  }

  async movie(title: string): Promise<Movie> {
    const tile = (await this.movies()).find((one) => one.title === title);
    if (!tile) throw new Error(`there is no movie ${title}`);
    return (await this.call(movies.get, { movieId: tile.id })).movie;
  }

  /** What is the matter with the server. That there is no key for TMDB yet is no trouble. */
  async troubles(): Promise<HealthItem[]> {
    const { items } = await this.call(server.health, {});
    return items.filter(({ severity }) => severity !== 'info');
  }

  /** Scans everything, and waits until that is done. The jobs as they ended. */
  async scan(): Promise<Job[]> {
    using followed = this.follow(jobsFeed);
    const { jobIds } = await this.call(libraries.scan, {});
    return await followed.until(() => {
      const ended = jobsOf(followed).filter(({ id, endedAt }) => jobIds.includes(id) && endedAt !== null);
      return ended.length === jobIds.length && ended;
    }, 'the scan to end');
  }

  [Symbol.dispose](): void {
    for (const followed of this.#followed) followed[Symbol.dispose]();
    this.connection[Symbol.dispose]();
  }
}

/** What a feed said, in order, and a way to wait for what it will say. */
export class FollowedFeed<F extends Feed = Feed> implements Disposable {
  readonly snapshots: SnapshotOf<F>[] = [];
  readonly entries: EntryOf<F>[] = [];
  /** Why the server does not let them follow it. */
  refusal: unknown = null;
  #beforeSnapshot = 0;
  readonly #name: string;
  readonly #following: Following;
  readonly #waiting = new Set<() => void>();

  constructor(connection: Connection, feed: F, key: string | null) {
    this.#name = feed.name;
    const tell = (): void => {
      for (const look of [...this.#waiting]) look();
    };
    this.#following = connection.follow(feed, key, {
      onSnapshot: (snapshot) => {
        this.snapshots.push(snapshot);
        this.#beforeSnapshot = this.entries.length;
        tell();
      },
      onEntries: (entries) => {
        this.entries.push(...entries);
        tell();
      },
      onRefused: (error) => {
        this.refusal = error;
        tell();
      },
    });
  }

  /** What came after the last snapshot: together with it, the state of now. */
  get news(): EntryOf<F>[] {
    return this.entries.slice(this.#beforeSnapshot);
  }

  /** Resolves with the first answer that is something, now or after any event. */
  async until<T>(look: (feed: this) => T | false | null | undefined, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const check = (): void => {
      try {
        const found = look(this);
        if (found !== false && found !== null && found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    this.#waiting.add(check);
    check();
    try {
      const seen = (): string => JSON.stringify({ refusal: this.refusal, last: this.entries.slice(-5) });
      return await within(promise, () => `${what} on the feed ${this.#name}; it said last: ${seen()}`);
    } finally {
      this.#waiting.delete(check);
    }
  }

  [Symbol.dispose](): void {
    this.#following.close();
  }
}

/** The libraries as a follower of their feed sees them now. */
export function librariesOf(followed: FollowedFeed<typeof libraryFeed>): Library[] {
  const known = new Map(followed.snapshots.at(-1)?.libraries.map((library) => [library.id, library]));
  for (const entry of followed.news) {
    if (entry.kind !== 'library') continue;
    if (entry.library) known.set(entry.id, entry.library);
    else known.delete(entry.id);
  }
  return [...known.values()];
}

/** The jobs as a follower of their feed sees them now. */
export function jobsOf(followed: FollowedFeed<typeof jobsFeed>): Job[] {
  const known = new Map(followed.snapshots.at(-1)?.jobs.map((job) => [job.id, job]));
  for (const { id, job } of followed.news) {
    if (job) known.set(id, job);
    else known.delete(id);
  }
  return [...known.values()];
}

/** Rejects, saying what was waited for, where it does not come in time. */
export async function within<T>(promise: Promise<T>, what: () => string, limitMs: number = PATIENCE_MS): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Waited ${limitMs} ms in vain for ${what()}`)), limitMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
