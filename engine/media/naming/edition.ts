/** Which cut of a movie a name says it is: `Director's Cut`, `Extended`, `50th Anniversary Edition`. */
import { factsAt } from './release-facts.ts';
import { wordSet } from './words.ts';
import type { Word } from './words.ts';

export const EDITIONS = [
  'directorsCut',
  'extended',
  'theatrical',
  'unrated',
  'uncut',
  'uncensored',
  'final',
  'ultimate',
  'special',
  'collector',
  'criterion',
  'deluxe',
  'limited',
  'anniversary',
  'remastered',
  'restored',
  'imax',
  'fan',
  'alternative',
  'international',
  'rogue',
  'openMatte',
  'definitive',
  'severalInOne',
] as const;
export type Edition = (typeof EDITIONS)[number];

/** Joined words that are an edition by themselves, behind a title. */
const ALONE: Readonly<Partial<Record<Edition, string>>> = {
  directorsCut: "directors director's director’s directorscut director'scut",
  extended: 'extended',
  theatrical: 'theatrical',
  unrated: 'unrated',
  uncut: 'uncut',
  uncensored: 'uncensored',
  remastered: 'remaster remastered 4kremaster 4kremastered',
  restored: 'restore restored 4krestore 4krestored restoration',
  imax: 'imax',
  fan: 'despecialized fanedit fanedition fancollection',
  collector: 'collector',
  criterion: 'criterion criterioncollection',
  deluxe: 'deluxe',
  alternative: 'alternate alternative',
  openMatte: 'openmatte',
  severalInOne: '2in1 3in1 4in1',
  anniversary: 'anniversary',
};

/** In capitals, as release names shorten them. */
const SHORT: Readonly<Record<string, Edition>> = {
  DC: 'directorsCut',
  DDC: 'definitive',
  SE: 'special',
  CE: 'collector',
  EE: 'extended',
  AE: 'anniversary',
  CC: 'criterion',
};

/** What makes an edition only beside a noun or another edition. */
const BESIDE: Readonly<Partial<Record<Edition, string>>> = {
  final: 'final',
  ultimate: 'ultimate',
  special: 'special',
  collector: "collectors collector's collector’s",
  limited: 'limited',
  fan: 'fan',
  international: 'international',
  rogue: 'rogue',
  definitive: 'definitive',
};

const NOUNS = wordSet('cut edition version release collection edit');
/** Words in front of “Edition” that name it, whatever they are: “Diamond Edition”, “Ultimate Hunter Edition”. */
const MAX_NAME_WORDS = 2;

const tableOf = (table: Readonly<Partial<Record<Edition, string>>>): ReadonlyMap<string, Edition> =>
  new Map(
    (Object.entries(table) as [Edition, string][]).flatMap(([edition, text]) =>
      [...wordSet(text)].map((word) => [word, edition] as const),
    ),
  );
const BY_ALONE = tableOf(ALONE);
const BY_BESIDE = tableOf(BESIDE);
const ORDINAL = /^\d{1,3}(?:st|nd|rd|th)$/;

/** Words that speak of one edition. */
export interface EditionRun {
  readonly from: number;
  /** The first word behind it. */
  readonly to: number;
  readonly editions: readonly Edition[];
  /** “Edition”, “Cut”, “Version” … are in it. */
  readonly hasNoun: boolean;
  /** Words that no table knows name the edition. */
  readonly hasOwnName: boolean;
  /** Only two or three capitals: worth knowing, but nothing to show. */
  readonly isShort: boolean;
}

export interface FoundEdition {
  /** As the name says it, with spaces between the words; `null` where it says none. */
  readonly text: string | null;
  readonly editions: readonly Edition[];
}

/** `{edition-Director's Cut}`, as Plex has it. */
export const EDITION_TAG = /\{edition-([^{}]{1,80})\}/i;

/** Reads the words from `from` on. `isBare`: the whole name is words of a release, so that case tells nothing. */
export function editionIn(text: string, words: readonly Word[], from: number, isBare: boolean): FoundEdition {
  const editions = new Set<Edition>();
  let said: string | null = null;
  for (let index = from; index < words.length;) {
    const run = editionAt(text, words, index, { isBare, until: words.length });
    for (const edition of run?.editions ?? []) editions.add(edition);
    if (run !== null && !run.isShort) said ??= spoken(words, run);
    index = run?.to ?? index + 1;
  }
  return { text: said, editions: [...editions] };
}

const spoken = (words: readonly Word[], { from, to }: EditionRun): string =>
  words
    .slice(from, to)
    .map(({ text }) => text)
    .join(' ');

interface Reach {
  readonly isBare: boolean;
  readonly until: number;
}

/** The longest stretch of words from `index` that speaks of one edition, `null` where none begins there. */
export function editionAt(
  text: string,
  words: readonly Word[],
  index: number,
  { isBare, until }: Reach,
): EditionRun | null {
  const editions: Edition[] = [];
  const beside: Edition[] = [];
  let hasNoun = false;
  let unknown = 0;
  let to = index;
  for (let at = index; at < until; at++) {
    const word = words[at]!;
    const pair = at + 1 < until ? BY_ALONE.get(`${word.low}${words[at + 1]!.low}`) : undefined;
    const alone = pair ?? BY_ALONE.get(word.low);
    const besides = BY_BESIDE.get(word.low);
    const short = isBare || word.text === word.text.toUpperCase() ? SHORT[word.text.toUpperCase()] : undefined;
    if (alone !== undefined) {
      editions.push(alone);
      if (pair !== undefined) at++;
      hasNoun ||= NOUNS.has(words[at]!.low) || ORDINAL.test(words[at - 1]?.low ?? '');
    } else if (besides !== undefined) beside.push(besides);
    else if (NOUNS.has(word.low) && (/^(?:edition|cut)$/.test(word.low) || editions.length + beside.length > 0)) {
      hasNoun = true;
    } else if (short !== undefined) editions.push(short);
    else if (ORDINAL.test(word.low) && /^(?:anniversary|ae)$/.test(words[at + 1]?.low ?? '')) continue;
    else if (!hasNoun && unknown < MAX_NAME_WORDS && isNameOfEdition(text, words, at, until)) {
      unknown++;
      continue;
    } else break;
    to = at + 1;
  }
  if (to === index || (!hasNoun && editions.length === 0)) return null;
  if (hasNoun && editions.length + beside.length + unknown === 0) return null;
  return {
    from: index,
    to,
    editions: [...editions, ...beside],
    hasNoun,
    hasOwnName: unknown > 0,
    isShort: !isBare && to === index + 1 && BY_ALONE.get(words[index]!.low) === undefined,
  };
}

/** An unknown word that “Edition” follows, at once or behind one more. */
function isNameOfEdition(text: string, words: readonly Word[], at: number, until: number): boolean {
  if (/^(?:the|a|an)$/.test(words[at]!.low)) return false;
  for (let ahead = at; ahead < Math.min(at + MAX_NAME_WORDS, until - 1); ahead++) {
    if (factsAt(text, words, ahead) !== null || /^\d+$/.test(words[ahead]!.low)) return false;
    const next = words[ahead + 1]?.low;
    if (next === 'edition' || (next === 'cut' && ahead === at)) return true;
  }
  return false;
}
