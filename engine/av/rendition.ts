import { setTimeout as pause, setImmediate as nextTurn } from 'node:timers/promises';
import { MediaError } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import type { RenditionSpec, SegmentRange } from '#engine/media/rendition-spec.ts';
import type { HardwareKind, HardwareVerdict } from '#protocol/schema/hardware.ts';
import { AudioCopy } from './audio-copy.ts';
import { AudioTranscode } from './audio-transcode.ts';
import { HardwareError } from './hardware-device.ts';
import { KeyframePictures } from './keyframe-pictures.ts';
import { DecodeSharing } from './picture-source.ts';
import type { OnSegment, SegmentProducer } from './segment-producer.ts';
import { VideoCopy } from './video-copy.ts';
import { VideoTranscode } from './video-transcode.ts';

/** FFmpeg's calls block. After this long we let messages in: a seek or a pause waits no longer than this and one packet. */
const TURN_MS = 8;
/** How often one that waits for something outside looks whether it is there. */
const LOOK_EVERY_MS = 50;
/** Whoever watches over hosts hears this often of one that waits, and does not take it for one that hangs. */
const TELL_EVERY_MS = 10_000;

/** What comes of a `produce`, in order. A segment's file is complete when it is told. */
export type RenditionNews =
  | { readonly kind: 'init'; readonly sizeBytes: number }
  | { readonly kind: 'segment'; readonly index: number; readonly sizeBytes: number }
  | { readonly kind: 'idle'; readonly next: number }
  | { readonly kind: 'waiting'; readonly index: number }
  | HardwareNews
  | { readonly kind: 'failed'; readonly failure: MediaFailure; readonly index: number; readonly detail: string };

/** Hardware failed at segment `index`, and the processor has made it instead; it goes on with those behind it. */
export interface HardwareNews {
  readonly kind: 'hardwareFailed';
  readonly hardware: HardwareKind;
  readonly verdict: HardwareVerdict;
  readonly detail: string | null;
  readonly index: number;
}

/** Nothing that hardware had to do with. */
const SOURCE_FAILURES: ReadonlySet<MediaFailure> = new Set<MediaFailure>([
  'notFound',
  'notReadable',
  'notAFile',
  'empty',
  'notMedia',
  'noTracks',
  'tooComplex',
  'truncated',
]);

/**
 * Makes segments of one track on demand. Owns the open file, decoder and encoder, from the first `produce` until it is
 * disposed of, so that going elsewhere costs no more than the seek.
 *
 * States: resting (no range) and working (a range, and one loop that takes steps towards its end). A new range is taken up
 * between two steps. After a failure the producer is thrown away, and the next range begins with a fresh one.
 */
export class Rendition implements Disposable {
  readonly #spec: RenditionSpec;
  readonly #tell: (news: RenditionNews) => void;
  readonly #sharing: DecodeSharing;
  readonly #count: number;
  #producer: SegmentProducer | null = null;
  #range: SegmentRange | null = null;
  /** Where the producer has to go before its next step, `null` when it is there. */
  #startAt: number | null = null;
  #isWorking = false;
  #isDisposed = false;
  #hasInit = false;
  /** Why the processor does the hardware's work from here on. Told when it has done some of it: else the file may be at fault. */
  #substitution: { readonly news: HardwareNews; isTold: boolean } | null = null;

  /** `sharing`: of the renditions in this process, which decode a track once where they are at the same place. */
  constructor(spec: RenditionSpec, tell: (news: RenditionNews) => void, sharing: DecodeSharing = new DecodeSharing()) {
    this.#spec = spec;
    this.#tell = tell;
    this.#sharing = sharing;
    this.#count = spec.boundariesUs.length - 1;
  }

  produce({ from, until }: SegmentRange): void {
    if (!Number.isInteger(from) || !Number.isInteger(until) || from < 0 || until < from || until >= this.#count) {
      throw new RangeError(`segments ${from} to ${until} are not in a plan of ${this.#count}`);
    }
    this.#range = { from, until };
    const stands = this.#startAt ?? this.#producer?.next;
    if (from !== stands) this.#startAt = from;
    if (!this.#isWorking) void this.#work();
  }

  pause(): void {
    this.#range = null;
    if (!this.#isWorking) this.#tell({ kind: 'idle', next: this.#stands });
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#range = null;
    // While it works, its loop still has the producer in hand.
    if (!this.#isWorking) this.#dropProducer();
  }

  get #stands(): number {
    return this.#startAt ?? this.#producer?.next ?? 0;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    await nextTurn(); // whoever asked gets an answer before the work begins
    // The first step is a turn by itself: a rung that is asked for in the same breath can join before pictures come.
    let turnStartMs = Number.NEGATIVE_INFINITY;
    let toldMs = Number.NEGATIVE_INFINITY;
    let failure: unknown;
    while (this.#range) {
      if (this.#startAt === null && this.#producer?.mustWait === true) {
        if (performance.now() - toldMs >= TELL_EVERY_MS) {
          toldMs = performance.now();
          this.#tell({ kind: 'waiting', index: this.#stands });
        }
        await pause(LOOK_EVERY_MS);
        continue;
      }
      try {
        if (!this.#step(this.#range)) break;
      } catch (thrown) {
        if (this.#goOnInSoftware(thrown)) continue;
        failure = thrown;
        break;
      }
      if (performance.now() - turnStartMs < TURN_MS) continue;
      await nextTurn();
      turnStartMs = performance.now();
    }
    this.#isWorking = false;
    this.#range = null;
    this.#producer?.rest?.();
    if (this.#isDisposed) this.#dropProducer();
    else if (failure !== undefined) this.#fail(failure);
    else this.#tell({ kind: 'idle', next: this.#stands });
  }

  /** False when the range is done. */
  #step({ until }: SegmentRange): boolean {
    this.#producer ??= producerFor(
      this.#substitution ? { ...this.#spec, hardware: null } : this.#spec,
      (index, { sizeBytes, initSizeBytes }) => {
        if (initSizeBytes !== null && !this.#hasInit) {
          this.#hasInit = true;
          this.#tell({ kind: 'init', sizeBytes: initSizeBytes });
        }
        this.#tell({ kind: 'segment', index, sizeBytes });
        if (!this.#substitution || this.#substitution.isTold) return;
        this.#substitution.isTold = true;
        this.#tell(this.#substitution.news);
      },
      this.#sharing,
    );
    this.#producer.aim?.(until);
    if (this.#startAt !== null) {
      this.#producer.start(this.#startAt);
      this.#startAt = null;
    }
    return this.#producer.next <= until && this.#producer.step() && this.#producer.next <= until;
  }

  /** Gives up hardware that failed; the segment in hand is begun anew. False where it had nothing to do with the failure. */
  #goOnInSoftware(thrown: unknown): boolean {
    const { hardware, output } = this.#spec;
    if (!hardware || this.#substitution || !isEncodedPicture(output)) return false;
    if (thrown instanceof MediaError && SOURCE_FAILURES.has(thrown.failure)) return false;
    const index = this.#stands;
    const { verdict, detail } =
      thrown instanceof HardwareError ? thrown : { verdict: 'deviceFailed' as const, detail: null };
    this.#dropProducer();
    this.#startAt = index;
    this.#substitution = {
      news: { kind: 'hardwareFailed', hardware: hardware.kind, verdict, detail, index },
      isTold: false,
    };
    return true;
  }

  #fail(thrown: unknown): void {
    const index = this.#stands;
    this.#dropProducer();
    this.#startAt = null;
    const failure = thrown instanceof MediaError ? thrown.failure : 'internal';
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    this.#tell({ kind: 'failed', failure, index, detail });
  }

  #dropProducer(): void {
    this.#producer?.[Symbol.dispose]();
    this.#producer = null;
  }
}

function producerFor(spec: RenditionSpec, onSegment: OnSegment, sharing: DecodeSharing): SegmentProducer {
  switch (spec.output.method) {
    case 'copy':
      return spec.kind === 'video' ? new VideoCopy(spec, onSegment) : new AudioCopy(spec, onSegment);
    case 'aac':
    case 'ac3':
    case 'eac3':
      return new AudioTranscode(spec, spec.output, onSegment);
    case 'keyframes':
      return new KeyframePictures(spec, spec.output, onSegment);
    default:
      return new VideoTranscode(spec, spec.output, onSegment, sharing);
  }
}
