/** From a decision to what goes over the wire and back: the form of an HLS playback, its renditions, its multivariant playlist. */
import { createHash } from 'node:crypto';
import {
  ENCODED_AUDIO_CODEC_STRING,
  copiedAudioCodecString,
  copiedVideoCodecString,
  supplementalCodecs,
} from '#engine/media/codec-string.ts';
import { h264CodecString, h264Level } from '#engine/media/h264-level.ts';
import { multivariantPlaylist } from '#engine/media/hls-playlist.ts';
import type { AudioRendition, VariantStream, VideoRange } from '#engine/media/hls-playlist.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import { ENCODED_AUDIO, audioBitrateBps, overallBitrateBps, videoBitrateBps } from '#engine/media/play-method.ts';
import type { PlayDecision } from '#engine/media/play-method.ts';
import type { H264Output, RenditionOutput } from '#engine/media/rendition-spec.ts';
import { audibleTracks, audioLabels, isDescription } from '#engine/media/track-choice.ts';
import type { AudioTrack, MediaInfo, VideoTrack } from '#protocol/schema/media.ts';
import type { HlsForm } from './media-grant.ts';
import type { MoviePlan } from './movie-plans.ts';
import type { StoredFile } from './ports.ts';
import type { RenditionOrder } from './rendition-pool.ts';

export type EncodeSettings = Pick<H264Output, 'crf' | 'preset'>;

/** Names one rendition of a playback, as it stands in a URL: `v`, `a2`. */
export type RenditionName = 'v' | `a${number}`;

/** A copied picture's peak: scenes of dense movement or grain reach several times the average, and a player must not be told less. */
const COPY_PEAK_FACTOR = 4;
/** Two seconds at the encoder's ceiling may follow two seconds that saved up for it, in a segment of one. */
const ENCODE_PEAK_FACTOR = 2;
/** What x264 makes on average of its ceiling at constant quality. */
const ENCODE_AVERAGE_FACTOR = 0.6;
const UNKNOWN_BITRATE_BPS = 5_000_000;

/** What a URL has to say of an HLS playback. */
export function hlsForm(
  { video, audio, audioTracks }: PlayDecision,
  media: MediaInfo,
  plan: MoviePlan,
  settings: EncodeSettings,
): HlsForm {
  const source = media.video.find(({ index }) => index === video?.trackIndex);
  return {
    plan: plan.kind,
    planId: plan.id,
    video: video && {
      trackIndex: video.trackIndex,
      output:
        video.method === 'copy'
          ? 'copy'
          : {
              ...settings,
              heightPx: video.heightPx,
              maxBitrateBps: video.maxBitrateBps,
              level: h264Level(video, framesPerSecond(source) ?? 30, video.maxBitrateBps),
              toneMap: video.toneMap,
              deinterlace: video.deinterlace,
            },
    },
    audio: audioTracks.map(({ trackIndex, method }) => ({
      trackIndex,
      isCopied: method === 'copy',
      isDefault: trackIndex === audio?.trackIndex,
    })),
  };
}

/** What has to be made for one rendition of a playback; `null` where the playback has none of this name. */
export function renditionOrder(
  name: RenditionName,
  form: HlsForm,
  file: StoredFile,
  plan: MoviePlan,
): RenditionOrder | null {
  const isVideo = name === 'v';
  const sound = form.audio.find(({ trackIndex }) => name === `a${trackIndex}`);
  const trackIndex = isVideo ? form.video?.trackIndex : sound?.trackIndex;
  if (trackIndex === undefined) return null;
  const output = isVideo ? videoOutput(form) : audioOutput(sound?.isCopied === true);
  const identity = [file.id, file.sizeBytes, file.mtimeUs, plan.id, trackIndex, ...outputIdentity(output)];
  return {
    key: createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32),
    plan: plan.segments,
    spec: {
      path: file.path,
      trackIndex,
      kind: isVideo ? 'video' : 'audio',
      boundariesUs: plan.segments,
      startUs: (file.media?.startMs ?? 0) * 1_000,
      output,
    },
  };
}

/** Value by value, so that two ways of writing the same form are one rendition. */
function outputIdentity(output: RenditionOutput): (string | number | boolean)[] {
  switch (output.method) {
    case 'copy':
      return [output.method];
    case 'aac':
      return [output.method, output.channels, output.bitrateBps];
    case 'h264': {
      const { method, heightPx, level, crf, maxBitrateBps, preset, toneMap, deinterlace } = output;
      return [method, heightPx, level, crf, maxBitrateBps, preset, toneMap, deinterlace];
    }
  }
}

function videoOutput({ video }: HlsForm): RenditionOutput {
  return !video || video.output === 'copy' ? { method: 'copy' } : { method: 'h264', ...video.output };
}

function audioOutput(isCopied: boolean): RenditionOutput {
  return isCopied ? { method: 'copy' } : { method: 'aac', ...ENCODED_AUDIO };
}

/** The multivariant playlist of a playback. Its renditions lie beside it under their names. */
export function formPlaylist(form: HlsForm, media: MediaInfo): string {
  const tracks = audibleTracks(media.audio);
  const labels = audioLabels(tracks);
  const sounds = form.audio.flatMap((sound) => {
    const at = tracks.findIndex(({ index }) => index === sound.trackIndex);
    const track = tracks[at];
    return track ? [{ ...sound, track, label: labels[at]! }] : [];
  });
  const soundBps = Math.max(0, ...sounds.map(({ track, isCopied }) => soundBitrateBps(track, isCopied)));
  const soundCodecs = sounds.map(({ track, isCopied }) =>
    isCopied ? copiedAudioCodecString(track) : ENCODED_AUDIO_CODEC_STRING,
  );
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
    return multivariantPlaylist(variant, []);
  }
  const renditions = sounds.map(({ trackIndex, track, isCopied, isDefault, label }): AudioRendition => ({
    uri: `a${trackIndex}/index.m3u8`,
    name: label,
    language: track.language,
    channels: isCopied ? track.channels : ENCODED_AUDIO.channels,
    isDefault,
    isDescription: isDescription(track),
  }));
  return multivariantPlaylist(pictureVariant(form.video.output, picture, media, soundBps, soundCodecs), renditions);
}

function pictureVariant(
  output: 'copy' | Omit<H264Output, 'method'>,
  track: VideoTrack,
  media: MediaInfo,
  soundBps: number,
  soundCodecs: readonly (string | null)[],
): VariantStream {
  const rate = framesPerSecond(track);
  const isKnown = track.width > 0 && track.height > 0;
  if (output === 'copy') {
    const bitrateBps = videoBitrateBps(media, track) ?? overallBitrateBps(media) ?? UNKNOWN_BITRATE_BPS;
    return {
      uri: 'v/index.m3u8',
      peakBitrateBps: bitrateBps * COPY_PEAK_FACTOR + soundBps * 2,
      averageBitrateBps: bitrateBps + soundBps,
      codecs: [copiedVideoCodecString(track), ...soundCodecs],
      video: {
        size: isKnown ? { widthPx: track.width, heightPx: track.height } : null,
        framesPerSecond: rate,
        range: videoRange(track),
        supplementalCodecs: supplementalCodecs(track),
      },
    };
  }
  const size = isKnown ? pictureSize(track, output.heightPx) : null;
  return {
    uri: 'v/index.m3u8',
    peakBitrateBps: output.maxBitrateBps * ENCODE_PEAK_FACTOR + soundBps * 2,
    averageBitrateBps: output.maxBitrateBps * ENCODE_AVERAGE_FACTOR + soundBps,
    codecs: [h264CodecString(output.level), ...soundCodecs],
    video: { size, framesPerSecond: rate, range: 'SDR', supplementalCodecs: null },
  };
}

function soundBitrateBps(track: AudioTrack, isCopied: boolean): number {
  const { index: trackIndex, codec: fromCodec } = track;
  return isCopied ? audioBitrateBps(track, { method: 'copy', trackIndex, fromCodec }) : ENCODED_AUDIO.bitrateBps;
}

/** By the base layer for Dolby Vision: CODECS names that, too. */
function videoRange({ hdr, dolbyVision }: VideoTrack): VideoRange {
  if (hdr === null) return 'SDR';
  if (hdr === 'hlg' || dolbyVision?.compatibility === 4) return 'HLG';
  return dolbyVision?.compatibility === 2 ? 'SDR' : 'PQ';
}

function framesPerSecond(track: VideoTrack | undefined): number | null {
  return track?.frameRate ? track.frameRate.num / track.frameRate.den : null;
}
