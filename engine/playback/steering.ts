/**
 * Where the one host of a rendition should work next. Pure: the state of a rendition goes in, what to tell its host comes
 * out. Rules PLAY8 to PLAY12 of SPEC.md.
 */
import { segmentAt } from '#engine/media/segment-plan.ts';
import type { SegmentPlan } from '#engine/media/segment-plan.ts';
import type { SegmentRange } from '#engine/media/rendition-spec.ts';

/** How far ahead of the host it is cheaper to wait than to move it, in segments. */
export const REACH = 3;
/** What a host that was moved makes in its new place, as long as a viewer is there, before it may be moved away. */
export const TURN = 3;

/** How far ahead of a viewer a host works: from the low mark down it starts, at the high mark it rests. */
export interface Lead {
  readonly highUs: number;
  readonly lowUs: number;
}

export interface SteeringState {
  readonly plan: SegmentPlan;
  /** Whether a segment is there. */
  readonly has: (index: number) => boolean;
  /** Whether a segment could not be made and is not to be tried for now. */
  readonly isBroken: (index: number) => boolean;
  /** Segments that somebody waits for: none of them is there. Longest waiting first. */
  readonly waits: readonly number[];
  /** For each viewer who asked lately, the segment that they will ask for next. */
  readonly viewers: readonly number[];
  /** `null` where there is no host yet. */
  readonly host: HostPlace | null;
  readonly lead: Lead;
  /** False where segments that nobody waits for should not be made: no space for them, or another rendition needs the processor. */
  readonly mayLead: boolean;
}

export interface HostPlace {
  /** The segment that it can make without moving: the one in hand, or the one after its last. */
  readonly next: number;
  /** The last segment that it was told to make; `null` at rest. */
  readonly until: number | null;
  /** Segments made since it was last moved. */
  readonly madeHere: number;
}

export type Steering =
  /** Nothing to change: let it work, or rest. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'produce'; readonly range: SegmentRange }
  /** It works for nobody. */
  | { readonly kind: 'pause' };

type Stocked = Pick<SteeringState, 'plan' | 'lead' | 'has' | 'isBroken'>;

const KEEP: Steering = { kind: 'keep' };

export function steer(state: SteeringState): Steering {
  const { host } = state;
  // It has made its last and is about to say so: an order that met it now would cross that message.
  if (host !== null && host.until !== null && host.next > host.until) return KEEP;
  return state.waits.length > 0 ? steerToWaits(state, state.waits) : steerToLead(state);
}

function steerToWaits(state: SteeringState, waits: readonly number[]): Steering {
  const { host } = state;
  const oldest = waits[0]!;
  const near = host === null ? [] : waits.filter((index) => isWithinReach(host, index));
  const isOldestNear = near.includes(oldest);
  // Who waits elsewhere is not here any more, however near: they have moved back a little.
  const viewers = state.viewers.filter((next) => near.includes(next - 1) || !waits.includes(next - 1));
  if (host !== null && host.until !== null && (isOldestNear || hasTurn(viewers, host))) return KEEP;
  // At rest just before: go on without a seek.
  if (host !== null && isOldestNear) return produce(state, host.next, Math.max(...near));
  return produce(state, oldest, oldest);
}

/** Whether a host that was just moved may stay, since a viewer is there. */
function hasTurn(viewers: readonly number[], { next, madeHere }: HostPlace): boolean {
  return madeHere < TURN && viewers.some((viewer) => viewer >= next - TURN && viewer <= next + REACH);
}

/** From where a host stands; beyond the end of its range only at rest, since a range can be changed safely only then. */
function isWithinReach({ next, until }: HostPlace, index: number): boolean {
  return index >= next && index <= Math.min(until ?? Infinity, next + REACH);
}

/** A range that holds `wanted`, and goes on as far as the lead of its viewer may. */
function produce(state: SteeringState, from: number, wanted: number): Steering {
  const limit = state.mayLead ? leadEnd(state, wanted) : wanted;
  let until = wanted;
  while (until < limit && isMissing(state, until + 1)) until++;
  return { kind: 'produce', range: { from, until } };
}

function steerToLead(state: SteeringState): Steering {
  const { host, mayLead } = state;
  const isWorking = host !== null && host.until !== null;
  if (!mayLead) return isWorking ? { kind: 'pause' } : KEEP;
  if (isWorking) {
    const isForSomebody = state.viewers.some((next) => host.next >= next && host.next <= leadEnd(state, next));
    if (isForSomebody) return KEEP;
  }
  const thirsty = state.viewers
    .map((next) => ({ next, gap: firstMissing(state, next) }))
    .filter(({ next, gap }) => gap !== null && state.plan[gap]! - state.plan[next]! < state.lead.lowUs)
    .toSorted((a, b) => a.gap! - a.next - (b.gap! - b.next))[0];
  if (thirsty) {
    let until = thirsty.gap!;
    while (until < leadEnd(state, thirsty.next) && isMissing(state, until + 1)) until++;
    return { kind: 'produce', range: { from: thirsty.gap!, until } };
  }
  return isWorking ? { kind: 'pause' } : KEEP;
}

/** The first segment from `next` on that is not there; `null` where everything up to the high mark is, or the next can't be made. */
function firstMissing(state: Stocked, next: number): number | null {
  const end = leadEnd(state, next);
  for (let index = next; index <= end; index++) {
    if (state.has(index)) continue;
    return state.isBroken(index) ? null : index;
  }
  return null;
}

/** What is there for a viewer from the segment on that they will ask for next, up to the high mark; `Infinity` where nothing is missing. */
export function readyUs(state: Stocked, next: number): number {
  const gap = firstMissing(state, next);
  return gap === null ? Infinity : state.plan[gap]! - state.plan[next]!;
}

const isMissing = (state: SteeringState, index: number): boolean => !state.has(index) && !state.isBroken(index);

/** The last segment within the high mark of a viewer. A viewer at the end of the movie has none: the result lies before `next`. */
export function leadEnd({ plan, lead }: Pick<SteeringState, 'plan' | 'lead'>, next: number): number {
  const count = plan.length - 1;
  return next >= count ? count - 1 : segmentAt(plan, plan[next]! + lead.highUs);
}
