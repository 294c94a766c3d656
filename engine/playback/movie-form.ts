/** From a decision to what goes over the wire and back: the form of an HLS playback, its renditions, its multivariant playlist. */
import { createHash } from 'node:crypto';
import {
  copiedAudioCodecString,
  copiedVideoCodecString,
  encodedAudioCodecString,
  supplementalCodecs,
} from '#engine/media/codec-string.ts';
import { multivariantPlaylist } from '#engine/media/hls-playlist.ts';
import type { AudioRendition, SubtitleRendition, VariantStream, VideoRange } from '#engine/media/hls-playlist.ts';
import { audioBitrateBps, overallBitrateBps, videoBitrateBps } from '#engine/media/play-method.ts';
import type { PlayDecision } from '#engine/media/play-method.ts';
import { baseLayer } from '#engine/media/play-obstacles.ts';
import { isEncodedPicture, isEncodedSound } from '#engine/media/rendition-spec.ts';
import type { CopyOutput, KeyframesOutput, RenditionOutput, SoundOutput } from '#engine/media/rendition-spec.ts';
import type { SegmentLoad } from '#engine/media/segment-load.ts';
import { audibleTracks, audioLabels, isDescription } from '#engine/media/track-choice.ts';
import type { AudioTrack, MediaInfo, VideoTrack } from '#protocol/schema/media.ts';
import { HARDWARE_KINDS } from '#protocol/schema/hardware.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import { MAX_SOUND_TRACKS } from './media-grant.ts';
import type { HlsForm } from './media-grant.ts';
import type { MoviePlan, PicturePlan } from './movie-plans.ts';
import { pictureStream } from './picture-order.ts';
import type { StoredFile } from './ports.ts';
import type { RenditionOrder } from './rendition-pool.ts';
import { subtitleChoices } from './subtitle-choices.ts';
import type { SubtitleFile } from './subtitle-ports.ts';
import { chooseVariants, variantFacts } from './variant-choice.ts';
import type { VariantFacts, VariantQuestion } from './variant-choice.ts';

/** Names one rendition of a playback, as it stands in a URL: the variant at a place of the ladder, or a track of sound. */
export type RenditionName = `v${number}` | `a${number}`;

/** A copied picture's peak: scenes of dense movement or grain reach several times the average, and a player must not be told less. */
const COPY_PEAK_FACTOR = 4;
/** Two seconds at the encoder's ceiling may follow two seconds that saved up for it, in a segment of one. */
const ENCODE_PEAK_FACTOR = 2;
/** What x264 makes on average of its ceiling at constant quality. */
const ENCODE_AVERAGE_FACTOR = 0.6;
/** Two cores make a second of this in half a second. Larger pictures come when the player has something to show. */
const QUICK_HEIGHT_PX = 720;
const UNKNOWN_BITRATE_BPS = 5_000_000;
/** Sound whose bit rate is the same in every second. */
const STEADY_SOUND: ReadonlySet<string> = new Set(['ac3', 'eac3', 'dts', 'mp2']);

/** What a URL has to say of an HLS playback. */
export function hlsForm(question: Omit<VariantQuestion, 'segments'>, plan: MoviePlan): HlsForm {
  const { video, audio, audioTracks } = question.decision;
  const variants = chooseVariants({ ...question, segments: plan.segments });
  return {
    plan: plan.kind,
    planId: plan.id,
    video: video && { trackIndex: video.trackIndex, variants },
    audio: offeredSounds(audioTracks, audio?.trackIndex ?? null).map((track) => ({
      trackIndex: track.trackIndex,
      output: soundOutput(track),
      isDefault: track.trackIndex === audio?.trackIndex,
    })),
  };
}

/** The first of a file that has more than any movie, and the one that plays. Who wants another of them has the movie opened with it. */
function offeredSounds(tracks: PlayDecision['audioTracks'], chosen: number | null): PlayDecision['audioTracks'] {
  const first = tracks.slice(0, MAX_SOUND_TRACKS);
  const plays = tracks.find(({ trackIndex }) => trackIndex === chosen);
  return plays === undefined || first.includes(plays) ? first : [...first.slice(0, -1), plays];
}

/** What has to be made for one rendition of a playback; `null` where the playback has none of this name. */
export function renditionOrder(
  name: RenditionName,
  form: HlsForm,
  file: StoredFile,
  plan: MoviePlan,
): RenditionOrder | null {
  const sound = form.audio.find(({ trackIndex }) => name === `a${trackIndex}`);
  const picture = form.video?.variants.find((_, position) => name === `v${position}`);
  const trackIndex = picture ? form.video?.trackIndex : sound?.trackIndex;
  if (trackIndex === undefined) return null;
  const output = picture ?? sound?.output ?? COPY;
  const identity = [file.id, file.sizeBytes, file.mtimeUs, plan.id, trackIndex, ...outputIdentity(output)];
  return {
    key: createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32),
    plan: plan.segments,
    spec: {
      path: file.path,
      trackIndex,
      kind: picture ? 'video' : 'audio',
      boundariesUs: plan.segments,
      startUs: (file.media?.startMs ?? 0) * 1_000,
      output,
      ...(burnInOf(output) !== null && { hardware: null }),
    },
  };
}

/** Id of the subtitles that become a part of the picture; `null` for none. */
export function burnInOf(output: RenditionOutput): string | null {
  return isEncodedPicture(output) ? (output.burnIn ?? null) : null;
}

/** Value by value, so that two ways of writing the same form are one rendition. */
function outputIdentity(output: Exclude<RenditionOutput, KeyframesOutput>): (string | number | boolean)[] {
  if (output.method === 'copy') return [output.method, output.withoutDolbyVision === true];
  if (isEncodedSound(output)) return [output.method, output.channels, output.bitrateBps, output.isNight === true];
  const { method, encoder, heightPx, level, crf, maxBitrateBps, preset, toneMap, deinterlace, burnIn = '' } = output;
  const identity = [method, encoder, heightPx, level, crf, maxBitrateBps, preset, toneMap, deinterlace, burnIn];
  return output.burnInOffsetMs === undefined ? identity : [...identity, output.burnInOffsetMs];
}

const COPY: CopyOutput = { method: 'copy' };

function soundOutput(track: PlayDecision['audioTracks'][number]): CopyOutput | SoundOutput {
  return track.method === 'copy'
    ? COPY
    : {
        method: track.codec,
        channels: track.channels,
        bitrateBps: track.bitrateBps,
        ...(track.isNight && { isNight: true }),
      };
}

/** The multivariant playlist of a playback. Its renditions lie beside it under their names. `pictures`: to look for a place by. */
export function formPlaylist(
  form: HlsForm,
  media: MediaInfo,
  plan: MoviePlan,
  pictures: PicturePlan | null = null,
  subtitleFiles: readonly SubtitleFile[] = [],
): string {
  const tracks = audibleTracks(media.audio);
  const labels = audioLabels(tracks);
  const sounds = form.audio.flatMap((sound) => {
    const at = tracks.findIndex(({ index }) => index === sound.trackIndex);
    const track = tracks[at];
    return track ? [{ ...sound, track, label: labels[at]! }] : [];
  });
  const soundBps = Math.max(0, ...sounds.map(({ track, output }) => soundBitrateBps(track, output)));
  const soundCodecs = sounds.map(({ track, output }) =>
    output.method === 'copy' ? copiedAudioCodecString(track) : encodedAudioCodecString(output.method),
  );
  const subtitles = subtitleRenditions(media, subtitleFiles);
  const picture = media.video.find(({ index }) => index === form.video?.trackIndex);
  if (!form.video || !picture) {
    // Sound alone is the variant itself, in the rendition that was chosen.
    const chosen = sounds.find(({ isDefault }) => isDefault) ?? sounds[0];
    const at = chosen ? sounds.indexOf(chosen) : 0;
    const variant: VariantStream = {
      uri: `a${chosen?.trackIndex ?? 0}/index.m3u8`,
      peakBitrateBps: soundBps * 2,
      averageBitrateBps: soundBps,
      codecs: [soundCodecs[at] ?? null],
      video: null,
    };
    return multivariantPlaylist([variant], [], subtitles);
  }
  const renditions = sounds.map(({ trackIndex, track, output, isDefault, label }): AudioRendition => ({
    uri: `a${trackIndex}/index.m3u8`,
    name: label,
    language: track.language,
    channels: output.method === 'copy' ? track.channels : output.channels,
    isDefault,
    isDescription: isDescription(track),
  }));
  const variants = form.video.variants.map((output, position) => {
    const facts = variantFacts(output, position, picture, copiedVideoCodecString(picture));
    const shown = output.method === 'copy' && output.withoutDolbyVision ? baseLayerOf(picture) : picture;
    return pictureVariant(facts, shown, copyLoad(media, picture, plan.load), soundBps, soundCodecs);
  });
  // Players begin with the first that they read (RFC 8216, section 6.3.1 leaves it to them, and all known ones do so).
  const start = Number(startVariant(form).slice(1));
  const stream = pictures && pictureStream(picture, pictures, 'i/index.m3u8');
  return multivariantPlaylist([...variants.splice(start, 1), ...variants], renditions, subtitles, stream);
}

/** The variant that is warm when a player comes, and told first: the copy, or the best that is there at once [PLAY19]. */
export function startVariant({ video }: HlsForm): `v${number}` {
  const quick = (video?.variants ?? []).findIndex(
    (output) => output.method === 'copy' || output.encoder !== 'software' || output.heightPx <= QUICK_HEIGHT_PX,
  );
  return `v${Math.max(0, quick)}`;
}

function pictureVariant(
  { name, codecString, size, framesPerSecond, maxBitrateBps }: VariantFacts,
  track: VideoTrack,
  copied: SegmentLoad,
  soundBps: number,
  soundCodecs: readonly (string | null)[],
): VariantStream {
  const isCopied = maxBitrateBps === null;
  const averageBps = isCopied ? copied.averageBps : maxBitrateBps * ENCODE_AVERAGE_FACTOR;
  const peakBps = isCopied ? copied.peakBps : maxBitrateBps * ENCODE_PEAK_FACTOR;
  return {
    uri: `${name}/index.m3u8`,
    peakBitrateBps: peakBps + soundBps * 2,
    averageBitrateBps: averageBps + soundBps,
    codecs: [codecString, ...soundCodecs],
    video: {
      size,
      framesPerSecond,
      range: isCopied ? videoRange(track) : 'SDR',
      supplementalCodecs: isCopied ? supplementalCodecs(track) : null,
    },
  };
}

/** What a person may choose from, best first. */
export function playbackVariants(form: HlsForm, media: MediaInfo): Playback['variants'] {
  const track = media.video.find(({ index }) => index === form.video?.trackIndex);
  if (!form.video || !track) return [];
  return form.video.variants.map((output, position) => {
    const { name, codec, size, maxBitrateBps } = variantFacts(output, position, track, null);
    return {
      name,
      codec,
      widthPx: size?.widthPx ?? null,
      heightPx: size?.heightPx ?? null,
      maxBitrateBps: Math.round(maxBitrateBps ?? copyBitrateBps(media, track)),
      isOriginal: output.method === 'copy',
      hardware: HARDWARE_KINDS.find((kind) => output.method !== 'copy' && kind === output.encoder) ?? null,
    };
  });
}

/** What the copied picture takes: as measured from the container's index, else as far as its average lets guess [PLAY83]. */
function copyLoad(media: MediaInfo, track: VideoTrack, measured: SegmentLoad | null): SegmentLoad {
  const guessedBps = copyBitrateBps(media, track);
  if (!measured) return { averageBps: guessedBps, peakBps: guessedBps * COPY_PEAK_FACTOR };
  if (media.container !== 'matroska' && media.container !== 'webm') return measured;
  // Matroska's index speaks of all tracks together. What is constant can be taken off; of the rest the peak may be without it.
  const known = media.audio.map(({ codec, bitrateBps }) => ({
    isSteady: STEADY_SOUND.has(codec),
    bps: bitrateBps ?? 0,
  }));
  const soundBps = known.reduce((sum, { bps }) => sum + bps, 0);
  const steadyBps = known.reduce((sum, { isSteady, bps }) => sum + (isSteady ? bps : 0), 0);
  const averageBps = Math.max(measured.averageBps / 10, measured.averageBps - soundBps);
  return { averageBps, peakBps: Math.max(averageBps, measured.peakBps - steadyBps) };
}

function subtitleRenditions(media: MediaInfo, files: readonly SubtitleFile[]): SubtitleRendition[] {
  return subtitleChoices({ media, files, base: '', offsetsMs: new Map() }).flatMap((choice) =>
    choice.url === null ? [] : [{ ...choice, uri: `${choice.id}/index.m3u8`, name: choice.label }],
  );
}

function copyBitrateBps(media: MediaInfo, track: VideoTrack): number {
  return videoBitrateBps(media, track) ?? overallBitrateBps(media) ?? UNKNOWN_BITRATE_BPS;
}

function soundBitrateBps(track: AudioTrack, output: CopyOutput | SoundOutput): number {
  const { index: trackIndex, codec: fromCodec } = track;
  return output.method === 'copy'
    ? audioBitrateBps(track, { method: 'copy', trackIndex, fromCodec })
    : output.bitrateBps;
}

/** The track as it is when its Dolby Vision has been taken out. */
function baseLayerOf(track: VideoTrack): VideoTrack {
  const base = baseLayer(track);
  return { ...track, dolbyVision: null, hdr: base === 'hdr10' || base === 'hlg' ? base : null };
}

/** By the base layer for Dolby Vision: CODECS names that, too. */
function videoRange({ hdr, dolbyVision }: VideoTrack): VideoRange {
  if (hdr === null) return 'SDR';
  if (hdr === 'hlg' || dolbyVision?.compatibility === 4) return 'HLG';
  return dolbyVision?.compatibility === 2 ? 'SDR' : 'PQ';
}
