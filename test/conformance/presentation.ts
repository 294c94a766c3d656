/** An HLS presentation fetched as a player does: by what its playlists say, and by nothing else. */
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import { readInit, readSegment } from '#test/support/fragment.ts';
import type { InitFacts, Sample } from '#test/support/fragment.ts';
import { mediaEntries, multivariantEntries } from './playlist-rules.ts';
import type { MediaEntry, MultivariantEntry } from './playlist-rules.ts';
import { readTrackFacts } from './sample-entry.ts';
import type { TrackFacts } from './sample-entry.ts';

export interface FetchedSegment extends MediaEntry {
  readonly bytes: Buffer;
  readonly samples: readonly Sample[];
}

export interface FetchedRendition {
  readonly url: string;
  readonly playlist: Buffer;
  readonly init: Buffer;
  readonly initFacts: InitFacts;
  readonly track: TrackFacts;
  readonly segments: readonly FetchedSegment[];
}

export interface Presentation {
  readonly url: string;
  readonly playlist: Buffer;
  readonly entries: readonly MultivariantEntry[];
  readonly variants: readonly MultivariantEntry[];
  readonly audio: readonly MultivariantEntry[];
  readonly subtitles: readonly MultivariantEntry[];
  readonly pictures: readonly MultivariantEntry[];
}

export type Get = (url: string) => Promise<Buffer>;

export async function fetchPresentation(url: string, get: Get): Promise<Presentation> {
  const playlist = await get(url);
  const entries = multivariantEntries(playlist.toString());
  const media = (type: string): MultivariantEntry[] =>
    entries.filter(({ tag, attributes }) => tag === 'MEDIA' && attributes['TYPE'] === type);
  return {
    url,
    playlist,
    entries,
    variants: entries.filter(({ tag }) => tag === 'STREAM-INF'),
    audio: media('AUDIO'),
    subtitles: media('SUBTITLES'),
    pictures: entries.filter(({ tag }) => tag === 'I-FRAME-STREAM-INF'),
  };
}

/** `order`: in which order the segments are asked for, by index; those that it leaves out are not there. */
export async function fetchRendition(
  url: string,
  get: Get,
  order: (count: number) => readonly number[] = (count) => [...Array(count).keys()],
): Promise<FetchedRendition> {
  const playlist = await get(url);
  const text = playlist.toString();
  const entries = mediaEntries(text);
  const mapUri = /^#EXT-X-MAP:URI="([^"]+)"/m.exec(text)?.[1];
  if (mapUri === undefined) throw new Error('the playlist has no EXT-X-MAP');
  const init = await get(new URL(mapUri, url).href);
  const initFacts = readInit(init);
  const fetched = new Map<number, Buffer>();
  for (const index of order(entries.length)) {
    if (!fetched.has(index)) fetched.set(index, await get(new URL(entries[index]!.uri, url).href));
  }
  const segments = entries.flatMap((entry, index): FetchedSegment[] => {
    const bytes = fetched.get(index);
    return bytes ? [{ ...entry, bytes, samples: readSegment(bytes, initFacts) }] : [];
  });
  return { url, playlist, init, initFacts, track: readTrackFacts(init), segments };
}

export const urlOf = (presentation: Presentation, entry: MultivariantEntry): string =>
  new URL(entry.uri ?? '', presentation.url).href;

/** On the movie's own timeline. */
export const shownUs = ({ ptsUs }: Sample): number => ptsUs - TIMELINE_OFFSET_US;

/**
 * What a whole rendition must hold to. `toleranceUs`: one picture, or one piece of sound; `longestUs`: the longest that a picture is shown,
 * where that differs.
 */
export function timelineBreaches(
  { segments, track, initFacts }: FetchedRendition,
  toleranceUs: number,
  longestUs: number = toleranceUs,
): string[] {
  const breaches: string[] = [];
  if (track.samples > 0) breaches.push('the init segment holds samples');
  if (!track.hasMovieExtends) breaches.push('the init segment has no mvex');
  const isPicture = track.widthPx > 0;
  let endUs = -Infinity;
  for (const { uri, startUs, samples, bytes } of segments) {
    const [first] = samples;
    if (!first) {
      breaches.push(`${uri} is empty`);
      continue;
    }
    const types = topLevelTypes(bytes);
    if (!types.includes('moof') || !types.includes('mdat')) breaches.push(`${uri} holds ${types.join(', ')}`);
    if (types.includes('moov') || types.includes('ftyp')) breaches.push(`${uri} holds an init segment`);
    if (isPicture && !first.isKeyframe) breaches.push(`${uri} does not begin with a keyframe`);
    // Sound may begin a little before the movie does.
    if (startUs > 0 && Math.abs(shownUs(first) - startUs) >= toleranceUs) {
      breaches.push(`${uri} begins at ${shownUs(first)} µs, the sum of those before it is ${startUs}`);
    }
    if (first.dtsUs < endUs - tickUs(initFacts)) breaches.push(`${uri} begins before the one before it ends`);
    if (endUs > 0 && first.dtsUs > endUs + toleranceUs * 0.5 && startUs > 0 && longestUs === toleranceUs) {
      breaches.push(`${uri}: ${Math.round(first.dtsUs - endUs)} µs of nothing before it`);
    }
    let lastDtsUs = -Infinity;
    for (const { dtsUs } of samples) {
      if (dtsUs <= lastDtsUs) breaches.push(`${uri}: decode times go back`);
      lastDtsUs = dtsUs;
    }
    const last = samples.at(-1)!;
    endUs = last.dtsUs + last.durationUs;
  }
  const shown = segments.flatMap(({ samples }) => [...samples]).toSorted((a, b) => a.ptsUs - b.ptsUs);
  for (const [index, sample] of shown.entries()) {
    const next = shown[index + 1];
    if (!next) break;
    const gapUs = next.ptsUs - sample.ptsUs;
    if (gapUs <= 0) breaches.push(`two samples are shown at ${shownUs(sample)} µs`);
    if (gapUs >= longestUs * 2) breaches.push(`a gap of ${Math.round(gapUs)} µs at ${shownUs(sample)}`);
  }
  return breaches;
}

/** Where the last sample ends, in movie time. */
export function endOfUs({ segments }: FetchedRendition): number {
  return Math.max(...segments.flatMap(({ samples }) => samples.map((each) => shownUs(each) + each.durationUs)));
}

const tickUs = ({ timescale }: InitFacts): number => 2e6 / timescale;

function topLevelTypes(bytes: Buffer): string[] {
  const types: string[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    types.push(bytes.toString('latin1', at + 4, at + 8));
    const size = bytes.readUInt32BE(at);
    if (size < 8) break;
    at += size;
  }
  return types;
}
