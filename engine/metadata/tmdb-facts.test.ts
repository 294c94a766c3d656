import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parseNfo } from '#engine/media/nfo.ts';
import { withNfo } from './nfo-facts.ts';
import { factsOf } from './tmdb-facts.ts';
import { CollectionReply, DetailsReply } from './tmdb/reply.ts';

const GERMAN = { language: 'de-DE', fallback: 'en', country: 'DE' };
const read = (more: Record<string, unknown>) =>
  v.parse(DetailsReply, { id: 7, title: 'Orbit', original_title: 'Orbit', ...more });
const facts = (more: Record<string, unknown>, wanted = GERMAN) => factsOf(read(more), null, wanted);
const release = (iso_3166_1: string, ...dates: [date: string, type: number, certification: string][]) => ({
  iso_3166_1,
  release_dates: dates.map(([release_date, type, certification]) => ({
    release_date: `${release_date}T00:00:00.000Z`,
    type,
    certification,
  })),
});

describe('what TMDB says', () => {
  it('[META13] takes the certificate and the first showing in cinemas of the country, and no other country’s', () => {
    const results = [
      release('US', ['2012-07-20', 3, 'PG-13']),
      release('DE', ['2012-12-01', 5, '16'], ['2012-08-09', 3, ''], ['2012-07-01', 1, ''], ['2012-09-01', 3, '12']),
    ];
    expect(facts({ release_date: '2012-07-20', release_dates: { results } })).toMatchObject({
      releaseDate: '2012-08-09',
      certification: '12',
      year: 2012,
    });
    expect(facts({ release_date: '2012-07-20', release_dates: { results: results.slice(0, 1) } })).toMatchObject({
      releaseDate: '2012-07-20',
      certification: null,
    });
    expect(facts({ release_date: '' })).toMatchObject({ releaseDate: null, year: null });
  });

  it('[META13] takes each text in the language of preference, else in the other one, else as it is', () => {
    const translations = {
      translations: [
        { iso_639_1: 'en', iso_3166_1: 'US', data: { title: 'The Map', overview: 'About a map.', tagline: '' } },
      ],
    };
    const japanese = {
      title: '地図',
      original_title: '地図',
      original_language: 'ja',
      overview: '',
      tagline: '',
      translations,
    };
    expect(facts(japanese)).toMatchObject({ title: 'The Map', overview: 'About a map.', tagline: null });
    expect(facts({ ...japanese, title: 'Die Karte', overview: 'Eine Karte.' })).toMatchObject({
      title: 'Die Karte',
      overview: 'Eine Karte.',
    });
    expect(facts(japanese, { language: 'ja', fallback: 'en', country: 'JP' })).toMatchObject({ title: '地図' });
    expect(facts({ ...japanese, translations: { translations: [] } })).toMatchObject({ title: '地図', overview: null });
  });

  it('takes what is unknown or unrated for that', () => {
    expect(
      facts({ runtime: 0, vote_average: 0, vote_count: 0, imdb_id: '', belongs_to_collection: null }),
    ).toMatchObject({
      runtimeMinutes: null,
      rating: null,
      voteCount: null,
      imdbId: null,
      ratings: [],
      series: null,
    });
    expect(facts({ imdb_id: null, external_ids: { imdb_id: 'tt0000123' } })).toMatchObject({ imdbId: 'tt0000123' });
  });

  it('prefers pictures in the language, backdrops without words, and official trailers', () => {
    const image = (file_path: string, iso_639_1: string | null, vote_average = 5) => ({
      file_path,
      iso_639_1,
      vote_average,
      width: 10,
      height: 10,
    });
    const posters = [
      image('/none.jpg', null),
      image('/en.jpg', 'en', 9),
      image('/de.jpg', 'de', 1),
      image('/logo.svg', 'de'),
      image('/../x.jpg', 'de'),
    ];
    const { pictures, trailerUrl } = facts({
      poster_path: '/other.jpg',
      images: { posters, backdrops: posters, logos: [image('/l.svg', 'de')] },
      videos: {
        results: [
          { key: 'aaaaa', site: 'YouTube', type: 'Trailer', official: true, iso_639_1: 'en' },
          { key: 'bbbbb', site: 'YouTube', type: 'Trailer', official: false, iso_639_1: 'de' },
          { key: 'javascript:alert(1)', site: 'YouTube', type: 'Trailer', official: true, iso_639_1: 'de' },
          { key: 'ccccc', site: 'Elsewhere', type: 'Trailer', official: true, iso_639_1: 'de' },
        ],
      },
    });
    expect(pictures!.poster.map(({ path }) => path)).toEqual(['/de.jpg', '/en.jpg', '/none.jpg', '/other.jpg']);
    expect(pictures!.backdrop[0]!.path).toBe('/none.jpg');
    expect(pictures!.logo).toEqual([]);
    expect(trailerUrl).toBe('https://www.youtube.com/watch?v=bbbbb');
  });

  it('lists the parts of a series in the order of their release, those to come last', () => {
    const collection = v.parse(CollectionReply, {
      id: 9,
      name: 'Orbits',
      parts: [
        { id: 3, title: 'Third', release_date: '' },
        { id: 2, title: 'Second', release_date: '2015-01-01' },
        'nonsense',
        { id: 1, title: 'First', release_date: '2012-01-01' },
      ],
    });
    const belongs_to_collection = { id: 9, name: 'Orbits' };
    expect(
      factsOf(read({ belongs_to_collection }), collection, GERMAN).series!.parts!.map(({ title }) => title),
    ).toEqual(['First', 'Second', 'Third']);
    // TMDB could not be asked for the parts: which are known stays known.
    expect(factsOf(read({ belongs_to_collection }), null, GERMAN).series).toMatchObject({ tmdbId: 9, parts: null });
  });

  it('[NFO6] an NFO replaces what it has; people that TMDB knows keep their portraits', () => {
    const known = facts({
      genres: [{ id: 18, name: 'Drama' }],
      credits: {
        cast: [
          { id: 1, name: 'Ada Lindqvist', character: 'Neo', profile_path: '/a.jpg' },
          { id: 2, name: 'Bo', character: 'X' },
        ],
        crew: [
          { id: 3, name: 'Cleo', job: 'Director', department: 'Directing' },
          { id: 4, name: 'Dee', job: 'Editor', department: 'Editing' },
        ],
      },
    });
    const nfo = parseNfo(
      new TextEncoder().encode(
        '<movie><genre>drama</genre><genre>Garden</genre><actor><name>ada lindqvist</name><role>N.</role></actor></movie>',
      ),
    )!;
    const merged = withNfo(known, nfo);
    expect(merged.title).toBe('Orbit');
    expect(merged.genres).toEqual([
      { name: 'Drama', tmdbKey: '18' },
      { name: 'Garden', tmdbKey: null },
    ]);
    expect(merged.credits!.map(({ person, role }) => [person.tmdbId, person.portraitPath, role])).toEqual([
      [1, '/a.jpg', 'N.'],
      [3, null, 'Director'],
      [4, null, 'Editor'],
    ]);
  });
});
