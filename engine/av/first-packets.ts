/**
 * The first packets of a file, for what no header says: how sound is laid out, whether pictures are interlaced, HDR10+.
 *
 * A small version of FFmpeg's own stream analysis, which decodes pictures to learn what this takes from their headers.
 */
import {
  AVDISCARD_ALL,
  AVERROR_EAGAIN,
  AV_CHANNEL_ORDER_UNSPEC,
  AV_DISPOSITION_ATTACHED_PIC,
  AV_FRAME_FLAG_INTERLACED,
  AV_NOPTS_VALUE,
} from 'node-av/constants';
import type { AVProfile, AVSampleFormat } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, avChannelLayoutDescribe } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import type { OpenedInput } from './input.ts';

const MAX_PACKETS = 2000;
const MAX_BYTES = 24 << 20;
const MAX_PACKETS_PER_DECODER = 8;
/** Headers and messages lie in front of the pictures; a copy of a whole 4K keyframe would be megabytes. */
const KEPT_PACKET_BYTES = 1 << 18;

export interface PacketWishes {
  /** Streams whose first packet is wanted. */
  readonly packetOf: ReadonlySet<number>;
  /** Audio streams of which one packet is to be decoded. */
  readonly soundOf: ReadonlySet<number>;
  /** Video streams of which one packet is to be decoded, to see whether it is interlaced. */
  readonly pictureOf: ReadonlySet<number>;
  /** Video streams of which this many times are wanted. */
  readonly timesOf: ReadonlyMap<number, number>;
}

export interface SoundFormat {
  readonly profile: AVProfile;
  readonly channels: number;
  readonly channelLayout: string | null;
  readonly sampleRateHz: number;
  readonly sampleFormat: AVSampleFormat;
  readonly bitDepth: number;
  readonly bitrateBps: number;
}

export interface FirstPackets {
  /** At most its first 256 KiB. */
  readonly packets: ReadonlyMap<number, Buffer>;
  readonly sounds: ReadonlyMap<number, SoundFormat>;
  readonly isInterlaced: ReadonlyMap<number, boolean>;
  /** In units of the stream's time base, in the order of decoding. */
  readonly times: ReadonlyMap<number, readonly number[]>;
  readonly coverSizesBytes: ReadonlyMap<number, number>;
}

/** Reads until all wishes are fulfilled or a limit is reached; what was not found is absent from the maps. */
export function readFirstPackets(input: OpenedInput, wishes: PacketWishes): FirstPackets {
  const packets = new Map<number, Buffer>();
  const sounds = new Map<number, SoundFormat>();
  const isInterlaced = new Map<number, boolean>();
  const times = new Map<number, number[]>();
  const coverSizesBytes = new Map<number, number>();
  using decoders = new Decoders();

  const isSatisfied = (index: number): boolean =>
    (!wishes.packetOf.has(index) || packets.has(index)) &&
    (!wishes.soundOf.has(index) || sounds.has(index) || decoders.hasGivenUp(index)) &&
    (!wishes.pictureOf.has(index) || isInterlaced.has(index) || decoders.hasGivenUp(index)) &&
    (times.get(index)?.length ?? 0) >= (wishes.timesOf.get(index) ?? 0) &&
    (!isCover(input.streams[index]) || coverSizesBytes.has(index));
  const waiting = new Set(input.streams.map((stream) => stream.index).filter((index) => !isSatisfied(index)));
  // A demuxer that need not read what nobody wants reads less: MP4 skips it, the others at least do not copy it.
  for (const stream of input.streams) if (!waiting.has(stream.index)) stream.discard = AVDISCARD_ALL;

  using packet = new Packet();
  packet.alloc();
  let bytes = 0;
  for (let n = 0; waiting.size > 0 && n < MAX_PACKETS && bytes < MAX_BYTES; n += 1) {
    if (input.context.readFrameSync(packet) < 0) break;
    const index = packet.streamIndex;
    bytes += packet.size;
    const stream = input.streams[index];
    if (waiting.has(index) && stream !== undefined) {
      if (isCover(stream)) coverSizesBytes.set(index, packet.size);
      if (wishes.packetOf.has(index) && !packets.has(index) && packet.data !== null) {
        packets.set(index, Buffer.from(packet.data.subarray(0, KEPT_PACKET_BYTES)));
      }
      if (wishes.timesOf.has(index) && packet.pts !== AV_NOPTS_VALUE) {
        const list = times.get(index) ?? [];
        list.push(Number(packet.pts));
        times.set(index, list);
      }
      if (wishes.soundOf.has(index) && !sounds.has(index)) {
        const sound = decoders.sound(stream, packet);
        if (sound !== null) sounds.set(index, sound);
      }
      if (wishes.pictureOf.has(index) && !isInterlaced.has(index)) {
        const interlaced = decoders.isInterlaced(stream, packet);
        if (interlaced !== null) isInterlaced.set(index, interlaced);
      }
      if (isSatisfied(index)) waiting.delete(index);
    }
    packet.unref();
  }
  return { packets, sounds, isInterlaced, times, coverSizesBytes };
}

/** Cover pictures come as video streams of one packet, which the demuxer hands out before all others. */
export function isCover(stream: Stream | undefined): boolean {
  return stream !== undefined && (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) !== 0;
}

/** Layout and format as the decoder knows them without a packet: enough for Opus, Vorbis, FLAC. */
export function soundOfHeader(stream: Stream): SoundFormat | null {
  using context = openDecoder(stream);
  return context === null ? null : soundOf(context);
}

class Decoders implements Disposable {
  readonly #contexts = new Map<number, CodecContext | null>();
  readonly #fed = new Map<number, number>();
  readonly #frame = new Frame();

  constructor() {
    this.#frame.alloc();
  }

  hasGivenUp(index: number): boolean {
    return this.#contexts.get(index) === null || (this.#fed.get(index) ?? 0) >= MAX_PACKETS_PER_DECODER;
  }

  sound(stream: Stream, packet: Packet): SoundFormat | null {
    const context = this.#decode(stream, packet);
    return context === null ? null : soundOf(context);
  }

  isInterlaced(stream: Stream, packet: Packet): boolean | null {
    return this.#decode(stream, packet) === null ? null : this.#frame.hasFlags(AV_FRAME_FLAG_INTERLACED);
  }

  /** The decoder, once it has put out its first frame. */
  #decode(stream: Stream, packet: Packet): CodecContext | null {
    const { index } = stream;
    let context = this.#contexts.get(index);
    if (context === undefined) {
      context = openDecoder(stream);
      this.#contexts.set(index, context);
    }
    if (context === null) return null;
    this.#fed.set(index, (this.#fed.get(index) ?? 0) + 1);
    const sent = context.sendPacketSync(packet);
    if (sent < 0 && sent !== AVERROR_EAGAIN) return null;
    this.#frame.unref();
    return context.receiveFrameSync(this.#frame) < 0 ? null : context;
  }

  [Symbol.dispose](): void {
    for (const context of this.#contexts.values()) context?.freeContext();
    this.#frame.free();
  }
}

/** Never for subtitles: libavcodec aborts the process when it is given their packets. */
function openDecoder(stream: Stream): CodecContext | null {
  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null) return null;
  const context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  if (context.parametersToContext(stream.codecpar) < 0 || context.open2Sync(codec, null) < 0) {
    context.freeContext();
    return null;
  }
  return context;
}

function soundOf(context: CodecContext): SoundFormat {
  const { channelLayout } = context;
  return {
    profile: context.profile,
    channels: channelLayout.nbChannels,
    channelLayout: layoutName(channelLayout),
    sampleRateHz: context.sampleRate,
    sampleFormat: context.sampleFormat,
    bitDepth: context.bitsPerRawSample,
    bitrateBps: Number(context.bitRate),
  };
}

/** FFmpeg's name of a channel layout. Where only the count is known, one and two channels leave no doubt. */
export function layoutName(layout: Parameters<typeof avChannelLayoutDescribe>[0]): string | null {
  if (layout.order !== AV_CHANNEL_ORDER_UNSPEC) return avChannelLayoutDescribe(layout);
  return ['mono', 'stereo'][(layout.nbChannels ?? 0) - 1] ?? null;
}
