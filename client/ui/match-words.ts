/** How sure Matinee is of a movie, and why, as people read it. */
import type { MatchReason } from '#protocol/schema/match.ts';

const REASON_NAMES: Readonly<Record<MatchReason, string>> = {
  idInName: 'its number stands in the file’s name',
  idInNfo: 'its number stands in the NFO file',
  idFromRadarr: 'Radarr says so',
  titleExact: 'same title',
  originalTitleExact: 'same original title',
  alternativeTitleExact: 'same title in another country',
  titleSimilar: 'similar title',
  titleDiffers: 'another title',
  yearExact: 'same year',
  yearNear: 'a year apart',
  yearDiffers: 'another year',
  yearUnknown: 'year unknown',
  popular: 'well known',
  severalAlike: 'several are alike',
  durationNear: 'same length',
  durationDiffers: 'another length',
  chosenByPerson: 'chosen by hand',
};

/** What speaks against a candidate. */
const DOUBTS: ReadonlySet<MatchReason> = new Set([
  'titleDiffers',
  'yearDiffers',
  'yearUnknown',
  'severalAlike',
  'durationDiffers',
]);

export const reasonName = (reason: MatchReason): string => REASON_NAMES[reason];
export const isDoubt = (reason: MatchReason): boolean => DOUBTS.has(reason);

/** `78 % sure` */
export const sureness = (score: number): string => `${Math.round(score * 100)} % sure`;
