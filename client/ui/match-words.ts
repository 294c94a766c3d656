/** What speaks for a movie and what against it, as people read it. */
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

const SAME_TITLE: ReadonlySet<MatchReason> = new Set(['titleExact', 'originalTitleExact', 'alternativeTitleExact']);

/**
 * How alike a candidate is, in words: a number would say that somebody is sure. `rest`: the reasons that are still to be named. `null` where
 * there is nothing to say.
 */
export function likeness(reasons: readonly MatchReason[]): {
  readonly words: string | null;
  readonly rest: readonly MatchReason[];
} {
  if (reasons.includes('severalAlike')) {
    return { words: 'Equally likely', rest: reasons.filter((reason) => reason !== 'severalAlike') };
  }
  const title = reasons.includes('titleExact')
    ? 'titleExact'
    : (reasons.find((reason) => SAME_TITLE.has(reason)) ?? reasons.find((reason) => reason === 'titleSimilar'));
  if (title === undefined) return { words: null, rest: reasons };
  const isOfYear = reasons.includes('yearExact');
  const name = reasonName(title);
  const said = `${name[0]!.toUpperCase()}${name.slice(1)}`;
  return {
    words: isOfYear ? (title === 'titleExact' ? 'Same title and year' : `${said}, same year`) : said,
    rest: reasons.filter((reason) => reason !== title && reason !== 'yearExact'),
  };
}
