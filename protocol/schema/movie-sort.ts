/** Orders of a grid. */
export const MOVIE_SORTS = [
  'title',
  'year',
  'added',
  'release',
  'rating',
  'duration',
  'lastWatched',
  'resolution',
  'random',
] as const;
export type MovieSort = (typeof MOVIE_SORTS)[number];
export const SORT_ORDERS = ['ascending', 'descending'] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];
