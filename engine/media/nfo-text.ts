/** Writes what is known of a movie as Kodi reads it. Pure. */

export interface NfoMovie {
  readonly title: string;
  readonly originalTitle: string | null;
  readonly sortTitle: string | null;
  readonly year: number | null;
  readonly releaseDate: string | null;
  readonly overview: string | null;
  readonly tagline: string | null;
  readonly runtimeMinutes: number | null;
  readonly certification: string | null;
  readonly rating: number | null;
  readonly voteCount: number | null;
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly genres: readonly string[];
  readonly keywords: readonly string[];
  readonly studios: readonly string[];
  readonly countries: readonly string[];
  readonly directors: readonly string[];
  readonly writers: readonly string[];
  readonly actors: readonly { readonly name: string; readonly role: string | null }[];
  readonly collection: { readonly name: string; readonly tmdbId: number | null } | null;
}

/** By this line a file is known as ours; one without it is never written over. */
export const NFO_MARK = '<!-- Written by Matinee. Without this line it is yours, and is left alone. -->';

export const isOwnNfo = (text: string): boolean => text.includes(NFO_MARK);

export function nfoText(movie: NfoMovie): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', NFO_MARK, '<movie>'];
  const add = (name: string, value: string | number | null, attributes = ''): void => {
    if (value !== null && value !== '') lines.push(`  <${name}${attributes}>${escape(String(value))}</${name}>`);
  };
  add('title', movie.title);
  add('originaltitle', movie.originalTitle);
  add('sorttitle', movie.sortTitle);
  add('year', movie.year);
  add('premiered', movie.releaseDate);
  add('plot', movie.overview);
  add('tagline', movie.tagline);
  add('runtime', movie.runtimeMinutes);
  add('mpaa', movie.certification);
  if (movie.rating !== null) {
    lines.push('  <ratings>', '    <rating name="themoviedb" max="10" default="true">');
    lines.push(`      <value>${movie.rating}</value>`);
    if (movie.voteCount !== null) lines.push(`      <votes>${movie.voteCount}</votes>`);
    lines.push('    </rating>', '  </ratings>');
  }
  const isTmdbDefault = ' default="true"';
  add('uniqueid', movie.tmdbId, ` type="tmdb"${isTmdbDefault}`);
  add('uniqueid', movie.imdbId, ` type="imdb"${movie.tmdbId === null ? isTmdbDefault : ''}`);
  for (const genre of movie.genres) add('genre', genre);
  for (const keyword of movie.keywords) add('tag', keyword);
  for (const studio of movie.studios) add('studio', studio);
  for (const country of movie.countries) add('country', country);
  for (const director of movie.directors) add('director', director);
  for (const writer of movie.writers) add('credits', writer);
  if (movie.collection !== null) {
    const id = movie.collection.tmdbId === null ? '' : ` tmdbcolid="${movie.collection.tmdbId}"`;
    lines.push(`  <set${id}>`, `    <name>${escape(movie.collection.name)}</name>`, '  </set>');
  }
  for (const [order, { name, role }] of movie.actors.entries()) {
    lines.push('  <actor>', `    <name>${escape(name)}</name>`);
    if (role !== null) lines.push(`    <role>${escape(role)}</role>`);
    lines.push(`    <order>${order}</order>`, '  </actor>');
  }
  return `${[...lines, '</movie>'].join('\n')}\n`;
}

/** Characters that XML 1.0 has no way to write are left out. */
const escape = (text: string): string =>
  text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
