/** The pictures to look for a place by: what a host is asked for, and what a multivariant playlist says of them. */
import { createHash } from 'node:crypto';
import { encodedCodecString } from '#engine/media/video-level.ts';
import type { PictureStream } from '#engine/media/hls-playlist.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import { KEYFRAMES_LEVEL, MAX_KEYFRAME_BITS } from '#engine/media/rendition-spec.ts';
import type { VideoTrack } from '#protocol/schema/media.ts';
import type { PicturePlan } from './movie-plans.ts';
import type { StoredFile } from './ports.ts';
import type { RenditionOrder } from './rendition-pool.ts';

/** Longer side. What shows them draws them no larger than a hand. */
const LONG_SIDE_PX = 320;
/** Of a segment of one picture: boxes around it. */
const PACKING_BITS = 8_000;
/** What the encoder makes on average of what it may. */
const AVERAGE_FACTOR = 0.35;

/** The order for a file's pictures; `null` where its picture track is not there, or has no size. */
export function picturesOrder(file: StoredFile, trackIndex: number, plan: PicturePlan): RenditionOrder | null {
  const track = file.media?.video.find(({ index }) => index === trackIndex);
  const size = track && picturesSize(track);
  if (!track || !size) return null;
  const identity = [
    file.id,
    file.sizeBytes,
    file.mtimeUs,
    plan.id,
    trackIndex,
    'keyframes',
    size.widthPx,
    size.heightPx,
  ];
  const { width, height, rotation, isInterlaced, hdr } = track;
  return {
    key: createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32),
    plan: plan.segments,
    spec: {
      path: file.path,
      trackIndex,
      kind: 'video',
      boundariesUs: plan.segments,
      startUs: (file.media?.startMs ?? 0) * 1_000,
      output: { method: 'keyframes', ...size, source: { width, height, rotation, isInterlaced, hdr } },
    },
  };
}

export function pictureStream(track: VideoTrack, plan: PicturePlan, uri: string): PictureStream | null {
  const size = picturesSize(track);
  if (!size) return null;
  const lengthsUs = Array.from(plan.segments.subarray(1), (timeUs, index) => timeUs - plan.segments[index]!);
  const most = MAX_KEYFRAME_BITS + PACKING_BITS;
  const totalUs = plan.segments.at(-1)!;
  return {
    uri,
    peakBitrateBps: (most * 1e6) / Math.min(...lengthsUs),
    averageBitrateBps: ((most * AVERAGE_FACTOR + PACKING_BITS) * lengthsUs.length * 1e6) / totalUs,
    codec: encodedCodecString('h264', KEYFRAMES_LEVEL),
    size,
  };
}

function picturesSize(track: VideoTrack): PictureSize | null {
  if (track.width === 0 || track.height === 0) return null;
  const whole = pictureSize(track, Infinity);
  const scale = Math.min(1, LONG_SIDE_PX / Math.max(whole.widthPx, whole.heightPx));
  const size = pictureSize(track, whole.heightPx * scale);
  // The encoder takes no less, and nothing could be seen in it.
  return size.widthPx < 16 || size.heightPx < 16 ? null : size;
}
