/**
 * Who gets the processor when several pictures are encoded at once: whose viewers are nearest to waiting. Pure. Rule PLAY36 of SPEC.md.
 *
 * Left to the system, a host that fills a long lead takes as much as one whose viewer has nothing to show. Priorities can't tell them apart:
 * without rights a process can be set back, and never forward again.
 */

/** Whoever has this much is in no need. */
const ENOUGH_MS = 10_000;
/** How much more than twice the other's one has to have to begin with giving way, and to go on with it: the time between is used for making. */
const BEGIN_MS = 6_000;
const END_MS = 4_000;

/**
 * Whether a host rests for others. `ownMs`: what its viewers have before they wait; `othersMs`: the same of others at work. The one that has
 * the least never does.
 */
export function givesWay(ownMs: number, othersMs: readonly number[], isGivingWay: boolean): boolean {
  const leastMs = Math.min(...othersMs);
  if (leastMs >= ENOUGH_MS) return false;
  return ownMs >= 2 * leastMs + (isGivingWay ? END_MS : BEGIN_MS);
}

/**
 * What one viewer has before they wait. `readyMs` is there and was not asked for yet. `playsUntilMs`: when they have played all that was handed
 * to them, at the usual speed and without a pause; that is a guess, so half of it counts.
 */
export function aheadMs(viewer: ViewerStock, nowMs: number): number {
  return viewer.readyMs + Math.max(0, viewer.playsUntilMs - nowMs) / 2;
}

export interface ViewerStock {
  readonly readyMs: number;
  readonly playsUntilMs: number;
}
