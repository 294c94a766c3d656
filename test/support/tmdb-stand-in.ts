/**
 * A stand-in for TMDB: a real HTTP server with movies of our own making (test/support/tmdb-movies.ts) or those of a file in
 * TMDB's shapes, and with everything that a server on the internet does wrong.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { standInCollections, standInMovies, standInPerson } from './tmdb-movies.ts';
import type { StandInCollection, StandInMovie } from './tmdb-movies.ts';

/** What the server does instead of answering. */
export type Misbehaviour =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: unknown;
    }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** Half of the right answer, then the connection ends. */
  | { readonly kind: 'half' }
  /** A JSON text that does not end before `bytes`. */
  | { readonly kind: 'huge'; readonly bytes: number }
  | { readonly kind: 'html' }
  | { readonly kind: 'redirect'; readonly to: string }
  /** The right answer with every value replaced by one of another type. */
  | { readonly kind: 'wrongTypes' }
  /** The right answer with hostile strings in every text. */
  | { readonly kind: 'hostile' }
  /** Bytes that are no picture, under a picture's name. */
  | { readonly kind: 'badPicture'; readonly bytes: Buffer; readonly type: string }
  /** The connection ends without a byte. */
  | { readonly kind: 'reset' };

export interface SeenRequest {
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

export const HOSTILE_TEXT =
  "<img src=x onerror=alert(1)>\u0000\ud800 \u202e${7*7} '; drop table movie; -- {{x}} ../../etc/passwd";

export class TmdbStandIn implements AsyncDisposable {
  readonly #server: Server;
  readonly #movies: ReadonlyMap<number, StandInMovie>;
  readonly #collections: ReadonlyMap<number, StandInCollection>;
  readonly #titles: readonly { readonly movie: StandInMovie; readonly names: readonly string[] }[];
  readonly #misbehaviours: ((request: SeenRequest) => Misbehaviour | null)[] = [];
  readonly #gone = new Set<number>();
  readonly requests: SeenRequest[] = [];
  /** The only key that is taken; any is where this is `null`. */
  key: string | null = null;

  private constructor(movies: readonly StandInMovie[], collections: readonly StandInCollection[]) {
    this.#movies = new Map(movies.map((movie) => [movie.id, movie]));
    this.#collections = new Map(collections.map((collection) => [collection.id, collection]));
    this.#titles = movies.map((movie) => ({
      movie,
      names: [movie.title, movie.original_title, ...movie.alternative_titles.titles.map(({ title }) => title)].map(
        fold,
      ),
    }));
    // Who asks closes what they keep: a server that did so as well would cut off what is just being asked on a busy machine.
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** `file`: movies and collections in TMDB's shapes, as `{movies, collections}`; our own where it is absent. */
  static async open(
    options: { file?: string; movies?: readonly StandInMovie[]; port?: number } = {},
  ): Promise<TmdbStandIn> {
    const own = { movies: options.movies ?? standInMovies(), collections: standInCollections() };
    const { movies, collections } =
      options.file === undefined ? own : (JSON.parse(readFileSync(options.file, 'utf8')) as typeof own);
    const standIn = new TmdbStandIn(movies, collections);
    standIn.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(standIn.#server, 'listening');
    return standIn;
  }

  get #origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  get url(): string {
    return `${this.#origin}/3`;
  }
  get imageUrl(): string {
    return `${this.#origin}/t/p`;
  }

  /** From now on; the rule that was added last and has an answer decides. Returns how to take it back. */
  misbehave(rule: (request: SeenRequest) => Misbehaviour | null): () => void {
    this.#misbehaviours.unshift(rule);
    return () => void this.#misbehaviours.splice(this.#misbehaviours.indexOf(rule), 1);
  }

  /** The movie is no longer known. */
  forget(movieId: number): void {
    this.#gone.add(movieId);
  }
  remember(movieId: number): void {
    this.#gone.delete(movieId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#origin);
    const path = decodeURIComponent(url.pathname.replace(/^\/3(?=\/)/, ''));
    const seen = { path, params: url.searchParams, headers: request.headers };
    this.requests.push(seen);
    const wrong = this.#misbehaviours.map((rule) => rule(seen)).find((found) => found !== null);
    if (wrong?.kind === 'badPicture') {
      response.setHeader('content-type', wrong.type);
      response.end(wrong.bytes);
      return;
    }
    if (path.startsWith('/t/p/') && wrong === undefined) return this.#picture(path, response);
    const right = this.#isAllowed(seen) ? this.#right(seen) : { status: 401, body: refusal(7, 'Invalid API key.') };
    if (wrong === undefined) return send(response, right.status, right.body);
    await misbehave(wrong, right, response);
  }

  #isAllowed({ params, headers }: SeenRequest): boolean {
    const key = params.get('api_key') ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? null;
    return key !== null && (this.key === null || key === this.key);
  }

  #right({ path, params }: SeenRequest): { status: number; body: unknown } {
    const notFound = { status: 404, body: refusal(34, 'The resource you requested could not be found.') };
    if (path === '/configuration') {
      return {
        status: 200,
        body: { images: { secure_base_url: `${this.imageUrl}/`, poster_sizes: ['w342', 'original'] } },
      };
    }
    if (path === '/search/movie') {
      const query = params.get('query') ?? '';
      if (query === '') return { status: 422, body: { errors: ['query must be provided'] } };
      return { status: 200, body: this.#search(query, params) };
    }
    const [, kind, id = ''] = /^\/(movie|find|collection|person)\/(\w+)$/.exec(path) ?? [];
    if (kind === 'collection') {
      const collection = this.#collections.get(Number(id));
      return collection ? { status: 200, body: collection } : notFound;
    }
    if (kind === undefined) return notFound;
    if (kind === 'person') {
      const person = standInPerson(Number(id));
      return person === null ? notFound : { status: 200, body: person };
    }
    const byImdb = [...this.#movies.values()].find((movie) => movie.imdb_id === id);
    const movie = id.startsWith('tt') ? byImdb : this.#movies.get(Number(id));
    const isThere = movie !== undefined && !this.#gone.has(movie.id);
    if (kind === 'find') return { status: 200, body: { movie_results: isThere ? [short(movie)] : [], tv_results: [] } };
    return isThere ? { status: 200, body: details(movie, params) } : notFound;
  }

  #search(query: string, params: URLSearchParams): unknown {
    const asked = fold(query);
    const words = asked.split(' ');
    const year = params.get('year') ?? params.get('primary_release_year');
    const page = Number(params.get('page') ?? 1);
    const found = this.#titles
      .filter(({ movie }) => !this.#gone.has(movie.id) && (year === null || yearsOf(movie, params).includes(year)))
      .map(({ movie, names }) => ({
        movie,
        rank: names.includes(asked) ? 0 : names.some((name) => name.startsWith(asked)) ? 1 : 2,
        isHit: names.some((name) => words.every((word) => name.split(' ').some((other) => other.startsWith(word)))),
      }))
      .filter(({ isHit }) => isHit)
      .toSorted((a, b) => a.rank - b.rank || b.movie.popularity - a.movie.popularity);
    return {
      page,
      results: found.slice((page - 1) * 20, page * 20).map(({ movie }) => short(movie)),
      total_pages: Math.max(1, Math.ceil(found.length / 20)),
      total_results: found.length,
    };
  }

  /** A picture of that name: the same colour each time, in the size that was asked for. */
  async #picture(path: string, response: ServerResponse): Promise<void> {
    const [, size = 'original', name = ''] = /^\/t\/p\/(\w+)\/([\w.-]+)$/.exec(path) ?? [];
    if (name === '') return send(response, 404, 'no such picture');
    const digest = createHash('sha256').update(name).digest();
    const isWide = /b\d*\.|l\d*\./.test(name);
    const width = size === 'original' ? (isWide ? 1920 : 1000) : Number(size.slice(1));
    const height = Math.round(isWide ? (width * 9) / 16 : (width * 3) / 2);
    const background = { r: digest[0]!, g: digest[1]!, b: digest[2]! };
    const picture = sharp({ create: { width, height, channels: 3, background } });
    const isPng = name.endsWith('.png');
    response.setHeader('content-type', isPng ? 'image/png' : 'image/jpeg');
    response.end(await (isPng ? picture.png() : picture.jpeg({ quality: 60 })).toBuffer());
  }
}

/** By title without case, marks and punctuation. */
const fold = (title: string): string =>
  title
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

const refusal = (code: number, message: string) => ({ status_code: code, status_message: message, success: false });

function yearsOf(movie: StandInMovie, params: URLSearchParams): string[] {
  const first = movie.release_date.slice(0, 4);
  if (!params.has('year')) return [first];
  return [
    first,
    ...movie.release_dates.results.flatMap((place) => place.release_dates.map((each) => each.release_date.slice(0, 4))),
  ];
}

const SHORT_KEYS = [
  'adult', 'backdrop_path', 'id', 'original_language', 'original_title', 'overview', 'popularity', 'poster_path', 'release_date', 'title', 'video',
  'vote_average', 'vote_count',
]; // prettier-ignore
const BLOCKS = [
  'credits', 'images', 'release_dates', 'videos', 'external_ids', 'keywords', 'alternative_titles', 'translations', 'similar',
]; // prettier-ignore

function short(movie: StandInMovie): Record<string, unknown> {
  return Object.fromEntries(Object.entries(movie).filter(([key]) => SHORT_KEYS.includes(key)));
}

function details(movie: StandInMovie, params: URLSearchParams): Record<string, unknown> {
  const wanted = (params.get('append_to_response') ?? '').split(',');
  return Object.fromEntries(Object.entries(movie).filter(([key]) => !BLOCKS.includes(key) || wanted.includes(key)));
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

async function misbehave(
  wrong: Misbehaviour,
  right: { status: number; body: unknown },
  response: ServerResponse,
): Promise<void> {
  switch (wrong.kind) {
    case 'status':
      return send(response, wrong.status, wrong.body ?? refusal(0, 'No.'), wrong.headers);
    case 'hang':
      return;
    case 'reset':
      response.destroy();
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Sign in to the hotel’s network</title>');
      return;
    case 'redirect':
      return send(response, 302, {}, { location: wrong.to });
    case 'half': {
      const text = JSON.stringify(right.body);
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
      });
      response.write(text.slice(0, text.length >> 1), () => response.destroy());
      return;
    }
    case 'huge': {
      response.writeHead(200, { 'content-type': 'application/json' });
      const chunk = Buffer.alloc(65_536, 32);
      response.write('{"results":[');
      const closed = once(response, 'close');
      for (let sent = 0; sent < wrong.bytes && !response.destroyed; sent += chunk.length) {
        if (!response.write(chunk)) {
          const drained = new Promise((resolve) => void response.once('drain', resolve));
          await Promise.race([drained, closed]);
        }
      }
      response.end(']}');
      return;
    }
    case 'wrongTypes':
      return send(response, right.status, twist(right.body));
    case 'hostile':
      return send(response, right.status, poison(right.body));
    case 'badPicture':
  }
}

/** Every value below the first level as something of another type. */
function twist(value: unknown, depth = 0): unknown {
  if (Array.isArray(value)) {
    return depth === 1 ? [1, null, 'x', { id: 'x' }, []] : value.map((each) => twist(each, depth + 1));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, twist(each, depth + 1)]));
  }
  if (typeof value === 'number') return depth < 2 ? value : 'many';
  return typeof value === 'string' && depth < 2 ? value : { was: value };
}

function poison(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => poison(each, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, poison(each, name)]));
  }
  // Dates and codes stay: a reply without them would be refused, and this one is to come through.
  return typeof value === 'string' && !/date|iso_|imdb_id/.test(key) ? HOSTILE_TEXT.repeat(3) : value;
}
