import { AVERROR_EAGAIN, AVERROR_EOF } from 'node-av/constants';
import { Filter, FilterGraph, FilterInOut, Rational } from 'node-av/lib';
import type { FilterContext, Frame } from 'node-av/lib';
import type { HardwarePlan } from '#engine/media/hardware-plan.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import { HardwareError, verdictOf } from './hardware-device.ts';
import type { HardwareDevice } from './hardware-device.ts';

/** Pictures that a filter holds besides those it works on: what waits for the encoder, and the encoder's own. */
const EXTRA_FRAMES = 32;

/** A filter graph with one input and one output, some of whose filters work on the chip. Speaks like FilterChain. */
export class HardwareFilter implements Disposable {
  readonly #graph = new FilterGraph();
  readonly #kind: HardwareDevice['kind'];
  readonly #source: FilterContext;
  readonly sink: FilterContext;

  /** `first`: a picture as they will come. `softwareInput`: arguments of `buffer` for it, used where it is not on the chip. */
  constructor(
    device: HardwareDevice,
    first: Frame,
    softwareInput: string,
    timeBase: { readonly num: number; readonly den: number },
    chain: string,
    threads: number,
  ) {
    this.#kind = device.kind;
    this.#graph.alloc();
    try {
      this.#graph.nbThreads = threads;
      this.#source = first.isHwFrame()
        ? this.#chipSource(first, timeBase)
        : this.#create('buffer', 'in', softwareInput);
      this.sink = this.#create('buffersink', 'out', null);
      const segment = this.#graph.segmentParse(chain);
      if (!segment) throw new HardwareError('notSupported', 'a filter of this build');
      try {
        this.#check(segment.createFilters());
        // Before they begin: some of them look at once for what they are to work on.
        for (const filter of this.#graph.filters ?? []) {
          filter.hwDeviceCtx = device.context;
          filter.extraHWFrames = EXTRA_FRAMES;
        }
        const inputs = new FilterInOut();
        const outputs = new FilterInOut();
        this.#check(segment.apply(inputs, outputs));
        const [begin, end] = [inputs.filterCtx, outputs.filterCtx];
        if (!begin || !end) throw new HardwareError('notSupported', 'a filter without ends');
        this.#check(this.#source.link(0, begin, inputs.padIdx));
        this.#check(end.link(outputs.padIdx, this.sink, 0));
      } finally {
        segment.free();
      }
      this.#check(this.#graph.configSync());
    } catch (thrown) {
      this.#graph.free();
      throw thrown;
    }
  }

  /** Takes the frame's content with it; `null` is the end. */
  send(frame: Frame | null): void {
    this.#check(this.#source.buffersrcAddFrameSync(frame));
  }

  /** False when there is none yet, or none any more. */
  receive(frame: Frame): boolean {
    const code = this.sink.buffersinkGetFrameSync(frame);
    if (code >= 0) return true;
    if (code !== AVERROR_EAGAIN && code !== AVERROR_EOF) this.#check(code);
    return false;
  }

  [Symbol.dispose](): void {
    this.#graph.free();
  }

  #chipSource(first: Frame, { num, den }: { readonly num: number; readonly den: number }): FilterContext {
    const filter = Filter.getByName('buffer');
    const source = filter && this.#graph.allocFilter(filter, 'in');
    if (!source) throw new HardwareError('notSupported', 'buffer');
    this.#check(
      source.buffersrcParametersSet({
        width: first.width,
        height: first.height,
        format: first.format,
        timeBase: new Rational(num, den),
        sampleAspectRatio: new Rational(1, 1),
        hwFramesCtx: first.hwFramesCtx,
        colorRange: first.colorRange,
        colorSpace: first.colorSpace,
      }),
    );
    this.#check(source.initStr(null));
    return source;
  }

  #create(name: string, instance: string, args: string | null): FilterContext {
    const filter = Filter.getByName(name);
    const context = filter && this.#graph.createFilter(filter, instance, args);
    if (!context) throw new HardwareError('notSupported', name);
    return context;
  }

  #check(code: number): void {
    if (code < 0) throw verdictOf(this.#kind, code);
  }
}

/** A picture as it comes to the filters, and what is to become of it. */
export interface ChipNeed {
  readonly plan: Pick<HardwarePlan, 'kind' | 'filter' | 'encode' | 'toneMapWay' | 'deinterlaceWay'>;
  /** Whether the decoder left it on the chip. */
  readonly isOnChip: boolean;
  readonly bitDepth: 8 | 10;
  readonly size: PictureSize;
  readonly toneMap: boolean;
  readonly deinterlace: boolean;
  /** What FilterChain would be given for the same: ends with 8 bit 4:2:0 in memory. */
  readonly softwareChain: string;
}

/**
 * FFmpeg's filters from a decoded picture to one that the encoder takes: on the chip where the encoder is, else 8 bit 4:2:0 in
 * memory. Scaled before it is tone-mapped, which works on fewer pixels then.
 */
export function chipChain(need: ChipNeed): string {
  const { plan, isOnChip, bitDepth, size, toneMap, deinterlace, softwareChain } = need;
  const deep = bitDepth === 10 ? 'p010le' : 'nv12';
  const upload = (format: 'nv12' | 'p010le'): string[] => [`format=${uploadFormat(plan.kind, format)}`, 'hwupload'];
  if (!plan.filter) {
    return [
      ...(isOnChip ? ['hwdownload', `format=${deep}`] : []),
      softwareChain,
      ...(plan.encode ? upload('nv12') : []),
    ].join(',');
  }
  return [
    ...(isOnChip ? [] : upload(deep)),
    ...(deinterlace ? [DEINTERLACERS[plan.kind][plan.deinterlaceWay] ?? 'null'] : []),
    ...(toneMap
      ? (TONE_MAPS[plan.kind][plan.toneMapWay] ?? (() => ['null']))(size)
      : [SCALERS[plan.kind](size, 'nv12')]),
    'setsar=1',
    ...(plan.encode ? [] : ['hwdownload', 'format=nv12', 'format=yuv420p']),
  ].join(',');
}

/** Vulkan drivers know 10 bit in planes of their own better than woven ones, which one of them shows as black. */
export function uploadFormat(kind: HardwareDevice['kind'], format: 'nv12' | 'p010le'): string {
  return kind === 'vulkan' && format === 'p010le' ? 'yuv420p10le' : format;
}

type Scaler = (size: PictureSize, format: 'nv12' | 'p010le') => string;

/** On macOS the scaler keeps the format; the encoder takes 8 and 10 bit. */
const SCALERS: Readonly<Record<HardwareDevice['kind'], Scaler>> = {
  nvenc: ({ widthPx, heightPx }, format) =>
    `scale_cuda=w=${widthPx}:h=${heightPx}:format=${format}:interp_algo=bicubic`,
  qsv: ({ widthPx, heightPx }, format) => `vpp_qsv=w=${widthPx}:h=${heightPx}:format=${format}:async_depth=2`,
  vaapi: ({ widthPx, heightPx }, format) =>
    `scale_vaapi=w=${widthPx}:h=${heightPx}:format=${format}:mode=hq${format === 'nv12' ? ':out_range=tv' : ''}`,
  videotoolbox: ({ widthPx, heightPx }) => `scale_vt=w=${widthPx}:h=${heightPx}`,
  vulkan: ({ widthPx, heightPx }, format) =>
    `libplacebo=w=${widthPx}:h=${heightPx}:format=${format}:upscaler=none:downscaler=bicubic`,
};

const SDR = 'p=bt709:t=bt709:m=bt709';

/**
 * Ways to make SDR of HDR, the best first; which of them works is found out by trying. `vpp` is Intel's fixed function, which maps PQ only;
 * `opencl` borrows the picture for a program on the same chip, and `vulkan` likewise, which is AMD's way.
 */
export const TONE_MAPS: Readonly<
  Record<HardwareDevice['kind'], Readonly<Record<string, (size: PictureSize) => string[]>>>
> = {
  nvenc: {
    cuda: (size) => [SCALERS.nvenc(size, 'p010le'), `tonemap_cuda=format=nv12:${SDR}:tonemap=bt2390:peak=100:desat=0`],
  },
  qsv: {
    opencl: (size) => [SCALERS.qsv(size, 'p010le'), ...throughOpenCl('qsv')],
    vpp: ({ widthPx, heightPx }) => [
      `vpp_qsv=w=${widthPx}:h=${heightPx}:tonemap=1:format=nv12:out_color_matrix=bt709:` +
        'out_color_primaries=bt709:out_color_transfer=bt709:async_depth=2',
    ],
  },
  vaapi: {
    opencl: (size) => [SCALERS.vaapi(size, 'p010le'), ...throughOpenCl('vaapi')],
    vpp: (size) => [SCALERS.vaapi(size, 'p010le'), `tonemap_vaapi=format=nv12:${SDR}`],
    vulkan: (size) => [
      'hwmap=derive_device=vulkan',
      placeboToneMap(size),
      'hwmap=derive_device=vaapi:reverse=1',
      'format=vaapi',
    ],
  },
  videotoolbox: {
    metal: (size) => [
      SCALERS.videotoolbox(size, 'p010le'),
      `tonemap_videotoolbox=format=nv12:${SDR}:tonemap=bt2390:peak=100`,
    ],
  },
  vulkan: { placebo: (size) => [placeboToneMap(size)] },
};

function throughOpenCl(kind: 'qsv' | 'vaapi'): string[] {
  return [
    'hwmap=derive_device=opencl:mode=read',
    `tonemap_opencl=format=nv12:${SDR}:tonemap=hable:peak=100:desat=0:r=tv`,
    `hwmap=derive_device=${kind}:mode=write:reverse=1`,
    `format=${kind}`,
  ];
}

function placeboToneMap({ widthPx, heightPx }: PictureSize): string {
  return (
    `libplacebo=w=${widthPx}:h=${heightPx}:format=nv12:tonemapping=bt.2390:peak_detect=false:` +
    'colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv'
  );
}

/** One picture out for each in, at its own time, and progressive ones left alone, as in software. */
export const DEINTERLACERS: Readonly<Record<HardwareDevice['kind'], Readonly<Record<string, string>>>> = {
  nvenc: {
    bwdif: 'bwdif_cuda=mode=send_frame:parity=auto:deint=interlaced',
    yadif: 'yadif_cuda=mode=send_frame:parity=auto:deint=interlaced',
  },
  qsv: { advanced: 'vpp_qsv=deinterlace=advanced:rate=frame', bob: 'vpp_qsv=deinterlace=bob:rate=frame' },
  vaapi: { vaapi: 'deinterlace_vaapi=rate=frame:auto=1' },
  videotoolbox: { yadif: 'yadif_videotoolbox=mode=send_frame:parity=auto:deint=interlaced' },
  vulkan: {},
};
