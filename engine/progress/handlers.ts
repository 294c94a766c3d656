/** The calls of `progress`. Rules: SPEC.md. */
import type { Clock } from '#engine/base/clock.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { progress } from '#protocol/index.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import type { CreditsPort, ProgressState, ProgressStore } from './ports.ts';
import { clearPosition, endAtCredits, markWatched, observe, resumePositionMs } from './progress-state.ts';
import type { Observation } from './progress-state.ts';

/** Observations of one person and movie: the one being written, and the newest that waits [PROG8]. */
interface Lane {
  waiting: { observation: Observation; written: Promise<ProgressState | null> } | null;
  current: Promise<unknown>;
}

export function createProgressHandlers(options: {
  store: ProgressStore;
  clock: Pick<Clock, 'nowMs'>;
  /** Absent: nobody knows where credits begin. */
  credits?: CreditsPort;
}): Handlers<typeof progress> {
  const { store, clock, credits } = options;
  const lanes = new Map<string, Lane>();

  /** A place is worth more than knowing where the credits are: where that can't be told, it is written without. */
  async function creditsStartMs(movieId: string, durationMs: number): Promise<number | null> {
    try {
      return (await credits?.creditsStartMs(movieId, durationMs)) ?? null;
    } catch {
      return null;
    }
  }

  /** Writes an observation, or joins the one that waits for its turn already. */
  function write(userId: string, movieId: string, observation: Observation): Promise<ProgressState | null> {
    const laneKey = `${userId} ${movieId}`;
    const lane = lanes.get(laneKey) ?? { waiting: null, current: Promise.resolve() };
    lanes.set(laneKey, lane);
    if (lane.waiting) {
      lane.waiting.observation = newest(lane.waiting.observation, observation);
      return lane.waiting.written;
    }
    const written = lane.current.then(() => {
      const next = lane.waiting!.observation;
      lane.waiting = null;
      return store.update(userId, movieId, (stored, movie) =>
        observe(stored, { ...next, durationMs: next.durationMs || (movie.durationMs ?? 0) }),
      );
    });
    lane.waiting = { observation, written };
    const settled = written.then(
      () => undefined,
      () => undefined,
    );
    lane.current = settled.then(() => {
      if (!lane.waiting) lanes.delete(laneKey);
    });
    return written;
  }

  return {
    async report({ movieId, positionMs, durationMs, observedAt }, { viewer, fail }) {
      const nowMs = clock.nowMs();
      const observedAtMs = Math.min(observedAt ?? nowMs, nowMs);
      const creditsMs = durationMs ? await creditsStartMs(movieId, durationMs) : null;
      const observation = { positionMs, durationMs: durationMs ?? 0, observedAtMs };
      const state = await write(viewer.id, movieId, endAtCredits(observation, creditsMs));
      return state ? outcome(movieId, state) : fail('notFound', { what: 'movie', id: movieId });
    },
    async setWatched({ movieId, isWatched }, { viewer, fail }) {
      const state = await store.update(viewer.id, movieId, (stored) => markWatched(stored, isWatched, clock.nowMs()));
      return state ? outcome(movieId, state) : fail('notFound', { what: 'movie', id: movieId });
    },
    async clear({ movieId }, { viewer, fail }) {
      const state = await store.update(viewer.id, movieId, (stored) => clearPosition(stored, clock.nowMs()));
      return state ? outcome(movieId, state) : fail('notFound', { what: 'movie', id: movieId });
    },
  };
}

function newest(a: Observation, b: Observation): Observation {
  if (a.observedAtMs !== b.observedAtMs) return a.observedAtMs > b.observedAtMs ? a : b;
  return a.positionMs >= b.positionMs ? a : b;
}

const outcome = (movieId: string, state: ProgressState): { progress: Progress } => ({
  progress: {
    movieId,
    positionMs: resumePositionMs(state),
    durationMs: state.durationMs,
    isWatched: state.isWatched,
    watchCount: state.watchCount,
    updatedAt: state.observedAtMs,
  },
});
