/**
 * Device profiles of the other server, in our words. Their conditions may depend on codec, container and size, so a profile of ours is made
 * for one file: what it says of other files is not meant.
 */
import type { Container, HdrKind, MediaInfo } from '#protocol/schema/media.ts';
import type { DeviceProfile, VideoCodecSupport } from '#protocol/schema/playback.ts';
import { CONTAINERS } from './decision-sources.ts';

interface Condition {
  readonly Condition: 'Equals' | 'NotEquals' | 'LessThanEqual' | 'GreaterThanEqual' | 'EqualsAny';
  readonly Property: string;
  readonly Value: string;
}

export interface TheirDevice {
  readonly MaxStreamingBitrate?: number | null;
  readonly DirectPlayProfiles?: readonly {
    readonly Container?: string | null;
    readonly VideoCodec?: string | null;
    readonly AudioCodec?: string | null;
    readonly Type: string;
  }[];
  readonly TranscodingProfiles?: readonly {
    readonly Container?: string;
    readonly VideoCodec?: string;
    readonly AudioCodec?: string;
    readonly Protocol?: string;
    readonly Type?: string;
  }[];
  readonly CodecProfiles?: readonly {
    readonly Type: string;
    readonly Codec?: string | null;
    readonly Container?: string | null;
    readonly Conditions?: readonly Condition[];
    readonly ApplyConditions?: readonly Condition[];
  }[];
}

/** Where they name none they mean all. */
const ALL_VIDEO = 'h264 hevc av1 vp9 vp8 mpeg4 mpeg2video vc1 theora msmpeg4v3'.split(' ');
const ALL_AUDIO = 'aac mp3 mp2 opus flac vorbis ac3 eac3 dts truehd alac pcm_s16le pcm_s24le wmav2'.split(' ');
const ALL_CONTAINERS = [...new Set(Object.values(CONTAINERS))];
const ALL_HDR: readonly HdrKind[] = ['hdr10', 'hdr10plus', 'hlg', 'dolbyVision'];
const SAME: Readonly<Record<string, string>> = { h265: 'hevc', dca: 'dts', mpeg2: 'mpeg2video', mpeg: 'mpeg1video' };

/** Absent: all. An empty text: all as well. */
const listOf = (text: string | null | undefined, all: readonly string[]): readonly string[] =>
  text == null || text.trim() === '' ? all : text.split(',').map((name) => SAME[name.trim()] ?? name.trim());

export function deviceProfileOf(name: string, device: TheirDevice, media: MediaInfo): DeviceProfile {
  const direct = (device.DirectPlayProfiles ?? []).filter(({ Type }) => Type === 'Video');
  const file = direct.flatMap(({ Container: containers, VideoCodec, AudioCodec }) =>
    containersOf(containers).map((container) => ({
      container,
      video: listOf(VideoCodec, ALL_VIDEO).map((codec) => supportOf(codec, container, device, media)),
      audio: [...listOf(AudioCodec, ALL_AUDIO)],
    })),
  );
  const encodings = (device.TranscodingProfiles ?? []).filter(({ Type = 'Video' }) => Type === 'Video');
  const segmentVideo = [...new Set(encodings.flatMap(({ VideoCodec }) => listOf(VideoCodec, ALL_VIDEO)))];
  const sound = conditionsOf(device, media, 'VideoAudio', media.audio[0]?.codec ?? '', media.container);
  const channels = limitOf(sound, 'AudioChannels');
  const video = media.video[0];
  return {
    name,
    file,
    segments: {
      video: segmentVideo.map((codec) => supportOf(codec, 'hls', device, media)),
      audio: [...new Set(encodings.flatMap(({ AudioCodec }) => listOf(AudioCodec, ALL_AUDIO)))],
    },
    hdr: [...hdrOf(conditionsOf(device, media, 'Video', video?.codec ?? '', media.container))],
    maxAudioChannels: channels ?? 8,
    choosesAudioTracks: !sound.some(({ Property }) => Property === 'IsSecondaryAudio'),
    ...(device.MaxStreamingBitrate != null && { maxBitrateBps: bitrateOf(device, media) }),
  };
}

function containersOf(text: string | null | undefined): readonly Container[] {
  if (text == null || text.trim() === '') return ALL_CONTAINERS;
  return [...new Set(text.split(',').flatMap((name) => CONTAINERS[name.trim()] ?? []))];
}

/** The limit of the line, or of one codec where that is lower. */
function bitrateOf(device: TheirDevice, media: MediaInfo): number {
  const ofCodec = limitOf(
    conditionsOf(device, media, 'Video', media.video[0]?.codec ?? '', media.container),
    'VideoBitrate',
  );
  return Math.min(device.MaxStreamingBitrate!, ofCodec ?? Infinity);
}

function supportOf(codec: string, container: string, device: TheirDevice, media: MediaInfo): VideoCodecSupport {
  const conditions = conditionsOf(device, media, 'Video', codec, container);
  const profiles = conditions.find(({ Property }) => Property === 'VideoProfile')?.Value.split('|');
  const tags = conditions.find(({ Property }) => Property === 'VideoCodecTag')?.Value.split('|');
  const maxLevel = limitOf(conditions, 'VideoLevel');
  const maxWidth = limitOf(conditions, 'Width');
  const maxFrameRate = limitOf(conditions, 'VideoFramerate');
  const isUpright = conditions.some(({ Property, Value }) => Property === 'VideoRotation' && Value === '0');
  // A profile list without ten bits excludes them; AV1’s Main has both.
  const isShallow = profiles !== undefined && codec !== 'av1' && !profiles.some((profile) => /10/.test(profile));
  return {
    codec,
    maxBitDepth: isShallow ? 8 : 10,
    ...(maxLevel !== null && { maxLevel }),
    ...(maxWidth !== null && { maxWidth }),
    ...(maxFrameRate !== null && { maxFrameRate }),
    ...(tags !== undefined && container !== 'hls' && { sampleEntries: tags }),
    ...(isUpright && { ignoresRotation: true }),
  };
}

function hdrOf(conditions: readonly Condition[]): readonly HdrKind[] {
  const types = conditions.find(({ Property }) => Property === 'VideoRangeType')?.Value.split('|');
  if (types === undefined) return ALL_HDR;
  const kinds: Readonly<Record<string, HdrKind>> = {
    HDR10: 'hdr10',
    HDR10Plus: 'hdr10plus',
    HLG: 'hlg',
    DOVI: 'dolbyVision',
  };
  return types.flatMap((type) => kinds[type] ?? []);
}

function conditionsOf(
  device: TheirDevice,
  media: MediaInfo,
  type: string,
  codec: string,
  container: string,
): readonly Condition[] {
  const names = Object.keys(CONTAINERS).filter((name) => CONTAINERS[name] === container);
  return (device.CodecProfiles ?? [])
    .filter((profile) => profile.Type === type)
    .filter((profile) => isNamed(profile.Codec, [codec]))
    .filter((profile) => isNamed(profile.Container, [...names, container]))
    .filter((profile) => (profile.ApplyConditions ?? []).every((condition) => isMet(condition, media)))
    .flatMap((profile) => profile.Conditions ?? []);
}

/** `-mp4,ts` is all but those. */
function isNamed(list: string | null | undefined, names: readonly string[]): boolean {
  if (list == null || list.trim() === '') return true;
  const isExcluding = list.startsWith('-');
  const named = list
    .replace(/^-/, '')
    .split(',')
    .map((name) => SAME[name] ?? name);
  return names.some((name) => named.includes(name)) !== isExcluding;
}

/** Of what they apply conditions by, the sizes are all that matters here. */
function isMet({ Condition: kind, Property, Value }: Condition, media: MediaInfo): boolean {
  const video = media.video[0];
  const value = Property === 'Width' ? video?.width : Property === 'Height' ? video?.height : undefined;
  if (value === undefined) return true;
  return kind === 'GreaterThanEqual'
    ? value >= Number(Value)
    : kind === 'LessThanEqual'
      ? value <= Number(Value)
      : true;
}

function limitOf(conditions: readonly Condition[], property: string): number | null {
  const limits = conditions.flatMap(({ Condition: kind, Property, Value }) =>
    Property === property && kind === 'LessThanEqual' ? [Number(Value)] : [],
  );
  return limits.length === 0 ? null : Math.min(...limits);
}
