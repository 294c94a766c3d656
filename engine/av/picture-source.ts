/**
 * Decoded pictures of one video track, for every rung that is made of them at the same place: decoding is more than half of the work
 * of a small rung, and one decoder serves them all. The rungs of one process meet here.
 */
import { AV_NOPTS_VALUE } from 'node-av/constants';
import { Frame, Packet } from 'node-av/lib';
import type { RenditionSpec } from '#engine/media/rendition-spec.ts';
import { openChip } from './chip.ts';
import type { Chip, OpenChip } from './chip.ts';
import { TrackInput } from './rendition-input.ts';
import { SegmentPlan } from './rendition-plan.ts';
import { VideoDecoder } from './video-decoder.ts';
import { VIDEO_TICKS_PER_SECOND } from './video-encoder.ts';
import type { FrameRate } from './video-encoder.ts';

/** A picture this much before a boundary, or half its own length, still begins the segment behind it. */
export const MAX_TOLERANCE_US = 21_000;
/** A picture is not shown later than this after it is decoded. */
const MAX_REORDER_US = 1_000_000;
/** Who comes waits for others' pictures to reach its place no longer than the decoding of this takes. */
const JOIN_REACH_US = 4_000_000;
const USUAL_RATE: FrameRate = { num: 24, den: 1 };

/** A rung that is made of the pictures. */
export interface PictureSink {
  /** The first moment that it wants pictures of, in microseconds of movie time. */
  readonly wantedFromUs: number;
  /** It has segments to make. */
  readonly isWorking: boolean;
  /** Pictures that it has not encoded yet. */
  readonly waitingCount: number;
  /** What is to be drawn into the next of them is not known yet. */
  readonly isHeldUp: boolean;
  /** A picture in order of presentation, its time in ticks of `VIDEO_TICKS_PER_SECOND` as its pts. It stays the source's: keep a reference. */
  take(frame: Frame, us: number): void;
  /** There are no more pictures. */
  takeEnd(): void;
  /** Encodes one of those that wait. */
  encodeNext(): void;
}

export class PictureSource implements Disposable {
  readonly input: TrackInput;
  readonly plan: SegmentPlan;
  readonly rate: FrameRate;
  readonly frameUs: number;
  readonly sinks = new Set<PictureSink>();
  /** `null`: the processor does everything. */
  readonly chip: Chip | null;
  readonly #decoder: VideoDecoder;
  readonly #read = new Packet();
  readonly #decoded = new Frame();
  /** Where it was told to go, and the last picture that it gave out since. */
  #soughtUs = Number.POSITIVE_INFINITY;
  #reachedUs = Number.NEGATIVE_INFINITY;
  #lastUs = 0;
  #hasEnded = false;

  /** Throws a HardwareError, as `advance` does, where the hardware of `spec` fails: the same without it goes on. */
  constructor(spec: RenditionSpec, chipOpener: OpenChip) {
    this.input = new TrackInput(spec);
    const { avgFrameRate, rFrameRate } = this.input.stream;
    this.rate = [avgFrameRate, rFrameRate].find(({ num, den }) => num > 0 && den > 0) ?? USUAL_RATE;
    this.frameUs = (this.rate.den * 1e6) / this.rate.num;
    this.plan = new SegmentPlan(spec.boundariesUs, Math.min(this.frameUs / 2, MAX_TOLERANCE_US));
    let chip: Chip | null = null;
    try {
      chip = chipOpener(spec, this.input.stream);
      this.chip = chip;
      this.#decoder = new VideoDecoder(this.input, chip);
    } catch (thrown) {
      chip?.[Symbol.dispose]();
      this.input[Symbol.dispose]();
      throw thrown;
    }
    this.#read.alloc();
    this.#decoded.alloc();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether a rung that wants pictures from a moment on gets them here soon, as others do. */
  leadsTo(wantedFromUs: number): boolean {
    if (this.#hasEnded || ![...this.sinks].some(({ isWorking }) => isWorking)) return false;
    const isAhead =
      this.#reachedUs > Number.NEGATIVE_INFINITY ? wantedFromUs > this.#reachedUs : wantedFromUs >= this.#soughtUs;
    const fromUs = Math.max(this.#reachedUs, this.#soughtUs, 0);
    return isAhead && (wantedFromUs === this.#soughtUs || wantedFromUs - fromUs <= JOIN_REACH_US);
  }

  /** Goes to where pictures from a moment on can be decoded. `null`: the beginning. */
  seek(startUs: number | null, wantedFromUs: number): void {
    this.#decoder.flush();
    this.#hasEnded = false;
    this.#reachedUs = Number.NEGATIVE_INFINITY;
    this.#soughtUs = wantedFromUs;
    if (startUs === null) this.input.rewind();
    else this.input.seekToKeyframe(startUs);
  }

  /** Reads a packet, and hands out the pictures that come of it. */
  advance(): void {
    if (this.#hasEnded) return;
    const outcome = this.input.read(this.#read);
    if (outcome === 'other') return;
    if (outcome === 'end') {
      this.#decoder.send(null);
      this.#decode();
      this.#hasEnded = true;
      for (const sink of this.sinks) sink.takeEnd();
      return;
    }
    // On the way from the keyframe to the first wanted picture, only what others refer to is decoded.
    let wantedUs = Number.POSITIVE_INFINITY;
    for (const sink of this.sinks) wantedUs = Math.min(wantedUs, sink.wantedFromUs);
    this.#decoder.skipUnreferenced(this.#isBefore(this.#read, wantedUs));
    const isDecoded = this.#decoder.send(this.#read);
    this.#read.unref();
    if (isDecoded) this.#decode();
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
    this.#read.free();
    this.#decoded.free();
    this.input[Symbol.dispose]();
    this.chip?.[Symbol.dispose]();
  }

  #isBefore({ pts, dts }: Packet, us: number): boolean {
    if (pts !== AV_NOPTS_VALUE) return this.input.movieUs(Number(pts)) < us;
    return dts !== AV_NOPTS_VALUE && this.input.movieUs(Number(dts)) < us - MAX_REORDER_US;
  }

  #decode(): void {
    while (this.#decoder.receive(this.#decoded)) {
      const { bestEffortTimestamp } = this.#decoded;
      const isStamped = bestEffortTimestamp !== AV_NOPTS_VALUE;
      const us = isStamped ? this.input.movieUs(Number(bestEffortTimestamp)) : this.#lastUs + this.frameUs;
      if (this.plan.holds(us)) {
        this.#lastUs = us;
        this.#reachedUs = Math.max(this.#reachedUs, us);
        this.#decoded.pts = BigInt(Math.round((us * VIDEO_TICKS_PER_SECOND) / 1e6));
        for (const sink of this.sinks) sink.take(this.#decoded, us);
      }
      this.#decoded.unref();
    }
  }
}

/** The sources of one process. Rungs that are at the same place of the same track get the same one. */
export class DecodeSharing {
  readonly #sources = new Map<PictureSource, RenditionSpec>();
  readonly #openChip: OpenChip;

  constructor(chipOpener: OpenChip = openChip) {
    this.#openChip = chipOpener;
  }

  /** Pictures decoded apart: for measurements and tests. */
  get count(): number {
    return this.#sources.size;
  }

  /**
   * The source that a rung gets its pictures from, from a segment on. One that it has for itself is moved there; from one that others use
   * it is taken away.
   */
  attach(sink: PictureSink, spec: RenditionSpec, present: PictureSource | null, index: number): PictureSource {
    if (present) present.sinks.delete(sink);
    const joined = [...this.#sources].find(
      ([source, of]) => isSameTrack(of, spec) && source.leadsTo(sink.wantedFromUs),
    )?.[0];
    if (joined) {
      joined.sinks.add(sink);
      if (present && present !== joined) this.#letGo(present);
      return joined;
    }
    const own = present && present.sinks.size === 0 ? present : new PictureSource(spec, this.#openChip);
    this.#sources.set(own, spec);
    own.sinks.add(sink);
    own.seek(index === 0 ? null : own.plan.startUs(index), sink.wantedFromUs);
    return own;
  }

  detach(sink: PictureSink, source: PictureSource): void {
    source.sinks.delete(sink);
    this.#letGo(source);
  }

  #letGo(source: PictureSource): void {
    if (source.sinks.size > 0) return;
    this.#sources.delete(source);
    source[Symbol.dispose]();
  }
}

function isSameTrack(a: RenditionSpec, b: RenditionSpec): boolean {
  return (
    a.path === b.path &&
    a.trackIndex === b.trackIndex &&
    a.startUs === b.startUs &&
    a.hardware?.kind === b.hardware?.kind &&
    a.boundariesUs.length === b.boundariesUs.length &&
    (a.boundariesUs === b.boundariesUs || a.boundariesUs.every((us, index) => us === b.boundariesUs[index]))
  );
}
