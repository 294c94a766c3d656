/** Finds out which movie of the catalogue a movie is, and writes down what came of it. Holds no state. */
import { movieNameOf } from '#engine/media/file-name.ts';
import type { RankedOption } from '#engine/media/movie-match.ts';
import type { NfoFacts } from '#engine/media/nfo.ts';
import { hintsOf } from './id-hints.ts';
import { findMovie } from './movie-finder.ts';
import type { FinderOption, IdHint } from './movie-finder.ts';
import { withNfo } from './nfo-facts.ts';
import type { Candidate, Identity, KnownMovie, MetadataStore, Urgency, WorkOutcome } from './ports.ts';
import type { AskOptions, Languages, TmdbClient } from './tmdb/tmdb-client.ts';

const MAX_CANDIDATES = 8;
const LEAST_CANDIDATE_SCORE = 0.3;

export interface MatchingParts {
  readonly store: MetadataStore;
  readonly client: TmdbClient;
  readonly languages: () => Languages;
  /** What the NFO beside a movie says. */
  readonly nfoOf: (movie: KnownMovie) => Promise<NfoFacts | null>;
  readonly orderRefresh: (movieIds: readonly string[], urgency: Urgency) => Promise<void>;
}

export class Matching {
  readonly #parts: MatchingParts;

  constructor(parts: MatchingParts) {
    this.#parts = parts;
  }

  /** What can be told of a movie without anybody to ask. */
  async withoutKey(movie: KnownMovie): Promise<void> {
    const nfo = await this.#parts.nfoOf(movie);
    await this.#fromNotes(movie, nfo, hintsOf(movie, nfo));
  }

  /** Carries out an order to look for a movie. */
  async match(movie: KnownMovie, ask: AskOptions): Promise<WorkOutcome> {
    if (movie.match === 'confirmed') return { kind: 'done' };
    const nfo = await this.#parts.nfoOf(movie);
    const hints = hintsOf(movie, nfo);
    // What was found stays found, unless a number says that it is another one.
    const isFound = movie.match === 'matched';
    const stated = hints.find(({ tmdbId }) => tmdbId !== null)?.tmdbId ?? movie.tmdbId;
    if (isFound && stated === movie.tmdbId) return { kind: 'done' };
    if (this.#parts.client.state.kind === 'noKey') {
      const outcome = await this.#fromNotes(movie, nfo, hints);
      await this.#parts.store.noteRead([movie.id]);
      return outcome;
    }

    const name = movie.files[0] === undefined ? null : movieNameOf(movie.files[0].path);
    const clue = {
      title: nfo?.title ?? movie.fileTitle,
      otherTitles: [
        ...(nfo?.originalTitle ? [nfo.originalTitle] : []),
        ...(nfo?.title ? [movie.fileTitle] : []),
        ...(name?.alternativeTitles ?? []),
      ],
      year: nfo?.year ?? movie.fileYear,
      durationMs: movie.durationMs,
    };
    const found = await findMovie(this.#parts.client, clue, hints, movie.apartFrom, this.#parts.languages(), ask);
    if (found.kind === 'byId') {
      const { option, imdbId, reason } = found;
      return this.#identify(
        movie,
        nfo,
        { tmdbId: option.tmdbId, imdbId, state: 'matched', score: 1, reasons: [reason] },
        ask,
      );
    }
    if (isFound) return { kind: 'done' };
    const { state, ranked } = found.verdict;
    const [first] = ranked;
    if (state === 'matched' && first !== undefined) {
      const { option, score, reasons } = first;
      const identity = { tmdbId: option.tmdbId, imdbId: null, state: 'matched', score, reasons } as const;
      return this.#identify(movie, nfo, identity, ask, ranked);
    }
    await this.#ask(movie, nfo, state === 'doubtful' ? 'doubtful' : 'unmatched', ranked);
    return { kind: 'done', note: state === 'doubtful' ? 'Left to a person.' : 'Nothing was found.' };
  }

  async #identify(
    movie: KnownMovie,
    nfo: NfoFacts | null,
    identity: Identity,
    ask: AskOptions,
    ranked: readonly RankedOption<FinderOption>[] = [],
  ): Promise<WorkOutcome> {
    const outcome = await this.#parts.store.identify(movie.id, identity);
    if (outcome === null) return { kind: 'done', note: 'The movie is gone.' };
    if (outcome === 'apart') {
      await this.#ask(movie, nfo, 'doubtful', ranked);
      return { kind: 'done', note: 'Left to a person.' };
    }
    await this.#parts.orderRefresh([outcome.movieId], ask.urgency);
    return { kind: 'done' };
  }

  /** Leaves it to a person, with what it may be. */
  async #ask(
    movie: KnownMovie,
    nfo: NfoFacts | null,
    state: 'doubtful' | 'unmatched',
    ranked: readonly RankedOption<FinderOption>[],
  ): Promise<void> {
    const candidates = ranked
      .filter(({ score }) => score >= LEAST_CANDIDATE_SCORE)
      .slice(0, MAX_CANDIDATES)
      .map(({ option, score, reasons }): Candidate => ({
        tmdbId: option.tmdbId,
        title: option.title,
        originalTitle: option.originalTitle,
        year: option.year,
        overview: option.overview,
        posterPath: option.posterPath,
        score,
        reasons,
      }));
    const [first] = candidates;
    await this.#parts.store.noteSearch(movie.id, {
      state,
      score: first?.score ?? null,
      reasons: first?.reasons ?? [],
      candidates,
    });
    // Behind it, for that forgets what was known of a movie that this one turned out not to be.
    if (nfo !== null) await this.#parts.store.writeFacts(movie.id, movie.tmdbId, withNfo({}, nfo), false);
  }

  /** Without anybody to ask there is still what lies beside the file: its NFO, and numbers in names [META7]. */
  async #fromNotes(movie: KnownMovie, nfo: NfoFacts | null, hints: readonly IdHint[]): Promise<WorkOutcome> {
    const { store } = this.#parts;
    const hint = hints.find(({ tmdbId }) => tmdbId !== null && !movie.apartFrom.includes(tmdbId));
    let { id: movieId, tmdbId } = movie;
    if (hint !== undefined) {
      const { imdbId, reason } = hint;
      const identity = { tmdbId: hint.tmdbId, imdbId, state: 'matched', score: 1, reasons: [reason] } as const;
      const outcome = await store.identify(movie.id, identity);
      if (outcome !== null && outcome !== 'apart') {
        movieId = outcome.movieId;
        tmdbId = hint.tmdbId;
      }
    }
    if (nfo !== null) await store.writeFacts(movieId, tmdbId, withNfo({}, nfo), false);
    return { kind: 'done', note: 'There is no key for TMDB.' };
  }
}
