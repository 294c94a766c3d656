/** Files as the other server describes them, in our words. */
import type { AudioTrack, Container, HdrKind, MediaInfo, SubtitleTrack, VideoTrack } from '#protocol/schema/media.ts';
import { audioTrack, mediaInfo, subtitleTrack, videoTrack } from '#test/support/media-info.ts';

export interface TheirStream {
  readonly Type?: number | string;
  readonly Index?: number;
  readonly Codec?: string;
  readonly CodecTag?: string;
  readonly Profile?: string;
  readonly Level?: number;
  readonly BitDepth?: number;
  readonly BitRate?: number;
  readonly PixelFormat?: string;
  readonly Width?: number;
  readonly Height?: number;
  readonly Rotation?: number;
  readonly ReferenceFrameRate?: number;
  readonly AverageFrameRate?: number;
  readonly RealFrameRate?: number;
  readonly IsInterlaced?: boolean;
  readonly IsDefault?: boolean;
  readonly IsExternal?: boolean;
  readonly Language?: string;
  readonly Channels?: number;
  readonly ColorTransfer?: string;
  readonly VideoRangeType?: string;
  readonly DvProfile?: number;
  readonly DvBlSignalCompatibilityId?: number;
}

export interface TheirSource {
  readonly Container: string;
  readonly Size?: number;
  readonly Bitrate?: number;
  readonly RunTimeTicks?: number;
  readonly MediaStreams: readonly TheirStream[];
  readonly DefaultAudioStreamIndex?: number | null;
}

/** Extensions and demuxers that they name a container by. */
export const CONTAINERS: Readonly<Record<string, Container>> = {
  ...{ mkv: 'matroska', webm: 'webm', mp4: 'mp4', m4v: 'mp4', mov: 'mp4', m4a: 'mp4', '3gp': 'mp4', '3g2': 'mp4' },
  ...{ mj2: 'mp4', ts: 'mpegts', mpegts: 'mpegts', m2ts: 'mpegts', mts: 'mpegts', trp: 'mpegts', avi: 'avi' },
  ...{ flv: 'flv', asf: 'asf', wmv: 'asf', mpg: 'mpegps', mpeg: 'mpegps', vob: 'mpegps', ogv: 'ogg', ogm: 'ogg' },
};

const WEBM_CODECS: ReadonlySet<string> = new Set(['vp8', 'vp9', 'av1', 'opus', 'vorbis']);
const SUBTITLE_CODECS: Readonly<Record<string, string>> = {
  srt: 'subrip',
  pgssub: 'hdmv_pgs_subtitle',
  pgs: 'hdmv_pgs_subtitle',
};

const isKind = ({ Type }: TheirStream, number: number, name: string): boolean =>
  (Type ?? 0) === number || Type === name;

export function mediaOf(source: TheirSource): MediaInfo {
  const streams = source.MediaStreams.map((stream, at) => ({ ...stream, Index: stream.Index ?? at }));
  const own = streams.filter(({ IsExternal }) => IsExternal !== true);
  const video = own.filter((stream) => isKind(stream, 1, 'Video')).map(videoOf);
  const audio = own.filter((stream) => isKind(stream, 0, 'Audio')).map(audioOf);
  const names = source.Container.split(',');
  const isWebm =
    names.includes('webm') && [...video, ...audio].every(({ codec }) => WEBM_CODECS.has(codec)) && video.length > 0;
  return mediaInfo({
    container: isWebm ? 'webm' : (CONTAINERS[names[0] ?? ''] ?? 'matroska'),
    bitrateBps: source.Bitrate ?? null,
    sizeBytes: source.Size ?? 0,
    durationMs: source.RunTimeTicks === undefined ? null : Math.round(source.RunTimeTicks / 10_000),
    ...{ video, audio },
    subtitles: own.filter((stream) => isKind(stream, 2, 'Subtitle')).map(subtitleOf),
  });
}

function videoOf(stream: TheirStream & { Index: number }): VideoTrack {
  const hdr = hdrOf(stream);
  // Ten bits may be told by the profile and the pixels only.
  const isDeep = /10/.test(stream.PixelFormat ?? '') || /10/.test(stream.Profile ?? '');
  const rate = stream.ReferenceFrameRate ?? stream.RealFrameRate ?? stream.AverageFrameRate;
  const turned = (((stream.Rotation ?? 0) % 360) + 360) % 360;
  return videoTrack({
    index: stream.Index,
    codec: stream.Codec ?? 'none',
    profile: stream.Profile ?? null,
    level: stream.Level === undefined || stream.Level < 0 ? null : stream.Level,
    bitDepth: Math.max(stream.BitDepth ?? 8, isDeep ? 10 : 8),
    bitrateBps: stream.BitRate ?? null,
    pixelFormat: stream.PixelFormat ?? null,
    width: stream.Width ?? 0,
    height: stream.Height ?? 0,
    rotation: ([0, 90, 180, 270] as const).find((degrees) => degrees === turned) ?? 0,
    frameRate: rate === undefined ? null : { num: Math.round(rate * 1_000), den: 1_000 },
    isInterlaced: stream.IsInterlaced ?? false,
    hdr,
    dolbyVision:
      hdr === 'dolbyVision'
        ? { profile: stream.DvProfile ?? 8, level: 6, compatibility: stream.DvBlSignalCompatibilityId ?? 1 }
        : null,
    codecString: stream.CodecTag === undefined ? null : `${stream.CodecTag}.`,
  });
}

function hdrOf({ DvProfile, VideoRangeType, ColorTransfer }: TheirStream): HdrKind | null {
  if (DvProfile !== undefined || VideoRangeType?.startsWith('DOVI') === true) return 'dolbyVision';
  if (VideoRangeType === 'HDR10Plus') return 'hdr10plus';
  if (VideoRangeType === 'HDR10' || ColorTransfer === 'smpte2084') return 'hdr10';
  return VideoRangeType === 'HLG' || ColorTransfer === 'arib-std-b67' ? 'hlg' : null;
}

const audioOf = (stream: TheirStream & { Index: number }): AudioTrack =>
  audioTrack({
    index: stream.Index,
    codec: stream.Codec ?? 'none',
    profile: stream.Codec === 'aac' ? (stream.Profile ?? null) : null,
    channels: stream.Channels ?? 2,
    bitrateBps: stream.BitRate ?? null,
    language: stream.Language ?? null,
    disposition: { default: stream.IsDefault ?? false },
  });

const subtitleOf = (stream: TheirStream & { Index: number }): SubtitleTrack =>
  subtitleTrack({ index: stream.Index, codec: SUBTITLE_CODECS[stream.Codec ?? ''] ?? stream.Codec ?? 'none' });
