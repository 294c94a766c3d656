/**
 * What somebody wants of a file: as it is, or a copy of a quality with some of its tracks. Pure, but for what the device remembers:
 * qualities and languages, never numbers of tracks, which mean something else in the next movie.
 */
import * as v from 'valibot';
import { DOWNLOAD_QUALITIES, MAX_DOWNLOAD_AUDIO, MAX_DOWNLOAD_SUBTITLES } from '#protocol/schema/downloads.ts';
import type { DownloadFileOffer, DownloadQuality } from '#protocol/schema/downloads.ts';
import type { PartRequest } from './downloads.ts';
import type { Memory } from './ports.ts';

export interface DownloadWish {
  /** `original`: the file as it is, with all that is in it. */
  readonly form: 'original' | DownloadQuality;
  /** FFmpeg's track numbers. */
  readonly audioTracks: readonly number[];
  readonly subtitles: readonly string[];
  /** Pictures that become a part of an encoded picture. Since they can't be turned off, nothing remembers them: `null` to begin with. */
  readonly burned: string | null;
}

/** Whether anything can be drawn on the picture: not on one that is taken as it is. */
export function isDrawnOn(offer: DownloadFileOffer, form: DownloadWish['form']): boolean {
  const found = offer.qualities.find(({ quality }) => quality === form);
  return found?.method === 'encode' && found.codec !== null;
}

const Remembered = v.object({
  form: v.picklist(['original', ...DOWNLOAD_QUALITIES]),
  /** `null`: nothing was chosen but what is chosen by itself. */
  audio: v.nullable(v.array(v.nullable(v.string()))),
  subtitles: v.nullable(v.array(v.nullable(v.string()))),
});
export type RememberedWish = v.InferOutput<typeof Remembered>;

const NAME = 'download';

/** The last choice on this device; `null` where there is none. */
export function recallWish(memory: Memory): RememberedWish | null {
  try {
    const parsed = v.safeParse(Remembered, JSON.parse(memory.read(NAME) ?? 'null'));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

const same = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((one) => b.includes(one));

const defaultAudio = ({ audioTracks }: DownloadFileOffer): readonly number[] =>
  audioTracks.filter(({ isDefault }) => isDefault).map(({ trackIndex }) => trackIndex);

const defaultSubtitles = ({ subtitles }: DownloadFileOffer): readonly string[] =>
  subtitles.filter(({ isDefault, problem }) => isDefault && problem === null).map(({ id }) => id);

export function rememberWish(memory: Memory, offer: DownloadFileOffer, wish: DownloadWish): void {
  const before = recallWish(memory);
  // With the file as it is nothing was said of tracks.
  const isPrepared = wish.form !== 'original';
  const audio = offer.audioTracks.filter(({ trackIndex }) => wish.audioTracks.includes(trackIndex));
  const subtitles = offer.subtitles.filter(({ id }) => wish.subtitles.includes(id));
  const languages = (tracks: readonly { readonly language: string | null }[]) => [
    ...new Set(tracks.map(({ language }) => language)),
  ];
  const remembered: RememberedWish = {
    form: wish.form,
    audio: !isPrepared
      ? (before?.audio ?? null)
      : same(wish.audioTracks, defaultAudio(offer))
        ? null
        : languages(audio),
    subtitles: !isPrepared
      ? (before?.subtitles ?? null)
      : same(wish.subtitles, defaultSubtitles(offer))
        ? null
        : languages(subtitles),
  };
  memory.write(NAME, JSON.stringify(remembered));
}

/** Enough for tablets and most screens. */
const USUAL_HEIGHT_PX = 1_080;

const heightOf = (quality: DownloadQuality): number => (quality === 'copy' ? Infinity : Number.parseInt(quality, 10));

/** What is chosen when the dialog opens: as the last time, as far as this file has it; `null` where nothing can be had of it. */
export function firstWish(offer: DownloadFileOffer, remembered: RememberedWish | null): DownloadWish | null {
  const form = firstForm(offer, remembered?.form ?? null);
  if (form === null) return null;
  const wanted = remembered?.audio ?? null;
  const audio = offer.audioTracks.filter(({ language }) => wanted?.includes(language) === true);
  const spoken = remembered?.subtitles ?? null;
  const subtitles = offer.subtitles.filter(({ language, problem }) => problem === null && spoken?.includes(language));
  return {
    form,
    // Silence is chosen for one movie; the next is to be heard.
    audioTracks: audio.length === 0 ? defaultAudio(offer) : onePerLanguage(audio).map(({ trackIndex }) => trackIndex),
    subtitles: spoken === null ? defaultSubtitles(offer) : onePerLanguage(subtitles).map(({ id }) => id),
    burned: null,
  };
}

/** Who wanted English wants it once, not the commentary as well. */
function onePerLanguage<T extends { readonly language: string | null; readonly isDefault: boolean }>(
  tracks: readonly T[],
): readonly T[] {
  return tracks.filter(({ language, isDefault }, index) => {
    const rivals = tracks.filter((other) => other.language === language);
    return isDefault || (!rivals.some((rival) => rival.isDefault) && tracks.indexOf(rivals[0]!) === index);
  });
}

function firstForm(
  { original, qualities }: DownloadFileOffer,
  last: RememberedWish['form'] | null,
): DownloadWish['form'] | null {
  if (last === 'original' && original !== null) return 'original';
  if (last === null || last === 'original') {
    // What plays everywhere as it is needs no copy. Of the copies the quick one, where that one plays everywhere, else one that is not
    // larger than it has to be.
    if (original?.obstacles.length === 0) return 'original';
    const quick = qualities.find(({ method, obstacles }) => method === 'copy' && obstacles.length === 0);
    const usual = quick ?? qualities.find(({ quality }) => heightOf(quality) <= USUAL_HEIGHT_PX) ?? qualities.at(-1);
    return usual?.quality ?? (original === null ? null : 'original');
  }
  const offered = qualities.map(({ quality }) => quality);
  // The same, else the best that is no larger, else the smallest there is.
  const fitting = offered.includes(last) ? last : offered.find((quality) => heightOf(quality) <= heightOf(last));
  return fitting ?? offered.at(-1) ?? (original === null ? null : 'original');
}

/** About how large it will be; exactly for the file as it is. */
export function wishBytes(offer: DownloadFileOffer, { form, audioTracks }: DownloadWish): number {
  if (form === 'original') return offer.original?.sizeBytes ?? 0;
  const picture = offer.qualities.find(({ quality }) => quality === form)?.estimatedBytes ?? 0;
  const sound = offer.audioTracks.filter(({ trackIndex }) => audioTracks.includes(trackIndex));
  return sound.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, picture);
}

/** As it is asked of the server: what would play by itself comes first. `null` for the file as it is. */
export function wishRequest(
  offer: DownloadFileOffer,
  { form, audioTracks, subtitles, burned }: DownloadWish,
): PartRequest | null {
  if (form === 'original') return null;
  const audio = offer.audioTracks
    .filter(({ trackIndex }) => audioTracks.includes(trackIndex))
    .toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
  const chosen = offer.subtitles.filter(({ id, problem }) => problem === null && subtitles.includes(id));
  return {
    ...{ fileId: offer.fileId, quality: form },
    audioTracks: audio.map(({ trackIndex }) => trackIndex).slice(0, MAX_DOWNLOAD_AUDIO),
    subtitles: chosen.map(({ id }) => id).slice(0, MAX_DOWNLOAD_SUBTITLES),
    burnedSubtitle: isDrawnOn(offer, form) ? burned : null,
  };
}

/** The files that a movie is cut into, in turn, where all of them can be had; of each edition by itself. */
export function partGroups(files: readonly DownloadFileOffer[]): (readonly DownloadFileOffer[])[] {
  const parts = files.filter(({ part, extra }) => part !== null && extra === null);
  return [...Map.groupBy(parts, ({ edition }) => edition).values()]
    .map((group) => group.toSorted((a, b) => (a.part?.number ?? 0) - (b.part?.number ?? 0)))
    .filter((group) => group.length > 1 && group.every((offer) => firstForm(offer, null) !== null));
}

interface Track {
  readonly language: string | null;
}

/** The tracks of another part that are the same: of the same language, and as many before it of that. */
function counterparts<T extends Track>(chosen: readonly T[], here: readonly T[], there: readonly T[]): readonly T[] {
  const found = chosen.flatMap((track) => {
    const twins = here.filter(({ language }) => language === track.language);
    const others = there.filter(({ language }) => language === track.language);
    return others[twins.indexOf(track)] ?? others[0] ?? [];
  });
  return [...new Set(found)];
}

/** The same wish of another part of the movie, as far as that has it. `null` where nothing can be had of it. */
export function wishOfPart(
  offer: DownloadFileOffer,
  wish: DownloadWish,
  other: DownloadFileOffer,
): DownloadWish | null {
  if (other.fileId === offer.fileId) return wish;
  const form = firstForm(other, wish.form);
  if (form === null) return null;
  const audio = counterparts(
    offer.audioTracks.filter(({ trackIndex }) => wish.audioTracks.includes(trackIndex)),
    offer.audioTracks,
    other.audioTracks,
  ).map(({ trackIndex }) => trackIndex);
  const subtitles = (ids: readonly string[], problem: 'pictures' | null): string[] => {
    const fitting = (file: DownloadFileOffer) => file.subtitles.filter((one) => one.problem === problem);
    const chosen = fitting(offer).filter(({ id }) => ids.includes(id));
    return counterparts(chosen, fitting(offer), fitting(other)).map(({ id }) => id);
  };
  return {
    form,
    // A part with other languages is not to be silent.
    audioTracks: audio.length === 0 && wish.audioTracks.length > 0 ? defaultAudio(other) : audio,
    subtitles: subtitles(wish.subtitles, null),
    burned: wish.burned === null ? null : (subtitles([wish.burned], 'pictures')[0] ?? null),
  };
}
