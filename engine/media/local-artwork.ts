/** Which files of a movie's folder are its artwork, by the names that Kodi, Jellyfin, Plex and Emby write. */
import type { PictureRole } from '#protocol/schema/picture.ts';

export interface LocalArtwork {
  readonly name: string;
  readonly role: Extract<PictureRole, 'poster' | 'backdrop' | 'logo'>;
}

/** Lower case, without the dot. */
export const ARTWORK_EXTENSIONS = ['jpg', 'jpeg', 'png', 'webp', 'avif', 'gif'] as const;
const EXTENSION = new RegExp(`\\.(?:${ARTWORK_EXTENSIONS.join('|')})$`, 'i');

export const isArtworkName = (name: string): boolean => EXTENSION.test(name);

/** The best first. What stands behind the movie's own name comes before a name alone. */
const WORDS: Readonly<Record<LocalArtwork['role'], readonly string[]>> = {
  poster: ['poster', 'folder', 'cover', 'movie', 'default', 'keyart'],
  // With the title in it, so only where there is nothing better.
  backdrop: ['backdrop', 'fanart', 'background', 'art', 'landscape', 'thumb'],
  logo: ['clearlogo', 'logo'],
};
const ROLES = Object.keys(WORDS) as LocalArtwork['role'][];
/** Backdrops come in numbers: `fanart1.jpg`, `backdrop-2.jpg`, `background 03.png`. */
const NUMBERED = /^(backdrop|fanart|background|art)[ ._-]?(\d{1,3})$/;

interface Ranked extends LocalArtwork {
  readonly rank: number;
}

/**
 * The artwork among `fileNames`, the best of each role first. `movieNames`: the movie's own files in that folder. `isOwn`: no other movie is in it; else
 * only what begins with the name of one of those files is taken. Compared without case, and composed or not (NFC, NFD).
 */
export function localArtwork(
  fileNames: readonly string[],
  { movieNames, isOwn }: { readonly movieNames: readonly string[]; readonly isOwn: boolean },
): LocalArtwork[] {
  const stems = movieNames.map((name) => fold(name.replace(/\.[^.]*$/, '')));
  const found: Ranked[] = [];
  for (const name of fileNames) {
    if (!EXTENSION.test(name) || name.startsWith('.')) continue;
    const ranked = rankOf(name, stems, isOwn);
    if (ranked) found.push(ranked);
  }
  return found
    .toSorted((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || a.rank - b.rank || compare(a.name, b.name))
    .map(({ name, role }) => ({ name, role }));
}

const fold = (text: string): string => text.normalize('NFC').toLowerCase();
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Behind the movie's name, alone, behind some other name in a folder of its own. */
const OWN_NAME = 0;
const ALONE = 1_000;
const OTHER_NAME = 2_000;

function rankOf(name: string, stems: readonly string[], isOwn: boolean): Ranked | null {
  const stem = fold(name.replace(EXTENSION, ''));
  const own = stems.find((candidate) => stem.startsWith(candidate));
  if (own !== undefined) {
    const rest = stem.slice(own.length);
    // `Heat (1995).jpg` beside `Heat (1995).mkv`.
    if (rest === '') return { name, role: 'poster', rank: OWN_NAME + 500 };
    const word = /^[ ._-]/.test(rest) ? wordOf(rest.slice(1)) : null;
    if (word) return { name, role: word.role, rank: OWN_NAME + word.rank };
  }
  if (!isOwn) return null;
  const alone = wordOf(stem);
  if (alone) return { name, role: alone.role, rank: ALONE + alone.rank };
  const behind = /[._-]([a-z]+(?:[ ._-]?\d{1,3})?)$/.exec(stem)?.[1];
  const word = behind === undefined ? null : wordOf(behind);
  return word && { name, role: word.role, rank: OTHER_NAME + word.rank };
}

function wordOf(text: string): { role: LocalArtwork['role']; rank: number } | null {
  for (const role of ROLES) {
    const place = WORDS[role].indexOf(text);
    if (place !== -1) return { role, rank: place };
  }
  const [, word, number] = NUMBERED.exec(text) ?? [];
  // Behind those without a number, before those with the title in them.
  return word === undefined ? null : { role: 'backdrop', rank: 3 + (Number(number) + 1) / 1_001 };
}
