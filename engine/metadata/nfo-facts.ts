/** What an NFO says, laid over what the catalogue says: whatever the file has is as in the file [NFO6]. Pure. */
import type { NfoFacts, NfoPerson } from '#engine/media/nfo.ts';
import { titleKey } from '#engine/media/title-likeness.ts';
import type { CreditFact, MovieFacts, TermFact } from './ports.ts';

export function withNfo(facts: MovieFacts, nfo: NfoFacts): MovieFacts {
  const terms = (names: readonly string[], known: readonly TermFact[] = []): readonly TermFact[] =>
    names.map((name) => known.find((term) => titleKey(term.name) === titleKey(name)) ?? { name, tmdbKey: null });
  const credits = creditsOf(facts.credits ?? [], nfo);
  return {
    ...facts,
    ...(nfo.title === null ? {} : { title: nfo.title }),
    ...(nfo.originalTitle === null ? {} : { originalTitle: nfo.originalTitle }),
    ...(nfo.sortTitle === null ? {} : { sortTitle: nfo.sortTitle }),
    ...(nfo.year === null ? {} : { year: nfo.year }),
    ...(nfo.releaseDate === null ? {} : { releaseDate: nfo.releaseDate }),
    ...(nfo.overview === null ? {} : { overview: nfo.overview }),
    ...(nfo.tagline === null ? {} : { tagline: nfo.tagline }),
    ...(nfo.runtimeMinutes === null ? {} : { runtimeMinutes: nfo.runtimeMinutes }),
    ...(nfo.certification === null ? {} : { certification: nfo.certification }),
    ...(nfo.rating === null ? {} : { rating: nfo.rating.value, voteCount: nfo.rating.votes }),
    ...(nfo.imdbId === null || facts.imdbId ? {} : { imdbId: nfo.imdbId }),
    ...(nfo.genres.length === 0 ? {} : { genres: terms(nfo.genres, facts.genres) }),
    ...(nfo.keywords.length === 0 ? {} : { keywords: terms(nfo.keywords, facts.keywords) }),
    ...(nfo.studios.length === 0 ? {} : { studios: terms(nfo.studios, facts.studios) }),
    ...(nfo.countries.length === 0 ? {} : { countries: terms(nfo.countries, facts.countries) }),
    ...(credits === null ? {} : { credits }),
    // A series needs its number in the catalogue; without one only TMDB can say which it is.
    ...(nfo.collection?.tmdbId === null || nfo.collection === null || (facts.series ?? null) !== null
      ? {}
      : {
          series: {
            tmdbId: nfo.collection.tmdbId,
            name: nfo.collection.name,
            overview: null,
            posterPath: null,
            backdropPath: null,
            parts: null,
          },
        }),
  };
}

/** The people of the file in its order, with what the catalogue knows of those it knows; `null` where the file names nobody. */
function creditsOf(known: readonly CreditFact[], nfo: NfoFacts): CreditFact[] | null {
  const personOf = (name: string) =>
    known.find(({ person }) => titleKey(person.name) === titleKey(name))?.person ?? {
      name,
      tmdbId: null,
      knownFor: null,
      popularity: null,
      portraitPath: null,
    };
  const crew = (people: readonly NfoPerson[], role: string, department: string, replaced: (job: string) => boolean) =>
    people.length === 0
      ? known.filter(({ kind, role: job }) => kind === 'crew' && replaced(job))
      : people.map(({ name }) => ({ person: personOf(name), kind: 'crew' as const, role, department }));
  if (nfo.actors.length + nfo.directors.length + nfo.writers.length === 0) return null;
  const isDirector = (job: string): boolean => job === 'Director';
  const isWriter = (job: string): boolean => ['Screenplay', 'Writer', 'Story', 'Novel'].includes(job);
  const cast = nfo.actors.map(({ name, role }) => ({
    person: personOf(name),
    kind: 'cast' as const,
    role: role ?? '',
    department: null,
  }));
  return [
    ...(cast.length > 0 ? cast : known.filter(({ kind }) => kind === 'cast')),
    ...crew(nfo.directors, 'Director', 'Directing', isDirector),
    ...crew(nfo.writers, 'Writer', 'Writing', isWriter),
    ...known.filter(({ kind, role }) => kind === 'crew' && !isDirector(role) && !isWriter(role)),
  ];
}
