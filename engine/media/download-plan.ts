/** What can be prepared of a file, and what exactly each choice means for its tracks. Pure. */
import type { AudioTrack, MediaInfo, VideoTrack } from '#protocol/schema/media.ts';
import type { DownloadObstacle, DownloadQuality, DownloadQualityOffer } from '#protocol/schema/downloads.ts';
import { isCopyableAudio, isCopyableVideo } from './codec-string.ts';
import { encodeSize, maxBitrateFor, usefulBitrateBps } from './encode-ladder.ts';
import { pictureSize } from './picture-size.ts';
import { audioBitrateBps, overallBitrateBps, videoBitrateBps } from './play-method.ts';
import { baseLayer } from './play-obstacles.ts';
import type { CopyOutput, SoundOutput, VideoEncoderKind, VideoOutput, X264Preset } from './rendition-spec.ts';
import { isPlannable, planRemux } from './segment-plan.ts';
import { videoLevel } from './video-level.ts';

const HEIGHTS: Readonly<Record<Exclude<DownloadQuality, 'copy'>, number>> = {
  '2160p': 2_160,
  '1440p': 1_440,
  '1080p': 1_080,
  '720p': 720,
  '480p': 480,
  '360p': 360,
  '240p': 240,
};
/** Nobody waits for it, so it gets a little more work than what is watched at once; slower gains little and takes twice the time. */
const PRESET: X264Preset = 'faster';
const CRF = 22;
/** What x264 makes on average of its ceiling at constant quality. */
const AVERAGE_FACTOR = 0.6;
const USUAL_RATE = 30;
const UNKNOWN_BITRATE_BPS = 5_000_000;
/** Every device plays these from an MP4. */
const SOUND_EVERYWHERE: ReadonlySet<string> = new Set(['aac', 'mp3']);
const ORDINARY_AAC: ReadonlySet<string> = new Set(['LC', 'HE-AAC', 'HE-AACv2']);
/** Containers whose packets do not say when they are shown: copied pictures would come in the wrong order. */
const UNRELIABLE_TIMES: ReadonlySet<string> = new Set(['avi', 'mpegps']);
/** Keyframes of a copy that are farther apart make larger pieces, and nothing else. */
const COPY_TARGET_US = 5_000_000;

/** Best first; empty for a file without a picture or sound that could be put into an MP4. */
export function downloadQualities(media: MediaInfo): DownloadQualityOffer[] {
  const [video] = media.video;
  const durationMs = media.durationMs ?? 0;
  if (!isPlannable(durationMs * 1_000)) return [];
  if (!video) {
    if (media.audio.length === 0) return [];
    return [
      { quality: 'copy', codec: null, widthPx: null, heightPx: null, method: 'copy', obstacles: [], estimatedBytes: 0 },
    ];
  }
  const bytes = (bps: number): number => Math.round((bps * durationMs) / 8_000);
  const sourceBps = videoBitrateBps(media, video) ?? overallBitrateBps(media) ?? UNKNOWN_BITRATE_BPS;
  const shown = video.width > 0 && video.height > 0 ? pictureSize(video, Infinity) : null;
  const copy: DownloadQualityOffer = {
    quality: 'copy',
    codec: video.codec,
    widthPx: shown?.widthPx ?? null,
    heightPx: shown?.heightPx ?? null,
    method: 'copy',
    obstacles: pictureObstacles(video),
    estimatedBytes: bytes(sourceBps),
  };
  const encoded = encodedQualities(video).map((quality): DownloadQualityOffer => {
    const { maxBitrateBps, widthPx, heightPx } = pictureFor(video, media, quality);
    const averageBps = Math.min(maxBitrateBps * AVERAGE_FACTOR, usefulBitrateBps(video.codec, sourceBps));
    const common = { quality, codec: 'h264', widthPx, heightPx, method: 'encode', obstacles: [] } as const;
    return { ...common, obstacles: [], estimatedBytes: bytes(averageBps) };
  });
  return [...(isCopyable(media, video) ? [copy] : []), ...encoded];
}

/** Those that are not larger than the picture; the smallest box that holds it is the first. */
function encodedQualities(video: VideoTrack): Exclude<DownloadQuality, 'copy'>[] {
  const all = Object.keys(HEIGHTS) as Exclude<DownloadQuality, 'copy'>[];
  const size = pictureSize(video.width > 0 ? video : { ...video, width: 1_280, height: 720 }, Infinity);
  const [long, short] = size.widthPx >= size.heightPx ? [size.widthPx, size.heightPx] : [size.heightPx, size.widthPx];
  const boxPx = Math.max(short, (long * 9) / 16);
  const first = all.findLastIndex((quality) => HEIGHTS[quality] >= boxPx - 8);
  return all.slice(Math.max(0, first));
}

function isCopyable(media: MediaInfo, video: VideoTrack): boolean {
  // Profile 5 without its metadata is green and purple, and MP4 players that know it are few.
  return isCopyableVideo(video.codec) && !UNRELIABLE_TIMES.has(media.container) && baseLayer(video) !== 'none';
}

function pictureFor(video: VideoTrack, media: MediaInfo, quality: Exclude<DownloadQuality, 'copy'>) {
  const size = encodeSize(video, { maxHeightPx: HEIGHTS[quality], maxBitrateBps: null });
  const rate = framesPerSecond(video);
  const sourceBps = videoBitrateBps(media, video);
  const usefulBps = sourceBps === null ? Infinity : usefulBitrateBps(video.codec, sourceBps) / AVERAGE_FACTOR;
  return { ...size, rate, maxBitrateBps: Math.round(Math.min(maxBitrateFor(size, rate, null), usefulBps)) };
}

const framesPerSecond = ({ frameRate }: VideoTrack): number =>
  frameRate && frameRate.num > 0 ? frameRate.num / frameRate.den : USUAL_RATE;

/** How the picture is made. */
export function videoOutput(
  media: MediaInfo,
  quality: DownloadQuality,
  encoder: VideoEncoderKind,
): CopyOutput | VideoOutput | null {
  const [video] = media.video;
  if (!video) return null;
  const base = baseLayer(video);
  // What plays everywhere is what is below: Dolby Vision's own metadata makes some players refuse the file.
  if (quality === 'copy') {
    return { method: 'copy', ...(video.dolbyVision && base !== 'none' && { withoutDolbyVision: true }) };
  }
  const { widthPx, heightPx, rate, maxBitrateBps } = pictureFor(video, media, quality);
  return {
    method: 'h264',
    encoder,
    heightPx,
    level: videoLevel('h264', { widthPx, heightPx }, rate, maxBitrateBps),
    crf: CRF,
    maxBitrateBps,
    preset: PRESET,
    toneMap: base !== null && base !== 'sdr',
    deinterlace: video.isInterlaced,
  };
}

/** How a track of sound is made. 5.1 stays 5.1: AAC of six channels plays everywhere, and where there are two loudspeakers it is mixed there. */
export function soundOutputs(track: AudioTrack): {
  readonly output: CopyOutput | SoundOutput;
  readonly otherwise: SoundOutput;
} {
  const otherwise: SoundOutput =
    track.channels >= 6
      ? { method: 'aac', channels: 6, bitrateBps: 384_000 }
      : { method: 'aac', channels: 2, bitrateBps: 160_000 };
  return { output: isSoundCopied(track) ? { method: 'copy' } : otherwise, otherwise };
}

export function isSoundCopied(track: AudioTrack): boolean {
  const isOrdinary = track.codec !== 'aac' || track.profile === null || ORDINARY_AAC.has(track.profile);
  return SOUND_EVERYWHERE.has(track.codec) && isCopyableAudio(track.codec) && isOrdinary;
}

export function soundBytes(track: AudioTrack, durationMs: number): number {
  const { output } = soundOutputs(track);
  const bps =
    output.method === 'copy'
      ? audioBitrateBps(track, { method: 'copy', trackIndex: track.index, fromCodec: track.codec })
      : output.bitrateBps;
  return Math.round((bps * durationMs) / 8_000);
}

/** What keeps the file as it is from playing everywhere. */
export function originalObstacles(media: MediaInfo): DownloadObstacle[] {
  const [video] = media.video;
  const isContainer = media.container !== 'mp4' && media.container !== 'audio';
  const isSound = media.audio.length > 0 && !media.audio.some(isSoundCopied);
  return [
    ...(isContainer ? ['container' as const] : []),
    ...(video ? pictureObstacles(video) : []),
    ...(isSound ? ['audioCodec' as const] : []),
  ];
}

function pictureObstacles(video: VideoTrack): DownloadObstacle[] {
  return [
    ...(video.codec === 'h264' ? [] : ['videoCodec' as const]),
    // Every decoder of HEVC, VP9 and AV1 in hardware takes ten bits; of H.264 none does.
    ...(video.codec === 'h264' && (video.bitDepth ?? 8) > 8 ? ['videoBitDepth' as const] : []),
    ...(video.hdr === null ? [] : ['hdr' as const]),
    ...(video.isInterlaced ? ['interlaced' as const] : []),
  ];
}

/** Where a copied picture is cut while it is made: at keyframes, whatever lies between them. `null` where none are known. */
export function planCopy(keyframesUs: ArrayLike<number>, durationUs: number): Float64Array | null {
  const plan = planRemux(keyframesUs, durationUs);
  if (plan) return plan;
  if (!isPlannable(durationUs) || keyframesUs.length === 0) return null;
  const borders = [0];
  for (let index = 1; index < keyframesUs.length; index++) {
    const atUs = keyframesUs[index]!;
    if (atUs - borders.at(-1)! >= COPY_TARGET_US && atUs < durationUs - COPY_TARGET_US) borders.push(atUs);
  }
  return Float64Array.from([...borders, durationUs]);
}
