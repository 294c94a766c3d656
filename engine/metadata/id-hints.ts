/** Numbers of catalogues that a movie comes with. Pure. */
import { movieNameOf } from '#engine/media/file-name.ts';
import type { NfoFacts } from '#engine/media/nfo.ts';
import type { IdHint } from './movie-finder.ts';
import type { KnownMovie } from './ports.ts';

/** Numbers of catalogues that somebody wrote down for this movie, the most deliberate first [META2]. */
export function hintsOf(movie: Pick<KnownMovie, 'files' | 'hints'>, nfo: NfoFacts | null): IdHint[] {
  const named = movie.files.map(({ path }) => movieNameOf(path));
  const all: IdHint[] = [
    ...named.map(({ tmdbId, imdbId }) => ({ tmdbId, imdbId, reason: 'idInName' as const })),
    { tmdbId: nfo?.tmdbId ?? null, imdbId: nfo?.imdbId ?? null, reason: 'idInNfo' },
    ...movie.hints.map(({ tmdbId, imdbId }) => ({ tmdbId, imdbId, reason: 'idFromRadarr' as const })),
  ];
  const seen = new Set<string>();
  return all.filter(({ tmdbId, imdbId }) => {
    const key = `${tmdbId ?? ''} ${imdbId ?? ''}`;
    if ((tmdbId === null && imdbId === null) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
