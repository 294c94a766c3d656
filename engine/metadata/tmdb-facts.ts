/** What a reply of TMDB says of a movie, in the words of this server. Pure. */
import type { CreditFact, MovieFacts, PersonFacts, PictureFact, SeriesFact } from './ports.ts';
import type { CollectionReply, DetailsReply, PersonReply } from './tmdb/reply.ts';

export interface FactPreferences {
  readonly language: string;
  readonly fallback: string | null;
  /** ISO 3166-1. */
  readonly country: string;
}

const MAX_CAST = 60;
const MAX_CREW = 40;
const MAX_SIMILAR = 20;
/** Of hundreds, those that people look for. */
const JOBS: readonly string[] = [
  'Director', 'Co-Director', 'Screenplay', 'Writer', 'Story', 'Novel', 'Characters', 'Producer', 'Director of Photography', 'Editor', 'Original Music Composer',
  'Music', 'Production Design', 'Costume Design', 'Executive Producer',
]; // prettier-ignore

export function factsOf(reply: DetailsReply, collection: CollectionReply | null, wanted: FactPreferences): MovieFacts {
  const words = wordsOf(reply, wanted);
  const release = releaseIn(reply, wanted.country);
  const releaseDate = release.date ?? reply.release_date;
  const isRated = (reply.vote_count ?? 0) > 0 && (reply.vote_average ?? 0) > 0;
  const rating = isRated ? Math.round((reply.vote_average ?? 0) * 10) / 10 : null;
  return {
    ...words,
    originalTitle: reply.original_title,
    originalLanguage: reply.original_language,
    // The year of a movie is that of its first release, wherever that was.
    year: reply.release_date === null ? null : Number(reply.release_date.slice(0, 4)),
    releaseDate,
    runtimeMinutes: reply.runtime,
    certification: release.certification,
    rating,
    voteCount: isRated ? reply.vote_count : null,
    popularity: reply.popularity,
    status: reply.status,
    trailerUrl: trailerOf(reply, wanted),
    imdbId: reply.imdb_id ?? reply.external_ids,
    genres: reply.genres.map(({ id, name }) => ({ name, tmdbKey: String(id) })),
    keywords: reply.keywords.map(({ id, name }) => ({ name, tmdbKey: String(id) })),
    studios: reply.production_companies.map(({ id, name }) => ({ name, tmdbKey: String(id) })),
    countries: reply.production_countries.map(({ iso_3166_1, name }) => ({ name, tmdbKey: iso_3166_1 })),
    credits: creditsOf(reply),
    ratings: rating === null ? [] : [{ source: 'tmdb', value: rating, votes: reply.vote_count }],
    releaseDates: reply.release_dates.flatMap(({ iso_3166_1, release_dates }) =>
      release_dates.map(({ release_date, type, certification }) => ({
        country: iso_3166_1,
        kind: type,
        date: release_date,
        certification,
      })),
    ),
    similar: [...new Set(reply.similar.map(({ tmdbId }) => tmdbId))].slice(0, MAX_SIMILAR),
    alternativeTitles: titlesOf(reply, words.title),
    series: seriesOf(reply, collection),
    pictures: {
      poster: picturesOf(reply.images.posters, reply.poster_path, wanted),
      backdrop: picturesOf(reply.images.backdrops, reply.backdrop_path, { ...wanted, prefersWordless: true }),
      logo: picturesOf(reply.images.logos, null, wanted),
    },
  };
}

/** Who somebody is, in the language of preference, else in the other one, else in English. */
export function personFactsOf(
  reply: PersonReply,
  { language, fallback }: Pick<FactPreferences, 'language' | 'fallback'>,
): PersonFacts {
  const inLanguage = (tag: string): string | null =>
    reply.translations.find(({ iso_639_1 }) => iso_639_1 === codeOf(tag))?.data ?? null;
  return {
    biography:
      reply.biography ?? inLanguage(language) ?? (fallback === null ? null : inLanguage(fallback)) ?? inLanguage('en'),
    bornOn: reply.birthday,
    diedOn: reply.deathday,
    birthplace: reply.place_of_birth,
  };
}

const codeOf = (tag: string): string => tag.slice(0, 2);

/** Title, overview and tagline in the language of preference, else in the other one, else as they are. */
function wordsOf(reply: DetailsReply, { language, fallback }: FactPreferences) {
  const translation = (tag: string | null) => {
    if (tag === null) return undefined;
    const [code, country] = [codeOf(tag), tag.slice(3)];
    const ofLanguage = reply.translations.filter(({ iso_639_1 }) => iso_639_1 === code);
    return (ofLanguage.find(({ iso_3166_1 }) => iso_3166_1 === country) ?? ofLanguage[0])?.data;
  };
  const own = translation(language);
  const other = translation(fallback);
  // TMDB gives the original title where a language has none; then the other language's is better known to the reader.
  const isOwnLanguage = reply.original_language === codeOf(language);
  const isTranslated = reply.title !== null && reply.title !== reply.original_title;
  const title = isTranslated || isOwnLanguage ? reply.title : (own?.title ?? other?.title ?? reply.title);
  return {
    title: title ?? reply.title ?? reply.original_title ?? '',
    overview: reply.overview ?? own?.overview ?? other?.overview ?? null,
    tagline: reply.tagline ?? own?.tagline ?? other?.tagline ?? null,
  };
}

/** The first showing in cinemas of a country, and its certificate, the first that is named. */
function releaseIn(reply: DetailsReply, country: string): { date: string | null; certification: string | null } {
  const dates = (reply.release_dates.find(({ iso_3166_1 }) => iso_3166_1 === country)?.release_dates ?? []).toSorted(
    (a, b) => rank(a.type) - rank(b.type) || (a.release_date < b.release_date ? -1 : 1),
  );
  return {
    date: dates[0]?.release_date ?? null,
    certification: dates.find(({ certification }) => certification !== null)?.certification ?? null,
  };
}

/** Cinemas, then a few cinemas and the internet, then the rest. */
const rank = (type: number): number => (type === 3 ? 0 : type === 2 || type === 4 ? 1 : 2);

function trailerOf(reply: DetailsReply, { language, fallback }: FactPreferences): string | null {
  const order = [codeOf(language), fallback === null ? 'en' : codeOf(fallback), 'en'];
  const place = (code: string | null): number => (code !== null && order.includes(code) ? order.indexOf(code) : 9);
  const [best] = reply.videos
    .filter(({ type }) => type === 'Trailer')
    .toSorted((a, b) => place(a.iso_639_1) - place(b.iso_639_1) || Number(b.official) - Number(a.official));
  if (best === undefined) return null;
  return best.site === 'YouTube' ? `https://www.youtube.com/watch?v=${best.key}` : `https://vimeo.com/${best.key}`;
}

function creditsOf({ credits }: DetailsReply): CreditFact[] {
  type Person = (typeof credits.cast)[number] | (typeof credits.crew)[number];
  const personOf = (person: Person) => ({
    name: person.name,
    tmdbId: person.id,
    knownFor: person.known_for_department,
    popularity: person.popularity,
    portraitPath: person.profile_path,
  });
  const cast = credits.cast.toSorted((a, b) => (a.order ?? 9_999) - (b.order ?? 9_999)).slice(0, MAX_CAST);
  const crew = credits.crew
    .filter(({ job }) => JOBS.includes(job))
    .toSorted((a, b) => JOBS.indexOf(a.job) - JOBS.indexOf(b.job))
    .slice(0, MAX_CREW);
  return [
    ...cast.map((person) => ({
      person: personOf(person),
      kind: 'cast' as const,
      role: person.character ?? '',
      department: null,
    })),
    ...crew.map((person) => ({
      person: personOf(person),
      kind: 'crew' as const,
      role: person.job,
      department: person.department,
    })),
  ];
}

/** What else it is called, for matching and for search. */
function titlesOf(reply: DetailsReply, shown: string): { title: string; country: string | null }[] {
  const titles = [
    ...reply.alternative_titles.map(({ title, iso_3166_1 }) => ({ title, country: iso_3166_1 })),
    ...reply.translations.flatMap(({ data, iso_3166_1 }) =>
      data.title === null ? [] : [{ title: data.title, country: iso_3166_1 }],
    ),
    ...(reply.title === null ? [] : [{ title: reply.title, country: null }]),
  ];
  const known = new Set([shown, reply.original_title]);
  return titles.filter(({ title }) => !known.has(title) && known.add(title)).slice(0, 100);
}

function seriesOf(reply: DetailsReply, collection: CollectionReply | null): SeriesFact | null {
  const belongs = reply.belongs_to_collection;
  if (belongs === null) return null;
  if (collection === null || collection.id !== belongs.id) {
    return {
      tmdbId: belongs.id,
      name: belongs.name,
      overview: null,
      posterPath: null,
      backdropPath: null,
      parts: null,
    };
  }
  // What has no date yet comes last.
  const parts = collection.parts.toSorted((a, b) => ((a.releaseDate ?? '9') < (b.releaseDate ?? '9') ? -1 : 1));
  return {
    tmdbId: collection.id,
    name: collection.name,
    overview: collection.overview,
    posterPath: collection.poster_path,
    backdropPath: collection.backdrop_path,
    parts: parts.map(({ tmdbId, title, releaseDate, posterPath }) => ({ tmdbId, title, releaseDate, posterPath })),
  };
}

/** In the languages of preference, then without words, then the rest; backdrops without words first. */
function picturesOf(
  images: DetailsReply['images']['posters'],
  first: string | null,
  { language, fallback, prefersWordless = false }: FactPreferences & { readonly prefersWordless?: boolean },
): PictureFact[] {
  const order = [codeOf(language), fallback === null ? 'en' : codeOf(fallback), 'en'];
  const place = (code: string | null): number => {
    if (code === null) return prefersWordless ? -1 : 5;
    return order.includes(code) ? order.indexOf(code) : 8;
  };
  const sorted = images.toSorted(
    (a, b) => place(a.iso_639_1) - place(b.iso_639_1) || (b.vote_average ?? 0) - (a.vote_average ?? 0),
  );
  const all = sorted.map(({ file_path, width, height, iso_639_1, vote_average }) => ({
    path: file_path,
    widthPx: width,
    heightPx: height,
    language: iso_639_1,
    vote: vote_average,
  }));
  if (first === null || all.some(({ path }) => path === first)) return all;
  return [...all, { path: first, widthPx: null, heightPx: null, language: null, vote: null }];
}
