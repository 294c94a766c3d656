/**
 * A text subtitle track as WebVTT. Packets are read by FFmpeg and turned into text by us: any subtitle packet that is given to
 * one of its decoders through node-av ends the process (an assertion in libavcodec; measured).
 */
import {
  AVDISCARD_ALL,
  AVDISCARD_DEFAULT,
  AVDISCARD_NONKEY,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
  AV_NOPTS_VALUE,
} from 'node-av/constants';
import { Packet, avGetCodecName } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import { MAX_CUES, cueText, isConvertibleSubtitle, webVtt } from '#engine/media/web-vtt.ts';
import type { SubtitleCue } from '#engine/media/web-vtt.ts';
import { openInput } from './input.ts';
import type { OpenedInput } from './input.ts';

/** The talk of the longest movie is below one megabyte; animated signs reach ten. */
const MAX_TEXT_LENGTH = 24 << 20;

export interface SubtitleOptions {
  readonly trackIndex: number;
  /** `MediaInfo.startMs`: the file's own time at the beginning of the movie. */
  readonly startMs: number;
  readonly timeLimitMs: number;
}

/**
 * Reads the whole file for one of its subtitle tracks, since they lie between the pictures. Throws `MediaError`: `unsupported` for
 * a track that does not exist or is no text, `tooComplex`, `timeout`. A file that is cut off gives what there is.
 */
export function readSubtitle(path: string, options: SubtitleOptions): string {
  const endsAt = performance.now() + options.timeLimitMs;
  using input = openInput(path);
  const stream = input.streams[options.trackIndex];
  if (stream?.codecpar.codecType !== AVMEDIA_TYPE_SUBTITLE) {
    throw new MediaError('unsupported', `track ${options.trackIndex} holds no subtitles`);
  }
  const codec = avGetCodecName(stream.codecpar.codecId) ?? '';
  if (!isConvertibleSubtitle(codec)) throw new MediaError('unsupported', `subtitles of ${codec} are no text`);
  leaveOutOthers(input, options.trackIndex);

  const { num, den } = stream.timeBase;
  const toUs = (ticks: bigint): number => (Number(ticks) * num * 1e6) / den;
  const cues: SubtitleCue[] = [];
  let textLength = 0;
  using packet = new Packet();
  packet.alloc();
  while (input.context.readFrameSync(packet) >= 0) {
    if (performance.now() > endsAt) {
      throw new MediaError('timeout', `not read within ${options.timeLimitMs} ms`);
    }
    if (packet.streamIndex === options.trackIndex && packet.pts !== AV_NOPTS_VALUE) {
      const startUs = toUs(packet.pts) - options.startMs * 1_000;
      const cue = cueText(codec, packet.data ?? new Uint8Array(0));
      textLength += cue.text.length;
      if (cue.text !== '') cues.push({ ...cue, startUs, endUs: startUs + toUs(packet.duration) });
      if (cues.length > MAX_CUES || textLength > MAX_TEXT_LENGTH) {
        throw new MediaError('tooComplex', `more than ${MAX_CUES} cues or ${MAX_TEXT_LENGTH} characters`);
      }
    }
    packet.unref();
  }
  return webVtt(cues, TIMELINE_OFFSET_US);
}

/**
 * Has FFmpeg pass over the other tracks, but for the keyframes of one: without them it would read on to the next subtitle, which
 * may be gigabytes away, in one call that no time limit can end. MP4 knows where each sample lies and skips the rest.
 */
function leaveOutOthers(input: OpenedInput, trackIndex: number): void {
  const isMp4 = input.demuxer.startsWith('mov');
  const pace =
    input.streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_VIDEO) ??
    input.streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_AUDIO);
  for (const stream of input.streams) {
    if (stream.index === trackIndex) stream.discard = AVDISCARD_DEFAULT;
    else stream.discard = stream === pace && !isMp4 ? AVDISCARD_NONKEY : AVDISCARD_ALL;
  }
}
