/** Radarr as far as we speak with it: a real HTTP server with movies, folders and profiles, that can be told to misbehave. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StandInMovie {
  readonly id: number;
  readonly tmdbId: number;
  readonly title: string;
  readonly year: number;
  /** As Radarr sees it. */
  readonly path: string;
  /** `null`: not downloaded yet. */
  readonly file: { readonly id: number; readonly relativePath: string; readonly size?: number } | null;
}

/**
 * How it answers instead: `unauthorized` 401 without a body, `failing` 500, `hanging` never, `half` the beginning of a reply and then the end of the
 * connection, `huge` 200 MB, `html` a page of somebody else, `redirect` to another address, `other` another program of the same family, `old` version 2.
 */
export type Misbehaviour =
  | 'unauthorized'
  | 'failing'
  | 'hanging'
  | 'half'
  | 'huge'
  | 'html'
  | 'redirect'
  | 'other'
  | 'old';

export const STAND_IN_KEY = '0123456789abcdef0123456789abcdef';

export class RadarrStandIn implements AsyncDisposable {
  readonly movies = new Map<number, StandInMovie>();
  /** Elements put into the list of movies as they are, for testing what cannot be read. */
  readonly badMovies: unknown[] = [];
  rootFolders: { readonly path: string; readonly accessible: boolean }[] = [{ path: '/movies', accessible: true }];
  instanceName = 'Radarr';
  misbehaviour: Misbehaviour | null = null;
  /** What happens between being asked for all movies and the answer. */
  beforeMovies: () => Promise<void> = () => Promise.resolve();
  /** How many requests misbehave before it is well again. */
  misbehaviourLeft = Infinity;
  /** `GET /api/v3/movie` …, in order. */
  readonly asked: string[] = [];
  readonly commands: Record<string, unknown>[] = [];
  // Who asks closes what they keep: a server that did so as well would cut off what is just being asked on a busy machine.
  readonly #server = createServer({ keepAliveTimeout: 0 }, (request, response) => this.#handle(request, response));

  static async start(basePath = ''): Promise<RadarrStandIn> {
    const standIn = new RadarrStandIn(basePath);
    standIn.#server.listen(0, '127.0.0.1');
    await once(standIn.#server, 'listening');
    return standIn;
  }

  readonly #basePath: string;

  private constructor(basePath: string) {
    this.#basePath = basePath;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#basePath}`;
  }

  put(movie: StandInMovie): void {
    this.movies.set(movie.id, movie);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://radarr.invalid');
    this.asked.push(`${request.method} ${url.pathname.slice(this.#basePath.length)}${url.search}`);
    if (this.misbehaviour !== null && this.misbehaviourLeft > 0) {
      this.misbehaviourLeft--;
      if (this.#misbehave(this.misbehaviour, response)) return;
    }
    if (request.headers['x-api-key'] !== STAND_IN_KEY) return void response.writeHead(401).end();
    const path = url.pathname.slice(this.#basePath.length);
    if (!url.pathname.startsWith(`${this.#basePath}/api/v3/`)) return void response.writeHead(404).end();
    if (request.method === 'POST' && path === '/api/v3/command') return this.#command(request, response);
    void (path === '/api/v3/movie' ? this.beforeMovies() : Promise.resolve()).then(() => {
      const answer = this.#answer(path, url.searchParams);
      response
        .writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify(answer ?? { message: 'NotFound' }));
    });
  }

  #answer(path: string, query: URLSearchParams): unknown {
    if (path === '/api/v3/system/status') return this.#status('Radarr', '6.1.0.10320');
    if (path === '/api/v3/movie') return [...this.badMovies, ...[...this.movies.values()].map(movieResource)];
    const movie = /^\/api\/v3\/movie\/(\d+)$/.exec(path);
    if (movie) {
      const found = this.movies.get(Number(movie[1]));
      return found && movieResource(found);
    }
    if (path === '/api/v3/moviefile') {
      const found = this.movies.get(Number(query.get('movieId')));
      return found?.file ? [fileResource(found)] : [];
    }
    if (path === '/api/v3/qualityprofile') {
      return [{ name: 'HD-1080p', upgradeAllowed: true, cutoff: 7, items: [], id: 4 }];
    }
    if (path === '/api/v3/rootfolder') {
      return this.rootFolders.map((folder, index) => ({ ...folder, unmappedFolders: [], id: index + 1 }));
    }
    if (path === '/api/v3/collection') {
      return [{ title: 'Heat Collection', tmdbId: 99, movies: [{ tmdbId: 949, title: 'Heat', year: 1995 }], id: 1 }];
    }
    if (/^\/api\/v3\/command\/\d+$/.test(path)) return { id: 901, name: 'RescanMovie', status: 'completed' };
    return undefined;
  }

  #status(appName: string, version: string): unknown {
    return { appName, instanceName: this.instanceName, version, isDocker: true, urlBase: this.#basePath };
  }

  #command(request: IncomingMessage, response: ServerResponse): void {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      this.commands.push(body);
      response.writeHead(201).end(JSON.stringify({ id: 901, name: body['name'], status: 'queued' }));
    });
  }

  /** `false` where the ordinary answer follows. */
  #misbehave(how: Misbehaviour, response: ServerResponse): boolean {
    switch (how) {
      case 'unauthorized':
        response.writeHead(401).end();
        return true;
      case 'failing':
        response.writeHead(500, { 'content-type': 'application/json' }).end('{"message":"database is locked"}');
        return true;
      case 'hanging':
        return true;
      case 'half':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
        response.write('[{"id":1,', () => response.destroy());
        return true;
      case 'huge':
        response.writeHead(200, { 'content-type': 'application/json' });
        flood(response, 200_000_000);
        return true;
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Router</title>');
        return true;
      case 'redirect':
        response.writeHead(302, { location: 'http://127.0.0.1:1/login' }).end();
        return true;
      case 'other':
        response.writeHead(200).end(JSON.stringify(this.#status('Sonarr', '4.0.0.1')));
        return true;
      case 'old':
        response.writeHead(200).end(JSON.stringify(this.#status('Radarr', '2.0.0.1')));
        return true;
    }
  }
}

function flood(response: ServerResponse, leftBytes: number): void {
  const block = Buffer.alloc(262_144, 0x20);
  let left = leftBytes;
  response.write('[');
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= block.length;
      if (!response.write(block)) return void response.once('drain', more);
    }
    response.end(']');
  };
  more();
}

function fileResource({ id, path, file }: StandInMovie): unknown {
  return (
    file && {
      movieId: id,
      relativePath: file.relativePath,
      path: `${path}/${file.relativePath}`,
      size: file.size ?? 1_000,
      quality: { quality: { id: 7, name: 'Bluray-1080p', resolution: 1080 }, revision: { version: 1 } },
      id: file.id,
    }
  );
}

function movieResource(movie: StandInMovie): unknown {
  return {
    title: movie.title,
    year: movie.year,
    path: movie.path,
    hasFile: movie.file !== null,
    movieFileId: movie.file?.id ?? 0,
    monitored: true,
    tmdbId: movie.tmdbId,
    ratings: {},
    ...(movie.file === null ? {} : { movieFile: fileResource(movie) }),
    id: movie.id,
  };
}
