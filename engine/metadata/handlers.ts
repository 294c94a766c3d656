/** The calls of `metadata`. Rules: SPEC.md. */
import { Secret } from '#engine/base/secret.ts';
import { movieNameOf } from '#engine/media/file-name.ts';
import { nfoText } from '#engine/media/nfo-text.ts';
import { idsInAddress } from '#engine/media/nfo.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { metadata } from '#protocol/index.ts';
import type { MetadataSettings } from '#protocol/methods/metadata.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { MatchCandidate } from '#protocol/schema/match.ts';
import type { Movie } from '#protocol/schema/movie.ts';
import type { MetadataDomain } from './metadata.ts';
import type { Candidate, KnownMovie, MovieFacts } from './ports.ts';
import { TmdbFailure } from './tmdb/tmdb-client.ts';

const MAX_FOUND = 20;

type FailNotReachable = (
  code: 'notReachable',
  data: { reason: 'noKey' | 'badKey' | 'away' },
  message?: string,
) => never;

export function createMetadataHandlers(domain: MetadataDomain): Handlers<typeof metadata> {
  const { ports, client, preferences } = domain;
  const { store } = ports;

  const settings = async (): Promise<MetadataSettings> => {
    const { waiting, unmatched, doubtful } = await store.counts();
    const { state } = client;
    const { language, fallbackLanguage, country, writesNfoBesideMovies } = preferences.values;
    return {
      state: state.kind,
      retryAt: state.kind === 'away' ? Math.round(state.retryAtMs) : null,
      keyFrom: preferences.keyFrom,
      language,
      fallbackLanguage,
      country,
      writesNfoBesideMovies,
      isLanguageChosen: preferences.isLanguageChosen,
      waiting,
      toReview: unmatched + doubtful,
    };
  };

  /** Runs what needs TMDB; tells the caller why where it cannot be asked. */
  const asking = async <T>(
    { fail, signal }: { readonly fail: FailNotReachable; readonly signal: AbortSignal },
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TmdbFailure)) throw error;
      const reason = error.kind === 'nonsense' ? 'away' : error.kind;
      return fail('notReachable', { reason }, `TMDB could not be asked: ${error.message}.`);
    }
  };

  const shown = async (
    candidates: readonly Candidate[],
  ): Promise<(candidate: Candidate) => MatchCandidate['poster']> => {
    const paths = candidates.flatMap(({ posterPath }) => posterPath ?? []);
    const posters = await ports.pictures.offerPaths(paths, 'poster');
    return ({ posterPath }) => (posterPath === null ? null : (posters.get(posterPath) ?? null));
  };
  const toCandidate = (candidate: Candidate, poster: MatchCandidate['poster'], isJudged: boolean): MatchCandidate => {
    const { tmdbId, title, originalTitle, year, overview } = candidate;
    return {
      ...{ tmdbId, title, originalTitle, year, overview, poster },
      score: isJudged ? candidate.score : null,
      reasons: isJudged ? [...candidate.reasons] : [],
    };
  };

  const movieAs = async (movieId: string, viewer: Viewer): Promise<Movie | null> =>
    ports.movies.movie(movieId, { withPaths: viewer.permissions.includes('libraries:manage'), withHidden: true });

  return {
    settings,

    async configure({ apiKey, ...change }, { fail, signal }) {
      if (apiKey !== undefined) {
        if (preferences.keyFrom === 'environment') {
          return fail('setByEnvironment', {}, 'The key is set by the environment, and cannot be changed here.');
        }
        const key = apiKey === null ? null : new Secret(apiKey);
        const outcome = key === null ? 'taken' : await client.tryKey(key, signal);
        if (outcome === 'refused') return fail('keyRefused', {}, 'TMDB refuses this key.');
        if (outcome === 'notReachable') {
          return fail('notReachable', {}, 'TMDB could not be asked whether the key is right.');
        }
        await preferences.changeKey(key);
        client.setKey(key);
      }
      const before = preferences.values;
      const changed = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      if (Object.keys(changed).length > 0) await preferences.change(changed);
      const { language, fallbackLanguage, country } = preferences.values;
      if (country !== before.country) await store.chooseCountry(country);
      if (language !== before.language || fallbackLanguage !== before.fallbackLanguage) await domain.refreshAll();
      if (apiKey !== undefined && apiKey !== null) await domain.keyCame();
      return settings();
    },

    async review({ offset, limit, state }) {
      const [rows, { unmatched, doubtful }] = await Promise.all([
        store.review({ offset, limit, state: state ?? null }),
        store.counts(),
      ]);
      const [cards, posterOf] = await Promise.all([
        ports.movies.cards(rows.map(({ movieId }) => movieId)),
        shown(rows.flatMap(({ candidates }) => candidates)),
      ]);
      return {
        total: state === 'unmatched' ? unmatched : state === 'doubtful' ? doubtful : unmatched + doubtful,
        unmatched,
        doubtful,
        items: rows.map((row) => ({
          movieId: row.movieId,
          title: row.title,
          year: row.year,
          picture: cards.get(row.movieId)?.picture ?? null,
          match: {
            state: row.state,
            score: row.score,
            reasons: [...row.reasons],
            tmdbId: row.tmdbId,
            imdbId: row.imdbId,
            refreshedAt: row.refreshedAtMs,
          },
          fileNames: [...row.fileNames],
          candidates: row.candidates.map((candidate) => toCandidate(candidate, posterOf(candidate), true)),
        })),
      };
    },

    async search({ query, year }, context) {
      const found = await asking(context, () => searchByHand(domain, query, year ?? null, context.signal));
      const posterOf = await shown(found);
      return { candidates: found.map((candidate) => toCandidate(candidate, posterOf(candidate), false)) };
    },

    async match({ choices }, context) {
      const { fail, signal } = context;
      // What TMDB says of all of them is known before anything is written.
      const chosen = await asking(context, () =>
        Promise.all(
          choices.map(async (choice) => ({
            ...choice,
            facts: await domain.factsOf(choice.tmdbId, { urgency: 'click', signal }),
          })),
        ),
      );
      const unknown = chosen.find(({ facts }) => facts === null);
      if (unknown) return fail('unknownMovie', { tmdbId: unknown.tmdbId }, `TMDB has no movie ${unknown.tmdbId}.`);
      const movieIds: string[] = [];
      for (const { movieId, tmdbId, facts } of chosen) {
        const identity = {
          tmdbId,
          imdbId: facts?.imdbId ?? null,
          state: 'confirmed',
          score: 1,
          reasons: ['chosenByPerson'],
        } as const;
        const outcome = await store.identify(movieId, identity);
        if (outcome === null || outcome === 'apart') return fail('notFound', { what: 'movie', id: movieId });
        await domain.write(outcome.movieId, tmdbId, facts as MovieFacts);
        movieIds.push(outcome.movieId);
      }
      return { movieIds };
    },

    async unmatch({ movieId }, { fail, viewer }) {
      const movie = (await store.unmatch(movieId)) ? await movieAs(movieId, viewer) : null;
      return movie === null ? fail('notFound', { what: 'movie', id: movieId }) : { movie };
    },

    async refresh({ movieId }, { fail }) {
      // What lies beside the movie needs nobody else.
      if (movieId !== undefined) ports.pictures.lookBeside([movieId]);
      const { kind } = client.state;
      if (kind !== 'ready') return fail('notReachable', { reason: kind }, 'TMDB cannot be asked now.');
      if (movieId === undefined) return { queued: (await domain.refreshAll()) + (await domain.lookAgainForAll()) };
      const movie = await store.movie(movieId);
      if (movie === null) return fail('notFound', { what: 'movie', id: movieId });
      if (movie.tmdbId !== null) await domain.orderRefresh([movieId], 'click');
      else if (movie.match === 'confirmed') return { queued: 0 };
      else {
        await store.lookAgain({ movieId });
        await domain.orderMatch([movieId], 'click');
      }
      return { queued: 1 };
    },

    async merge({ movieIds }, { fail, viewer }) {
      const [first = ''] = movieIds;
      const isMerged = await store.merge(movieIds);
      const movie = isMerged ? await movieAs(first, viewer) : null;
      if (movie === null) return fail('notFound', { what: 'movie', id: first });
      if (movie.match.tmdbId !== null && movie.match.refreshedAt === null) await domain.orderRefresh([first], 'normal');
      return { movie };
    },

    async split({ movieId, fileIds }, { fail, viewer }) {
      const outcome = await store.split(movieId, fileIds, (path) => movieNameOf(path));
      if (outcome === 'nothingLeft') {
        return fail('nothingLeft', {}, 'These are all files of the movie: it would be the same one again.');
      }
      const movie = outcome && (await movieAs(outcome.movieId, viewer));
      return movie ? { movie } : fail('notFound', { what: 'movie', id: movieId });
    },

    async writeNfo({ movieId }, { fail }) {
      const [known, movie] = await Promise.all([
        store.movie(movieId),
        ports.movies.movie(movieId, { withPaths: true, withHidden: true }),
      ]);
      if (known === null || movie === null) return fail('notFound', { what: 'movie', id: movieId });
      const text = nfoText(toNfo(movie, known));
      const paths: string[] = [];
      for (const file of known.files) {
        const { writesNfoBesideMovies: isBeside } = preferences.values;
        const beside = isBeside ? await ports.nfo.write({ kind: 'beside', file }, text) : null;
        // Where somebody else's file lies beside the movie it stays, and ours goes where the server keeps its own.
        const written =
          beside === null || beside.kind === 'foreign'
            ? await ports.nfo.write({ kind: 'dataFolder', movieId, file }, text)
            : beside;
        if (written.kind !== 'written') {
          return fail('notWritable', { path: written.path }, `The NFO could not be written to ${written.path}.`);
        }
        paths.push(written.path);
      }
      return { paths };
    },
  };
}

/** By an address or a number where it is one, and by title. */
async function searchByHand(
  { client, languages }: MetadataDomain,
  query: string,
  year: number | null,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const ask = { urgency: 'click', signal } as const;
  const inAddress = idsInAddress(query);
  const number = /^\d{1,9}$/.test(query) ? Number(query) : 0;
  const tmdbId = inAddress.tmdbId ?? (number > 0 ? number : null);
  const imdbId = inAddress.imdbId ?? (/^tt\d{6,10}$/.test(query) ? query : null);
  const found: Candidate[] = [];
  const add = (movie: Omit<Candidate, 'score' | 'reasons'> | null): void => {
    if (movie !== null && !found.some((known) => known.tmdbId === movie.tmdbId)) {
      found.push({ ...movie, score: 0, reasons: [] });
    }
  };
  if (imdbId !== null) add(await client.findByImdb(imdbId, languages, ask));
  if (tmdbId !== null) {
    const brief = await client.brief(tmdbId, languages, ask);
    if (brief !== null) {
      add({
        tmdbId: brief.id,
        title: brief.title ?? brief.original_title ?? '',
        originalTitle: brief.original_title,
        year: brief.release_date === null ? null : Number(brief.release_date.slice(0, 4)),
        overview: brief.overview,
        posterPath: brief.poster_path,
      });
    }
  }
  // A number alone may be a title as well.
  if (inAddress.tmdbId === null && imdbId === null) {
    for (const movie of await client.search(query, year, languages, ask)) add(movie);
  }
  return found.slice(0, MAX_FOUND);
}

function toNfo(movie: Movie, known: KnownMovie): Parameters<typeof nfoText>[0] {
  const jobs = (wanted: readonly string[]): string[] => [
    ...new Set(movie.crew.filter(({ job }) => wanted.includes(job)).map(({ person }) => person.name)),
  ];
  const names = (terms: readonly { readonly name: string }[]): string[] => terms.map(({ name }) => name);
  return {
    title: movie.title,
    originalTitle: movie.originalTitle,
    sortTitle: movie.lockedFields.includes('sortTitle') ? movie.sortTitle : null,
    year: movie.year,
    releaseDate: movie.releaseDate,
    overview: movie.overview,
    tagline: movie.tagline,
    runtimeMinutes: movie.durationMs === null ? null : Math.max(1, Math.round(movie.durationMs / 60_000)),
    certification: movie.certification,
    rating: movie.rating,
    voteCount: movie.ratings.find(({ source }) => source === 'tmdb')?.votes ?? null,
    tmdbId: movie.match.tmdbId,
    imdbId: movie.match.imdbId,
    genres: names(movie.genres),
    keywords: names(movie.keywords),
    studios: names(movie.studios),
    countries: names(movie.countries),
    directors: jobs(['Director', 'Co-Director']),
    writers: jobs(['Screenplay', 'Writer', 'Story', 'Novel']),
    actors: movie.cast.map(({ person, character }) => ({ name: person.name, role: character })),
    collection: known.series,
  };
}
