import {
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
} from 'node-av/constants';
import { Codec, CodecContext, Rational } from 'node-av/lib';
import type { CodecParameters, Frame, Packet } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import type { VideoCodec, VideoOutput, X264Preset } from '#engine/media/rendition-spec.ts';

/** Of the encoder's packets: fine enough for any frame rate, and what MPEG has always used. */
export const VIDEO_TICKS_PER_SECOND = 90_000;
/** An IDR picture at least this often within a long segment. */
const MAX_GOP_SECONDS = 10;
/** The ceiling of the bit rate holds over this time. */
const RATE_WINDOW_SECONDS = 2;

export interface FrameRate {
  readonly num: number;
  readonly den: number;
}

const NAMES: Readonly<Record<VideoCodec, string>> = { h264: 'libx264', hevc: 'libx265', av1: 'libsvtav1' };
/** SVT-AV1 counts; these take about as long as x264's. */
const SVT_PRESETS: Readonly<Record<X264Preset, string>> = {
  ultrafast: '12',
  superfast: '11',
  veryfast: '10',
  faster: '9',
  fast: '8',
  medium: '7',
  slow: '5',
};

/** What each encoder calls the same, so that a picture looks the same: x265 at three steps more, SVT-AV1 on its scale up to 63. */
function optionsOf(
  { method, preset, crf, level }: VideoOutput,
  isSubstitute: boolean,
): Readonly<Record<string, string>> {
  switch (method) {
    case 'h264':
      return {
        preset,
        profile: 'high',
        crf: String(crf),
        'forced-idr': '1',
        // The fastest preset leaves out what makes it High, and the playlist has promised High.
        'x264-params': isSubstitute ? '8x8dct=1:sps-id=1' : '8x8dct=1',
      };
    case 'hevc':
      return {
        preset,
        profile: 'main',
        crf: String(Math.min(51, crf + 3)),
        'forced-idr': '1',
        'x265-params': `log-level=none:scenecut=0:open-gop=0:level-idc=${(level / 30).toFixed(1)}`,
      };
    case 'av1':
      return {
        preset: SVT_PRESETS[preset],
        crf: String(Math.min(63, Math.round(crf * 1.4))),
        'svtav1-params': 'scd=0',
      };
  }
}

/** x264, x265 or SVT-AV1, with a forced IDR picture wherever it is asked for one. */
export class VideoEncoder implements Disposable {
  readonly #context = new CodecContext();

  /**
   * `first` is a picture as they will come: its colour description goes into the stream's header. `isSubstitute`: for a hardware
   * encoder, whose header stays in the init segment; this one's stands beside it there, under another number.
   */
  constructor(
    output: VideoOutput,
    { widthPx, heightPx }: PictureSize,
    rate: FrameRate,
    first: Pick<Frame, 'colorRange' | 'colorPrimaries' | 'colorTrc' | 'colorSpace' | 'chromaLocation'>,
    isSubstitute: boolean = false,
  ) {
    const codec = Codec.findEncoderByName(NAMES[output.method] as never);
    if (!codec) throw new MediaError('internal', `no ${output.method} encoder`);
    const context = this.#context;
    context.allocContext3(codec);
    context.width = widthPx;
    context.height = heightPx;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = new Rational(1, VIDEO_TICKS_PER_SECOND);
    context.framerate = new Rational(rate.num, rate.den);
    context.sampleAspectRatio = new Rational(1, 1);
    context.colorRange = first.colorRange;
    context.colorPrimaries = first.colorPrimaries;
    context.colorTrc = first.colorTrc;
    context.colorSpace = first.colorSpace;
    context.chromaLocation = first.chromaLocation;
    context.gopSize = Math.ceil((MAX_GOP_SECONDS * rate.num) / rate.den);
    // x265 is told in its own words, and SVT-AV1 finds its level by itself.
    if (output.method === 'h264') context.level = output.level;
    context.rcMaxRate = BigInt(output.maxBitrateBps);
    context.rcBufferSize = output.maxBitrateBps * RATE_WINDOW_SECONDS;
    context.threadCount = 0;
    context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    const options = optionsOf(output, isSubstitute);
    for (const [name, value] of Object.entries(options)) {
      context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
    }
    if (context.open2Sync(codec, null) < 0) {
      context.freeContext();
      throw new MediaError('internal', 'the encoder does not open');
    }
  }

  /** `ticks`: presentation time, above that of all frames before. `null` instead of a frame is the end. */
  send(frame: Frame, ticks: number, isIdr: boolean): void {
    frame.pts = BigInt(ticks);
    frame.pictType = isIdr ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    const code = this.#context.sendFrameSync(frame);
    if (code < 0) throw new MediaError('internal', `the encoder refused a frame with ${code}`);
  }

  /** No further frames: what it still holds back comes out now. */
  end(): void {
    this.#context.sendFrameSync(null);
  }

  /** False when it wants further frames first, or has given everything. */
  receive(packet: Packet): boolean {
    const code = this.#context.receivePacketSync(packet);
    if (code < 0 && code !== AVERROR_EAGAIN && code !== AVERROR_EOF) {
      throw new MediaError('internal', `the encoder failed with ${code}`);
    }
    return code >= 0;
  }

  describe(codecpar: CodecParameters): void {
    codecpar.fromContext(this.#context);
  }

  [Symbol.dispose](): void {
    this.#context.freeContext();
  }
}
