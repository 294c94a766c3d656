/** The known picture that hardware is tried with, and how far what came out of it is from what it should be. */
import {
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_FRAME_DATA_MASTERING_DISPLAY_METADATA,
  AVCOL_PRI_BT2020,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_TRC_SMPTE2084,
} from 'node-av/constants';
import { Filter, FilterGraph, FilterInOut, Frame } from 'node-av/lib';
import { HardwareError } from './hardware-device.ts';

export const TRIAL_SIZE = { widthPx: 1280, heightPx: 720 } as const;
export const TRIAL_RATE = { num: 24, den: 1 } as const;

/** Paler than it is made: strong colours of the generator lie outside of what RGB can say, and filters that go that way cut them. */
const PALE = 'lutyuv=y=32+(val-16)*0.8:u=128+(val-128)*0.5:v=128+(val-128)*0.5';
/** Colours, ramps, fine lines and motion; HDR as PQ between 1 and 1,000 cd/m². */
const SOURCES = {
  sdr: `format=yuv420p,${PALE},setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709`,
  sdr10: `format=yuv420p,${PALE},format=yuv420p10le,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709`,
  interlaced: `format=yuv420p,${PALE},tinterlace=mode=interleave_top,setparams=range=tv:colorspace=bt709:field_mode=tff`,
  hdr:
    `format=yuv420p,${PALE},format=yuv420p10le,lutyuv=y=190+(val-64)*0.5:u=512+(val-512)*0.25:v=512+(val-512)*0.25,` +
    'setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084',
} as const;
export type TrialSource = keyof typeof SOURCES;

/** The first pictures of a source, 90 kHz, the first at 0. The caller frees them. */
export function trialFrames(source: TrialSource, count: number): Frame[] {
  const { widthPx, heightPx } = TRIAL_SIZE;
  // The interlaced one is woven of twice as many.
  const rate = source === 'interlaced' ? TRIAL_RATE.num * 2 : TRIAL_RATE.num;
  using graph = new FilterGraph();
  graph.alloc();
  const generator = Filter.getByName('testsrc2');
  const made = generator && graph.createFilter(generator, 'in', `size=${widthPx}x${heightPx}:rate=${rate}`);
  const buffersink = Filter.getByName('buffersink');
  const sink = buffersink && graph.createFilter(buffersink, 'out', null);
  if (!made || !sink) throw new HardwareError('noSample', 'testsrc2');
  const outputs = FilterInOut.createList([{ name: 'in', filterCtx: made, padIdx: 0 }]);
  const inputs = FilterInOut.createList([{ name: 'out', filterCtx: sink, padIdx: 0 }]);
  const isReady =
    graph.parsePtr(`${SOURCES[source]},settb=1/90000,setsar=1`, inputs, outputs) >= 0 && graph.configSync() >= 0;
  if (!isReady) throw new HardwareError('noSample', source);
  const frames: Frame[] = [];
  while (frames.length < count) {
    const frame = new Frame();
    frame.alloc();
    const code = sink.buffersinkGetFrameSync(frame);
    if (code < 0) {
      frame.free();
      if (code === AVERROR_EAGAIN || code === AVERROR_EOF) break;
      throw new HardwareError('noSample', source);
    }
    if (source === 'hdr') nameHdr(frame);
    frames.push(frame);
  }
  return frames;
}

/** A display of 1,000 cd/m² and the primaries of BT.2020: Intel's tone mapping asks for it. */
function nameHdr(frame: Frame): void {
  frame.colorTrc = AVCOL_TRC_SMPTE2084;
  frame.colorPrimaries = AVCOL_PRI_BT2020;
  frame.colorSpace = AVCOL_SPC_BT2020_NCL;
  // AVMasteringDisplayMetadata: ten fractions of two 32-bit numbers, then two flags.
  const data = frame.newSideData(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, 88);
  const fractions = [35_400, 14_600, 8_500, 39_850, 6_550, 2_300, 15_635, 16_450].map((of) => [of, 50_000] as const);
  for (const [index, [num, den]] of [...fractions, [50, 10_000] as const, [10_000_000, 10_000] as const].entries()) {
    data.writeInt32LE(num, index * 8);
    data.writeInt32LE(den, index * 8 + 4);
  }
  data.writeInt32LE(1, 80);
  data.writeInt32LE(1, 84);
}

export interface Difference {
  /** Of brightness, over all pictures, in dB; `Infinity` where they are equal. */
  readonly psnrDb: number;
  /** Largest difference of the mean of one of 8 × 8 fields, on any plane, of 255. */
  readonly colour: number;
}

const FIELDS = 8;

/** Compares pictures in memory, 8 bit 4:2:0 of the same size, one by one. */
export function difference(got: readonly Frame[], wanted: readonly Frame[]): Difference {
  let squares = 0;
  let samples = 0;
  let colour = 0;
  for (const [index, frame] of got.entries()) {
    const other = wanted[index]!;
    for (const plane of [0, 1, 2]) {
      const width = plane === 0 ? frame.width : frame.width >> 1;
      const height = plane === 0 ? frame.height : frame.height >> 1;
      const [a, b] = [frame.data?.[plane], other.data?.[plane]];
      const [aStride, bStride] = [frame.linesize[plane], other.linesize[plane]];
      if (!a || !b || aStride === undefined || bStride === undefined) return { psnrDb: 0, colour: 255 };
      const sums = new Float64Array(FIELDS * FIELDS);
      for (let y = 0; y < height; y++) {
        const row = Math.floor((y * FIELDS) / height) * FIELDS;
        for (let x = 0; x < width; x++) {
          const delta = a[y * aStride + x]! - b[y * bStride + x]!;
          if (plane === 0) squares += delta * delta;
          sums[row + Math.floor((x * FIELDS) / width)]! += delta;
        }
      }
      if (plane === 0) samples += width * height;
      const fieldSamples = (width * height) / (FIELDS * FIELDS);
      for (const sum of sums) colour = Math.max(colour, Math.abs(sum) / fieldSamples);
    }
  }
  return { psnrDb: squares === 0 ? Infinity : 10 * Math.log10((255 * 255 * samples) / squares), colour };
}
