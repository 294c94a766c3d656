/** What lies beside a movie, as people call it. */
import type { ExtraKind } from '#protocol/schema/movie.ts';

export const EXTRA_NAMES: Readonly<Record<ExtraKind, string>> = {
  trailer: 'Trailer',
  behindTheScenes: 'Behind the scenes',
  deletedScene: 'Deleted scene',
  interview: 'Interview',
  scene: 'Scene',
  featurette: 'Featurette',
  short: 'Short',
  clip: 'Clip',
  sample: 'Sample',
  other: 'Extra',
};

/** “Gag reel”, or what it is where its file has no name of its own: “Trailer”. */
export const extraName = ({ kind, title }: { readonly kind: ExtraKind; readonly title: string }): string =>
  title === '' ? EXTRA_NAMES[kind] : title;
