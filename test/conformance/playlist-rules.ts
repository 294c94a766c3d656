/**
 * What RFC 8216 (and its successor draft) asks of a playlist's text, and the points of Apple's authoring specification that are worth
 * holding. Each function answers with every breach in words, so that a failing test says what a player would trip over.
 */
import { parse, setOptions } from 'hls-parser';

// It throws what it would print otherwise.
setOptions({ strictMode: true });

/** Reads an attribute list by the grammar of RFC 8216 4.2. Throws on everything that is none. */
export function parseAttributes(text: string): Record<string, string> {
  const parsed: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,(?=.)|$)/.exec(rest);
    if (!match) throw new Error(`not an attribute list: ${rest}`);
    const [whole, name, value] = match as unknown as [string, string, string];
    if (name in parsed) throw new Error(`${name} twice in ${text}`);
    parsed[name] = value.replace(/^"|"$/g, '');
    rest = rest.slice(whole.length);
  }
  return parsed;
}

const MULTIVARIANT_TAGS = /^#EXT-X-(MEDIA|STREAM-INF|I-FRAME-STREAM-INF|SESSION-DATA|SESSION-KEY|CONTENT-STEERING):/;
const MEDIA_TAGS =
  /^#(EXTINF|EXT-X-(TARGETDURATION|MEDIA-SEQUENCE|PLAYLIST-TYPE|MAP|BYTERANGE|DISCONTINUITY|KEY|GAP)):|^#EXT-X-(ENDLIST|I-FRAMES-ONLY)$/;
/** Each with one attribute list behind it. */
const ATTRIBUTE_TAGS = /^#EXT-X-(MEDIA|STREAM-INF|I-FRAME-STREAM-INF|MAP|START):(.*)$/;
const LANGUAGE_TAG = /^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$/;

/** What holds for every playlist, of either kind. */
function textBreaches(bytes: Uint8Array): string[] {
  const breaches: string[] = [];
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return ['it is not UTF-8'];
  }
  if (text.startsWith('\ufeff')) breaches.push('it begins with a byte order mark');
  if (!/^#EXTM3U\r?\n/.test(text)) breaches.push('its first line is not #EXTM3U');
  if (/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(text)) breaches.push('it holds control characters');
  if (text !== text.normalize('NFC')) breaches.push('its text is not in normalization form C');
  const lines = text.split(/\r?\n/);
  const versions = lines.filter((line) => line.startsWith('#EXT-X-VERSION:'));
  if (versions.length > 1) breaches.push('EXT-X-VERSION stands there twice');
  const version = Number(versions[0]?.slice('#EXT-X-VERSION:'.length) ?? 1);
  const wanted = lowestVersion(lines);
  if (version < wanted) breaches.push(`version ${version}, but what it uses needs ${wanted}`);
  if (lines.some((line) => MULTIVARIANT_TAGS.test(line)) && lines.some((line) => MEDIA_TAGS.test(line))) {
    breaches.push('it has tags of both kinds of playlists');
  }
  for (const line of lines) {
    const list = ATTRIBUTE_TAGS.exec(line)?.[2];
    if (list === undefined) continue;
    try {
      parseAttributes(list);
    } catch (error) {
      breaches.push(String(error));
    }
  }
  try {
    parse(text);
  } catch (error) {
    breaches.push(`hls-parser: ${String(error)}`);
  }
  return breaches;
}

/** RFC 8216bis, section 8. */
function lowestVersion(lines: readonly string[]): number {
  const isPictures = lines.includes('#EXT-X-I-FRAMES-ONLY');
  let version = 1;
  for (const line of lines) {
    if (/^#EXTINF:\d+\.\d/.test(line)) version = Math.max(version, 3);
    if (line.startsWith('#EXT-X-BYTERANGE:') || line === '#EXT-X-I-FRAMES-ONLY') version = Math.max(version, 4);
    if (line.startsWith('#EXT-X-MAP:')) version = Math.max(version, isPictures ? 5 : 6);
    if (line.startsWith('#EXT-X-DEFINE:')) version = Math.max(version, 8);
  }
  return version;
}

export interface MultivariantEntry {
  readonly tag: 'MEDIA' | 'STREAM-INF' | 'I-FRAME-STREAM-INF';
  readonly attributes: Readonly<Record<string, string>>;
  /** `null` where there is none. */
  readonly uri: string | null;
}

export function multivariantEntries(text: string): MultivariantEntry[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index): MultivariantEntry[] => {
    const [, tag, list] = /^#EXT-X-(MEDIA|STREAM-INF|I-FRAME-STREAM-INF):(.*)$/.exec(line) ?? [];
    if (tag === undefined || list === undefined) return [];
    const attributes = parseAttributes(list);
    const uri = tag === 'STREAM-INF' ? (lines[index + 1] ?? null) : (attributes['URI'] ?? null);
    return [{ tag: tag as MultivariantEntry['tag'], attributes, uri }];
  });
}

export function multivariantBreaches(bytes: Uint8Array): string[] {
  const breaches = textBreaches(bytes);
  if (breaches.length > 0) return breaches;
  const text = new TextDecoder().decode(bytes);
  const entries = multivariantEntries(text);
  const variants = entries.filter(({ tag }) => tag === 'STREAM-INF');
  const media = entries.filter(({ tag }) => tag === 'MEDIA');
  if (variants.length === 0) breaches.push('it has no variant');
  if (!text.includes('\n#EXT-X-INDEPENDENT-SEGMENTS\n')) breaches.push('it does not promise independent segments');

  for (const { tag, attributes, uri } of entries) {
    const say = (what: string): number => breaches.push(`${tag} ${uri ?? ''}: ${what}`);
    if (tag === 'MEDIA') {
      for (const name of ['TYPE', 'GROUP-ID', 'NAME']) if (!attributes[name]) say(`no ${name}`);
      const isForced = attributes['FORCED'] === 'YES';
      if (attributes['FORCED'] && attributes['TYPE'] !== 'SUBTITLES') say('FORCED is for subtitles');
      if ((attributes['DEFAULT'] === 'YES' || isForced) && attributes['AUTOSELECT'] !== 'YES') {
        say('it is a default or forced, and not AUTOSELECT');
      }
      const language = attributes['LANGUAGE'];
      if (language !== undefined && !LANGUAGE_TAG.test(language)) say(`${language} is no BCP 47 tag`);
      if (language !== undefined && /^[a-z]{3}\b/.test(language) && hasShorterCode(language)) {
        say(`${language} has a two-letter code, which BCP 47 wants`);
      }
      if (attributes['TYPE'] === 'AUDIO' && !/^\d+$/.test(attributes['CHANNELS'] ?? '')) say('no CHANNELS');
      if (attributes['TYPE'] === 'SUBTITLES' && uri === null) say('subtitles without URI');
      continue;
    }
    const bandwidth = Number(attributes['BANDWIDTH']);
    const average = Number(attributes['AVERAGE-BANDWIDTH']);
    if (!(bandwidth > 0)) say('no BANDWIDTH');
    if (!(average > 0)) say('no AVERAGE-BANDWIDTH');
    if (average > bandwidth) say('the average is above the peak');
    if (uri === null || uri === '' || uri.startsWith('#')) say('no URI');
    if (!attributes['CODECS']) say('no CODECS');
    const codecs = attributes['CODECS']?.split(',') ?? [];
    if (new Set(codecs).size !== codecs.length) say('CODECS names one twice');
    const hasPicture = codecs.some((codec) => /^(avc1|hvc1|hev1|dvh1|av01|vp09)\./.test(codec));
    if (!hasPicture) continue;
    if (!/^\d+x\d+$/.test(attributes['RESOLUTION'] ?? '')) say('no RESOLUTION');
    if (!['SDR', 'HLG', 'PQ'].includes(attributes['VIDEO-RANGE'] ?? '')) say('no VIDEO-RANGE');
    if (tag === 'I-FRAME-STREAM-INF') continue;
    if (!/^\d+(\.\d{1,3})?$/.test(attributes['FRAME-RATE'] ?? '')) say('no FRAME-RATE');
    if (attributes['CLOSED-CAPTIONS'] !== 'NONE') say('it does not say that there are no closed captions');
    for (const type of ['AUDIO', 'SUBTITLES']) {
      const group = attributes[type];
      const isThere = media.some(({ attributes: each }) => each['TYPE'] === type && each['GROUP-ID'] === group);
      if (group !== undefined && !isThere) say(`there is no group ${group}`);
    }
  }

  const groups = new Map<string, MultivariantEntry[]>();
  for (const entry of media) {
    const key = `${entry.attributes['TYPE'] ?? ''} ${entry.attributes['GROUP-ID'] ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const membersByType = new Map<string, string>();
  for (const [key, members] of groups) {
    const names = members.map(({ attributes }) => attributes['NAME']);
    if (new Set(names).size !== names.length) breaches.push(`two of ${key} have one NAME`);
    if (members.filter(({ attributes }) => attributes['DEFAULT'] === 'YES').length > 1) {
      breaches.push(`${key} has several defaults`);
    }
    const type = key.split(' ', 1)[0]!;
    const membership = JSON.stringify(names.toSorted((a = '', b = '') => a.localeCompare(b)));
    if ((membersByType.get(type) ?? membership) !== membership) breaches.push(`groups of ${type} have other members`);
    membersByType.set(type, membership);
  }
  // What is used must be the same everywhere: a switch must not lose the sound.
  for (const type of ['AUDIO', 'SUBTITLES']) {
    const uses = new Set(variants.map(({ attributes }) => attributes[type] !== undefined));
    if (uses.size > 1) breaches.push(`some variants have ${type}, others have not`);
  }
  return breaches;
}

function hasShorterCode(language: string): boolean {
  return Intl.getCanonicalLocales(language)[0] !== language;
}

export interface MediaEntry {
  readonly uri: string;
  readonly durationUs: number;
  /** Where it begins, by the sum of those before it. */
  readonly startUs: number;
}

/** Segments as a player finds them, without any knowledge of how they are named. */
export function mediaEntries(text: string): MediaEntry[] {
  let startUs = 0;
  let durationUs: number | null = null;
  const entries: MediaEntry[] = [];
  for (const line of text.split('\n')) {
    const length = /^#EXTINF:([\d.]+),/.exec(line)?.[1];
    if (length !== undefined) durationUs = Math.round(Number(length) * 1e6);
    if (line === '' || line.startsWith('#') || durationUs === null) continue;
    entries.push({ uri: line, durationUs, startUs });
    startUs += durationUs;
    durationUs = null;
  }
  return entries;
}

/** `kind`: what the playlist lists. Subtitles need no init segment. */
export function mediaPlaylistBreaches(bytes: Uint8Array, kind: 'segments' | 'pictures' | 'subtitles'): string[] {
  const breaches = textBreaches(bytes);
  if (breaches.length > 0) return breaches;
  const lines = new TextDecoder().decode(bytes).trimEnd().split('\n');
  const has = (line: string): boolean => lines.includes(line);
  const target = Number(lines.find((line) => line.startsWith('#EXT-X-TARGETDURATION:'))?.split(':')[1]);
  if (!Number.isInteger(target)) breaches.push('no EXT-X-TARGETDURATION');
  const entries = mediaEntries(lines.join('\n'));
  if (entries.length === 0) breaches.push('it lists nothing');
  for (const { uri, durationUs } of entries) {
    if (Math.round(durationUs / 1e6) > target) breaches.push(`${uri} is longer than the target of ${target} s`);
    if (durationUs <= 0) breaches.push(`${uri} takes no time`);
    if (/^[a-z]+:|^\//i.test(uri)) breaches.push(`${uri} is not relative, so a token before it would be lost`);
  }
  if (new Set(entries.map(({ uri }) => uri)).size !== entries.length) breaches.push('it lists something twice');
  if (!has('#EXT-X-PLAYLIST-TYPE:VOD')) breaches.push('it does not say that it never changes');
  if (lines.at(-1) !== '#EXT-X-ENDLIST') breaches.push('it does not end with EXT-X-ENDLIST');
  const map = lines.findIndex((line) => line.startsWith('#EXT-X-MAP:'));
  const first = lines.findIndex((line) => line.startsWith('#EXTINF:'));
  if (kind !== 'subtitles' && (map < 0 || map > first)) breaches.push('no EXT-X-MAP before the first segment');
  if (has('#EXT-X-I-FRAMES-ONLY') !== (kind === 'pictures')) {
    breaches.push('EXT-X-I-FRAMES-ONLY where it is not, or not');
  }
  return breaches;
}

/**
 * The peak bit rate as RFC 8216bis 4.4.6.2 defines it: the highest of any run of segments that lasts between a half and one and a half target
 * durations. The highest of single ones where no run does.
 */
export function peakBitrateBps(segments: readonly { readonly bytes: number; readonly durationUs: number }[]): number {
  const targetUs = Math.max(...segments.map(({ durationUs }) => Math.round(durationUs / 1e6))) * 1e6;
  let peak = 0;
  for (let from = 0; from < segments.length; from++) {
    let [bytes, durationUs] = [0, 0];
    for (const segment of segments.slice(from)) {
      bytes += segment.bytes;
      durationUs += segment.durationUs;
      if (durationUs > targetUs * 1.5) break;
      if (durationUs >= targetUs * 0.5) peak = Math.max(peak, (bytes * 8e6) / durationUs);
    }
  }
  return peak > 0 ? peak : Math.max(...segments.map(({ bytes, durationUs }) => (bytes * 8e6) / durationUs));
}
