import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLLECTION_KINDS } from '#protocol/schema/collection.ts';
import { MATCH_STATES } from '#protocol/schema/match.ts';
import { HDR_KINDS } from '#protocol/schema/media.ts';
import { MOVIE_SORTS, SORT_ORDERS } from '#protocol/schema/movie-sort.ts';
import { SETTINGS_SECTIONS, parseRoute, routePath } from './navigation.ts';
import type { Route } from './navigation.ts';

const id = fc.uuid({ version: 7 });
const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 2_147_483_647 }), { minLength: 1, maxLength: 5 });
const texts = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 5,
});
const filter = fc.record(
  {
    libraryId: id,
    genreIds: numbers,
    tagIds: numbers,
    yearFrom: fc.integer({ min: 1870, max: 2200 }),
    yearTo: fc.integer({ min: 1870, max: 2200 }),
    resolutions: numbers,
    hdr: fc.uniqueArray(fc.constantFrom('sdr' as const, ...HDR_KINDS), { minLength: 1 }),
    certifications: texts,
    ratingFrom: fc.integer({ min: 0, max: 10 }),
    personId: id,
    isWatched: fc.boolean(),
    match: fc.uniqueArray(fc.constantFrom(...MATCH_STATES), { minLength: 1 }),
  },
  { requiredKeys: [] },
);
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.constant<Route>({ screen: 'home' }),
  fc.constant<Route>({ screen: 'welcome' }),
  fc.record({
    screen: fc.constant('movies' as const),
    query: fc.record({
      search: fc.string({ unit: 'grapheme', maxLength: 80 }),
      sort: fc.constantFrom(...MOVIE_SORTS),
      order: fc.option(fc.constantFrom(...SORT_ORDERS)),
      seed: fc.nat(),
      filter,
    }),
  }),
  fc.record({ screen: fc.constant('movie' as const), movieId: id }),
  fc.record({ screen: fc.constant('play' as const), movieId: id, fileId: fc.option(id), isFromStart: fc.boolean() }),
  fc.record({ screen: fc.constant('person' as const), personId: id }),
  fc.record({ screen: fc.constant('collections' as const), kind: fc.option(fc.constantFrom(...COLLECTION_KINDS)) }),
  fc.record({ screen: fc.constant('collection' as const), collectionId: id }),
  fc.constant<Route>({ screen: 'review' }),
  fc.constant<Route>({ screen: 'downloads' }),
  fc.record({ screen: fc.constant('settings' as const), section: fc.option(fc.constantFrom(...SETTINGS_SECTIONS)) }),
);

describe('addresses', () => {
  it('an address leads back to the route it was made from', () => {
    fc.assert(
      fc.property(route, (given) => {
        expect(parseRoute(routePath(given))).toEqual(given);
      }),
    );
  });

  it.each([
    '/movies/not-an-id',
    '/movies/../../etc/passwd',
    '/play/0190',
    '/settings/everything',
    '/settings/account/more',
    '/%00',
    '/javascript:alert(1)',
  ])('%s leads nowhere', (path) => {
    expect(parseRoute(path)).toEqual({ screen: 'notFound' });
  });

  it('parts of a query that make no sense are left out, the rest is kept', () => {
    const address =
      '/movies?sort=bogus&order=sideways&libraryId=1&isWatched=perhaps&q=blue&genreIds=3&genreIds=x&yearFrom=&yearTo=1999&seed=-1&hdr=hdr10&tagIds=7&tagIds=7';
    expect(parseRoute(address)).toEqual({
      screen: 'movies',
      query: {
        search: 'blue',
        sort: 'title',
        order: null,
        seed: 0,
        filter: { yearTo: 1999, hdr: ['hdr10'], tagIds: [7] },
      },
    });
  });

  it('never throws, whatever someone types', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseRoute(`/${text}`)).toHaveProperty('screen');
      }),
    );
  });
});
