/**
 * How a file reaches a device, and why not as it is. One pure function: what it is told decides, so a table can test it.
 *
 * Direct play sends the file. Remux sends its video packets anew packed (fragmented MP4, HLS) and copies or encodes the sound. Transcode
 * encodes the picture to H.264. Each step is taken only for a reason from the closed set, and every reason that holds is named:
 * those against the file as it is, and, for a transcode, those against copying its picture.
 */
import type { AudioTrack, MediaInfo, VideoTrack } from '#protocol/schema/media.ts';
import { PLAY_REASONS } from '#protocol/schema/playback.ts';
import type { DeviceProfile, PlayMethod, PlayReason, VideoCodecSupport } from '#protocol/schema/playback.ts';
import { isCopyableAudio, isCopyableVideo } from './codec-string.ts';
import { encodeSize, maxBitrateFor } from './encode-ladder.ts';
import type { EncodeLimits } from './encode-ladder.ts';
import { audibleTracks, chooseAudioTrack } from './track-choice.ts';

export interface PlayQuestion {
  readonly media: MediaInfo;
  /** Whether segments can begin at the picture's keyframes (`planRemux`). */
  readonly hasUsableKeyframes: boolean;
  readonly profile: DeviceProfile;
  /** The track a person chose; `null`, or one that the file does not have: `chooseAudioTrack`. */
  readonly audioTrack: number | null;
  /** Methods that failed on this device for this file. */
  readonly without: readonly PlayMethod[];
  readonly limits: EncodeLimits;
}

export interface CopiedTrack {
  readonly method: 'copy';
  readonly trackIndex: number;
  readonly fromCodec: string;
}

export interface EncodedVideo {
  readonly method: 'transcode';
  readonly trackIndex: number;
  readonly fromCodec: string;
  /** Size of the picture that comes out, turned upright, with square pixels. Both even. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly maxBitrateBps: number;
  /** HDR must be mapped to what an ordinary screen shows. */
  readonly toneMap: boolean;
  readonly deinterlace: boolean;
}

export interface EncodedAudio {
  readonly method: 'transcode';
  readonly trackIndex: number;
  readonly fromCodec: string;
  readonly channels: 2;
  readonly bitrateBps: number;
}

export interface PlayDecision {
  readonly method: PlayMethod;
  /** Why not direct play, in the order of `PLAY_REASONS`; empty for direct play. */
  readonly reasons: readonly PlayReason[];
  /** `null` where the file has no picture. */
  readonly video: CopiedTrack | EncodedVideo | null;
  /** What happens to the chosen track; `null` where the file has no sound. */
  readonly audio: CopiedTrack | EncodedAudio | null;
  /** What happens to each audio track of the file when it is the one that is heard: the renditions of an HLS playlist. */
  readonly audioTracks: readonly (CopiedTrack | EncodedAudio)[];
}

/** Stereo AAC at a rate where listeners can't tell it from its source. */
export const ENCODED_AUDIO = { channels: 2, bitrateBps: 160_000 } as const;

/**
 * Containers that carry decode times only (AVI) or times that jump (MPEG programme streams): copied pictures would
 * come out in the wrong order. A decoder puts them right, so a transcode is not concerned.
 */
const UNRELIABLE_TIMES: ReadonlySet<string> = new Set(['avi', 'mpegps']);
/** AAC object types that browsers decode. Main, SSR, LTP and xHE-AAC are AAC by name only. */
const ORDINARY_AAC: ReadonlySet<string> = new Set(['LC', 'HE-AAC', 'HE-AACv2']);

/** Decides how to send a file. `null` where no method is left: all that were possible are among `without`. */
export function decidePlayback(question: PlayQuestion): PlayDecision | null {
  const { media, profile, without } = question;
  const video = media.video[0] ?? null;
  const sounds = audibleTracks(media.audio);
  const audio = sounds.find(({ index }) => index === question.audioTrack) ?? chooseAudioTrack(sounds);

  const againstDirect = directObstacles(media, video, audio, profile);
  if (againstDirect.size === 0) {
    if (!without.includes('directPlay')) {
      const copied = copy(video);
      return {
        method: 'directPlay',
        reasons: [],
        video: copied,
        audio: copy(audio),
        audioTracks: sounds.map((track) => copy(track)),
      };
    }
    againstDirect.add('failedOnThisDevice');
  }

  const audioTracks = sounds.map((track) => decideAudio(track, profile));
  const audioSent = audioTracks.find(({ trackIndex }) => trackIndex === audio?.index) ?? null;
  const reasons = new Set(againstDirect);
  if (audio && audioSent?.method === 'transcode') {
    for (const reason of audioObstacles(audio, segmentAudio(profile), profile)) reasons.add(reason);
  }

  const againstRemux = remuxObstacles(question, video, audio, audioSent);
  if (againstRemux.size === 0) {
    if (!without.includes('remux')) {
      return { method: 'remux', reasons: ordered(reasons), video: copy(video), audio: audioSent, audioTracks };
    }
    againstRemux.add('failedOnThisDevice');
  }
  // Without a picture there is nothing that a transcode would do and a remux would not.
  if (!video || without.includes('transcode')) return null;
  for (const reason of againstRemux) reasons.add(reason);
  return {
    method: 'transcode',
    reasons: ordered(reasons),
    video: encodeVideo(video, profile, question.limits, audioSent ? audioBitrateBps(audio, audioSent) : 0),
    audio: audioSent,
    audioTracks,
  };
}

/** What stands in the way of sending the file itself. */
function directObstacles(
  media: MediaInfo,
  video: VideoTrack | null,
  audio: AudioTrack | null,
  profile: DeviceProfile,
): Set<PlayReason> {
  const entries = profile.file.filter(({ container }) => container === media.container);
  // Of a container that it does not take we only know what it decodes in segments: that tells which further reasons hold.
  const candidates = entries.length > 0 ? entries : [profile.segments];
  const attempts = candidates.map((entry) => {
    const reasons = new Set<PlayReason>();
    if (entries.length === 0) reasons.add('containerNotSupported');
    if (video) {
      for (const reason of videoObstacles(video, entry.video, profile)) reasons.add(reason);
      // A video element obeys the matrix of an MP4 track; for other containers browsers differ.
      if (video.rotation !== 0 && media.container !== 'mp4') reasons.add('rotationNotSupported');
    }
    if (audio) for (const reason of audioObstacles(audio, entry.audio, profile)) reasons.add(reason);
    return reasons;
  });
  const reasons = fewest(attempts)!;
  // A video element plays the first audio track, whatever the file marks as default.
  if (audio && audio.index !== media.audio[0]?.index) reasons.add('audioTrackSelected');
  if (exceeds(overallBitrateBps(media), profile.maxBitrateBps)) reasons.add('bitrateTooHigh');
  return reasons;
}

/** What stands in the way of copying the picture into segments. */
function remuxObstacles(
  { media, profile, hasUsableKeyframes }: PlayQuestion,
  video: VideoTrack | null,
  audio: AudioTrack | null,
  audioSent: CopiedTrack | EncodedAudio | null,
): Set<PlayReason> {
  const reasons = new Set<PlayReason>();
  if (!video) return reasons;
  for (const reason of videoObstacles(video, profile.segments.video, profile)) reasons.add(reason);
  if (!isCopyableVideo(video.codec)) reasons.add('videoCodecNotSupported');
  // Players of segments, unlike video elements, don't all turn the picture.
  if (video.rotation !== 0) reasons.add('rotationNotSupported');
  const bitrateBps = videoBitrateBps(media, video);
  const soundBps = audioSent ? audioBitrateBps(audio, audioSent) : 0;
  if (bitrateBps !== null && exceeds(bitrateBps + soundBps, profile.maxBitrateBps)) reasons.add('bitrateTooHigh');
  // Said only of a picture that could be copied otherwise: of another they are true, but not the reason.
  if (reasons.size === 0) {
    if (UNRELIABLE_TIMES.has(media.container)) reasons.add('timestampsUnreliable');
    if (!hasUsableKeyframes) reasons.add('keyframesUnusable');
  }
  return reasons;
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
  if (long > maxLong || short > maxShort) reasons.add('videoResolutionNotSupported');
  // Averages are rarely exact: 60 pictures a second may read as 60.02.
  const rate = video.frameRate ? video.frameRate.num / video.frameRate.den : 0;
  if (exceeds(rate / 1.01, support.maxFrameRate)) reasons.add('videoFrameRateNotSupported');
  return reasons;
}

/** What the track looks like to a device that does not read Dolby Vision metadata: `dv_bl_signal_compatibility_id` says. */
function baseLayer(video: VideoTrack): 'hdr10' | 'hlg' | 'sdr' | 'none' | null {
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

function audioObstacles(audio: AudioTrack, codecs: readonly string[], profile: DeviceProfile): Set<PlayReason> {
  const reasons = new Set<PlayReason>();
  const isOrdinary = audio.codec !== 'aac' || audio.profile === null || ORDINARY_AAC.has(audio.profile);
  if (!codecs.includes(audio.codec) || !isOrdinary) reasons.add('audioCodecNotSupported');
  if (audio.channels > profile.maxAudioChannels) reasons.add('audioChannelsNotSupported');
  return reasons;
}

/** Audio that the device takes in segments and that we can put there. */
function segmentAudio(profile: DeviceProfile): string[] {
  return profile.segments.audio.filter(isCopyableAudio);
}

function decideAudio(track: AudioTrack, profile: DeviceProfile): CopiedTrack | EncodedAudio {
  if (audioObstacles(track, segmentAudio(profile), profile).size === 0) return copy(track);
  return { method: 'transcode', trackIndex: track.index, fromCodec: track.codec, ...ENCODED_AUDIO };
}

function encodeVideo(video: VideoTrack, profile: DeviceProfile, limits: EncodeLimits, soundBps: number): EncodedVideo {
  const h264 = profile.segments.video.find(({ codec }) => codec === 'h264');
  const roomBps = profile.maxBitrateBps === undefined ? null : Math.max(0, profile.maxBitrateBps - soundBps);
  const size = encodeSize(video, {
    ...limits,
    ...(h264?.maxWidth !== undefined && { deviceWidthPx: h264.maxWidth }),
    ...(h264?.maxHeight !== undefined && { deviceHeightPx: h264.maxHeight }),
    maxBitrateBps: roomBps,
  });
  const rate = video.frameRate ? video.frameRate.num / video.frameRate.den : 0;
  const base = baseLayer(video);
  return {
    method: 'transcode',
    trackIndex: video.index,
    fromCodec: video.codec,
    ...size,
    maxBitrateBps: maxBitrateFor(size, rate, roomBps),
    toneMap: base !== null && base !== 'sdr',
    deinterlace: video.isInterlaced,
  };
}

function copy(track: VideoTrack | AudioTrack): CopiedTrack;
function copy(track: VideoTrack | AudioTrack | null): CopiedTrack | null;
function copy(track: VideoTrack | AudioTrack | null): CopiedTrack | null {
  return track && { method: 'copy', trackIndex: track.index, fromCodec: track.codec };
}

/** Bit rate of the whole file, from its size where it does not say; `null` where neither is known. */
export function overallBitrateBps(media: MediaInfo): number | null {
  if (media.bitrateBps !== null && media.bitrateBps > 0) return media.bitrateBps;
  return media.durationMs ? Math.round((media.sizeBytes * 8_000) / media.durationMs) : null;
}

/** Bit rate of the picture: what the track says, or what the known tracks leave of the whole. */
export function videoBitrateBps(media: MediaInfo, video: VideoTrack): number | null {
  if (video.bitrateBps !== null && video.bitrateBps > 0) return video.bitrateBps;
  const overallBps = overallBitrateBps(media);
  const soundBps = media.audio.reduce((sum, track) => sum + (track.bitrateBps ?? 0), 0);
  return overallBps === null ? null : Math.max(0, overallBps - soundBps);
}

/** Bit rate of a rendition of sound as it is sent; a copied track of unknown rate counts as 128 kbit/s a pair of channels. */
export function audioBitrateBps(track: AudioTrack | null, sent: CopiedTrack | EncodedAudio): number {
  if (sent.method === 'transcode') return sent.bitrateBps;
  return track?.bitrateBps ?? Math.ceil((track?.channels ?? 2) / 2) * 128_000;
}

function fewest(attempts: readonly Set<PlayReason>[]): Set<PlayReason> | undefined {
  return attempts.toSorted((a, b) => a.size - b.size)[0];
}

const exceeds = (value: number | null, limit: number | undefined): boolean =>
  value !== null && limit !== undefined && value > limit;

const sides = (a: number, b: number): [long: number, short: number] => (a >= b ? [a, b] : [b, a]);

const ordered = (reasons: ReadonlySet<PlayReason>): PlayReason[] =>
  PLAY_REASONS.filter((reason) => reasons.has(reason));
