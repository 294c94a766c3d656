import {
  AVERROR_EAGAIN,
  AV_CHANNEL_ORDER_UNSPEC,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_AC3,
  AV_CODEC_ID_EAC3,
  AV_CODEC_ID_FLAC,
  AV_CODEC_ID_MP3,
  AV_CODEC_ID_OPUS,
  FF_ENCODER_AAC,
  FF_ENCODER_AC3,
  FF_ENCODER_EAC3,
  FF_ENCODER_FLAC,
  FF_ENCODER_LIBMP3LAME,
  FF_ENCODER_LIBOPUS,
} from 'node-av/constants';
import type { AVCodecID, AVSampleFormat, FFEncoderCodec } from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, Rational, avChannelLayoutDefault } from 'node-av/lib';
import type { CodecParameters } from 'node-av/lib';

/** Which encoder speaks a codec, and how many samples its packets hold unless the encoder says so itself. */
const ENCODERS: ReadonlyMap<AVCodecID, readonly [FFEncoderCodec, number]> = new Map<
  AVCodecID,
  readonly [FFEncoderCodec, number]
>([
  [AV_CODEC_ID_AAC, [FF_ENCODER_AAC, 1024]],
  [AV_CODEC_ID_AC3, [FF_ENCODER_AC3, 1536]],
  [AV_CODEC_ID_EAC3, [FF_ENCODER_EAC3, 1536]],
  [AV_CODEC_ID_OPUS, [FF_ENCODER_LIBOPUS, 960]],
  [AV_CODEC_ID_FLAC, [FF_ENCODER_FLAC, 4096]],
  [AV_CODEC_ID_MP3, [FF_ENCODER_LIBMP3LAME, 1152]],
]);

/** Packets of silence after which an encoder has settled. */
const SETTLED = 6;

/** A packet of silence that fits between a track's own packets. */
export interface Silence {
  readonly packet: Packet;
  /** Samples it lasts, at the track's rate. */
  readonly samples: number;
}

/**
 * Silence for a copied track, so that a gap in it is not a gap in the player's buffer, where playing would stop.
 * `null` when the track's form cannot be imitated. The packet is the caller's to free.
 */
export function silenceFor(codecpar: CodecParameters): Silence | null {
  const [name, packetSamples] = ENCODERS.get(codecpar.codecId) ?? [];
  const codec = name ? Codec.findEncoderByName(name) : null;
  const format = codec?.sampleFormats?.[0];
  if (!codec || !packetSamples || format === undefined || codecpar.sampleRate <= 0) return null;
  using encoder = new CodecContext();
  encoder.allocContext3(codec);
  encoder.sampleRate = codecpar.sampleRate;
  encoder.sampleFormat = format;
  encoder.channelLayout =
    codecpar.channelLayout.order === AV_CHANNEL_ORDER_UNSPEC
      ? avChannelLayoutDefault(Math.max(1, codecpar.channelLayout.nbChannels))
      : codecpar.channelLayout;
  encoder.timeBase = new Rational(1, codecpar.sampleRate);
  if (codecpar.bitRate > 0n) encoder.bitRate = codecpar.bitRate;
  encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  if (encoder.open2Sync(codec, null) < 0) return null;
  const samples = encoder.frameSize || packetSamples;
  const packet = encodeSilence(encoder, format, samples);
  // A decoder told of spectral band replication gives two samples for one (ISO 14496-3 4.6.18).
  const isDoubled = codecpar.codecId === AV_CODEC_ID_AAC && codecpar.frameSize === 2048;
  return packet && { packet, samples: isDoubled ? samples * 2 : samples };
}

function encodeSilence(encoder: CodecContext, format: AVSampleFormat, samples: number): Packet | null {
  using frame = new Frame();
  const packet = new Packet();
  packet.alloc();
  for (let sent = 0, received = 0; sent < SETTLED * 4; sent++) {
    frame.alloc();
    frame.format = format;
    frame.sampleRate = encoder.sampleRate;
    frame.channelLayout = encoder.channelLayout;
    frame.nbSamples = samples;
    if (frame.getBuffer() < 0) break;
    for (const plane of frame.data ?? []) plane.fill(0);
    frame.pts = BigInt(sent * samples);
    const code = encoder.sendFrameSync(frame);
    frame.free();
    if (code < 0 && code !== AVERROR_EAGAIN) break;
    while (encoder.receivePacketSync(packet) >= 0) {
      if (++received >= SETTLED) return packet;
      packet.unref();
    }
  }
  packet.free();
  return null;
}
