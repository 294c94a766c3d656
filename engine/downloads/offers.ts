/** What a person can have of a file, and how a choice becomes an order for a host. Pure but for what it is told. */
import { createHash } from 'node:crypto';
import type { DownloadSpec } from '#engine/media/download-spec.ts';
import {
  downloadQualities,
  isSoundCopied,
  originalObstacles,
  soundBytes,
  soundOutputs,
  videoOutput,
} from '#engine/media/download-plan.ts';
import {
  audibleTracks,
  audioLabels,
  chooseAudio,
  chooseSubtitle,
  cleanText,
  isCommentary,
  isDescription,
} from '#engine/media/track-choice.ts';
import type { DownloadFileOffer, DownloadHindrance } from '#protocol/schema/downloads.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { SubtitleChoice } from '#protocol/schema/subtitle.ts';
import type { DownloadChoice, DownloadEncoder, DownloadFile, DownloadWishes } from './ports.ts';
import { endingOf, saveName } from './save-name.ts';

/** Counts up when the same choice would give another file. */
const RECIPE = 1;

export function hindranceOf(file: DownloadFile, isOff: boolean): DownloadHindrance | null {
  if (file.state === 'missing') return 'missing';
  if (isOff) return 'turnedOff';
  if (file.state === 'unplayable' || file.media === null) return 'unplayable';
  return downloadQualities(file.media).length === 0 ? 'noTracks' : null;
}

export function fileOffer(
  file: DownloadFile,
  choices: readonly SubtitleChoice[],
  wishes: DownloadWishes,
  isOff: boolean,
): DownloadFileOffer {
  const { media } = file;
  const hindrance = hindranceOf(file, isOff);
  const sounds = audibleTracks(media?.audio ?? []);
  const labels = audioLabels(sounds);
  const preferences = { ...wishes.preferences, spokenLanguages: wishes.preferences.spokenLanguages ?? [] };
  const { remembered, originalLanguage } = wishes;
  const heard = chooseAudio({ tracks: sounds, chosen: null, remembered, preferences, originalLanguage })?.track ?? null;
  const shown = chooseSubtitle({
    subtitles: choices,
    chosen: undefined,
    ...{ remembered, preferences, showsPictures: false, audioLanguage: heard?.language ?? null },
  }).subtitle;
  return {
    fileId: file.id,
    edition: file.edition,
    extra: file.extra,
    part: file.part === null ? null : { number: file.part, count: file.partCount },
    durationMs: media?.durationMs ?? null,
    original:
      file.state === 'missing'
        ? null
        : {
            name: saveName(file, null, endingOf(file.path)),
            sizeBytes: file.sizeBytes,
            container: media?.container ?? null,
            obstacles: media ? originalObstacles(media) : [],
          },
    qualities: media && hindrance === null ? downloadQualities(media) : [],
    hindrance,
    audioTracks: sounds.map((track, index) => ({
      trackIndex: track.index,
      label: labels[index]!,
      language: track.language,
      codec: track.codec,
      channels: track.channels,
      isDefault: track.index === heard?.index,
      isCopied: isSoundCopied(track),
      estimatedBytes: soundBytes(track, media?.durationMs ?? 0),
    })),
    subtitles: choices.map((choice) => ({
      id: choice.id,
      source: choice.source,
      format: choice.format,
      label: choice.label,
      language: choice.language,
      isForced: choice.isForced,
      isHearingImpaired: choice.isHearingImpaired,
      isDefault: choice.id === shown?.id,
      problem: choice.format === 'pictures' ? 'pictures' : choice.format === 'none' ? 'unreadable' : null,
    })),
  };
}

/** What of a choice the file does not have; `null` where it has everything. */
export function notOffered(
  offer: DownloadFileOffer,
  choice: DownloadChoice,
): 'quality' | 'audioTrack' | 'subtitles' | null {
  const picture = offer.qualities.find(({ quality }) => quality === choice.quality);
  if (!picture) return 'quality';
  const has = (trackIndex: number): boolean => offer.audioTracks.some((track) => track.trackIndex === trackIndex);
  if (!choice.audioTracks.every(has)) return 'audioTrack';
  // Without picture and sound there is nothing left.
  if (choice.audioTracks.length === 0 && offer.qualities[0]?.codec === null) return 'audioTrack';
  const isOffered = (id: string, problem: 'pictures' | null): boolean =>
    offer.subtitles.some((one) => one.id === id && one.problem === problem);
  // A picture that is taken as it is can't be drawn on.
  const isDrawnOn = picture.method === 'encode' && picture.codec !== null;
  const isBurnable = choice.burnedSubtitle === null || (isDrawnOn && isOffered(choice.burnedSubtitle, 'pictures'));
  return isBurnable && choice.subtitles.every((id) => isOffered(id, null)) ? null : 'subtitles';
}

/** Of the whole file, as a guess. */
export function estimatedBytes(offer: DownloadFileOffer, choice: DownloadChoice): number {
  const picture = offer.qualities.find(({ quality }) => quality === choice.quality)?.estimatedBytes ?? 0;
  const sounds = offer.audioTracks.filter(({ trackIndex }) => choice.audioTracks.includes(trackIndex));
  return sounds.reduce((sum, track) => sum + track.estimatedBytes, picture);
}

/** The same for all who get the same file. */
export function choiceDigest({ quality, audioTracks, subtitles, burnedSubtitle }: DownloadChoice): string {
  // As it was before anything could be burnt in: copies that are there stay what they are.
  const burned = burnedSubtitle === null ? [] : [burnedSubtitle];
  return createHash('sha256')
    .update(JSON.stringify([RECIPE, quality, audioTracks, subtitles, ...burned]))
    .digest('hex')
    .slice(0, 32);
}

export function copyName(file: DownloadFile, offer: DownloadFileOffer, choice: DownloadChoice): string {
  const found = offer.qualities.find(({ quality }) => quality === choice.quality);
  const quality = choice.quality === 'copy' ? (found?.heightPx ? `${found.heightPx}p` : null) : choice.quality;
  return saveName(file, quality, 'mp4');
}

/** What a host is asked for. `texts`: the subtitles of the choice, as paths of WebVTT. `burnInPath`: of the pictures that are burnt in. */
export function downloadSpec(
  file: DownloadFile & { readonly media: MediaInfo },
  choice: DownloadChoice,
  made: {
    readonly boundariesUs: Float64Array;
    readonly subtitles: readonly SubtitleChoice[];
    readonly texts: readonly string[];
    readonly burnInPath: string | null;
    readonly encoder: DownloadEncoder;
    readonly maxBytes: number;
    readonly workFolder: string;
    readonly resultPath: string;
  },
): DownloadSpec {
  const { media, title, year } = file;
  const [video] = media.video;
  const sounds = audibleTracks(media.audio);
  const labels = audioLabels(sounds);
  const { burnedSubtitle } = choice;
  // Subtitles are burnt in by the processor, into pictures that never leave it.
  const isDrawnOn = burnedSubtitle !== null && made.burnInPath !== null;
  const plain = videoOutput(media, choice.quality, isDrawnOn ? 'software' : made.encoder.h264);
  const isEncoded = plain !== null && plain.method !== 'copy';
  const output = isEncoded && isDrawnOn ? { ...plain, burnIn: burnedSubtitle } : plain;
  const drawn = isDrawnOn ? { burnInPath: made.burnInPath } : {};
  return {
    path: file.path,
    workFolder: made.workFolder,
    resultPath: made.resultPath,
    boundariesUs: made.boundariesUs,
    startUs: media.startMs * 1_000,
    video: video && output ? { trackIndex: video.index, output, language: video.language, ...drawn } : null,
    audio: choice.audioTracks.flatMap((trackIndex, place) => {
      const at = sounds.findIndex(({ index }) => index === trackIndex);
      const track = sounds[at];
      if (!track) return [];
      const roles = [...(isCommentary(track) ? ['commentary'] : []), ...(isDescription(track) ? ['description'] : [])];
      const facts = { language: track.language, title: labels[at]!, isDefault: place === 0, roles };
      return [{ trackIndex, ...soundOutputs(track), ...facts }];
    }),
    texts: choice.subtitles.flatMap((id, place) => {
      const subtitle = made.subtitles.find((one) => one.id === id);
      const vttPath = made.texts[place];
      if (!subtitle || vttPath === undefined) return [];
      const { isForced, isHearingImpaired, language, label } = subtitle;
      const roles = [...(isForced ? ['forced-subtitle'] : []), ...(isHearingImpaired ? ['caption'] : [])];
      // They are in it to be chosen; only what belongs to the picture shows by itself.
      return [{ vttPath, language, title: label, isDefault: isForced && place === 0, isForced, roles }];
    }),
    chapters: media.chapters.flatMap(({ startMs, title: name }, index, all) => {
      const isRising = index === 0 || startMs > (all[index - 1]?.startMs ?? 0);
      return isRising ? [{ startMs, title: cleanText(name ?? `Chapter ${index + 1}`, 120) }] : [];
    }),
    title: cleanText(title, 200) || null,
    year,
    hardware: isEncoded && !isDrawnOn ? made.encoder.hardware : null,
    maxBytes: made.maxBytes,
  };
}
