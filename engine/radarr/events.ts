/**
 * What a message of Radarr's brings about. A message is never believed: it says where to look. What is on disk says the library's
 * scan, and which movie it is says Radarr when it is asked. So an old, repeated, reordered or made-up message finds the same
 * truth as any other. Rules EVENT1 to EVENT7 of SPEC.md.
 */
import * as v from 'valibot';
import type { RadarrEvent } from '#protocol/schema/radarr.ts';
import { StoredFacts, kindOfWork } from './event-facts.ts';
import { placeFacts, placesToLookAt } from './placement.ts';
import type { Places } from './placement.ts';
import type { EventFacts, WaitingEvent } from './ports.ts';
import { RadarrFailure } from './radarr-client.ts';
import type { RadarrClient } from './radarr-client.ts';
import { syncOne } from './sync.ts';
import type { SyncPorts } from './sync.ts';

export interface EventContext {
  /** `null` where Radarr cannot be asked. */
  readonly client: RadarrClient | null;
  readonly places: Places;
  /** What the Radarr that can be asked calls itself; `null` where that is not known. */
  readonly instance: string | null;
  readonly signal: AbortSignal;
  /** Radarr did not answer: what the message said counts until the next sync. */
  readonly onFailure: (failure: RadarrFailure) => Promise<void>;
}

export interface EventEnd {
  readonly outcome: NonNullable<RadarrEvent['outcome']>;
  readonly path: string | null;
}

const end = (outcome: EventEnd['outcome'], path: string | null = null): EventEnd => ({ outcome, path });

export async function dealWith(ports: SyncPorts, event: WaitingEvent, context: EventContext): Promise<EventEnd> {
  const parsed = v.safeParse(StoredFacts, event.facts);
  const work = kindOfWork(event.kind);
  if (work === 'test') return end('tested');
  if (work === 'noted') return end('noted');
  if (work === 'unknown' || !parsed.success) return end('unknownKind');
  const facts = parsed.output;
  // First who it is, then where: the scan that follows finds the number of its movie.
  await learn(ports, facts, context);
  if (work === 'movie') return end('noted');

  const { pathsByLibrary, lost } = placesToLookAt(facts.paths, context.places);
  for (const [libraryId, paths] of pathsByLibrary) ports.libraries.rescanPaths(libraryId, paths);
  if (pathsByLibrary.size > 0) return end('lookedAt');
  return lost === null ? end('noted') : end(lost.why, lost.path);
}

/** Asks Radarr what the movie is now; where that can't be done, takes the message's word for it. */
async function learn(ports: SyncPorts, facts: EventFacts, context: EventContext): Promise<void> {
  if (facts.radarrId === null) return;
  const { store, matches, clock } = ports;
  const { client, places, signal } = context;
  const instance = facts.instance ?? context.instance ?? 'Radarr';
  // Another Radarr numbers its movies differently.
  if (client !== null && (context.instance === null || context.instance === instance)) {
    try {
      await syncOne(ports, { client, places, signal }, instance, facts.radarrId);
      return;
    } catch (error) {
      if (!(error instanceof RadarrFailure)) throw error;
      await context.onFailure(error);
    }
  }
  if (facts.kind === 'MovieDelete') return await store.markGone(instance, facts.radarrId);
  // That a file went says nothing of the one that is there now.
  if (facts.kind === 'MovieFileDelete') return;
  const placed = placeFacts(facts, instance, places);
  if (placed === null) return;
  await store.putMovies([placed], clock.nowMs());
  const mistaken = await store.mistaken(instance, facts.radarrId);
  if (mistaken.length > 0) await matches.wantMatch(mistaken);
}
