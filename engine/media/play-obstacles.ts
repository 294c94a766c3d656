/** What stands in the way of sending a file as it is, or its picture at least: the reasons of the closed set, one by one. */
import type { AudioTrack, MediaInfo, VideoTrack } from '#protocol/schema/media.ts';
import type { DeviceProfile, PlayReason, VideoCodecSupport } from '#protocol/schema/playback.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { PlaybackPreferences } from '#protocol/schema/preferences.ts';
import { isCopyableAudio, isCopyableVideo } from './codec-string.ts';
import { boxHeightPx } from './play-lesson.ts';

/** What is sent at most; `null` for no limit. */
export interface SendLimits {
  readonly maxBitrateBps: number | null;
  /** Of a picture 16:9; others count by the box of that shape around them. */
  readonly maxHeightPx: number | null;
}

export interface ObstacleQuestion {
  readonly media: MediaInfo;
  /** Whether segments can begin at the picture's keyframes (`planRemux`). */
  readonly hasUsableKeyframes: boolean;
  readonly profile: DeviceProfile;
  /** Absent: those of a person who has set nothing. */
  readonly preferences?: PlaybackPreferences;
  /** What the server sends at most to anyone. */
  readonly serverLimits?: SendLimits;
}

/**
 * Containers that carry decode times only (AVI) or times that jump (MPEG programme streams): copied pictures would
 * come out in the wrong order. A decoder puts them right, so a transcode is not concerned.
 */
const UNRELIABLE_TIMES: ReadonlySet<string> = new Set(['avi', 'mpegps']);
/** AAC object types that browsers decode. Main, SSR, LTP and xHE-AAC are AAC by name only. */
const ORDINARY_AAC: ReadonlySet<string> = new Set(['LC', 'HE-AAC', 'HE-AACv2']);

/** What stands in the way of sending the file itself. `overallBps`: its bit rate; `null` where that is not known. */
export function directObstacles(
  question: ObstacleQuestion,
  video: VideoTrack | null,
  audio: AudioTrack | null,
  overallBps: number | null,
): Set<PlayReason> {
  const { media, profile } = question;
  const entries = profile.file.filter(({ container }) => container === media.container);
  // Of a container that it does not take we only know what it decodes in segments: that tells which further reasons hold.
  const candidates = entries.length > 0 ? entries : [profile.segments];
  const attempts = candidates.map((entry) => {
    const reasons = new Set<PlayReason>();
    if (entries.length === 0) reasons.add('containerNotSupported');
    if (video) {
      for (const reason of videoObstacles(video, entry.video, profile)) reasons.add(reason);
      if (media.container === 'mp4' && !takesSampleEntry(video, entry.video)) reasons.add('videoTagNotSupported');
      // A video element obeys the matrix of an MP4 track; for other containers browsers differ.
      const turns = entry.video.some(({ codec, ignoresRotation }) => codec === video.codec && ignoresRotation !== true);
      if (video.rotation !== 0 && (media.container !== 'mp4' || !turns)) reasons.add('rotationNotSupported');
    }
    if (audio) for (const reason of audioObstacles(audio, entry.audio, profile)) reasons.add(reason);
    return reasons;
  });
  const reasons = fewest(attempts)!;
  // A video element plays the first audio track, whatever the file marks as default, but in a few browsers.
  if (audio && audio.index !== media.audio[0]?.index && profile.choosesAudioTracks !== true) {
    reasons.add('audioTrackSelected');
  }
  for (const reason of limitObstacles(question, video, overallBps)) reasons.add(reason);
  return reasons;
}

/** What stands in the way of copying the picture into segments. `bitrateBps`: of the picture and the sound that is sent with it. */
export function remuxObstacles(
  question: ObstacleQuestion,
  video: VideoTrack | null,
  bitrateBps: number | null,
): Set<PlayReason> {
  const { media, profile, hasUsableKeyframes } = question;
  const reasons = new Set<PlayReason>();
  if (!video) return reasons;
  for (const reason of videoObstacles(video, profile.segments.video, profile)) reasons.add(reason);
  if (!isCopyableVideo(video.codec)) reasons.add('videoCodecNotSupported');
  // Players of segments, unlike video elements, don't all turn the picture.
  if (video.rotation !== 0) reasons.add('rotationNotSupported');
  for (const reason of limitObstacles(question, video, bitrateBps)) reasons.add(reason);
  // Said only of a picture that could be copied otherwise: of another they are true, but not the reason.
  if (reasons.size === 0) {
    if (UNRELIABLE_TIMES.has(media.container)) reasons.add('timestampsUnreliable');
    if (!hasUsableKeyframes) reasons.add('keyframesUnusable');
  }
  return reasons;
}

/** Which limits what is sent would break: this device's, the person's, the server's. */
export function limitObstacles(
  { profile, preferences = DEFAULT_PREFERENCES, serverLimits = NO_LIMITS }: ObstacleQuestion,
  video: VideoTrack | null,
  bitrateBps: number | null,
): PlayReason[] {
  const boxPx = video && boxHeightPx(video);
  const breaks = ({ maxBitrateBps, maxHeightPx }: SendLimits): boolean =>
    exceeds(bitrateBps, maxBitrateBps ?? undefined) || exceeds(boxPx, maxHeightPx ?? undefined);
  return [
    ...(breaks({ maxBitrateBps: profile.maxBitrateBps ?? null, maxHeightPx: null })
      ? (['bitrateTooHigh'] as const)
      : []),
    ...(breaks(preferences) || breaks({ maxBitrateBps: null, maxHeightPx: profile.maxHeightPx ?? null })
      ? (['personLimit'] as const)
      : []),
    ...(breaks(serverLimits) ? (['serverLimit'] as const) : []),
  ];
}

const NO_LIMITS: SendLimits = { maxBitrateBps: null, maxHeightPx: null };

/** The strictest of all limits. */
export function tightest({
  profile,
  preferences = DEFAULT_PREFERENCES,
  serverLimits = NO_LIMITS,
}: ObstacleQuestion): SendLimits {
  const least = (...values: readonly (number | null | undefined)[]): number | null => {
    const known = values.filter((value) => value !== null && value !== undefined);
    return known.length > 0 ? Math.min(...known) : null;
  };
  return {
    maxBitrateBps: least(profile.maxBitrateBps, preferences.maxBitrateBps, serverLimits.maxBitrateBps),
    maxHeightPx: least(profile.maxHeightPx, preferences.maxHeightPx, serverLimits.maxHeightPx),
  };
}

/** Whether one of the device's decoders of this codec opens the sample entry that the file has. */
function takesSampleEntry(video: VideoTrack, supports: readonly VideoCodecSupport[]): boolean {
  const entry = video.codecString?.split('.', 1)[0];
  const ofCodec = supports.filter(({ codec }) => codec === video.codec);
  if (entry === undefined || ofCodec.length === 0) return true;
  return ofCodec.some(({ sampleEntries }) => sampleEntries === undefined || sampleEntries.includes(entry));
}

/** What this device can't do with the picture. Where it names a codec several times, what it can do best counts. */
function videoObstacles(
  video: VideoTrack,
  supports: readonly VideoCodecSupport[],
  profile: DeviceProfile,
): Set<PlayReason> {
  const attempts = supports
    .filter(({ codec }) => codec === video.codec)
    .map((support) => codecObstacles(video, support));
  const reasons = fewest(attempts) ?? new Set<PlayReason>(['videoCodecNotSupported']);
  const dynamicRange = dynamicRangeObstacle(video, profile);
  if (dynamicRange) reasons.add(dynamicRange);
  // Browsers leave de-interlacing to the platform, and most platforms leave it out.
  if (video.isInterlaced) reasons.add('interlacedNotSupported');
  return reasons;
}

function codecObstacles(video: VideoTrack, support: VideoCodecSupport): Set<PlayReason> {
  const reasons = new Set<PlayReason>();
  // Chroma other than 4:2:0 is a profile that hardware decoders lack, and a profile can't ask about it.
  if (/^(yuvj?4(22|40|44)|gbr|rgb|bgr)/.test(video.pixelFormat ?? '')) reasons.add('videoCodecNotSupported');
  if ((video.bitDepth ?? 8) > support.maxBitDepth) reasons.add('videoBitDepthNotSupported');
  if (video.level !== null && exceeds(video.level, support.maxLevel)) reasons.add('videoLevelNotSupported');
  const [long, short] = sides(video.width, video.height);
  const [maxLong, maxShort] = sides(support.maxWidth ?? Infinity, support.maxHeight ?? Infinity);
  const [smoothLong, smoothShort] = sides(support.maxSmoothWidth ?? Infinity, support.maxSmoothHeight ?? Infinity);
  if (long > maxLong || short > maxShort) reasons.add('videoResolutionNotSupported');
  else if (long > smoothLong || short > smoothShort) reasons.add('videoNotSmooth');
  // Averages are rarely exact: 60 pictures a second may read as 60.02.
  const rate = video.frameRate ? video.frameRate.num / video.frameRate.den : 0;
  if (exceeds(rate / 1.01, support.maxFrameRate)) reasons.add('videoFrameRateNotSupported');
  return reasons;
}

/** What the track looks like to a device that does not read Dolby Vision metadata: `dv_bl_signal_compatibility_id` says. */
export function baseLayer(video: VideoTrack): 'hdr10' | 'hlg' | 'sdr' | 'none' | null {
  if (video.hdr === null) return null;
  if (video.hdr !== 'dolbyVision') return video.hdr === 'hlg' ? 'hlg' : 'hdr10';
  const layers = { 1: 'hdr10', 2: 'sdr', 4: 'hlg', 6: 'hdr10' } as const;
  return layers[(video.dolbyVision?.compatibility ?? 0) as keyof typeof layers] ?? 'none';
}

function dynamicRangeObstacle(video: VideoTrack, { hdr }: DeviceProfile): PlayReason | null {
  if (video.hdr === null || hdr.includes(video.hdr)) return null;
  const base = baseLayer(video);
  // Profile 5 without its metadata is green and purple.
  if (base === 'none') return 'dolbyVisionNotSupported';
  if (base === 'sdr' || base === null) return null;
  // A screen for HDR10+ shows HDR10, and one for HDR10 ignores what HDR10+ adds.
  const shown = base === 'hlg' ? hdr.includes('hlg') : hdr.includes('hdr10') || hdr.includes('hdr10plus');
  return shown ? null : 'hdrNotSupported';
}

export function audioObstacles(audio: AudioTrack, codecs: readonly string[], profile: DeviceProfile): Set<PlayReason> {
  const reasons = new Set<PlayReason>();
  const isOrdinary = audio.codec !== 'aac' || audio.profile === null || ORDINARY_AAC.has(audio.profile);
  if (!codecs.includes(audio.codec) || !isOrdinary) reasons.add('audioCodecNotSupported');
  if (audio.channels > profile.maxAudioChannels) reasons.add('audioChannelsNotSupported');
  return reasons;
}

/** Audio that the device takes in segments and that we can put there. */
export function segmentAudio(profile: DeviceProfile): string[] {
  return profile.segments.audio.filter(isCopyableAudio);
}

function fewest(attempts: readonly Set<PlayReason>[]): Set<PlayReason> | undefined {
  return attempts.toSorted((a, b) => a.size - b.size)[0];
}

export const exceeds = (value: number | null, limit: number | undefined): boolean =>
  value !== null && limit !== undefined && value > limit;

export const sides = (a: number, b: number): [long: number, short: number] => (a >= b ? [a, b] : [b, a]);
