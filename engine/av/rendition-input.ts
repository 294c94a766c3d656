import {
  AVDISCARD_ALL,
  AVERROR_EACCES,
  AVERROR_EIO,
  AVERROR_EOF,
  AVERROR_EPERM,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_FLAG_BACKWARD,
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_VC1,
  AV_CODEC_ID_WMV3,
  AV_DISPOSITION_ATTACHED_PIC,
  AV_NOPTS_VALUE,
} from 'node-av/constants';
import { Packet } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import type { RenditionSpec } from '#engine/media/rendition-spec.ts';
import type { TickRatio } from './fmp4-segment-writer.ts';
import { parsePlainAacLc } from './headers/aac.ts';
import { openInput } from './input.ts';
import type { OpenedInput } from './input.ts';

/** Damaged packets in a row after which the rest of the file is given up. */
const MAX_DAMAGED_IN_A_ROW = 200;

/** How far before a wanted time to look for a packet that lies before it, try after try; then from the beginning. */
const INDEXED_MARGINS_US = [0, 2e6, 1e7, 6e7];
/** Without an index, a seek ends near packets whose decode time is the wanted one, keyframe or not. */
const SEARCHED_MARGINS_US = [1.5e6, 6e6, 2e7, 9e7];
/** Sound belonging to a moment may lie before the keyframe that a seek in an interleaved container ends at. */
const AUDIO_MARGINS_US = [1e6, 5e6, 2e7];

/** What `read` found: a packet of the track, one of another track (nothing to do, but time has passed), or nothing more. */
export type ReadOutcome = 'packet' | 'other' | 'end';

/** One track of an open file: its packets in order, from any moment on. Owns the open file. */
export class TrackInput implements Disposable {
  readonly #spec: RenditionSpec;
  #input: OpenedInput;
  #stream: Stream;
  /** Packets read ahead, to be given out first. */
  readonly #pending: Packet[] = [];
  #isAtBeginning = true;

  constructor(spec: RenditionSpec) {
    this.#spec = spec;
    [this.#input, this.#stream] = openTrack(spec);
  }

  get stream(): Stream {
    return this.#stream;
  }

  get timeBase(): TickRatio {
    return this.#stream.timeBase;
  }

  /** FFmpeg's name of the demuxer, such as `matroska,webm`. */
  get demuxer(): string {
    return this.#input.demuxer;
  }

  /** Microseconds of movie time for a packet's or frame's ticks. */
  movieUs(ticks: number): number {
    const { num, den } = this.timeBase;
    return (ticks * num * 1e6) / den - this.#spec.startUs;
  }

  read(packet: Packet): ReadOutcome {
    this.#isAtBeginning = false;
    const ahead = this.#pending.shift();
    if (ahead) {
      packet.ref(ahead);
      ahead.free();
      return 'packet';
    }
    for (let damaged = 0; damaged < MAX_DAMAGED_IN_A_ROW; damaged++) {
      const code = this.#input.context.readFrameSync(packet);
      if (code >= 0) {
        if (packet.streamIndex === this.#spec.trackIndex) return 'packet';
        packet.unref();
        return 'other';
      }
      if (code === AVERROR_EOF) return 'end';
      if (code === AVERROR_EIO || code === AVERROR_EACCES || code === AVERROR_EPERM) {
        throw new MediaError('notReadable', `read failed with ${code}`);
      }
    }
    return 'end';
  }

  /** Gives a packet back, to be read again. The packet stays the caller's. */
  unread(packet: Packet): void {
    this.#pending.unshift(owned(packet));
  }

  /** The track's first packet, which will be read again; the caller's to free. To be asked before anything is read. */
  firstPacket(): Packet | null {
    const packet = new Packet();
    packet.alloc();
    // Tracks of one file begin within seconds of each other; this many packets are more than that.
    for (let tries = 0; tries < 2000; tries++) {
      const outcome = this.read(packet);
      if (outcome === 'end') break;
      if (outcome === 'other') continue;
      this.unread(packet);
      this.#isAtBeginning = true;
      return packet;
    }
    packet.free();
    return null;
  }

  /** Goes back to the first packet. */
  rewind(): void {
    if (this.#isAtBeginning) return;
    this.#forget();
    this.#input[Symbol.dispose]();
    [this.#input, this.#stream] = openTrack(this.#spec);
    this.#isAtBeginning = true;
  }

  /**
   * Goes to where the next video packet read is a keyframe at or before `us`, or the first one of the track.
   * Where an index says exactly where it is, that keyframe is the last such one.
   */
  seekToKeyframe(us: number): void {
    const margins = isIndexed(this.demuxer) ? INDEXED_MARGINS_US : SEARCHED_MARGINS_US;
    for (const marginUs of margins) {
      if (us - marginUs <= 0) break;
      if (this.#seek(us - marginUs) && this.#findPacket(us, true)) return;
    }
    this.rewind();
  }

  /** Goes to where the next audio packet read begins at or before `us`, unless the track has none there. */
  seekToSound(us: number): void {
    for (const marginUs of AUDIO_MARGINS_US) {
      if (us - marginUs <= 0) break;
      if (this.#seek(us - marginUs) && (this.#findPacket(us, false) || marginUs === AUDIO_MARGINS_US.at(-1))) return;
    }
    this.rewind();
  }

  /** Whether another video or audio track of the file goes on at a moment: this one has then ended, and not the file. */
  othersReach(us: number): boolean {
    using input = openInput(this.#spec.path);
    if (!isIndexed(input.demuxer)) input.analyze();
    const packet = new Packet();
    packet.alloc();
    try {
      return input.streams.some((stream) => {
        if (stream.index === this.#spec.trackIndex || !isPlayed(stream)) return false;
        const { num, den } = stream.timeBase;
        const ticks = ((us + this.#spec.startUs) * den) / num / 1e6;
        const at = BigInt(Math.floor(ticks));
        if (input.context.seekFrameSync(stream.index, at, AVSEEK_FLAG_BACKWARD) < 0) return false;
        for (let read = 0; read < 5000 && input.context.readFrameSync(packet) >= 0; read++) {
          const isReached = packet.streamIndex === stream.index && (presentationTicks(packet) ?? 0) >= ticks;
          packet.unref();
          if (isReached) return true;
        }
        return false;
      });
    } finally {
      packet.free();
    }
  }

  [Symbol.dispose](): void {
    this.#forget();
    this.#input[Symbol.dispose]();
  }

  #seek(us: number): boolean {
    this.#forget();
    this.#isAtBeginning = false;
    const stream = this.#seekStream();
    const { num, den } = stream.timeBase;
    // A little behind the wanted time, since plans are in microseconds and indexes in ticks.
    const ticks = Math.floor(((us + 500 + this.#spec.startUs) * den) / num / 1e6);
    return this.#input.context.seekFrameSync(stream.index, BigInt(ticks), AVSEEK_FLAG_BACKWARD) >= 0;
  }

  /** MP4 indexes every track; the others index the video track alone, and seeking by another one reads half the file. */
  #seekStream(): Stream {
    if (this.demuxer.startsWith('mov')) return this.#stream;
    const video = this.#input.streams.find(
      (stream) => stream.codecpar.codecType === AVMEDIA_TYPE_VIDEO && isPlayed(stream),
    );
    return video ?? this.#stream;
  }

  /** Reads up to the first keyframe or sound packet and keeps it for `read`. False when it lies behind `us`: too far. */
  #findPacket(us: number, needsKeyframe: boolean): boolean {
    const packet = new Packet();
    packet.alloc();
    try {
      for (;;) {
        const outcome = this.read(packet);
        if (outcome === 'end') return false;
        if (outcome === 'other') continue;
        const ticks = presentationTicks(packet);
        if (ticks !== null && (packet.isKeyframe || !needsKeyframe)) {
          if (this.movieUs(ticks) > us + 500) return false;
          this.unread(packet);
          return true;
        }
        packet.unref();
      }
    } finally {
      packet.free();
    }
  }

  #forget(): void {
    for (const packet of this.#pending.splice(0)) packet.free();
  }
}

/** When a packet is presented, in the file's own ticks; decode time where it has no other, `null` where it has none. */
export function presentationTicks(packet: Packet): number | null {
  if (packet.pts !== AV_NOPTS_VALUE) return Number(packet.pts);
  return packet.dts === AV_NOPTS_VALUE ? null : Number(packet.dts);
}

/** A reference of our own to a packet's bytes. */
export function owned(packet: Packet): Packet {
  const clone = packet.clone();
  if (!clone) throw new MediaError('internal', 'out of memory for packets');
  return clone;
}

function openTrack(spec: RenditionSpec): [OpenedInput, Stream] {
  const input = openInput(spec.path);
  try {
    const found = input.streams[spec.trackIndex];
    if (!found || !isDescribedByHeader(input.demuxer, found, spec)) input.analyze();
    const stream = input.streams[spec.trackIndex];
    const type = spec.kind === 'video' ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
    if (!stream || stream.codecpar.codecType !== type) {
      throw new MediaError('unsupported', `track ${spec.trackIndex} is not ${spec.kind}`);
    }
    for (const other of input.streams) {
      if (other.index === spec.trackIndex) continue;
      // The demuxer skips what is discarded without coming up for air. An audio track that ends early, in a container that is
      // read as a whole, would then hold us until the end of the file: there the picture keeps us company.
      const isCompany = spec.kind === 'audio' && !input.demuxer.startsWith('mov') && isPlayed(other);
      if (!isCompany) other.discard = AVDISCARD_ALL;
    }
    return [input, stream];
  } catch (thrown) {
    input[Symbol.dispose]();
    throw thrown;
  }
}

/** Matroska and MP4 say where each keyframe is; the others are searched. */
function isIndexed(demuxer: string): boolean {
  return demuxer.startsWith('matroska') || demuxer.startsWith('mov');
}

/** Pictures that are covers are no video. */
function isPlayed(stream: Stream): boolean {
  const { codecType } = stream.codecpar;
  return (
    (codecType === AVMEDIA_TYPE_VIDEO || codecType === AVMEDIA_TYPE_AUDIO) &&
    !stream.hasDisposition(AV_DISPOSITION_ATTACHED_PIC)
  );
}

/** Whether the header says all we need, so that the beginning need not be read and decoded first (20 ms and more). */
function isDescribedByHeader(demuxer: string, stream: Stream, spec: RenditionSpec): boolean {
  if (!isIndexed(demuxer)) return false;
  const { codecId, width, extradata, extradataSize, frameSize } = stream.codecpar;
  if (spec.kind === 'audio') {
    // How long AAC packets are depends on extensions that may not be announced.
    const isLengthKnown =
      codecId !== AV_CODEC_ID_AAC || frameSize > 0 || (extradata && parsePlainAacLc(extradata) !== null);
    return spec.output.method !== 'copy' || isLengthKnown === true;
  }
  if (width === 0) return false;
  if (spec.output.method === 'copy') {
    return (codecId === AV_CODEC_ID_H264 || codecId === AV_CODEC_ID_HEVC) && extradataSize > 8;
  }
  // Their headers tell neither how deep pictures are reordered nor what else the decoder needs to know from the start.
  return codecId !== AV_CODEC_ID_VC1 && codecId !== AV_CODEC_ID_WMV3;
}
