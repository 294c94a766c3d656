import type { MovieReader } from '#engine/catalogue/ports.ts';
import type { LibraryCounts, LibraryStore, ScanStore } from '#engine/library/ports.ts';
import type { Sql } from './connect.ts';
import { createLibraryStore } from './library-store.ts';
import { createMovieStore } from './movie-store.ts';
import { Remembered } from './remembered.ts';
import { createScanStore } from './scan-store.ts';

export interface Catalogue {
  readonly libraries: LibraryStore;
  readonly scans: ScanStore;
  readonly movies: MovieReader;
  /** Another process wrote: numbers that were remembered are counted again. */
  forgetCounts(): void;
}

/** The three stores of the library on one pool. What one of them writes, the others know of. */
export function createCatalogue(sql: Sql, options: { readonly newId: () => string }): Catalogue {
  const counts = new Remembered<ReadonlyMap<string, LibraryCounts>>();
  const forgetCounts = (): void => counts.forget();
  return {
    libraries: createLibraryStore(sql, { onWrite: forgetCounts, counts }),
    scans: createScanStore(sql, { newId: options.newId, onWrite: forgetCounts }),
    movies: createMovieStore(sql),
    forgetCounts,
  };
}
