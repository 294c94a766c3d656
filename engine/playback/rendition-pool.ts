/**
 * All renditions that are in use. Owns: which there are, the account of the scratch space, the slots for encoding. A rendition is made when
 * somebody first asks for it, and put away with its files when nobody has for a while [PLAY17].
 */
import { LRUCache } from 'lru-cache';
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import type { PlaybackHosts, ScratchPort } from './ports.ts';
import { Rendition } from './rendition.ts';
import type { RenditionWork } from './rendition.ts';
import type { RenditionSetup } from './rendition-state.ts';
import { SegmentCache } from './segment-cache.ts';
import type { Lead } from './steering.ts';
import { TranscodeSlots } from './transcode-slots.ts';

/** Long enough to come back from the kitchen; the segments are made again in seconds. */
const RETIRE_MS = 15 * 60_000;
const SWEEP_MS = 60_000;
/** More than any household watches; each may hold a process. Beyond it the least recently used is put away. */
const MAX_RENDITIONS = 64;

/** Encoding is slow and steady: a long lead evens out hard scenes. */
const ENCODE_LEAD: Lead = { highUs: 40_000_000, lowUs: 20_000_000 };
/** Copying is quick, and its segments are large: a short lead is soon refilled. */
const COPY_LEAD: Lead = { highUs: 30_000_000, lowUs: 15_000_000 };

export interface RenditionPoolOptions {
  readonly hosts: PlaybackHosts;
  readonly scratch: ScratchPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly quotaBytes: number;
  readonly maxTranscodes: number;
}

export type RenditionOrder = Pick<RenditionSetup, 'key' | 'spec' | 'plan'>;

export class RenditionPool implements AsyncDisposable {
  readonly slots: TranscodeSlots;
  readonly #options: RenditionPoolOptions;
  readonly #cache: SegmentCache;
  readonly #renditions = new Map<string, Rendition>();
  /** Renditions on their way out. One of the same key waits for them: both would use the same folder. */
  readonly #retiring = new Map<string, Promise<void>>();
  /** Which picture each viewer asked for last. */
  readonly #watched = new LRUCache<string, string>({ max: 10_000 });
  readonly #sweep: Timer;
  #isClosed = false;

  constructor(options: RenditionPoolOptions) {
    this.#options = options;
    this.slots = new TranscodeSlots(options.maxTranscodes, options.clock);
    this.#cache = new SegmentCache({
      quotaBytes: options.quotaBytes,
      remove: (key, index) => this.#removeSegment(key, index),
    });
    this.#sweep = options.clock.every(SWEEP_MS, () => this.#retireUnused()).unref();
  }

  /** Renditions that are in use. */
  get size(): number {
    return this.#renditions.size;
  }

  /** Bytes of segments in the scratch space. */
  get sizeBytes(): number {
    return this.#cache.sizeBytes;
  }

  /** The rendition of this key, made where there is none. `null` once the pool is closed. */
  async get(order: RenditionOrder): Promise<Rendition | null> {
    await this.#retiring.get(order.key);
    if (this.#isClosed) return null;
    const known = this.#renditions.get(order.key);
    if (known && !known.isStopped) return known;
    if (known) void this.#retire(known); // its actor gave up for good: begin afresh
    await this.#retiring.get(order.key);
    return this.#renditions.get(order.key) ?? this.#create(order);
  }

  /** A viewer watches something else now; their slot, if they held one, is for whoever needs it. */
  async away(viewerId: string): Promise<void> {
    await Promise.all([...this.#renditions.values()].map((rendition) => rendition.away(viewerId)));
  }

  /** Whether one more transcode could start without taking the place of one that is watched. */
  get hasRoom(): boolean {
    return this.slots.hasRoomFor(null);
  }

  /** Whether the rendition of this key holds a slot: whoever watches it, too, costs nothing more. */
  isEncoding(key: string): boolean {
    const rendition = this.#renditions.get(key);
    return rendition !== undefined && this.slots.isHeldBy(rendition);
  }

  /** Whether what a viewer watches holds a slot. */
  isEncodingFor(viewerId: string): boolean {
    const key = this.#watched.get(viewerId);
    return key !== undefined && this.isEncoding(key);
  }

  /** How the picture that a viewer watches is made; `null` where none is. */
  workFor(viewerId: string): RenditionWork | null {
    return this.#renditions.get(this.#watched.get(viewerId) ?? '')?.work ?? null;
  }

  /** Whether a transcode with this key could start, or go on, without taking the place of one that is watched. */
  hasRoomFor(key: string): boolean {
    return this.slots.hasRoomFor(this.#renditions.get(key) ?? null);
  }

  /** The picture that a viewer watches is this one: what they watched before makes nothing more for them. */
  watch(viewerId: string, key: string): void {
    const before = this.#watched.get(viewerId);
    if (before === key) return;
    this.#watched.set(viewerId, key);
    if (before !== undefined) void this.#renditions.get(before)?.away(viewerId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#sweep[Symbol.dispose]();
    await Promise.all([...this.#renditions.values()].map((rendition) => this.#retire(rendition)));
    await Promise.all(this.#retiring.values());
  }

  #create({ key, spec, plan }: RenditionOrder): Rendition {
    const { hosts, scratch, clock, log } = this.#options;
    const isCostly = isEncodedPicture(spec.output);
    const rendition = new Rendition({
      key,
      spec,
      plan,
      lead: isCostly ? ENCODE_LEAD : COPY_LEAD,
      hosts,
      scratch,
      cache: this.#cache,
      slots: isCostly ? this.slots : null,
      clock,
      log,
    });
    this.#renditions.set(key, rendition);
    this.#retireUnused();
    return rendition;
  }

  #retireUnused(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const byAge = [...this.#renditions.values()].toSorted((a, b) => a.usedMs - b.usedMs);
    for (const [index, rendition] of byAge.entries()) {
      const isOld = nowMs - rendition.usedMs >= RETIRE_MS;
      const isTooMany = index < byAge.length - MAX_RENDITIONS && rendition.isAtRest;
      if (isOld || isTooMany) void this.#retire(rendition);
    }
  }

  async #retire(rendition: Rendition): Promise<void> {
    const { key } = rendition;
    if (this.#renditions.get(key) !== rendition) return;
    this.#renditions.delete(key);
    const retiring = rendition[Symbol.asyncDispose]()
      .catch((error: unknown) => this.#options.log.error('a rendition was not put away cleanly', { error }))
      .finally(() => this.#retiring.delete(key));
    this.#retiring.set(key, retiring);
    await retiring;
  }

  #removeSegment(key: string, index: number): void {
    this.#options.scratch.removeFile(key, `${index}.m4s`).catch((error: unknown) => {
      this.#options.log.warn('a segment could not be removed', { error, index });
    });
  }
}
