/** The calls of `movies`. Rules: SPEC.md. */
import type { Clock } from '#engine/base/clock.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { movies } from '#protocol/index.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { MovieTile } from '#protocol/schema/movie.ts';
import type { BrowseIndex } from './browse-index.ts';
import { homeRows } from './home-rows.ts';
import { createEditHandlers } from './movie-edits.ts';
import type { EditHandlerOptions } from './movie-edits.ts';
import type { MovieReader } from './ports.ts';
import { sightOf } from './sight.ts';
import { hasBit } from './slot-set.ts';
import { similarTo } from './similar.ts';

export interface MovieHandlerOptions extends EditHandlerOptions {
  readonly index: BrowseIndex;
  readonly reader: MovieReader;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** These are on a screen without a picture. */
  readonly wantPictures: (movieIds: readonly string[]) => void;
}

export function createMovieHandlers(options: MovieHandlerOptions): Handlers<typeof movies> {
  const { index, reader, clock, wantPictures } = options;
  const wantThose = (tiles: readonly MovieTile[]): void =>
    wantPictures(tiles.filter(({ picture, isPlayable }) => picture === null && isPlayable).map(({ id }) => id));
  const tilesOf = async (userId: string, movieIds: readonly string[]): Promise<MovieTile[]> => {
    const tiles = movieIds.length === 0 ? [] : await reader.tiles(userId, movieIds);
    wantThose(tiles);
    return tiles;
  };

  return {
    ...createEditHandlers(options),
    async list({ offset, limit, sort, order, seed, search, ...filter }, { viewer, fail }) {
      if (filter.isHidden === true && !mayEdit(viewer)) return fail('forbidden', { permission: 'movies:edit' });
      const query = { offset, limit, sort, order: order ?? null, seed, search: search ?? null, filter };
      const { total, movieIds } = await index.list(viewer.id, query);
      return { total, movies: await tilesOf(viewer.id, movieIds) };
    },
    async get({ movieId }, { viewer, fail }) {
      const found = await reader.get(movieId, sightOf(viewer), viewer.id);
      if (!found) return fail('notFound', { what: 'movie', id: movieId });
      if (found.movie.picture === null && found.movie.isPlayable) wantPictures([movieId]);
      return found;
    },
    async home({ limit }, { viewer }) {
      const { table } = await index.stand(null, {}, null);
      const { recentlyAdded, topRated, random, decades, movieCount } = homeRows(table, limit, clock.nowMs());
      const rows = [recentlyAdded, topRated, random].map((slots) => slots.map((slot) => table.idAt(slot)));
      const [continueWatching, tiles] = await Promise.all([
        reader.continueWatching(viewer.id, limit),
        tilesOf(viewer.id, [...new Set(rows.flat())]),
      ]);
      wantThose(continueWatching);
      const byId = new Map(tiles.map((tile) => [tile.id, tile]));
      const [newest, best, others] = rows.map((ids) => ids.flatMap((id) => byId.get(id) ?? []));
      return {
        continueWatching,
        recentlyAdded: newest!,
        topRated: best!,
        random: others!,
        decades: [...decades],
        movieCount,
      };
    },
    async facets({ search, ...filter }, { viewer, fail }) {
      if (filter.isHidden === true && !mayEdit(viewer)) return fail('forbidden', { permission: 'movies:edit' });
      return index.facets(viewer.id, { filter, search: search ?? null });
    },
    async similar({ movieId, limit }, { viewer, fail }) {
      const kinship = await reader.kinship(movieId);
      if (!kinship) return fail('notFound', { what: 'movie', id: movieId });
      const { table } = await index.stand(null, {}, null);
      const own = table.slotOf(movieId);
      if (own !== undefined && hasBit(table.hidden, own) && !mayEdit(viewer)) {
        return fail('notFound', { what: 'movie', id: movieId });
      }
      const slots = similarTo(table, movieId, kinship, limit);
      return {
        movies: await tilesOf(
          viewer.id,
          slots.map((slot) => table.idAt(slot)),
        ),
      };
    },
  };
}

const mayEdit = (viewer: Viewer): boolean => viewer.permissions.includes('movies:edit');
