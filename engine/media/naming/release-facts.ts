/** What a name says of the release beside title and year: where the picture came from, how it is coded, in which languages. */
import { FACTS_BY_WORD, RELEASE_SOURCES } from './release-table.ts';
import type {
  HdrMark,
  NamedAudioCodec,
  NamedVideoCodec,
  Packing3d,
  ReleaseFact,
  ReleaseFlag,
  ReleaseSource,
} from './release-table.ts';
import { languageOf } from './languages.ts';
import { joined } from './words.ts';
import type { Word } from './words.ts';

export interface ReleaseFacts {
  /** Lines of the picture as people name them: 720, 1080, 2160 … */
  readonly resolution: number | null;
  readonly isInterlaced: boolean;
  readonly sources: readonly ReleaseSource[];
  readonly videoCodec: NamedVideoCodec | null;
  readonly bitDepth: number | null;
  readonly hdr: readonly HdrMark[];
  readonly packing3d: Packing3d | null;
  readonly audioCodecs: readonly NamedAudioCodec[];
  /** `5.1`, `7.1`, `2.0` … */
  readonly channels: string | null;
  /** BCP 47. */
  readonly languages: readonly string[];
  readonly flags: readonly ReleaseFlag[];
  /** 1, or more for a release that mends an earlier one (`PROPER`, `REPACK2`, `v2`). */
  readonly version: number;
  /** How often it says `REAL`: a proper of a proper. */
  readonly realCount: number;
}

/** How many words are read from the words at `index` as one that the table knows, and what they mean. */
export function factsAt(
  text: string,
  words: readonly Word[],
  index: number,
): { count: number; facts: readonly ReleaseFact[] } | null {
  for (let count = 3; count > 0; count--) {
    const key = joined(text, words, index, count);
    const facts = key === null ? undefined : FACTS_BY_WORD.get(key);
    if (facts !== undefined) return { count, facts };
  }
  return null;
}

const LINES =
  /^(?:4kto|bluray|bd|dvd|web|webdl|webrip|hdtv|hd)?(\d{3,4})(p|i|px|hd|phd)(?:\d{2,3}|\d{1,2}bits?|hevc|x26[45])?$/;
const KNOWN_LINES = new Set([240, 360, 368, 480, 540, 544, 576, 720, 900, 960, 1080, 1440, 2160, 4320]);

/** `1080p`, `720p60`, `bd1080p`, `1920x1080`; `null` for everything else. */
export function linesOf(word: string): { lines: number; isInterlaced: boolean } | null {
  const named = LINES.exec(word);
  if (named !== null) {
    const lines = Number(named[1]);
    // Of odd numbers only what begins the word is a resolution: “bd123p” is none.
    if (!KNOWN_LINES.has(lines)) return null;
    if (named[2] === 'i' && ![360, 480, 540, 576, 720, 900, 1080, 2160].includes(lines)) return null;
    return { lines: lines === 960 ? 720 : lines, isInterlaced: named[2] === 'i' };
  }
  const size = /^(\d{3,4})x(\d{3,4})([pi]?)$/.exec(word);
  if (size === null) return null;
  const [widthPx, heightPx] = [Number(size[1]), Number(size[2])];
  const aspect = widthPx / heightPx;
  const isInterlaced = size[3] === 'i';
  // From 4:3 to a little above 16:9 the lines are counted; a wider picture has its black bars cut off, and its width tells.
  if (aspect >= 1.333 && aspect < 1.898) return { lines: heightPx, isInterlaced };
  const byWidth: Readonly<Record<number, number>> = { 1280: 720, 1920: 1080, 2048: 1080, 3840: 2160, 4096: 2160 };
  const lines = aspect > 1.9 ? byWidth[widthPx] : undefined;
  return lines === undefined ? null : { lines, isInterlaced };
}

/** Sound in channels. `5` `1` and `6ch` are read by what stands around them. */
function channelsAt(text: string, words: readonly Word[], index: number): string | null {
  const { low = '', end = 0 } = words[index] ?? {};
  const counted = /^(?:[a-z]+\d?)?([1-8])ch$/.exec(low)?.[1];
  if (counted !== undefined) return { 1: '1.0', 2: '2.0', 5: '5.1', 6: '5.1', 7: '6.1', 8: '7.1' }[counted] ?? null;
  if (low === 'stereo') return '2.0';
  if (low === 'mono') return '1.0';
  const whole = /^(?:ddp?|aac|truehd|ma|dts|flac|lpcm|ddpa)([1257])([01])$/.exec(low);
  if (whole !== null) return whole.slice(1).join('.');
  const front = /^(?:[a-z]*[a-z3])?([1-9])$/.exec(low)?.[1];
  const next = words[index + 1];
  if (front === undefined || next === undefined || next.start - end !== 1) return null;
  const back = /^([01])(?:ch)?$/.exec(next.low)?.[1];
  return back !== undefined && /^(?:[125679])$/.test(front) ? `${front}.${back}` : null;
}

export interface Zone {
  /** First and last word of the title, the last excluded. Ambiguous words in it mean nothing. */
  readonly first: number;
  readonly end: number;
  /** Name of the group, `null` where there is none: “YTS.LT” speaks no Lithuanian. */
  readonly group: string | null;
}

/** Reads every word that is not of the title; `isStrong` tells which words of the title are none. */
export function readFacts(
  text: string,
  words: readonly Word[],
  { first, end, group }: Zone,
  isStrong: (index: number) => boolean,
): ReleaseFacts {
  const groupAt = group === null ? -1 : text.lastIndexOf(group);
  const isOfGroup = ({ start }: Word): boolean =>
    group !== null && groupAt >= 0 && start >= groupAt && start < groupAt + group.length;
  const sources = new Set<ReleaseSource>();
  const hdr = new Set<HdrMark>();
  const audio = new Set<NamedAudioCodec>();
  const languages = new Set<string>();
  const flags = new Set<ReleaseFlag>();
  const packings = new Set<Packing3d>();
  let codec: NamedVideoCodec | null = null;
  let resolution: { lines: number; isInterlaced: boolean } | null = null;
  let loose: number | null = null;
  let bitDepth: number | null = null;
  let channels: string | null = null;
  let version = 1;
  let realCount = 0;

  for (let index = 0; index < words.length;) {
    const word = words[index]!;
    const isTitle = index >= first && index < end;
    // “01v2”: an episode, or a disc, in its second version.
    const counted = /^\d{2,4}v([2-9])$/.exec(word.low)?.[1];
    if (counted !== undefined) version = Number(counted);
    if (isTitle && !isStrong(index)) {
      index++;
      continue;
    }
    const { low } = word;
    const lines = linesOf(low);
    resolution ??= lines;
    if (low === '4k' || low === 'uhd4k') loose ??= 2160;
    if (low === '8k') loose ??= 4320;
    if (low === 'fhd' || low === 'fullhd') loose ??= 1080;
    const bits = /^(?:\d{3,4}p)?(8|10|12)bits?$/.exec(low)?.[1] ?? (/^hi10p?$/.test(low) ? '10' : undefined);
    if (bits !== undefined) bitDepth ??= Number(bits);
    if (word.text === 'REAL') realCount++;
    const revision = /^v([2-9])$/.exec(low)?.[1];
    if (revision !== undefined) version = Number(revision);
    const mended = /^(?:repack|rerip|proper)([2-9])$/.exec(low)?.[1];
    if (mended !== undefined) {
      version = Math.max(version, Number(mended) + 1);
      flags.add(low.startsWith('proper') ? 'proper' : 'repack');
    }
    if ((low === 'dd' || low === 'dd5') && text[word.end] === '+') audio.add('eac3');
    const found = lines === null ? factsAt(text, words, index) : glued(low);
    for (let at = index; !isTitle && at < index + (found?.count ?? 1); at++) channels ??= channelsAt(text, words, at);
    for (const one of words.slice(index, index + (found?.count ?? 1))) {
      if (one.low === 'hdr10' && text[one.end] === '+') hdr.add('hdr10plus');
    }
    const isBeforeRelease = factsAt(text, words, index + (found?.count ?? 1)) !== null;
    const language =
      (found?.count ?? 1) > 1 && !/^subs?$/.test(words[index + 1]?.low ?? '')
        ? null
        : languageOf(words, index, isBeforeRelease);
    if (language !== null && !isTitle && !isOfGroup(word)) languages.add(language);
    for (const fact of found?.facts ?? []) {
      if (fact.kind === 'source') sources.add(fact.value);
      else if (fact.kind === 'codec') codec ??= fact.value;
      else if (fact.kind === 'hdr') hdr.add(fact.value);
      else if (fact.kind === 'packing') packings.add(fact.value);
      else if (fact.kind === 'flag') flags.add(fact.value);
      else if (!(fact.value === 'ac3' && /^dd\d?$/.test(low) && text[word.end] === '+')) audio.add(fact.value);
    }
    index += found?.count ?? 1;
  }

  // “German DL” is German beside the original sound, “German ML” English besides.
  if (languages.size === 1 && languages.has('de') && flags.has('multi')) {
    if (words.some(({ low }, index) => low === 'dl' && words[index - 1]?.low !== 'web')) flags.add('original');
    else if (words.some(({ low }) => low === 'ml')) {
      flags.add('original');
      languages.add('en');
    }
  }
  // “WEB-DL” beside “WEBRip” says no more, and a screener on DVD is a screener.
  if (sources.has('webrip')) sources.delete('webdl');
  if (sources.has('screener') && !words.some(({ low }) => /^(?:dvdr|dvd[59])$/.test(low))) sources.delete('dvd');
  if (version === 1 && (flags.has('proper') || flags.has('repack'))) version = 2;
  if (flags.has('uhd') && flags.has('complete')) loose ??= 2160;
  const packing = [...packings].find((value) => value !== 'frames');
  return {
    resolution: resolution?.lines ?? loose,
    isInterlaced: resolution?.isInterlaced ?? false,
    sources: RELEASE_SOURCES.filter((source) => sources.has(source)),
    videoCodec: codec,
    bitDepth,
    hdr: [...hdr],
    packing3d: packing ?? (packings.has('frames') ? 'frames' : null),
    audioCodecs: [...audio],
    channels,
    languages: [...languages],
    flags: [...flags],
    version,
    realCount,
  };
}

/** `bluray1080p`, `bd720p`: a source and a resolution in one word. */
function glued(low: string): { count: number; facts: readonly ReleaseFact[] } | null {
  const facts = FACTS_BY_WORD.get(/^[a-z]+/.exec(low)?.[0] ?? '');
  return facts === undefined ? null : { count: 1, facts };
}

/** The class in which release sites sort a release, with what they take for granted where a name does not say. */
export interface ReleaseClass {
  readonly source: ReleaseSource | null;
  readonly resolution: number | null;
  readonly modifier: 'remux' | 'disc' | 'raw' | null;
}

export function releaseClassOf(facts: ReleaseFacts, text: string): ReleaseClass {
  const { flags, sources, resolution, videoCodec } = facts;
  const low = plainWords(text);
  const has = (pattern: RegExp): boolean => pattern.test(low);
  const isWebOrTv = sources.some((source) => source === 'webdl' || source === 'webrip' || source === 'tv');
  const isRemux = flags.includes('remux') && !isWebOrTv;
  const isDiscName = has(/ (?:m?blue? ?ray|hd ?dvd) /);
  // A disc as it is: its own codec by the name that discs use, and nobody who encoded it anew.
  const isUntouched =
    isDiscName && has(/ (?:avc|vc ?1|hevc|mpeg ?2) /) && !has(/ [xh] ?26[456] | rip /) && (resolution ?? 1080) >= 1080;
  const isDisc =
    sources.includes('bluray') && !isRemux && (flags.includes('disc') || flags.includes('complete') || isUntouched);
  const [first = null] = sources;
  if (isRemux) {
    return { source: 'bluray', resolution: resolution ?? (flags.includes('uhd') ? 2160 : 1080), modifier: 'remux' };
  }
  if (isDisc) return { source: 'bluray', resolution: 1080, modifier: 'disc' };
  if (first === 'bluray') {
    if (videoCodec === 'xvid' || videoCodec === 'divx') return { source: 'dvd', resolution: 480, modifier: null };
    const isRip = has(/ (?:uhd)?b[dr] ?rip /);
    return { source: 'bluray', resolution: classLines(resolution) ?? (isRip ? 480 : 720), modifier: null };
  }
  if (first === 'webdl' || first === 'webrip') {
    return {
      source: first,
      resolution: classLines(resolution) ?? (/\[WEB(?:-?DL)?\]/i.test(text) ? 720 : 480),
      modifier: null,
    };
  }
  if (first === 'tv') {
    if (flags.includes('raw') || videoCodec === 'mpeg2' || (facts.isInterlaced && resolution === 1080)) {
      return { source: 'tv', resolution: 1080, modifier: 'raw' };
    }
    const isHigh = has(/ hr ws | hd tv /) || /\[HDTV\]/.test(text);
    const isPlain = has(/ (?:pdtv|sdtv|dsr|tvrip) /) && !has(/ hdtv /);
    return { source: 'tv', resolution: isHigh ? 720 : isPlain ? 480 : (classLines(resolution) ?? 480), modifier: null };
  }
  if (first === 'dvd') return { source: first, resolution: classLines(resolution) ?? 480, modifier: null };
  if (first !== null) {
    return {
      source: first,
      resolution: classLines(resolution) ?? (sources.includes('dvd') ? 480 : null),
      modifier: null,
    };
  }
  // Who names nothing but a resolution got it from the web.
  return { source: resolution === null ? null : 'webdl', resolution: classLines(resolution), modifier: null };
}

const classLines = (lines: number | null): number | null =>
  lines === null ? null : lines < 576 ? 480 : lines < 720 ? 576 : lines < 1080 ? 720 : lines < 2160 ? 1080 : 2160;

const plainWords = (text: string): string => ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ')} `;
