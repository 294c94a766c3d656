/** Libraries as screens see them: what is stored, how much is in them, and what happens to them right now. */
import type { Library } from '#protocol/schema/library.ts';
import type { LibraryState } from './library-keeper.ts';
import type { LibraryCounts, LibraryRow } from './ports.ts';

export const RESTING: LibraryState = { watching: 'off', scan: null };
const EMPTY: LibraryCounts = { movieCount: 0, fileCount: 0, issueCount: 0 };

/** `withPath`: for people who manage libraries. */
export function toLibrary(
  { id, name, path, lastScanAtMs }: LibraryRow,
  counts: LibraryCounts = EMPTY,
  { watching, scan }: LibraryState = RESTING,
  withPath: boolean,
): Library {
  return { id, name, path: withPath ? path : null, ...counts, watching, lastScanAt: lastScanAtMs, scan };
}
