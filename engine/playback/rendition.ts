import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import type { RenditionOutput } from '#engine/media/rendition-spec.ts';
import { ActorError, Actor } from '#engine/runtime/actor.ts';
import { HARDWARE_KINDS } from '#protocol/schema/hardware.ts';
import type { HardwareKind } from '#protocol/schema/hardware.ts';
import { aheadMs } from './encode-turns.ts';
import { RenditionError } from './rendition-error.ts';
import { RenditionState } from './rendition-state.ts';
import type { Part, RenditionFacts, RenditionMessage, RenditionSetup } from './rendition-state.ts';
import type { SlotHolder } from './transcode-slots.ts';

/** How a rendition is being made at this moment. */
export interface RenditionWork {
  readonly output: RenditionOutput;
  /** Nothing is made now: what is ready suffices for a while. */
  readonly isAtRest: boolean;
  /** How many times as fast as it plays it was made last; `null` while nothing was. */
  readonly paceFactor: number | null;
  /** What encodes it; `null` for the processor. */
  readonly hardware: HardwareKind | null;
}

/** How long a request may wait for its segment: less than a player's own patience (hls.js gives up after 60 s in all). */
export const PART_DEADLINE_MS = 30_000;

/**
 * One track of one file version in one output form, shared by all who watch it. This is the outside of its actor; what it does
 * is in rendition-state.ts.
 */
export class Rendition implements SlotHolder, AsyncDisposable {
  readonly key: string;
  readonly #setup: RenditionSetup;
  readonly #facts: RenditionFacts = {
    ...{ hasHost: false, isAtRest: true, isWatched: false },
    ...{ paceFactor: null, hasLostHardware: false, stocks: [], progressMs: 0 },
  };
  readonly #actor: Actor<RenditionMessage>;
  #usedMs: number;

  constructor(setup: RenditionSetup) {
    this.key = setup.key;
    this.#setup = setup;
    this.#usedMs = setup.clock.monotonicMs();
    this.#actor = new Actor<RenditionMessage>(
      () => new RenditionState(setup, this.#facts, this, (message) => this.#tell(message)),
      {
        name: `rendition of track ${setup.spec.trackIndex} of ${setup.spec.path}`,
        // Every viewer may have a few requests open, and a host tells of each segment: far more than ever wait in one turn.
        capacity: 10_000,
        clock: setup.clock,
        onFailure: (error, isFatal) => setup.log.error('a rendition failed', { error, isFatal, path: setup.spec.path }),
      },
    );
  }

  get hasHost(): boolean {
    return this.#facts.hasHost;
  }

  get isAtRest(): boolean {
    return this.#facts.isAtRest;
  }

  get isWatched(): boolean {
    return this.#facts.isWatched;
  }

  get source(): string {
    return this.#setup.spec.path;
  }

  get aheadMs(): number | null {
    const nowMs = this.#setup.clock.monotonicMs();
    const { stocks } = this.#facts;
    return stocks.length === 0 ? null : Math.min(...stocks.map((stock) => aheadMs(stock, nowMs)));
  }

  get progressMs(): number {
    return this.#facts.progressMs;
  }

  /** How it is being made. */
  get work(): RenditionWork {
    const { isAtRest, paceFactor, hasLostHardware } = this.#facts;
    const { output, hardware } = this.#setup.spec;
    // `null` of the specification itself: subtitles are burnt in, which is the processor's work.
    const isOnChip = isEncodedPicture(output) && hardware !== null && !hasLostHardware;
    return {
      ...{ output, isAtRest, paceFactor },
      hardware: isOnChip ? (HARDWARE_KINDS.find((kind) => kind === output.encoder) ?? null) : null,
    };
  }

  get isStopped(): boolean {
    return this.#actor.isStopped;
  }

  /** Since when nobody has asked for anything, by the monotonic clock. */
  get usedMs(): number {
    return this.#usedMs;
  }

  /** Number of segments. */
  get count(): number {
    return this.#setup.plan.length - 1;
  }

  /**
   * The path of a segment's file, or of the init segment's, as soon as it is there. Rejects with a RenditionError, or with the signal's
   * reason when that is aborted: then nobody works for this request any more. `isSourceGone`: only what is there, and what the present host
   * can still make of the file that it holds open.
   */
  async part(viewerId: string, part: Part, signal: AbortSignal, isSourceGone: boolean = false): Promise<string> {
    signal.throwIfAborted();
    this.#usedMs = this.#setup.clock.monotonicMs();
    const id = {};
    const leave = (): void => this.#tell({ kind: 'leave', id });
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await this.#actor.ask<string>(
        (reply) => ({ kind: 'want', id, viewerId, part, isSourceGone, reply }),
        PART_DEADLINE_MS,
      );
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ActorError)) throw error;
      if (error.code === 'timeout') leave();
      throw new RenditionError(error.code === 'timeout' ? 'late' : 'closed');
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  /** Tells that a path that was handed out leads nowhere: everything is made again. */
  reportLost(): void {
    this.#tell({ kind: 'lost' });
  }

  /** Has the host begin where a viewer will ask soon, so that the first segment is there when the player wants it. */
  warm(viewerId: string, index: number): void {
    this.#usedMs = this.#setup.clock.monotonicMs();
    this.#tell({ kind: 'warm', viewerId, index });
  }

  /** This viewer watches something else: nothing is made for them any more, until they ask again. Resolves when that is so. */
  async away(viewerId: string): Promise<void> {
    if (this.isStopped) return;
    await this.#actor
      .ask<void>((reply) => ({ kind: 'away', viewerId, reply }))
      .catch((error: unknown) => {
        if (!(error instanceof ActorError)) throw error; // stopped, or too busy to be asked: it notices by itself
      });
  }

  yieldHost(): void {
    this.#tell({ kind: 'yield' });
  }

  reconsider(): void {
    this.#tell({ kind: 'reconsider' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#actor[Symbol.asyncDispose]();
  }

  #tell(message: RenditionMessage): void {
    try {
      this.#actor.tell(message);
    } catch (error) {
      if (!(error instanceof ActorError)) throw error;
      // A host that comes up for a rendition that has been put away must not stay.
      if (message.kind === 'opened') void message.handle.close().finally(() => message.slot?.[Symbol.dispose]());
    }
  }
}
