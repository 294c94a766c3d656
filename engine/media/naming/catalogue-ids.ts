/** Ids of catalogues in a name: `[tmdbid-603]`, `{imdb-tt0133093}`, `[tmdb=603]`, `(imdbid tt0133093)`, `[tt0133093]`, `.tt0133093.`. */

export interface CatalogueIds {
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
}

/** Linear: every repetition is bounded. Ids of other catalogues are taken off a title as well. */
export const ID_TAG =
  /[[({]\s{0,3}(?:(tmdb|imdb|tvdb|anidb|trakt|wikidata)(?:id)?\s{0,3}[-=:_ ]\s{0,3}([a-z]{0,2}\d{1,10})|(tt\d{6,10}))\s{0,3}[\])}]/gi;

/** One that stands between other words, without brackets. No title holds such a word. */
export const BARE_IMDB_ID = /(?<![\p{L}\p{N}])tt\d{7,8}(?![\p{L}\p{N}])/iu;

export function idsIn(text: string): CatalogueIds {
  let tmdbId: number | null = null;
  let imdbId: string | null = null;
  for (const [, catalogue = 'imdb', id, bare] of text.matchAll(ID_TAG)) {
    const value = (id ?? bare ?? '').toLowerCase();
    if (catalogue.toLowerCase() === 'tmdb') tmdbId ??= tmdbIdOf(value);
    if (catalogue.toLowerCase() === 'imdb') imdbId ??= imdbIdOf(value);
  }
  imdbId ??= imdbIdOf(BARE_IMDB_ID.exec(text)?.[0] ?? '');
  return { tmdbId, imdbId };
}

function tmdbIdOf(text: string): number | null {
  const id = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return id > 0 ? id : null;
}

/** `tt` and at least seven digits, as the catalogue itself writes them; `null` where it is none. */
export function imdbIdOf(text: string): string | null {
  const digits = /^(?:tt)?(\d{5,10})$/i.exec(text.trim())?.[1];
  return digits === undefined || /^0+$/.test(digits) ? null : `tt${digits.replace(/^0+/, '').padStart(7, '0')}`;
}
