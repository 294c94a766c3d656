/**
 * The state of one rendition: which of its segments are there, who waits for which, where its viewers are, and the one host
 * that makes them. Rules PLAY6 to PLAY17 and PLAY36 of SPEC.md.
 *
 * The host is in one of four states: none → opening → at work ⇄ at rest → none. Everything that takes time comes back as a
 * message, with the token of the attempt it belongs to; what belongs to an attempt that was given up is dropped.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { RenditionHandle } from '#engine/hosts/media-supervisor.port.ts';
import type { RenditionEvent, RenditionSpec } from '#engine/hosts/rendition.port.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { SegmentPlan } from '#engine/media/segment-plan.ts';
import type { SegmentRange } from '#engine/media/rendition-spec.ts';
import type { Behavior, Reply } from '#engine/runtime/actor.ts';
import { EncodePace } from './encode-pace.ts';
import type { ViewerStock } from './encode-turns.ts';
import type { PlaybackHosts, ScratchPort } from './ports.ts';
import { RenditionError } from './rendition-error.ts';
import type { SegmentCache } from './segment-cache.ts';
import { leadEnd, readyUs, steer } from './steering.ts';
import type { Lead, Steering, SteeringState } from './steering.ts';
import type { Slot, SlotHolder, TranscodeSlots } from './transcode-slots.ts';

/** A viewer who has asked for nothing for this long is paused or gone: nothing is made or kept for them. */
export const LIVE_MS = 60_000;
/** How long a host stays when there is nothing to do: it costs memory, and another is warm within a tenth of a second. */
export const HOST_IDLE_MS = 30_000;
/** How long a segment that could not be made is not tried again. */
export const BROKEN_MS = 30_000;
/** Requests of one viewer that lie farther apart than this are a seek: the older ones are for nothing [PLAY10]. */
const SEEK_DISTANCE = 8;
/** Failures that another attempt can't mend: they are about the file, not about this segment or this moment. */
const HOPELESS: ReadonlySet<MediaFailure> = new Set<MediaFailure>([
  'notFound',
  'notAFile',
  'empty',
  'notMedia',
  'noTracks',
  'unsupported',
  'tooComplex',
  'quarantined',
]);
const OURS: ReadonlySet<MediaFailure> = new Set<MediaFailure>(['internal', 'crashed', 'timeout']);
/** A host that rests again and again without making what it was told to is broken in a way that it does not know of. */
const MAX_EMPTY_RUNS = 3;
/** Where a host stands that has not begun, or has failed: any segment is a move for it. */
const NOWHERE = Infinity;
/** How long the place of a viewer counts who went away while waiting. One who seeks is back at once. */
const LEFT_MS = 5_000;

export interface RenditionSetup {
  /** Names the rendition and its folder: the same for the same track of the same file version in the same form. */
  readonly key: string;
  readonly spec: Omit<RenditionSpec, 'outputDir'>;
  readonly plan: SegmentPlan;
  readonly lead: Lead;
  readonly hosts: PlaybackHosts;
  readonly scratch: ScratchPort;
  readonly cache: SegmentCache;
  /** `null` for forms that cost too little to count: copies and sound. */
  readonly slots: TranscodeSlots | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** What somebody asks for: a segment by its number, or the init segment. */
export type Part = number | 'init';

export type RenditionMessage =
  | {
      readonly kind: 'want';
      readonly id: object;
      readonly viewerId: string;
      readonly part: Part;
      /** The file is not at its path any more, or another one is: no host may be opened on it [PLAY23]. */
      readonly isSourceGone: boolean;
      readonly reply: Reply<string>;
    }
  /** Whoever asked with this id does not want it any more. */
  | { readonly kind: 'leave'; readonly id: object }
  /** A viewer watches something else now. */
  | { readonly kind: 'away'; readonly viewerId: string; readonly reply: Reply<void> }
  /** A file that was handed out is not on the disk any more. */
  | { readonly kind: 'lost' }
  /** A viewer will ask for this segment soon. */
  | { readonly kind: 'warm'; readonly viewerId: string; readonly index: number }
  | { readonly kind: 'opened'; readonly token: object; readonly handle: RenditionHandle; readonly slot: Slot | null }
  | { readonly kind: 'openFailed'; readonly token: object; readonly error: unknown }
  | { readonly kind: 'event'; readonly token: object; readonly event: RenditionEvent }
  | { readonly kind: 'reconsider' }
  | { readonly kind: 'yield' };

/** What the state shows to the outside, kept up to date by it alone. */
export interface RenditionFacts {
  hasHost: boolean;
  isAtRest: boolean;
  isWatched: boolean;
  /** How many times as fast as it plays it is made; `null` while nothing was. */
  paceFactor: number | null;
  /** The hardware that encodes it has failed: the processor has taken over. */
  hasLostHardware: boolean;
  /** What each viewer has before they wait; kept where slots are. */
  stocks: readonly ViewerStock[];
  /** When something was made, or begun, by the monotonic clock. */
  progressMs: number;
}

interface Wait {
  readonly id: object;
  readonly viewerId: string;
  readonly part: Part;
  readonly reply: Reply<string>;
}

interface Viewer {
  /** The segment that they will ask for next. */
  next: number;
  seenMs: number;
  /** The segment that they got last, and when they have played everything up to its end, if they play. */
  got: number;
  playsUntilMs: number;
}

interface OpenHost {
  readonly token: object;
  readonly handle: RenditionHandle;
  readonly slot: Slot | null;
  next: number;
  until: number | null;
  madeHere: number;
  emptyRuns: number;
  /** Told to rest, and has not said where it stands: what was under way may still be made. */
  isPausing: boolean;
}

export class RenditionState implements Behavior<RenditionMessage> {
  readonly #setup: RenditionSetup;
  readonly #facts: RenditionFacts;
  readonly #holder: SlotHolder;
  readonly #tell: (message: RenditionMessage) => void;
  /** Longest waiting first. */
  #waits: Wait[] = [];
  readonly #viewers = new Map<string, Viewer>();
  readonly #attempts = new Map<number, number>();
  readonly #broken = new Map<number, { readonly failure: MediaFailure; readonly untilMs: number }>();
  /** The file as a whole is of no use for now. */
  #hopeless: { readonly failure: MediaFailure; readonly untilMs: number } | null = null;
  #hasFolder = false;
  #hasInit = false;
  #isSourceGone = false;
  /** The attempt to open a host that is under way. */
  #opening: object | null = null;
  #host: OpenHost | null = null;
  readonly #pace = new EncodePace();
  /** There is something to make, which waits until others' viewers have more [PLAY36]. */
  #isHeldBack = false;
  #idle: Timer | null = null;
  /** Set while there are viewers: looks again when one of them may have been silent for too long. */
  #absence: Timer | null = null;

  constructor(
    setup: RenditionSetup,
    facts: RenditionFacts,
    holder: SlotHolder,
    tell: (message: RenditionMessage) => void,
  ) {
    this.#setup = setup;
    this.#facts = facts;
    this.#holder = holder;
    this.#tell = tell;
  }

  onMessage(message: RenditionMessage): void {
    switch (message.kind) {
      case 'want':
        this.#want(message);
        break;
      case 'leave':
        this.#leave(message.id);
        break;
      case 'warm':
        this.#see(message.viewerId).next = message.index;
        break;
      case 'away':
        this.#viewers.delete(message.viewerId);
        break;
      case 'lost':
        this.#beginAfresh();
        break;
      case 'opened':
        this.#opened(message);
        break;
      case 'openFailed':
        this.#openFailed(message);
        break;
      case 'event':
        if (message.token === this.#host?.token) this.#hear(this.#host, message.event);
        break;
      case 'yield':
        if (this.#host?.until === null && this.#waits.length === 0) this.#closeHost();
        break;
      case 'reconsider':
        break;
    }
    this.#steer();
    if (message.kind === 'away') message.reply.resolve();
  }

  async onStop(): Promise<void> {
    this.#idle?.[Symbol.dispose]();
    this.#absence?.[Symbol.dispose]();
    const { key, cache, scratch } = this.#setup;
    cache.drop(key);
    const host = this.#host;
    this.#host = null;
    Object.assign(this.#facts, { hasHost: false, isAtRest: true, isWatched: false, stocks: [] });
    try {
      await host?.handle.close();
    } finally {
      host?.slot?.[Symbol.dispose]();
    }
    await scratch.removeFolder(key);
  }

  #want({ id, viewerId, part, isSourceGone, reply }: RenditionMessage & { kind: 'want' }): void {
    this.#isSourceGone = isSourceGone;
    const viewer = this.#see(viewerId);
    if (part !== 'init') {
      viewer.next = part + 1;
      this.#refuse(
        (wait) => wait.viewerId === viewerId && wait.part !== 'init' && Math.abs(wait.part - part) > SEEK_DISTANCE,
        new RenditionError('superseded'),
      );
    }
    if (this.#isThere(part)) return this.#handOut({ viewerId, part, reply });
    const failure = this.#failureOf(part);
    if (failure !== null) return reply.reject(new RenditionError('failed', failure));
    this.#waits.push({ id, viewerId, part, reply });
  }

  /** Somebody emptied our folder: what is accounted for may not be there. */
  #beginAfresh(): void {
    this.#setup.cache.drop(this.#setup.key);
    this.#hasFolder = false;
    this.#hasInit = false;
    this.#closeHost();
  }

  #leave(id: object): void {
    const wait = this.#waits.find((each) => each.id === id);
    if (!wait) return;
    this.#refuse((each) => each === wait, new RenditionError('left'));
    const viewer = this.#viewers.get(wait.viewerId);
    if (!viewer) return;
    viewer.seenMs = this.#setup.clock.monotonicMs() - LIVE_MS + LEFT_MS;
    // They never got it: who asks again at once, as players do, must not meet a host that has gone on to the one behind it.
    if (wait.part !== 'init' && viewer.next === wait.part + 1) viewer.next = wait.part;
  }

  #see(viewerId: string): Viewer {
    const seenMs = this.#setup.clock.monotonicMs();
    let viewer = this.#viewers.get(viewerId);
    if (!viewer) this.#viewers.set(viewerId, (viewer = { next: 0, seenMs, got: NOWHERE, playsUntilMs: 0 }));
    viewer.seenMs = seenMs;
    return viewer;
  }

  #handOut({ viewerId, part, reply }: Pick<Wait, 'viewerId' | 'part' | 'reply'>): void {
    const viewer = this.#see(viewerId);
    if (part !== 'init' && part !== viewer.got) {
      const { plan } = this.#setup;
      const isOnward = part === viewer.got + 1;
      const fromMs = isOnward ? Math.max(viewer.playsUntilMs, viewer.seenMs) : viewer.seenMs;
      viewer.playsUntilMs = fromMs + (plan[part + 1]! - plan[part]!) / 1_000;
      viewer.got = part;
    }
    reply.resolve(this.#pathOf(part));
  }

  #isThere(part: Part): boolean {
    if (part === 'init') return this.#hasInit;
    const { cache, key } = this.#setup;
    cache.touch(key, part);
    return cache.has(key, part);
  }

  #pathOf(part: Part): string {
    const { scratch, key } = this.#setup;
    return scratch.pathOf(key, part === 'init' ? 'init.mp4' : `${part}.m4s`);
  }

  #failureOf(part: Part): MediaFailure | null {
    const nowMs = this.#setup.clock.monotonicMs();
    if (this.#hopeless && this.#hopeless.untilMs > nowMs) return this.#hopeless.failure;
    const broken = part === 'init' ? undefined : this.#broken.get(part);
    if (!broken) return null;
    if (broken.untilMs > nowMs) return broken.failure;
    this.#broken.delete(part as number);
    this.#attempts.delete(part as number);
    return null;
  }

  /** Decides what the host should do, and tells it. Comes after every message. */
  #steer(): void {
    const { plan, lead, cache, key, slots } = this.#setup;
    this.#forgetAbsentViewers();
    const viewers = [...this.#viewers.values()].map(({ next }) => next);
    cache.protect(
      key,
      viewers.map((next) => ({ from: Math.max(0, next - 2), until: leadEnd({ plan, lead }, next) })),
    );
    if (this.#opening === null) {
      const decision = this.#heldBack(
        steer({
          ...this.#stocked,
          viewers,
          waits: this.#waitedSegments(),
          host: this.#host,
          mayLead: cache.hasRoom && slots?.isContended !== true,
        }),
      );
      if (decision.kind === 'produce') this.#produce(decision.range);
      else if (decision.kind === 'pause') this.#pause();
    }
    this.#publish();
  }

  get #stocked(): Pick<SteeringState, 'plan' | 'lead' | 'has' | 'isBroken'> {
    const { plan, lead, cache, key } = this.#setup;
    return {
      ...{ plan, lead },
      has: (index) => cache.has(key, index),
      isBroken: (index) => this.#failureOf(index) !== null,
    };
  }

  /** What is done instead while others' viewers are nearer to waiting [PLAY36]. */
  #heldBack(decision: Steering): Steering {
    const host = this.#host;
    const isWorking = host !== null && host.until !== null;
    const hasWork = decision.kind === 'produce' || (decision.kind === 'keep' && isWorking);
    this.#isHeldBack = hasWork && this.#setup.slots?.givesWay(this.#holder) === true;
    if (!this.#isHeldBack) return decision;
    // It has made its last, and is about to say so.
    const isAtEnd = isWorking && host.next > host.until!;
    return { kind: isWorking && !isAtEnd ? 'pause' : 'keep' };
  }

  /** Segments that are waited for. The init segment comes with any: who waits for it alone will want the next one of theirs. */
  #waitedSegments(): number[] {
    const last = this.#setup.plan.length - 2;
    const served = new Set(this.#waits.filter(({ part }) => part !== 'init').map(({ viewerId }) => viewerId));
    return this.#waits.flatMap(({ part, viewerId }) => {
      if (part !== 'init') return part;
      return served.has(viewerId) ? [] : Math.min(this.#viewers.get(viewerId)?.next ?? 0, last);
    });
  }

  #produce(range: SegmentRange): void {
    const host = this.#host;
    if (!host) return this.#isSourceGone ? this.#refuseGone() : this.#open();
    const isElsewhere = host.next !== range.from;
    // Where it stands is told in a moment; an order on its way to where it stood would have it go back.
    if (host.isPausing && !isElsewhere) return;
    host.isPausing = false;
    if (isElsewhere) host.madeHere = 0;
    this.#facts.progressMs = this.#setup.clock.monotonicMs();
    this.#pace.begin(this.#facts.progressMs, isElsewhere);
    host.next = range.from;
    host.until = range.until;
    host.handle.produce(range);
  }

  #pause(): void {
    if (!this.#host) return;
    this.#host.until = null;
    this.#host.isPausing = true;
    this.#host.handle.pause();
  }

  #publish(): void {
    const facts = this.#facts;
    const host = this.#host;
    facts.hasHost = host !== null || this.#opening !== null;
    facts.isWatched = this.#viewers.size > 0;
    const isIdle = this.#opening === null && (host === null || host.until === null) && this.#waits.length === 0;
    facts.isAtRest = isIdle && !this.#isHeldBack;
    this.#weigh();
    this.#idle?.[Symbol.dispose]();
    this.#idle = null;
    if (!host || !facts.isAtRest) return;
    this.#idle = this.#setup.clock.after(HOST_IDLE_MS, () => this.#tell({ kind: 'yield' })).unref();
    const { slots } = this.#setup;
    if (slots?.isContended) slots.reclaim();
  }

  #weigh(): void {
    const { slots } = this.#setup;
    if (!slots) return;
    const stocked = this.#stocked;
    const waiting = new Set(this.#waits.map(({ viewerId }) => viewerId));
    this.#facts.stocks = [...this.#viewers].map(([id, { next, playsUntilMs }]) => ({
      readyMs: waiting.has(id) ? 0 : readyUs(stocked, next) / 1_000,
      playsUntilMs,
    }));
    slots.weigh();
  }

  /** Who watched went on for as long as the host held the file [PLAY23]. */
  #refuseGone(): void {
    this.#refuse(() => true, new RenditionError('failed', 'notFound'));
    this.#viewers.clear();
  }

  #open(): void {
    const token = {};
    this.#opening = token;
    this.#facts.progressMs = this.#setup.clock.monotonicMs();
    void this.#connect(token);
  }

  async #connect(token: object): Promise<void> {
    const { key, spec, hosts, scratch, slots } = this.#setup;
    let slot: Slot | null = null;
    try {
      if (!this.#hasFolder) await scratch.createFolder(key);
      if (slots) {
        slot = await slots.acquire(this.#holder);
        if (!slot) throw new RenditionError('busy');
      }
      const handle = await hosts.openRendition({ ...spec, outputDir: scratch.pathOf(key) }, (event) =>
        this.#tell({ kind: 'event', token, event }),
      );
      this.#tell({ kind: 'opened', token, handle, slot });
    } catch (error) {
      slot?.[Symbol.dispose]();
      this.#tell({ kind: 'openFailed', token, error });
    }
  }

  #opened({ token, handle, slot }: RenditionMessage & { kind: 'opened' }): void {
    if (token !== this.#opening) {
      void handle.close().finally(() => slot?.[Symbol.dispose]());
      return;
    }
    this.#opening = null;
    this.#hasFolder = true;
    this.#host = { token, handle, slot, next: NOWHERE, until: null, madeHere: 0, emptyRuns: 0, isPausing: false };
  }

  #openFailed({ token, error }: RenditionMessage & { kind: 'openFailed' }): void {
    if (token !== this.#opening) return;
    this.#opening = null;
    const isBusy =
      error instanceof RenditionError || (error instanceof Error && 'code' in error && error.code === 'atCapacity');
    if (!isBusy) this.#setup.log.error('a rendition host could not be opened', { error, path: this.#setup.spec.path });
    this.#refuse(() => true, isBusy ? new RenditionError('busy') : new RenditionError('failed', 'internal'));
    // Nobody waits any more, and a lead is not worth trying again at once: the next request does.
    this.#viewers.clear();
  }

  #hear(host: OpenHost, event: RenditionEvent): void {
    switch (event.kind) {
      case 'init':
        this.#hasInit = true;
        this.#answer('init');
        break;
      case 'segment':
        // One of an earlier range may cross a newer order on its way: it counts, but says nothing about where the host is.
        if (event.index === host.next) {
          host.next++;
          host.madeHere++;
        }
        host.emptyRuns = 0;
        this.#measure(event.index);
        this.#attempts.delete(event.index);
        this.#setup.cache.add(this.#setup.key, event.index, event.sizeBytes);
        this.#answer(event.index);
        break;
      case 'idle':
        this.#rested(host, event.next);
        break;
      case 'hardwareFailed':
        this.#facts.hasLostHardware = true;
        // The host goes on without it, under the same names; who keeps account of the hardware hears it from the hosts.
        this.#setup.log.warn('hardware failed in the middle of a movie', { path: this.#setup.spec.path, ...event });
        break;
      case 'failed':
        this.#failed(host, event);
        break;
      case 'waiting':
        break; // for those who keep the hosts
    }
  }

  #rested(host: OpenHost, next: number): void {
    const { until } = host;
    host.isPausing = false;
    // The end of an earlier range, which crossed a newer one on its way here.
    if (until !== null && (next < host.next || next > until + 1)) return;
    host.until = null;
    host.next = next;
    this.#pace.rest();
    if (until === null || next > until) return;
    if (++host.emptyRuns < MAX_EMPTY_RUNS) return;
    this.#failed(host, {
      kind: 'failed',
      failure: 'internal',
      index: next,
      detail: 'the host rests without making segments',
    });
  }

  #failed(host: OpenHost, { failure, index, detail }: RenditionEvent & { kind: 'failed' }): void {
    const { clock, log, spec } = this.#setup;
    this.#pace.rest();
    host.until = null;
    host.next = NOWHERE;
    host.emptyRuns = 0;
    host.isPausing = false;
    const attempts = (this.#attempts.get(index) ?? 0) + 1;
    this.#attempts.set(index, attempts);
    const isHopeless = HOPELESS.has(failure);
    log.warn('a segment could not be made', {
      path: spec.path,
      trackIndex: spec.trackIndex,
      index,
      failure,
      detail,
      attempts,
    });
    // A fault of ours may lie in the host, or in what connects us: the next attempt gets another.
    if (OURS.has(failure)) this.#closeHost();
    if (attempts < 2 && !isHopeless) return;
    const broken = { failure, untilMs: clock.monotonicMs() + BROKEN_MS };
    const error = new RenditionError('failed', failure);
    this.#broken.set(index, broken);
    if (isHopeless) {
      this.#hopeless = broken;
      this.#closeHost();
      this.#refuse(() => true, error);
    } else {
      this.#refuse(
        ({ part, viewerId }) => part === index || (part === 'init' && this.#viewers.get(viewerId)?.next === index),
        error,
      );
    }
  }

  #answer(part: Part): void {
    this.#waits = this.#waits.filter((wait) => {
      if (wait.part !== part) return true;
      this.#handOut(wait);
      return false;
    });
  }

  #refuse(which: (wait: Wait) => boolean, error: RenditionError): void {
    this.#waits = this.#waits.filter((wait) => {
      if (!which(wait)) return true;
      wait.reply.reject(error);
      return false;
    });
  }

  #forgetAbsentViewers(): void {
    const earliestMs = this.#setup.clock.monotonicMs() - LIVE_MS;
    const waiting = new Set(this.#waits.map(({ viewerId }) => viewerId));
    for (const [id, { seenMs }] of this.#viewers) {
      if (seenMs <= earliestMs && !waiting.has(id)) this.#viewers.delete(id);
    }
    if (this.#viewers.size === 0 || this.#absence) return;
    this.#absence = this.#setup.clock
      .after(LIVE_MS, () => {
        this.#absence = null;
        this.#tell({ kind: 'reconsider' });
      })
      .unref();
  }

  #measure(index: number): void {
    const { plan, clock } = this.#setup;
    this.#facts.progressMs = clock.monotonicMs();
    this.#pace.made(plan[index + 1]! - plan[index]!, this.#facts.progressMs);
    this.#facts.paceFactor = this.#pace.factor;
  }

  #closeHost(): void {
    const host = this.#host;
    this.#host = null;
    this.#pace.rest();
    void host?.handle.close().finally(() => host.slot?.[Symbol.dispose]());
  }
}
