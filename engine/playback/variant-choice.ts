/** Which pictures a player may choose from, best first: the copy where there is one, and the rungs of the ladder. Rules PLAY27 and PLAY28. */
import { encodeLadder, usefulBitrateBps } from '#engine/media/encode-ladder.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import { videoBitrateBps } from '#engine/media/play-method.ts';
import type { EncodedVideo, PlayDecision } from '#engine/media/play-method.ts';
import type { CopyOutput, VideoCodec, VideoEncoderKind, VideoOutput } from '#engine/media/rendition-spec.ts';
import type { SegmentPlan } from '#engine/media/segment-plan.ts';
import { encodedCodecString, videoLevel } from '#engine/media/video-level.ts';
import type { MediaInfo, VideoTrack } from '#protocol/schema/media.ts';

export type EncodeSettings = Pick<VideoOutput, 'crf' | 'preset'>;

/** What this machine encodes each codec with; `null` for one that it can't make in time. H.264 is always made. */
export type MachineEncoders = Readonly<Record<VideoCodec, VideoEncoderKind | null>>;

/** Without a hardware encoder only H.264 is worth it: measured, x265 and SVT-AV1 need three times the processor at the same speed setting. */
export const SOFTWARE_ENCODERS: MachineEncoders = { h264: 'software', hevc: null, av1: null };

/** What the others need of H.264's bit rate for the same picture, out of hardware encoders. */
const CODEC_FACTORS: Readonly<Record<VideoCodec, number>> = { h264: 1, hevc: 0.65, av1: 0.55 };
/** Longer segments than this, and somebody whose line got weak would wait for the encoder, too: no rungs beside such a copy. */
const MAX_BESIDE_COPY_US = 12_000_000;
const USUAL_RATE = 30;

export interface VariantQuestion {
  readonly decision: PlayDecision;
  /** What the picture would be encoded to, where the decision is to copy it; `null` where it may not be. */
  readonly softer: EncodedVideo | null;
  readonly media: MediaInfo;
  readonly segments: SegmentPlan;
  readonly settings: EncodeSettings;
  readonly encoders: MachineEncoders;
}

/** Never empty where the decision has a picture. The copy, where there is one, is the first. */
export function chooseVariants(question: VariantQuestion): readonly (CopyOutput | VideoOutput)[] {
  const { decision, softer, media, segments } = question;
  const track = media.video.find(({ index }) => index === decision.video?.trackIndex);
  if (!decision.video || !track) return [];
  if (decision.video.method === 'transcode') return encodedVariants(question, track, decision.video, null);
  const copyBps = videoBitrateBps(media, track);
  const isFit = softer !== null && copyBps !== null && longestUs(segments) <= MAX_BESIDE_COPY_US;
  const { withoutDolbyVision } = decision.video;
  const copied: CopyOutput = { method: 'copy', ...(withoutDolbyVision && { withoutDolbyVision }) };
  return [copied, ...(isFit ? encodedVariants(question, track, softer, copyBps) : [])];
}

function encodedVariants(
  { media, settings, encoders }: VariantQuestion,
  track: VideoTrack,
  encoded: EncodedVideo,
  copyBps: number | null,
): VideoOutput[] {
  const { widthPx, heightPx, toneMap, deinterlace } = encoded;
  const sourceBps = videoBitrateBps(media, track);
  const usefulBps = sourceBps === null ? Infinity : usefulBitrateBps(track.codec, sourceBps);
  const top = { widthPx, heightPx, maxBitrateBps: Math.min(encoded.maxBitrateBps, usefulBps) };
  const rate = framesPerSecond(track) ?? USUAL_RATE;
  const rungs = encodeLadder(track, top, rate, copyBps);
  return (['h264', 'hevc', 'av1'] as const).flatMap((method) => {
    // Subtitles are burnt in by the processor, into pictures that never leave it.
    const found = encoded.burnIn === null ? encoders[method] : undefined;
    const encoder = found ?? (method === 'h264' ? 'software' : null);
    if (encoder === null || !encoded.codecs.includes(method)) return [];
    return rungs.map((rung): VideoOutput => {
      const maxBitrateBps = Math.round(rung.maxBitrateBps * CODEC_FACTORS[method]);
      const level = videoLevel(method, rung, rate, maxBitrateBps);
      return {
        ...settings,
        method,
        encoder,
        heightPx: rung.heightPx,
        level,
        maxBitrateBps,
        toneMap,
        deinterlace,
        ...(encoded.burnIn !== null && { burnIn: encoded.burnIn }),
        ...(encoded.burnInOffsetMs !== undefined && { burnInOffsetMs: encoded.burnInOffsetMs }),
      };
    });
  });
}

/** What a player is told of one variant: without sound. */
export interface VariantFacts {
  /** As it stands in the URL: `v0`. */
  readonly name: string;
  readonly codec: string;
  readonly codecString: string | null;
  /** `null` where a damaged beginning hides the size. */
  readonly size: { readonly widthPx: number; readonly heightPx: number } | null;
  readonly framesPerSecond: number | null;
  /** Ceiling that the encoder keeps; `null` for the copy, whose peaks are its own. */
  readonly maxBitrateBps: number | null;
}

export function variantFacts(
  output: CopyOutput | VideoOutput,
  position: number,
  track: VideoTrack,
  copiedCodecString: string | null,
): VariantFacts {
  const isKnown = track.width > 0 && track.height > 0;
  const shared = { name: `v${position}`, framesPerSecond: framesPerSecond(track) };
  if (output.method === 'copy') {
    const size = isKnown ? { widthPx: track.width, heightPx: track.height } : null;
    return { ...shared, codec: track.codec, codecString: copiedCodecString, size, maxBitrateBps: null };
  }
  return {
    ...shared,
    codec: output.method,
    codecString: encodedCodecString(output.method, output.level),
    size: isKnown ? pictureSize(track, output.heightPx) : null,
    maxBitrateBps: output.maxBitrateBps,
  };
}

function longestUs(plan: SegmentPlan): number {
  let longest = 0;
  for (let index = 1; index < plan.length; index++) longest = Math.max(longest, plan[index]! - plan[index - 1]!);
  return longest;
}

export function framesPerSecond(track: VideoTrack | undefined): number | null {
  return track?.frameRate ? track.frameRate.num / track.frameRate.den : null;
}
