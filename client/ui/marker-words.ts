/** What intros, recaps and credits are called. */
import type { Marker, MarkerKind } from '#protocol/schema/moments.ts';

export const MARKER_NAMES: Readonly<Record<MarkerKind, string>> = {
  intro: 'Intro',
  recap: 'Recap',
  credits: 'Credits',
};

export const SKIP_TEXTS: Readonly<Record<MarkerKind, string>> = {
  intro: 'Skip intro',
  recap: 'Skip recap',
  credits: 'Skip credits',
};

export const SKIPPED_TEXTS: Readonly<Record<MarkerKind, string>> = {
  intro: 'Intro skipped',
  recap: 'Recap skipped',
  credits: 'Credits skipped',
};

/** How it is known. */
export const MARKER_SOURCE_TEXTS: Readonly<Record<Marker['source'], string>> = {
  chapters: 'from the chapters’ names',
  detected: 'found in picture and sound',
  person: 'set by hand',
};
