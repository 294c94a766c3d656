/** Tries for real what a kind of hardware is said to do: with a known picture there and back, and looks at what came out. */
import {
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_LOG_QUIET,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV420P10LE,
  AV_PKT_FLAG_KEY,
} from 'node-av/constants';
import { Codec, CodecContext, CodecParameters, Frame, Log, Packet, Rational } from 'node-av/lib';
import { helpsNobody } from '#engine/media/hardware-plan.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import type {
  HardwareCodec,
  HardwareEncodeCodec,
  HardwareKind,
  HardwareRow,
  HardwareTest,
} from '#protocol/schema/hardware.ts';
import { FilterChain } from './filter-chain.ts';
import { HardwareDevice, HardwareError, hardwareDecoder, hardwareEncoder, verdictOf } from './hardware-device.ts';
import { ENCODE_WAYS, HardwareEncoder } from './hardware-encoder.ts';
import { DEINTERLACERS, HardwareFilter, TONE_MAPS, chipChain, uploadFormat } from './hardware-filter.ts';
import type { ChipNeed } from './hardware-filter.ts';
import { TRIAL_RATE, TRIAL_SIZE, difference, trialFrames } from './hardware-picture.ts';
import type { TrialSource } from './hardware-picture.ts';
import { TRANSCODE_EXTRA_FRAMES } from './video-decoder.ts';
import { VIDEO_TICKS_PER_SECOND } from './video-encoder.ts';
import { pictureInput } from './video-picture.ts';

// Verdicts are ours; FFmpeg's own words say more than a log should hold, and drivers add theirs.
Log.setLevel(AV_LOG_QUIET);

/** Enough for an encoder to get going and for a second keyframe in the middle. */
const PICTURES = 24;
const SECOND_IDR = 12;
const SMALL = { widthPx: 640, heightPx: 360 } as const;
/** Generous for a picture of 720p with fine lines, and for colours what nobody sees. */
const OUTPUT = { crf: 18, level: 31, maxBitrateBps: 14_000_000 } as const;
const LEVELS: Readonly<Record<HardwareEncodeCodec, number>> = { h264: 31, hevc: 93, hevc10: 93, av1: 5 };

/** How far a picture may be off; the next one but ten is 27 dB from it. Tone mapping differs by taste, so only gross errors count: green, washed out, upside down. */
const LIMITS = {
  encode: { psnrDb: 32, colour: 4 },
  decode: { psnrDb: 45, colour: 1.5 },
  scale: { psnrDb: 29, colour: 4 },
  deinterlace: { psnrDb: 22, colour: 8 },
  toneMap: { psnrDb: 12, colour: 48 },
  whole: { psnrDb: 28, colour: 5 },
} as const;

/** More encoders at once than any household watches. */
const MOST_SESSIONS = 16;

/** The row of one test, on hardware or (`null`) on the processor. May end the process. */
export function tryOut(
  kind: HardwareKind | null,
  device: string | null,
  test: HardwareTest,
  softwareMs: number | null,
): HardwareRow {
  try {
    const { msPerFrame, variant } = new Trial(kind, device).run(test);
    const verdict = helpsNobody(msPerFrame, softwareMs) ? 'tooSlow' : 'works';
    return { test, verdict, msPerFrame: tenths(msPerFrame), variant, detail: null };
  } catch (thrown) {
    const failure = { test, msPerFrame: null, variant: null };
    if (thrown instanceof HardwareError) return { ...failure, verdict: thrown.verdict, detail: thrown.detail };
    if (thrown instanceof MediaError) return { ...failure, verdict: 'notSupported', detail: null };
    throw thrown;
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** How many encoders can be open at once; `null` where as many as anybody needs. */
export function countSessions(kind: HardwareKind, device: string | null, way: string): number | null {
  using stack = new DisposableStack();
  const chip = stack.use(new HardwareDevice(kind, device));
  const [first] = upload(stack, chip, 'sdr', 1);
  let count = 0;
  try {
    for (; count < MOST_SESSIONS; count++) {
      stack.use(new HardwareEncoder(kind, 'h264', way, OUTPUT, TRIAL_SIZE, TRIAL_RATE, first!));
    }
    return null;
  } catch (thrown) {
    if (thrown instanceof HardwareError) return count;
    throw thrown;
  }
}

interface Outcome {
  readonly msPerFrame: number;
  readonly variant: string | null;
}

interface Stream {
  readonly codecpar: CodecParameters;
  readonly packets: readonly Packet[];
}

class Trial {
  readonly #kind: HardwareKind | null;
  readonly #device: string | null;

  constructor(kind: HardwareKind | null, device: string | null) {
    this.#kind = kind;
    this.#device = device;
  }

  run(test: HardwareTest): Outcome {
    if (test.startsWith('encode-')) {
      return this.#first(this.#encodeWays(), (way) => this.#encode(test.slice(7) as HardwareEncodeCodec, way));
    }
    if (test.startsWith('decode-')) return { msPerFrame: this.#decode(test.slice(7) as HardwareCodec), variant: null };
    switch (test) {
      case 'deinterlace':
        return this.#first(this.#kind === null ? [''] : Object.keys(DEINTERLACERS[this.#kind]), (way) =>
          this.#filter('interlaced', 'deinterlace', { deinterlaceWay: way }),
        );
      case 'toneMap':
        return this.#first(this.#kind === null ? [''] : Object.keys(TONE_MAPS[this.#kind]), (way) =>
          this.#filter('hdr', 'toneMap', { toneMapWay: way }),
        );
      case 'whole':
        return this.#first(this.#encodeWays(), (way) => this.#whole(way));
      default:
        return { msPerFrame: this.#filter('sdr', 'scale', {}), variant: null };
    }
  }

  #encodeWays(): readonly string[] {
    return this.#kind === null ? [''] : ENCODE_WAYS[this.#kind];
  }

  /** The first of several ways that works; what was wrong with the first where none does. */
  #first(ways: readonly string[], attempt: (way: string) => number): Outcome {
    let reason: HardwareError | null = null;
    for (const way of ways) {
      try {
        return { msPerFrame: attempt(way), variant: way === '' ? null : way };
      } catch (thrown) {
        if (thrown instanceof MediaError) reason ??= new HardwareError('notSupported');
        else if (!(thrown instanceof HardwareError)) throw thrown;
        else reason ??= thrown;
      }
    }
    throw reason ?? new HardwareError('notThisSystem');
  }

  #encode(codec: HardwareEncodeCodec, way: string): number {
    using stack = new DisposableStack();
    const source = codec === 'hevc10' ? 'sdr10' : 'sdr';
    const wanted = keep(stack, toMemory(stack, trialFrames(source, PICTURES), 'format=yuv420p'));
    let stream: Stream;
    let startMs: number;
    if (this.#kind === null) {
      startMs = performance.now();
      stream = encodeInSoftware(stack, codec === 'h264' ? 'h264' : codec, source, PICTURES);
    } else {
      const chip = stack.use(new HardwareDevice(this.#kind, this.#device));
      if (!hardwareEncoder(this.#kind, codec)) throw new HardwareError('notThisSystem');
      startMs = performance.now();
      stream = encodeOnChip(stack, chip, codec, way, upload(stack, chip, source, PICTURES));
    }
    const msPerFrame = (performance.now() - startMs) / PICTURES;
    checkOrder(stream);
    expectSame(toMemory(stack, decodeInSoftware(stack, stream), 'format=yuv420p'), wanted, 'encode');
    // A viewer may begin at any keyframe: what stands before it must not be missed.
    const at = stream.packets.findIndex((packet, index) => index > 0 && isKey(packet));
    if (at < 0 || Number(stream.packets[at]!.pts) !== ticksOf(SECOND_IDR)) throw new HardwareError('noKeyframe');
    const tail = { codecpar: stream.codecpar, packets: stream.packets.slice(at) };
    const later = toMemory(stack, decodeInSoftware(stack, tail), 'format=yuv420p');
    expectSame(later, wanted.slice(SECOND_IDR), 'encode');
    return msPerFrame;
  }

  #decode(codec: HardwareCodec): number {
    using stack = new DisposableStack();
    const stream = sample(stack, codec);
    const wanted = toMemory(stack, decodeInSoftware(stack, stream), 'format=yuv420p');
    if (this.#kind === null) {
      const startMs = performance.now();
      decodeInSoftware(stack, stream);
      return (performance.now() - startMs) / PICTURES;
    }
    const chip = stack.use(new HardwareDevice(this.#kind, this.#device));
    const startMs = performance.now();
    const decoded = decodeOnChip(stack, chip, codec, stream);
    const deep = codec.endsWith('10') ? 'p010le' : 'nv12';
    const got = fromChip(stack, chip, decoded, `hwdownload,format=${deep},format=yuv420p`);
    const msPerFrame = (performance.now() - startMs) / PICTURES;
    expectSame(got, wanted, 'decode');
    return msPerFrame;
  }

  #filter(
    source: TrialSource,
    what: 'scale' | 'deinterlace' | 'toneMap',
    ways: Partial<Pick<ChipNeed['plan'], 'toneMapWay' | 'deinterlaceWay'>>,
  ): number {
    using stack = new DisposableStack();
    const size = `${SMALL.widthPx}:${SMALL.heightPx}`;
    const softwareChain = {
      scale: `scale=${size}:flags=bicubic:out_range=tv,format=yuv420p,setsar=1`,
      deinterlace: `bwdif=mode=send_frame:parity=auto:deint=interlaced,scale=${size}:flags=bicubic:out_range=tv,format=yuv420p,setsar=1`,
      toneMap: `scale=${size}:flags=bicubic,tonemapx=tonemap=bt2390:desat=0:peak=100:t=bt709:m=bt709:p=bt709:r=tv:format=yuv420p,setsar=1`,
    }[what];
    let startMs = performance.now();
    const wanted = toMemory(stack, trialFrames(source, PICTURES), softwareChain);
    if (this.#kind === null) return (performance.now() - startMs) / PICTURES;
    const chip = stack.use(new HardwareDevice(this.#kind, this.#device));
    const frames = keep(stack, trialFrames(source, PICTURES));
    startMs = performance.now();
    const chain = chipChain({
      plan: { kind: this.#kind, filter: true, encode: false, toneMapWay: '', deinterlaceWay: '', ...ways },
      isOnChip: false,
      bitDepth: source === 'hdr' ? 10 : 8,
      size: SMALL,
      toneMap: what === 'toneMap',
      deinterlace: what === 'deinterlace',
      softwareChain,
    });
    const got = fromChip(stack, chip, frames, chain);
    const msPerFrame = (performance.now() - startMs) / PICTURES;
    expectSame(got, wanted, what);
    return msPerFrame;
  }

  /** From an H.264 stream to a smaller one, without a picture leaving the chip. */
  #whole(way: string): number {
    using stack = new DisposableStack();
    const stream = sample(stack, 'h264');
    const scaled = `scale=${SMALL.widthPx}:${SMALL.heightPx}:flags=bicubic,format=yuv420p`;
    const wanted = toMemory(stack, decodeInSoftware(stack, stream), scaled);
    let startMs = performance.now();
    if (this.#kind === null) {
      decodeInSoftware(stack, stream);
      encodeInSoftware(stack, 'h264', 'sdr', PICTURES);
      return (performance.now() - startMs) / PICTURES;
    }
    const chip = stack.use(new HardwareDevice(this.#kind, this.#device));
    startMs = performance.now();
    const decoded = decodeOnChip(stack, chip, 'h264', stream);
    const chain = chipChain({
      plan: { kind: this.#kind, filter: true, encode: true, toneMapWay: '', deinterlaceWay: '' },
      isOnChip: true,
      bitDepth: 8,
      size: SMALL,
      toneMap: false,
      deinterlace: false,
      softwareChain: 'null',
    });
    const encoded = encodeOnChip(stack, chip, 'h264', way, fromChip(stack, chip, decoded, chain), SMALL);
    const msPerFrame = (performance.now() - startMs) / PICTURES;
    expectSame(toMemory(stack, decodeInSoftware(stack, encoded), 'format=yuv420p'), wanted, 'whole');
    return msPerFrame;
  }
}

function expectSame(got: readonly Frame[], wanted: readonly Frame[], what: keyof typeof LIMITS): void {
  // A deinterlacer may keep the last picture to itself.
  if (got.length < wanted.length - 1 || got.length > wanted.length) {
    throw new HardwareError('wrongPicture', `${got.length} of ${wanted.length} pictures`);
  }
  const { psnrDb, colour } = difference(got, wanted);
  const limit = LIMITS[what];
  if (psnrDb >= limit.psnrDb && colour <= limit.colour) return;
  throw new HardwareError('wrongPicture', `${psnrDb.toFixed(1)} dB, colours off by ${colour.toFixed(1)}`);
}

/** Times as they were given, rising as they are decoded. */
function checkOrder({ packets }: Stream): void {
  const times = packets.map(({ pts }) => Number(pts));
  const isRight = times.length === PICTURES && times.every((time, index) => time === ticksOf(index));
  if (!isRight) throw new HardwareError('wrongPicture', 'the times of the pictures');
}

const ticksOf = (index: number): number => (index * VIDEO_TICKS_PER_SECOND * TRIAL_RATE.den) / TRIAL_RATE.num;
// oxlint-disable-next-line no-bitwise -- a flag of FFmpeg's
const isKey = (packet: Packet): boolean => (packet.flags & AV_PKT_FLAG_KEY) !== 0;

function keep<Native extends { free(): void }>(stack: DisposableStack, natives: Native[]): Native[] {
  for (const native of natives) stack.defer(() => native.free());
  return natives;
}

/** Pictures on the chip, of the depth that they have. */
function upload(stack: DisposableStack, chip: HardwareDevice, source: TrialSource, count: number): Frame[] {
  const frames = keep(stack, trialFrames(source, count));
  const format = source === 'sdr' || source === 'interlaced' ? 'nv12' : 'p010le';
  return fromChip(stack, chip, frames, `format=${uploadFormat(chip.kind, format)},hwupload`);
}

function fromChip(stack: DisposableStack, chip: HardwareDevice, frames: readonly Frame[], chain: string): Frame[] {
  const [first] = frames;
  if (!first) return [];
  const timeBase = { num: 1, den: VIDEO_TICKS_PER_SECOND };
  const filter = stack.use(new HardwareFilter(chip, first, pictureInput(first), timeBase, chain, 1));
  return drain(stack, filter, frames);
}

/** Through filters of the processor. */
function toMemory(stack: DisposableStack, frames: Frame[], chain: string): Frame[] {
  keep(stack, frames);
  const [first] = frames;
  if (!first) return [];
  const filter = stack.use(new FilterChain('video', pictureInput(first), chain, 2));
  return drain(stack, filter, frames);
}

function drain(
  stack: DisposableStack,
  filter: Pick<FilterChain, 'send' | 'receive'>,
  frames: readonly Frame[],
): Frame[] {
  const out: Frame[] = [];
  const pull = (): void => {
    for (;;) {
      const frame = allocated(new Frame());
      if (!filter.receive(frame)) return frame.free();
      out.push(frame);
    }
  };
  for (const frame of frames) {
    const copy = frame.clone();
    if (!copy) throw new MediaError('internal', 'out of memory for pictures');
    try {
      filter.send(copy);
    } finally {
      copy.free();
    }
    pull();
  }
  filter.send(null);
  pull();
  return keep(stack, out);
}

function encodeOnChip(
  stack: DisposableStack,
  chip: HardwareDevice,
  codec: HardwareEncodeCodec,
  way: string,
  frames: readonly Frame[],
  size: { readonly widthPx: number; readonly heightPx: number } = TRIAL_SIZE,
): Stream {
  const [first] = frames;
  if (!first) throw new HardwareError('wrongPicture', 'no picture');
  const wanted = { ...OUTPUT, level: LEVELS[codec] };
  const encoder = stack.use(new HardwareEncoder(chip.kind, codec, way, wanted, size, TRIAL_RATE, first));
  const packets: Packet[] = [];
  const pull = (): void => {
    for (;;) {
      const packet = allocated(new Packet());
      if (!encoder.receive(packet)) return packet.free();
      packets.push(packet);
    }
  };
  for (const [index, frame] of frames.entries()) {
    encoder.send(frame, ticksOf(index), index === 0 || index === SECOND_IDR);
    pull();
  }
  encoder.end();
  pull();
  keep(stack, packets);
  const codecpar = allocated(new CodecParameters());
  stack.defer(() => codecpar.free());
  encoder.describe(codecpar);
  return { codecpar, packets };
}

const SAMPLE_ENCODERS: Readonly<Record<Exclude<HardwareCodec, 'vc1'>, readonly [name: string, options: object]>> = {
  h264: ['libx264', { preset: 'veryfast', crf: '16', 'forced-idr': '1', sc_threshold: '0' }],
  hevc: ['libx265', { preset: 'ultrafast', crf: '16', 'forced-idr': '1', 'x265-params': 'log-level=none' }],
  hevc10: ['libx265', { preset: 'ultrafast', crf: '16', 'forced-idr': '1', 'x265-params': 'log-level=none' }],
  av1: ['libsvtav1', { preset: '11', crf: '20' }],
  av110: ['libsvtav1', { preset: '11', crf: '20' }],
  vp9: ['libvpx-vp9', { deadline: 'realtime', 'cpu-used': '8', crf: '20' }],
  vp910: ['libvpx-vp9', { deadline: 'realtime', 'cpu-used': '8', crf: '20', profile: '2' }],
  mpeg2: ['mpeg2video', { qmin: '2', qmax: '4' }],
};

/** A stream for decoders to be tried with. VC-1 has no free encoder. */
function sample(stack: DisposableStack, codec: HardwareCodec): Stream {
  if (codec === 'vc1') throw new HardwareError('noSample');
  return encodeInSoftware(stack, codec, codec.endsWith('10') ? 'sdr10' : 'sdr', PICTURES);
}

function encodeInSoftware(
  stack: DisposableStack,
  codec: Exclude<HardwareCodec, 'vc1'>,
  source: TrialSource,
  count: number,
): Stream {
  const [name, options] = SAMPLE_ENCODERS[codec];
  const encoder = Codec.findEncoderByName(name as never);
  if (!encoder) throw new HardwareError('noSample', name);
  const frames = keep(stack, trialFrames(source, count));
  const context = new CodecContext();
  context.allocContext3(encoder);
  stack.defer(() => context.freeContext());
  context.width = TRIAL_SIZE.widthPx;
  context.height = TRIAL_SIZE.heightPx;
  context.pixelFormat = source === 'sdr' ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_YUV420P10LE;
  // MPEG-2 knows a few frame rates only, and wants them as its time base.
  context.timeBase = new Rational(TRIAL_RATE.den, TRIAL_RATE.num);
  context.framerate = new Rational(TRIAL_RATE.num, TRIAL_RATE.den);
  context.gopSize = count;
  context.maxBFrames = 0;
  context.threadCount = 0;
  if (name === 'mpeg2video') context.bitRate = 20_000_000n;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  for (const [option, value] of Object.entries(options)) {
    context.setOption(option, value as string, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  }
  const code = context.open2Sync(encoder, null);
  if (code < 0) throw new HardwareError('noSample', `${name} (${code})`);
  const packets: Packet[] = [];
  const pull = (): void => {
    for (;;) {
      const packet = allocated(new Packet());
      if (context.receivePacketSync(packet) < 0) return packet.free();
      packet.pts = BigInt(ticksOf(Number(packet.pts)));
      packet.dts = BigInt(ticksOf(Number(packet.dts)));
      packets.push(packet);
    }
  };
  for (const [index, frame] of frames.entries()) {
    frame.pts = BigInt(index);
    frame.pictType = index === 0 || index === SECOND_IDR ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    if (context.sendFrameSync(frame) < 0) throw new HardwareError('noSample', name);
    pull();
  }
  context.sendFrameSync(null);
  pull();
  keep(stack, packets);
  const codecpar = allocated(new CodecParameters());
  stack.defer(() => codecpar.free());
  codecpar.fromContext(context);
  return { codecpar, packets };
}

function decodeInSoftware(stack: DisposableStack, { codecpar, packets }: Stream): Frame[] {
  const decoder = Codec.findDecoder(codecpar.codecId);
  if (!decoder) throw new HardwareError('noSample', 'no decoder');
  const context = new CodecContext();
  context.allocContext3(decoder);
  stack.defer(() => context.freeContext());
  context.parametersToContext(codecpar);
  context.pktTimebase = new Rational(1, VIDEO_TICKS_PER_SECOND);
  context.threadCount = 0;
  if (context.open2Sync(decoder, null) < 0) throw new HardwareError('noSample', 'no decoder');
  return decodeAll(stack, context, packets, null);
}

function decodeOnChip(
  stack: DisposableStack,
  chip: HardwareDevice,
  codec: HardwareCodec,
  { codecpar, packets }: Stream,
): Frame[] {
  const decoder = hardwareDecoder(chip.kind, codec);
  if (!decoder) throw new HardwareError('notThisSystem');
  const context = new CodecContext();
  context.allocContext3(decoder);
  stack.defer(() => context.freeContext());
  context.parametersToContext(codecpar);
  context.pktTimebase = new Rational(1, VIDEO_TICKS_PER_SECOND);
  context.hwDeviceCtx = chip.context;
  context.setHardwarePixelFormat(chip.pixelFormat);
  context.extraHWFrames = TRANSCODE_EXTRA_FRAMES;
  const code = context.open2Sync(decoder, null);
  if (code < 0) throw verdictOf(chip.kind, code);
  const frames = decodeAll(stack, context, packets, chip.kind);
  // Where the chip cannot, FFmpeg's decoder does it in memory and says nothing.
  if (frames.length === 0 || !frames.every((frame) => frame.isHwFrame())) throw new HardwareError('notSupported');
  return frames;
}

function decodeAll(
  stack: DisposableStack,
  context: CodecContext,
  packets: readonly Packet[],
  kind: HardwareKind | null,
): Frame[] {
  const frames: Frame[] = [];
  const pull = (): void => {
    for (;;) {
      const frame = allocated(new Frame());
      const code = context.receiveFrameSync(frame);
      if (code < 0) {
        frame.free();
        if (code !== AVERROR_EAGAIN && code !== AVERROR_EOF) throw verdictOf(kind, code);
        return;
      }
      frames.push(frame);
    }
  };
  try {
    for (const packet of packets) {
      const code = context.sendPacketSync(packet);
      if (code < 0) throw verdictOf(kind, code);
      pull();
    }
    context.sendPacketSync(null);
    pull();
  } finally {
    keep(stack, frames);
  }
  return frames;
}

function allocated<Native extends { alloc(): void }>(native: Native): Native {
  native.alloc();
  return native;
}
