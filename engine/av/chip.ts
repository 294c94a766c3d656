/** What the machine's hardware does of one transcode: decoder, filters and encoder, as planned from what was proven. */
import {
  AVCOL_TRC_ARIB_STD_B67,
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_MPEG2VIDEO,
  AV_CODEC_ID_VC1,
  AV_CODEC_ID_VP9,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV420P10LE,
  AV_PIX_FMT_YUVJ420P,
} from 'node-av/constants';
import type { Codec, CodecContext, CodecParameters, FilterContext, Frame, Packet, Stream } from 'node-av/lib';
import { planHardware } from '#engine/media/hardware-plan.ts';
import type { HardwarePlan, ProvenHardware } from '#engine/media/hardware-plan.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import type { RenditionSpec, VideoOutput } from '#engine/media/rendition-spec.ts';
import type { HardwareCodec } from '#protocol/schema/hardware.ts';
import { HardwareDevice, HardwareError, hardwareDecoder } from './hardware-device.ts';
import { HardwareEncoder } from './hardware-encoder.ts';
import { HardwareFilter, chipChain } from './hardware-filter.ts';
import { rotationOf } from './stream-rotation.ts';
import { TRANSCODE_EXTRA_FRAMES } from './video-decoder.ts';
import { VIDEO_TICKS_PER_SECOND } from './video-encoder.ts';
import type { FrameRate } from './video-encoder.ts';

/** A filter graph, of the processor or of the chip. */
export interface PictureFilter extends Disposable {
  readonly sink: FilterContext;
  send(frame: Frame | null): void;
  receive(frame: Frame): boolean;
}

/** An encoder, of the processor or of the chip. */
export interface PictureEncoder extends Disposable {
  send(frame: Frame, ticks: number, isIdr: boolean): void;
  end(): void;
  receive(packet: Packet): boolean;
  describe(codecpar: CodecParameters): void;
}

export interface FilterNeed {
  /** A picture as they will come. */
  readonly first: Frame;
  /** What FilterChain would be given for it. */
  readonly softwareInput: string;
  readonly softwareChain: string;
  readonly size: PictureSize;
  readonly threads: number;
}

/** The device, for all rungs that are made of one decoded track. Its parts throw a HardwareError where they fail. */
export interface Chip extends Disposable {
  /** `null`: the processor decodes. */
  readonly decoder: Codec | null;
  /** Prepares a decoder that is not open yet to leave its pictures on the chip. */
  attach(context: CodecContext): void;
  /** `null`: the processor does all that this rung needs besides decoding. */
  rung(output: VideoOutput): ChipRung | null;
}

/** What the chip does for one rung. */
export interface ChipRung {
  readonly encodes: boolean;
  openFilter(need: FilterNeed): PictureFilter;
  openEncoder(size: PictureSize, rate: FrameRate, first: Frame): PictureEncoder;
}

/** `null` where the processor does it all. Throws a HardwareError where the device does not open. */
export type OpenChip = (spec: RenditionSpec, stream: Stream) => Chip | null;

export const openChip: OpenChip = ({ hardware, output }, stream) => {
  if (!hardware || !isEncodedPicture(output)) return null;
  // The processor draws subtitles into pictures in memory.
  if (output.burnIn !== undefined) return null;
  return planFor(hardware, stream, output) && new PlannedChip(hardware, stream);
};

function planFor(hardware: ProvenHardware, stream: Stream, output: VideoOutput): HardwarePlan | null {
  const { codecpar } = stream;
  const isHlg = codecpar.colorTrc === AVCOL_TRC_ARIB_STD_B67;
  return planHardware(hardware, {
    source: hardwareCodecOf(codecpar),
    output: output.method,
    toneMap: output.toneMap ? (isHlg ? 'hlg' : 'pq') : null,
    deinterlace: output.deinterlace,
    isTurned: rotationOf(stream) !== 0,
    mayEncode: output.encoder === hardware.kind,
  });
}

class PlannedChip implements Chip {
  readonly #hardware: ProvenHardware;
  readonly #stream: Stream;
  readonly #device: HardwareDevice;
  readonly decoder: Codec | null;

  constructor(hardware: ProvenHardware, stream: Stream) {
    this.#hardware = hardware;
    this.#stream = stream;
    this.#device = new HardwareDevice(hardware.kind, hardware.device);
    const source = hardwareCodecOf(stream.codecpar);
    const isProven = source !== null && hardware.ways[`decode-${source}`] !== undefined;
    this.decoder = isProven ? hardwareDecoder(hardware.kind, source) : null;
  }

  rung(output: VideoOutput): ChipRung | null {
    const plan = planFor(this.#hardware, this.#stream, output);
    return plan && new PlannedRung(plan, output, this.#device);
  }

  attach(context: CodecContext): void {
    context.hwDeviceCtx = this.#device.context;
    context.setHardwarePixelFormat(this.#device.pixelFormat);
    context.extraHWFrames = TRANSCODE_EXTRA_FRAMES;
    // Each thread would hold pictures of its own, and the chip works by itself anyway.
    context.threadCount = 1;
  }

  [Symbol.dispose](): void {
    this.#device[Symbol.dispose]();
  }
}

class PlannedRung implements ChipRung {
  readonly #plan: HardwarePlan;
  readonly #output: VideoOutput;
  readonly #device: HardwareDevice;

  constructor(plan: HardwarePlan, output: VideoOutput, device: HardwareDevice) {
    this.#plan = plan;
    this.#output = output;
    this.#device = device;
  }

  get encodes(): boolean {
    return this.#plan.encode;
  }

  openFilter({ first, softwareInput, softwareChain, size, threads }: FilterNeed): PictureFilter {
    // What comes says where it is: a decoder that finds the chip unable for this very stream works in memory instead.
    const isOnChip = first.isHwFrame();
    const isDeep = isOnChip ? isDeepOnChip(first) : !EIGHT_BIT.has(first.format);
    const { toneMap, deinterlace } = this.#output;
    const chain = chipChain({
      plan: this.#plan,
      isOnChip,
      bitDepth: isDeep ? 10 : 8,
      ...{ size, toneMap, deinterlace, softwareChain },
    });
    const timeBase = { num: 1, den: VIDEO_TICKS_PER_SECOND };
    return new HardwareFilter(this.#device, first, softwareInput, timeBase, chain, threads);
  }

  openEncoder(size: PictureSize, rate: FrameRate, first: Frame): PictureEncoder {
    const { kind, encodeWay } = this.#plan;
    if (!first.isHwFrame()) throw new HardwareError('wrongPicture', 'a picture in memory');
    return new HardwareEncoder(kind, this.#output.method, encodeWay, this.#output, size, rate, first);
  }
}

const EIGHT_BIT: ReadonlySet<number> = new Set([AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_NV12]);

function isDeepOnChip(frame: Frame): boolean {
  const format = frame.hwFramesCtx?.swFormat;
  return format !== undefined && !EIGHT_BIT.has(format);
}

const CODECS: ReadonlyMap<number, readonly [eight: HardwareCodec, ten: HardwareCodec | null]> = new Map([
  [AV_CODEC_ID_H264, ['h264', null] as const],
  [AV_CODEC_ID_HEVC, ['hevc', 'hevc10'] as const],
  [AV_CODEC_ID_AV1, ['av1', 'av110'] as const],
  [AV_CODEC_ID_VP9, ['vp9', 'vp910'] as const],
  [AV_CODEC_ID_MPEG2VIDEO, ['mpeg2', null] as const],
  [AV_CODEC_ID_VC1, ['vc1', null] as const],
]);

/** `null` for what no chip is asked for: other codecs, 4:2:2 and 4:4:4, 12 bit, 10 bit where that is rare, and what the header leaves open. */
export function hardwareCodecOf({
  codecId,
  format,
}: Pick<CodecParameters, 'codecId' | 'format'>): HardwareCodec | null {
  const [eight, ten] = CODECS.get(codecId) ?? [null, null];
  if (EIGHT_BIT.has(format)) return eight;
  return format === AV_PIX_FMT_YUV420P10LE ? ten : null;
}
