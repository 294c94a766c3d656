/** Who made a release, as its name says at the end (`x264-GROUP`), in brackets behind it, or in front (`[Group] Title`). */
import { LANGUAGE_BY_NAME } from './languages.ts';
import { factsAt, linesOf } from './release-facts.ts';
import { splitWords, wordSet } from './words.ts';

/** What others hang behind a name: re-posters, indexers, programs. */
const HUNG_BEHIND =
  /(?:[-.](?:rp|1|nzbgeek|obfuscated|obfuscation|scrambled|sample|pre|postbot|xpost|rakuv[a-z0-9]*|whiterev|buymore|asrequested|alternativetorequested|gerov|z0ids3n|chamele0n|4p|4planet|altezachen|repackpost|remux|eng|english))+$/i;
const INDEXERS = wordSet('eztv rarbg rartv ettv cttv publichd tgx rl norar glodls ethd phoenixrg');
const WEBSITE =
  /^(?:www\.\S+|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org|to|cc|me|tv|info|ws|ca|de|fr|it|es|nl|pl|ru|se|gov|in|io|co\.[a-z]{2}))$/i;
/** Groups whose names hold what separates words elsewhere, or that write theirs without a hyphen. */
const UNUSUAL =
  /(?:^|[\s.\-_[(])(D-Z0N3|Fight-BB|VH-PROD|FTW-HS|DX-TV|Blu-bits|E\.N\.D|YTS[. ](?:MX|LT|AG|AM|BZ)|YIFY|Joy|FreetheFish|afm72|Anna|Bandi|Ghost|Kappa|MONOLITH|Qman|RZeroX|SAMPA|Silence|theincognito|t3nzin|Vyndros|HDO|DusIctv|DHD|SEV|CtrlHD|ADC|XZVN|RH|Kametsu|r00t|HONE|TAoE|QxR|Tigole|Panda|ImE|UTR|Garshasp|Natty|RCVR|YOGI|EDGE2020|Celdra|EML HDTeam|KRaLiMaRKo|BluDragon|DarQ|KCRT|VARYG|LMain|TMd|HDC|126811|-ZR-|BEN[. ]THE[. ]MEN|HQMUX|Anime Time|Project Angel|Hakata Ramen)[\])]?$/;
const NO_GROUP = /^(?:\d{3,4}[pi]|dl|rip|ray|hd|x|es|ma|hq|\d{1,2}|[0-9a-f]{8})$/i;

export interface GroupPlace {
  /** The name without its ending. */
  readonly stem: string;
  /** Where the title ends in it: a hyphen before that is part of the title. */
  readonly titleEnd: number;
  readonly hasReleaseWords: boolean;
}

export function groupOf({ stem, titleEnd, hasReleaseWords }: GroupPlace): string | null {
  const rest = withoutNoise(stem);
  const tail = rest.length > titleEnd ? rest : rest.slice(titleEnd);
  const unusual = hasReleaseWords || /[-[(]/.test(rest) ? UNUSUAL.exec(tail) : null;
  if (unusual?.[1] !== undefined && unusual.index >= titleEnd - 1) return unusual[1];
  if (hasReleaseWords) {
    const found = bracketed(rest, titleEnd) ?? hyphened(rest, titleEnd) ?? lastInParentheses(rest, titleEnd);
    if (found !== null) return found;
  }
  const front = /^\[([^\]]{1,40})\][\s._-]*[\p{L}\d]/u.exec(stem)?.[1]?.trim();
  return front === undefined ||
    front === '' ||
    WEBSITE.test(front) ||
    isReleaseWord(front) ||
    /^(?:req|bd|dvd)$/i.test(front)
    ? null
    : front;
}

function withoutNoise(stem: string): string {
  let rest = stem.trim().replace(/\.{3,}$/, '');
  for (;;) {
    const bracket = /[\s._-]*\[([^[\]]{1,40})\]$/.exec(rest);
    const inside = bracket?.[1]?.trim() ?? '';
    const isNoise =
      INDEXERS.has(inside.toLowerCase().replace(/\W/g, '')) || WEBSITE.test(inside) || /^[0-9A-F]{8}$/i.test(inside);
    if (bracket !== null && isNoise && !/^YTS/i.test(inside)) {
      rest = rest.slice(0, bracket.index);
      continue;
    }
    const before = rest;
    rest = rest
      .replace(/\s+\([SL]:\d+\/[SL]:\d+\)$/i, '')
      .replace(/\s-\s([a-z0-9.-]+)$/i, (all, site: string) => (WEBSITE.test(site) ? '' : all));
    rest = rest.replace(HUNG_BEHIND, '');
    if (rest === before) return rest;
  }
}

/** `…-[GROUP]`, `… x265) [GROUP]`, `…[x264-Name[GROUP]]`. */
function bracketed(rest: string, titleEnd: number): string | null {
  const found = /\[([^[\]]{1,40})\][\])]?$/.exec(rest);
  const inside = found?.[1]?.trim() ?? '';
  if (found === null || found.index < titleEnd || isReleaseWord(inside)) return null;
  const isPicture = splitWords(inside).some(({ low }) => linesOf(low) !== null);
  return inside === '' || inside.includes(' ') || isPicture ? null : inside;
}

/** The last word that a hyphen joins to the release's words, up to the next separator. */
function hyphened(rest: string, titleEnd: number): string | null {
  const pattern = /(?:(?<=[^\s-])|(?<=[\s.])|(?<=^))-\s?([\p{L}\p{N}@]+)(?=$|[\s._[\](){}-])/gu;
  let group: string | null = null;
  for (const match of rest.matchAll(pattern)) {
    const name = match[1]!;
    if (match.index < titleEnd || (NO_GROUP.test(name) && !/^\d{4}$/.test(name))) continue;
    const behind = rest.slice(match.index + match[0].length);
    // What follows may only be brackets, languages, or a mark of who sent it on.
    if (!/^(?:[\s._]*(?:\[[^\]]*\]|\([^)]*\)))*[\])}]?(?:\.[a-z]{2,3})?$/.test(behind) && !isLanguageTail(behind)) {
      continue;
    }
    const before = rest.slice(0, match.index);
    if (isReleaseWord(name) && !/[\s.]$/.test(before) && splitsWord(before, name)) continue;
    if (isReleaseWord(name) && !/^\d+$/.test(name) && name.length < 4) continue;
    group = name;
  }
  return group;
}

const isLanguageTail = (behind: string): boolean => LANGUAGE_BY_NAME.has(behind.replace(/^[\s._-]+/, '').toLowerCase());

/** Whether the hyphen stands within a word of the release: `WEB-DL`, `DTS-HD`. */
function splitsWord(before: string, name: string): boolean {
  const last = splitWords(before).at(-1);
  if (last === undefined) return false;
  const text = `${last.text}-${name}`;
  const words = splitWords(text);
  return (factsAt(text, words, 0)?.count ?? 0) > 1 || linesOf(name.toLowerCase()) !== null || isLanguage(last.low);
}

const isLanguage = (low: string): boolean => LANGUAGE_BY_NAME.has(low) || /^[a-z]{3}$/.test(low);

/** `(1080p BluRay x265 10bit AAC 5.1 Name)`: the last word, where it is no word of the release. */
function lastInParentheses(rest: string, titleEnd: number): string | null {
  const inside = /[([]([^()[\]]+)[)\]]$/.exec(rest) ?? /^([^(]+)\)$/.exec(rest);
  if (inside?.[1] === undefined || inside.index + inside[1].length < titleEnd) return null;
  const words = inside[1].trim().split(/[\s.]+/);
  const last = words.at(-1) ?? '';
  const hasFacts = splitWords(inside[1]).some(
    (word, index, all) =>
      linesOf(word.low) !== null || (factsAt(inside[1]!, all, index)?.facts[0]?.kind ?? 'flag') !== 'flag',
  );
  if (
    !hasFacts ||
    words.length < 2 ||
    !/^[\p{L}\p{N}]{2,20}$/u.test(last) ||
    isReleaseWord(last) ||
    /^\d+$/.test(last)
  ) {
    return null;
  }
  return last;
}

function isReleaseWord(text: string): boolean {
  const words = splitWords(text);
  if (words.length === 0) return true;
  for (let index = 0; index < words.length;) {
    const { low } = words[index]!;
    const found = factsAt(text, words, index);
    if (
      found === null &&
      linesOf(low) === null &&
      !LANGUAGE_BY_NAME.has(low) &&
      !/^(?:\d{1,2}|\d+bits?|v\d|\d+[mg]b|eng|ita|fre|ger|rus|spa)$/.test(low)
    ) {
      return false;
    }
    index += found?.count ?? 1;
  }
  return true;
}
