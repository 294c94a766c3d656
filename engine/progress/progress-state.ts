/** How a position becomes progress: pure, so that every order of arrival can be tested. Rules: SPEC.md. */
import { WATCHED_SHARE } from '#protocol/schema/progress.ts';
import type { ProgressState } from './ports.ts';

export interface Observation {
  readonly positionMs: number;
  readonly durationMs: number;
  readonly observedAtMs: number;
}

const UNSEEN: ProgressState = { positionMs: 0, durationMs: 0, isWatched: false, watchCount: 0, observedAtMs: 0 };

/** [PROG11] Who has come to the credits has come to the end. */
export function endAtCredits(observation: Observation, creditsMs: number | null): Observation {
  const { positionMs, durationMs } = observation;
  if (creditsMs === null || positionMs < creditsMs) return observation;
  return { ...observation, positionMs: Math.max(positionMs, Math.ceil(durationMs * WATCHED_SHARE)) };
}

/** Takes an observation into account. Returns `stored` itself where the observation is older [PROG1]. */
export function observe(stored: ProgressState | null, observation: Observation): ProgressState {
  const before = stored ?? UNSEEN;
  const durationMs = observation.durationMs || before.durationMs;
  const positionMs = durationMs > 0 ? Math.min(observation.positionMs, durationMs) : observation.positionMs;
  if (stored && !isNewer(observation.observedAtMs, positionMs, stored)) return stored;
  const wasAtEnd = isAtEnd(before);
  const next = { ...before, positionMs, durationMs, observedAtMs: observation.observedAtMs };
  if (!isAtEnd(next)) return next;
  return { ...next, isWatched: true, watchCount: before.watchCount + (wasAtEnd ? 0 : 1) };
}

/** Marks or unmarks as watched [PROG6]. */
export function markWatched(stored: ProgressState | null, isWatched: boolean, nowMs: number): ProgressState {
  const before = stored ?? UNSEEN;
  const observedAtMs = Math.max(nowMs, before.observedAtMs);
  if (!isWatched) return { ...before, positionMs: 0, isWatched, observedAtMs };
  return {
    ...before,
    positionMs: 0,
    isWatched,
    watchCount: before.watchCount + (before.isWatched ? 0 : 1),
    observedAtMs,
  };
}

/** Forgets the position [PROG7]. */
export function clearPosition(stored: ProgressState | null, nowMs: number): ProgressState {
  const before = stored ?? UNSEEN;
  return { ...before, positionMs: 0, observedAtMs: Math.max(nowMs, before.observedAtMs) };
}

/** Where to go on: the position, or the beginning once the end was reached [PROG5]. */
export function resumePositionMs(state: Pick<ProgressState, 'positionMs' | 'durationMs'>): number {
  return isAtEnd(state) ? 0 : state.positionMs;
}

function isAtEnd({ positionMs, durationMs }: Pick<ProgressState, 'positionMs' | 'durationMs'>): boolean {
  return durationMs > 0 && positionMs >= durationMs * WATCHED_SHARE;
}

function isNewer(observedAtMs: number, positionMs: number, stored: ProgressState): boolean {
  if (observedAtMs !== stored.observedAtMs) return observedAtMs > stored.observedAtMs;
  return positionMs > stored.positionMs;
}
