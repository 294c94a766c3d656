import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOVIE_SORTS, SORT_ORDERS } from '#protocol/schema/movie-sort.ts';
import { SETTINGS_SECTIONS, parseRoute, routePath } from './navigation.ts';
import type { Route } from './navigation.ts';

const id = fc.uuid({ version: 7 });
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.constant<Route>({ screen: 'home' }),
  fc.constant<Route>({ screen: 'welcome' }),
  fc.record({
    screen: fc.constant('movies' as const),
    query: fc.record({
      search: fc.string({ unit: 'grapheme', maxLength: 80 }),
      sort: fc.constantFrom(...MOVIE_SORTS),
      order: fc.option(fc.constantFrom(...SORT_ORDERS)),
      libraryId: fc.option(id),
      isWatched: fc.option(fc.boolean()),
    }),
  }),
  fc.record({ screen: fc.constant('movie' as const), movieId: id }),
  fc.record({ screen: fc.constant('play' as const), movieId: id, fileId: fc.option(id), isFromStart: fc.boolean() }),
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
    expect(parseRoute('/movies?sort=bogus&order=sideways&library=1&watched=perhaps&q=blue')).toEqual({
      screen: 'movies',
      query: { search: 'blue', sort: 'title', order: null, libraryId: null, isWatched: null },
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
