import {
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
} from 'node-av/constants';
import { CodecContext, Rational } from 'node-av/lib';
import type { CodecParameters, Frame, Packet } from 'node-av/lib';
import type { PictureSize } from '#engine/media/picture-size.ts';
import type { VideoOutput } from '#engine/media/rendition-spec.ts';
import type { HardwareEncodeCodec, HardwareKind } from '#protocol/schema/hardware.ts';
import { HardwareError, hardwareEncoder, verdictOf } from './hardware-device.ts';
import { VIDEO_TICKS_PER_SECOND } from './video-encoder.ts';
import type { FrameRate } from './video-encoder.ts';

/** As x264 gets it: an IDR picture at least this often, and the ceiling of the bit rate held over this time. */
const MAX_GOP_SECONDS = 10;
const RATE_WINDOW_SECONDS = 2;
/** What x264 makes on average of its ceiling: encoders without a constant quality aim at it. */
const AVERAGE_FACTOR = 0.6;

/** Names of encoder options with their values. */
export type EncoderOptions = Readonly<Record<string, string>>;

/** What a way to encode sets. `quality`: on the encoder's own scale, `null` for plain bit rates. */
export interface EncoderSetting {
  readonly options: EncoderOptions;
  readonly quality: number | null;
  readonly averageBps: number | null;
}

/**
 * Ways to encode, the best first. All have a ceiling, since the line of a viewer has one; which of them a driver takes is found out by trying.
 * `lowPower` is the fixed-function encoder of Intel, on some chips the only one and on others absent.
 */
export const ENCODE_WAYS: Readonly<Record<HardwareKind, readonly string[]>> = {
  nvenc: ['vbr'],
  qsv: ['qvbr', 'vbr', 'qvbrLowPower', 'vbrLowPower'],
  vaapi: ['qvbr', 'vbr', 'qvbrLowPower', 'vbrLowPower'],
  videotoolbox: ['vbr'],
  vulkan: ['vbr'],
};

type Wanted = Pick<VideoOutput, 'crf' | 'level' | 'maxBitrateBps'>;

/**
 * The encoder's words for what x264 is told by `crf`, `maxrate`, `forced-idr` and `scenecut=0`. No B-pictures: not every
 * chip has them, and those that have reorder in ways of their own.
 */
export function encoderSetting(
  kind: HardwareKind,
  codec: HardwareEncodeCodec,
  way: string,
  { crf, level, maxBitrateBps }: Wanted,
): EncoderSetting {
  const averageBps = Math.round(maxBitrateBps * AVERAGE_FACTOR);
  const profile = codec === 'h264' ? 'high' : codec === 'hevc10' ? 'main10' : 'main';
  switch (kind) {
    case 'nvenc':
      return {
        options: {
          preset: 'p4',
          tune: 'hq',
          rc: 'vbr',
          cq: String(nvencQuality(codec, crf)),
          'spatial-aq': '1',
          'forced-idr': '1',
          'no-scenecut': '1',
          strict_gop: '1',
          b_ref_mode: 'disabled',
          level: levelName(codec, level),
          ...(codec === 'av1' ? {} : { profile }),
        },
        quality: null,
        averageBps: null,
      };
    case 'qsv':
      return {
        options: {
          preset: 'veryfast',
          async_depth: '4',
          profile,
          forced_idr: '1',
          adaptive_i: '0',
          adaptive_b: '0',
          ...(way.endsWith('LowPower') ? { low_power: '1' } : {}),
        },
        quality: way.startsWith('qvbr') ? intelQuality(codec, crf) : null,
        averageBps,
      };
    case 'vaapi':
      return {
        options: {
          rc_mode: way.startsWith('qvbr') ? 'QVBR' : 'VBR',
          async_depth: '2',
          profile,
          level: levelName(codec, level),
          ...(way.endsWith('LowPower') ? { low_power: '1' } : {}),
        },
        quality: way.startsWith('qvbr') ? intelQuality(codec, crf) : null,
        averageBps,
      };
    case 'videotoolbox':
      return {
        options: { allow_sw: '0', realtime: '0', prio_speed: '1', profile },
        quality: null,
        averageBps,
      };
    case 'vulkan':
      return {
        options: { rc_mode: 'vbr', async_depth: '2', profile, tune: 'hq', usage: 'stream' },
        quality: null,
        averageBps,
      };
  }
}

/** NVENC looks like x264 at a few steps more; its AV1 counts to 63. */
function nvencQuality(codec: HardwareEncodeCodec, crf: number): number {
  if (codec === 'av1') return Math.min(63, Math.round(crf * 1.4));
  return Math.min(51, crf + (codec === 'h264' ? 3 : 5));
}

function intelQuality(codec: HardwareEncodeCodec, crf: number): number {
  return Math.min(51, crf + (codec === 'h264' ? 1 : 3));
}

/** `4.1` of a level in the codec's own numbers: ten times, thirty times, or counted through in fours from 2.0. */
export function levelName(codec: HardwareEncodeCodec, level: number): string {
  if (codec === 'av1') return `${2 + (level >> 2)}.${level & 3}`;
  return String(codec === 'h264' ? level / 10 : level / 30);
}

/** Options without which an encoder chooses well enough by itself: a driver that does not know one is not refused for it. */
const DISPENSABLE: ReadonlySet<string> = new Set([
  'level',
  'strict_gop',
  'b_ref_mode',
  'adaptive_i',
  'adaptive_b',
  'tune',
  'usage',
  'prio_speed',
]);

/** One of the machine's encoders, with a forced IDR picture wherever it is asked for one. Speaks like VideoEncoder. */
export class HardwareEncoder implements Disposable {
  readonly #context = new CodecContext();
  readonly #kind: HardwareKind;

  /** `first` is a picture as they will come, on the chip: the encoder works where it lies. Throws a HardwareError. */
  constructor(
    kind: HardwareKind,
    codec: HardwareEncodeCodec,
    way: string,
    output: Wanted,
    { widthPx, heightPx }: PictureSize,
    rate: FrameRate,
    first: Frame,
  ) {
    this.#kind = kind;
    const encoder = hardwareEncoder(kind, codec);
    if (!encoder) throw new HardwareError('notThisSystem');
    const context = this.#context;
    const { options, quality, averageBps } = encoderSetting(kind, codec, way, output);
    context.allocContext3(encoder);
    try {
      context.width = widthPx;
      context.height = heightPx;
      context.pixelFormat = first.format as never;
      context.hwFramesCtx = first.hwFramesCtx;
      context.timeBase = new Rational(1, VIDEO_TICKS_PER_SECOND);
      context.framerate = new Rational(rate.num, rate.den);
      context.sampleAspectRatio = new Rational(1, 1);
      context.colorRange = first.colorRange;
      context.colorPrimaries = first.colorPrimaries;
      context.colorTrc = first.colorTrc;
      context.colorSpace = first.colorSpace;
      context.chromaLocation = first.chromaLocation;
      context.gopSize = Math.ceil((MAX_GOP_SECONDS * rate.num) / rate.den);
      context.maxBFrames = 0;
      context.rcMaxRate = BigInt(output.maxBitrateBps);
      context.rcBufferSize = output.maxBitrateBps * RATE_WINDOW_SECONDS;
      if (averageBps !== null) context.bitRate = BigInt(averageBps);
      if (quality !== null) context.globalQuality = quality;
      // Quick Sync takes H.264's and HEVC's levels times ten.
      if (kind === 'qsv' && codec !== 'av1') {
        context.level = codec === 'h264' ? output.level : Math.round(output.level / 3);
      }
      context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
      for (const [name, value] of Object.entries(options)) {
        const code = context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
        if (code < 0 && !DISPENSABLE.has(name)) throw new HardwareError('notSupported', name);
      }
      const code = context.open2Sync(encoder, null);
      if (code < 0) throw verdictOf(kind, code);
    } catch (thrown) {
      context.freeContext();
      throw thrown;
    }
  }

  /** `ticks`: presentation time, above that of all frames before. */
  send(frame: Frame, ticks: number, isIdr: boolean): void {
    frame.pts = BigInt(ticks);
    frame.pictType = isIdr ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    const code = this.#context.sendFrameSync(frame);
    if (code < 0) throw verdictOf(this.#kind, code);
  }

  /** No further frames: what it still holds back comes out now. */
  end(): void {
    this.#context.sendFrameSync(null);
  }

  /** False when it wants further frames first, or has given everything. */
  receive(packet: Packet): boolean {
    const code = this.#context.receivePacketSync(packet);
    if (code < 0 && code !== AVERROR_EAGAIN && code !== AVERROR_EOF) throw verdictOf(this.#kind, code);
    return code >= 0;
  }

  describe(codecpar: CodecParameters): void {
    codecpar.fromContext(this.#context);
  }

  [Symbol.dispose](): void {
    this.#context.freeContext();
  }
}
