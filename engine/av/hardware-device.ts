import {
  AVERROR_EOF,
  AV_HWDEVICE_TYPE_CUDA,
  AV_HWDEVICE_TYPE_QSV,
  AV_HWDEVICE_TYPE_VAAPI,
  AV_HWDEVICE_TYPE_VIDEOTOOLBOX,
  AV_HWDEVICE_TYPE_VULKAN,
  AV_PIX_FMT_CUDA,
  AV_PIX_FMT_QSV,
  AV_PIX_FMT_VAAPI,
  AV_PIX_FMT_VIDEOTOOLBOX,
  AV_PIX_FMT_VULKAN,
} from 'node-av/constants';
import type { AVHWDeviceType, AVPixelFormat } from 'node-av/constants';
import { Codec, HardwareDeviceContext } from 'node-av/lib';
import type { HardwareCodec, HardwareEncodeCodec, HardwareKind, HardwareVerdict } from '#protocol/schema/hardware.ts';

interface KindNames {
  readonly type: AVHWDeviceType;
  /** Of pictures that lie on the chip. */
  readonly pixelFormat: AVPixelFormat;
  readonly encoderSuffix: string;
  /** Decoders of its own; else FFmpeg's decoders hand their work over to it. */
  readonly decoderSuffix: string | null;
}

const KINDS: Readonly<Record<HardwareKind, KindNames>> = {
  nvenc: { type: AV_HWDEVICE_TYPE_CUDA, pixelFormat: AV_PIX_FMT_CUDA, encoderSuffix: 'nvenc', decoderSuffix: null },
  qsv: { type: AV_HWDEVICE_TYPE_QSV, pixelFormat: AV_PIX_FMT_QSV, encoderSuffix: 'qsv', decoderSuffix: 'qsv' },
  vaapi: { type: AV_HWDEVICE_TYPE_VAAPI, pixelFormat: AV_PIX_FMT_VAAPI, encoderSuffix: 'vaapi', decoderSuffix: null },
  videotoolbox: {
    type: AV_HWDEVICE_TYPE_VIDEOTOOLBOX,
    pixelFormat: AV_PIX_FMT_VIDEOTOOLBOX,
    encoderSuffix: 'videotoolbox',
    decoderSuffix: null,
  },
  vulkan: {
    type: AV_HWDEVICE_TYPE_VULKAN,
    pixelFormat: AV_PIX_FMT_VULKAN,
    encoderSuffix: 'vulkan',
    decoderSuffix: null,
  },
};

/** FFmpeg's own decoders. Not the first that it would find: for AV1 that is one which knows no hardware. */
const DECODERS: Readonly<Record<HardwareCodec, string>> = {
  h264: 'h264',
  hevc: 'hevc',
  hevc10: 'hevc',
  av1: 'av1',
  av110: 'av1',
  vp9: 'vp9',
  vp910: 'vp9',
  mpeg2: 'mpeg2video',
  vc1: 'vc1',
};

const ENCODERS: Readonly<Record<HardwareEncodeCodec, string>> = {
  h264: 'h264',
  hevc: 'hevc',
  hevc10: 'hevc',
  av1: 'av1',
};

/** Why hardware does not do what it should: the verdict, and what it is about. FFmpeg's text stays here. */
export class HardwareError extends Error {
  readonly verdict: Exclude<HardwareVerdict, 'works'>;
  readonly detail: string | null;

  constructor(verdict: Exclude<HardwareVerdict, 'works'>, detail: string | null = null) {
    super(detail === null ? verdict : `${verdict}: ${detail}`);
    this.name = 'HardwareError';
    this.verdict = verdict;
    this.detail = detail;
  }
}

/** An open device. Everything that works on it must be disposed of before. */
export class HardwareDevice implements Disposable {
  readonly kind: HardwareKind;
  readonly context: HardwareDeviceContext;
  readonly pixelFormat: AVPixelFormat;
  /** What `context` was made from, and lives on. */
  readonly #parent: HardwareDeviceContext | null;

  /**
   * `device`: a render node for VAAPI and Quick Sync, a number for NVIDIA, a number or a name for Vulkan; `null` leaves it to the
   * driver. Throws a HardwareError. May end the process where a driver is broken: only in a process that may end.
   */
  constructor(kind: HardwareKind, device: string | null) {
    const { type, pixelFormat } = KINDS[kind];
    this.kind = kind;
    this.pixelFormat = pixelFormat;
    this.context = new HardwareDeviceContext();
    if (kind === 'qsv') {
      // On top of VAAPI, by which the render node can be named without options.
      this.#parent = new HardwareDeviceContext();
      check(kind, this.#parent.create(AV_HWDEVICE_TYPE_VAAPI, device));
      const code = this.context.createDerived(this.#parent, type);
      if (code < 0) {
        this.#parent.free();
        // The device is there: what is missing is the runtime that Quick Sync lives in.
        throw new HardwareError('driverMissing', `oneVPL or Media SDK runtime (${code})`);
      }
      return;
    }
    this.#parent = null;
    check(kind, this.context.create(type, device));
  }

  [Symbol.dispose](): void {
    this.context.free();
    this.#parent?.free();
  }
}

/** Throws where a device did not open. By now it is known that it is there and may be opened. */
function check(kind: HardwareKind, code: number): void {
  if (code >= 0) return;
  if (kind === 'nvenc' && code === -EPERM) throw new HardwareError('driverMissing', 'libcuda.so.1');
  if (kind === 'vulkan') throw new HardwareError(code === -ENODEV ? 'noDevice' : 'driverMissing', `Vulkan (${code})`);
  if (kind === 'vaapi' && code === -EIO) throw new HardwareError('driverMissing', 'VA-API driver (-5)');
  throw new HardwareError('deviceFailed', String(code));
}

const EPERM = 1;
const EIO = 5;
const ENOMEM = 12;
const ENODEV = 19;
const ENOSYS = 38;

/** The verdict on an encoder, decoder or filter that gave an error code. */
export function verdictOf(kind: HardwareKind | null, code: number): HardwareError {
  if (kind === 'nvenc' && code === -ENOMEM) return new HardwareError('busy', 'NVENC sessions');
  if (kind === 'nvenc' && code === -ENOSYS) return new HardwareError('driverTooOld', 'NVENC interface');
  if (code === AVERROR_EOF) return new HardwareError('wrongPicture', 'it ended early');
  return new HardwareError('notSupported', String(code));
}

/** `null` where this build has no such encoder. */
export function hardwareEncoder(kind: HardwareKind, codec: HardwareEncodeCodec): Codec | null {
  return Codec.findEncoderByName(`${ENCODERS[codec]}_${KINDS[kind].encoderSuffix}` as never);
}

/** `null` where this build has no such decoder. */
export function hardwareDecoder(kind: HardwareKind, codec: HardwareCodec): Codec | null {
  const { decoderSuffix, type } = KINDS[kind];
  const own = codec === 'mpeg2' ? 'mpeg2' : DECODERS[codec];
  if (decoderSuffix !== null) return Codec.findDecoderByName(`${own}_${decoderSuffix}` as never);
  const decoder = Codec.findDecoderByName(DECODERS[codec] as never);
  return decoder?.supportsDevice(type) === true ? decoder : null;
}
