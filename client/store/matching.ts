/** Saying which movie a file is: looking for it by hand, choosing, and what else a person may do about it. */
import { metadata } from '#protocol/methods/metadata.ts';
import type { InputOf } from '#protocol/contract.ts';
import type { MatchCandidate } from '#protocol/schema/match.ts';
import type { Server } from './ports.ts';

export interface MatchChoice {
  readonly movieId: string;
  readonly tmdbId: number;
}

export class Matching {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** By a title, a TMDB or IMDb number, or an address of either. Fails with `notReachable`. */
  async search(query: string, year: number | null, signal?: AbortSignal): Promise<readonly MatchCandidate[]> {
    const input: InputOf<typeof metadata.search> = { query, ...(year !== null && { year }) };
    const reply = await this.#server.call(metadata.search, input, signal === undefined ? {} : { signal });
    return reply.candidates;
  }

  /** Fails with `notReachable` or `unknownMovie`. Gives the movies as they are called now. */
  async match(choices: readonly MatchChoice[]): Promise<readonly string[]> {
    const { movieIds } = await this.#server.call(metadata.match, { choices: [...choices] });
    return movieIds;
  }

  async unmatch(movieId: string): Promise<void> {
    await this.#server.call(metadata.unmatch, { movieId });
  }

  /** Fails with `notReachable`. */
  async refresh(movieId?: string): Promise<number> {
    const { queued } = await this.#server.call(metadata.refresh, movieId === undefined ? {} : { movieId });
    return queued;
  }

  /** The first takes the files of the others. */
  async merge(movieIds: readonly string[]): Promise<string> {
    const { movie } = await this.#server.call(metadata.merge, { movieIds: [...movieIds] });
    return movie.id;
  }

  /** Gives the movie that the files are now. Fails with `nothingLeft`. */
  async split(movieId: string, fileIds: readonly string[]): Promise<string> {
    const { movie } = await this.#server.call(metadata.split, { movieId, fileIds: [...fileIds] });
    return movie.id;
  }

  /** Gives the paths that were written. Fails with `notWritable`. */
  async writeNfo(movieId: string): Promise<readonly string[]> {
    const { paths } = await this.#server.call(metadata.writeNfo, { movieId });
    return paths;
  }
}
