/** Downloads as screens are told of them. Pure. */
import type { Download } from '#protocol/schema/downloads.ts';
import type { CopyProgress } from './copy-work.ts';
import type { StoredCopy, StoredDownload } from './ports.ts';

/** What is not in the store. */
export interface MakingFacts {
  /** The copy that is being made now. */
  readonly making: { readonly copyId: string; readonly progress: CopyProgress } | null;
  /** Ids of the copies that wait, the next one first. */
  readonly queue: readonly string[];
  readonly keptForMs: number;
}

export const NOT_BEGUN: CopyProgress = { share: 0, speed: null, leftMs: null, isHeld: false };

export function downloadView(stored: StoredDownload, facts: MakingFacts): Download {
  const { copy, part, partCount, userId: _userId, userName: _userName, ended, failure, createdAtMs, ...rest } = stored;
  const making = copy !== null && facts.making?.copyId === copy.id ? facts.making : null;
  const state =
    copy === null ? (ended ?? 'failed') : copy.state === 'ready' ? 'ready' : making ? 'preparing' : 'queued';
  const progress = state === 'preparing' ? (making?.progress ?? NOT_BEGUN) : null;
  return {
    ...rest,
    audioTracks: [...rest.audioTracks],
    subtitles: [...rest.subtitles],
    part: part === null ? null : { number: part, count: partCount },
    state,
    place: state === 'queued' && copy ? Math.max(0, facts.queue.indexOf(copy.id)) + 1 : null,
    progress: progress && Math.round(progress.share * 1_000) / 1_000,
    speed: progress?.speed == null ? null : Math.round(progress.speed * 10) / 10,
    leftMs: progress?.leftMs ?? null,
    isHeld: progress?.isHeld ?? false,
    // With neither a copy nor an end, the movie's file has gone, and the copy with it.
    failure: state !== 'failed' ? null : (failure ?? (ended === null ? 'sourceGone' : 'trouble')),
    createdAt: createdAtMs,
    readyAt: copy?.readyAtMs ?? null,
    expiresAt: copy?.state === 'ready' ? expiryMs(copy, facts.keptForMs) : null,
  };
}

export const bytesOf = (copies: readonly StoredCopy[]): number =>
  copies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/** Of one person: what several share counts for each of them. */
export const ownBytes = (own: readonly StoredDownload[]): number => bytesOf(own.flatMap(({ copy }) => copy ?? []));

export const expiryMs = ({ readyAtMs, usedAtMs }: StoredCopy, keptForMs: number): number =>
  Math.max(readyAtMs ?? 0, usedAtMs ?? 0) + keptForMs;
