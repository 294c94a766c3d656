/** Which files are material beside a movie, by their own name or by the folder they lie in. */
import { plain } from './words.ts';

/** `theme`: music or a picture that runs behind a screen. */
export const NAMED_EXTRAS = [
  'trailer',
  'sample',
  'deletedScene',
  'behindTheScenes',
  'interview',
  'scene',
  'featurette',
  'short',
  'clip',
  'theme',
  'other',
] as const;
export type NamedExtra = (typeof NAMED_EXTRAS)[number];

const BY_SUFFIX: Readonly<Record<string, NamedExtra>> = {
  trailer: 'trailer',
  sample: 'sample',
  scene: 'scene',
  clip: 'clip',
  interview: 'interview',
  behindthescenes: 'behindTheScenes',
  deleted: 'deletedScene',
  deletedscene: 'deletedScene',
  featurette: 'featurette',
  short: 'short',
  other: 'other',
  extra: 'other',
};

const BY_FOLDER: Readonly<Record<string, NamedExtra>> = {
  trailers: 'trailer',
  trailer: 'trailer',
  samples: 'sample',
  sample: 'sample',
  'deleted scenes': 'deletedScene',
  'behind the scenes': 'behindTheScenes',
  interviews: 'interview',
  scenes: 'scene',
  featurettes: 'featurette',
  shorts: 'short',
  clips: 'clip',
  backdrops: 'theme',
  'theme music': 'theme',
  extras: 'other',
  extra: 'other',
  other: 'other',
  others: 'other',
};

/** Folders that people also use for movies (“Shorts/Geri's Game (1997).mkv”): a year of its own makes a file a movie there. */
const AMBIGUOUS: ReadonlySet<NamedExtra> = new Set<NamedExtra>(['short', 'other', 'clip', 'scene', 'interview']);

export function extraOfFolder(name: string): NamedExtra | null {
  return BY_FOLDER[plain(name)] ?? null;
}

export interface FoundExtra {
  readonly kind: NamedExtra;
  /** What the name says of it beside the movie and the kind; empty where it says nothing. */
  readonly title: string;
  /** Name of the folder of extras that it lies in, `null` where its own name says what it is. */
  readonly folder: string | null;
  /** The name without the mark, where the mark is behind it. */
  readonly stem: string;
}

/** `stem` without an ending, `folders` from the outermost to the innermost. */
export function extraOf(stem: string, folders: readonly string[], hasYear: boolean): FoundExtra | null {
  const bonus = /^(.{1,200}?)-x\d{2}(?:-(.{1,200}))?$/i.exec(stem);
  if (bonus !== null) return { kind: 'other', title: bonus[2] ?? '', folder: null, stem: bonus[1]! };
  const low = stem.toLowerCase();
  const whole = /^(trailer|sample)\d{0,2}$/.exec(low) ?? /^(sample)[._-]/.exec(low);
  // A space alone is no mark: “The DNA Sample” is a movie.
  const suffix = whole ?? /(?:-|\s-\s|[._](?=trailer|sample))([a-z]{4,15})\d{0,2}$/.exec(low);
  const kind = suffix?.[1] === undefined ? undefined : BY_SUFFIX[suffix[1]];
  if (suffix !== null && kind !== undefined) {
    const isBehind = suffix.index > 0;
    return { kind, title: '', folder: null, stem: isBehind ? stem.slice(0, suffix.index).trim() : stem };
  }
  for (const folder of folders.toReversed()) {
    const byFolder = extraOfFolder(folder);
    if (byFolder !== null && !(AMBIGUOUS.has(byFolder) && hasYear)) {
      return { kind: byFolder, title: stem, folder, stem };
    }
  }
  return null;
}
