/** Looking at what Radarr has: everything, or one movie. Rules SYNC1 to SYNC6 of SPEC.md. */
import type { Clock } from '#engine/base/clock.ts';
import type { RadarrSync } from '#protocol/schema/radarr.ts';
import { placeMovie } from './placement.ts';
import type { Places } from './placement.ts';
import type { LibraryPort, MatchPort, PlacedMovie, RadarrStore, RunningWork } from './ports.ts';
import type { RadarrClient } from './radarr-client.ts';

export interface SyncPorts {
  readonly store: RadarrStore;
  readonly libraries: LibraryPort;
  readonly matches: MatchPort;
  readonly clock: Clock;
}

const BATCH = 200;
/** Files that Radarr has and we do not: more than these are found by the library's own scans. */
const MAX_UNSEEN = 2_000;

export interface SyncRequest {
  readonly client: RadarrClient;
  readonly places: Places;
  readonly job: RunningWork;
  /** Told who answered, before anything else is asked. */
  readonly onStatus: (status: { readonly instance: string; readonly version: string }) => Promise<void>;
}

/** Everything. Throws a `RadarrFailure` where Radarr cannot be asked to the end; what was read until then is kept. */
export async function syncAll(ports: SyncPorts, { client, places, job, onStatus }: SyncRequest): Promise<RadarrSync> {
  const { store, clock } = ports;
  const atMs = clock.nowMs();
  const status = await client.status(job.signal);
  const instance = status.instanceName ?? 'Radarr';
  await onStatus({ instance, version: status.version });

  let movies = 0;
  let batch: PlacedMovie[] = [];
  const flush = async (): Promise<void> => {
    const full = batch;
    batch = [];
    movies += full.length;
    await store.putMovies(full, atMs);
    job.progress({ done: movies, total: null, note: `${movies} movies read` });
  };
  const { skipped } = await client.movies(async (movie) => {
    batch.push(placeMovie(movie, instance, places));
    if (batch.length >= BATCH) await flush();
  }, job.signal);
  await flush();
  // Without a single movie it is likelier that Radarr has trouble than that all are gone.
  if (movies > 0) await store.markGoneBefore(instance, atMs);

  await lookAtUnseen(ports, instance);
  const mistaken = await store.mistaken(instance, null);
  if (mistaken.length > 0) await ports.matches.wantMatch(mistaken);
  return { at: Math.trunc(clock.nowMs()), movies, skipped, ...(await store.counts(instance)) };
}

/** One movie, by its number there. `false` where Radarr does not have it any more. */
export async function syncOne(
  { store, clock, matches }: Pick<SyncPorts, 'store' | 'clock' | 'matches'>,
  { client, places, signal }: { readonly client: RadarrClient; readonly places: Places; readonly signal: AbortSignal },
  instance: string,
  radarrId: number,
): Promise<boolean> {
  const atMs = clock.nowMs();
  const movie = await client.movie(radarrId, signal);
  if (movie === null) {
    await store.markGone(instance, radarrId);
    return false;
  }
  await store.putMovies([placeMovie(movie, instance, places)], atMs);
  const mistaken = await store.mistaken(instance, radarrId);
  if (mistaken.length > 0) await matches.wantMatch(mistaken);
  return true;
}

/** What Radarr imported while its messages did not reach us. */
async function lookAtUnseen({ store, libraries }: SyncPorts, instance: string): Promise<void> {
  const unseen = await store.unseen(instance, MAX_UNSEEN);
  for (const [libraryId, files] of Map.groupBy(unseen, (file) => file.libraryId)) {
    libraries.rescanPaths(
      libraryId,
      files.map(({ path }) => path),
    );
  }
}
