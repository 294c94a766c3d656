/**
 * Looks into a file for its intro and its credits, and keeps what it learned. Owns nothing: it may be begun twice, and a second time
 * changes nothing [WORK1]. Rules PLAY64 to PLAY66 of engine/playback/SPEC.md.
 */
import type { Log } from '#engine/base/log.ts';
import {
  creditsOfPauses,
  endSearchFromMs,
  introOfSharedSound,
  introSearchUntilMs,
  markersOfChapters,
} from '#engine/media/marker-finding.ts';
import { PASSING_FAILURES } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { MomentFile, MomentStore, SharedPair, Study, StudyHosts } from './ports.ts';

/** Grows when the rules change: files are looked into again. */
export const RULES = 1;
/** Shorter is no movie with credits of its own. */
const MIN_DURATION_MS = 60_000;
/** More in one folder or collection are no series. */
const MAX_KIN = 40;
/** Below the shortest intro: what is a little too short with one may be long enough with another. */
const MIN_SHARED_MS = 10_000;

export interface MarkerStudyOptions {
  readonly store: MomentStore;
  readonly hosts: StudyHosts;
  /** Where hosts may write meanwhile. Absolute; emptied at the start. */
  readonly scratchFolder: string;
  readonly log: Log;
}

/** `away`: the file can't be read just now; ask again later. */
export async function studyFile(
  options: MarkerStudyOptions,
  file: MomentFile,
  signal: AbortSignal,
): Promise<'done' | 'away'> {
  const { store, hosts, log } = options;
  const { media } = file;
  const durationMs = media?.durationMs ?? 0;
  if (media === null || file.isExtra || file.state !== 'playable' || durationMs < MIN_DURATION_MS) {
    await store.saveStudy(file, RULES, { soundPrint: null, failure: null });
    return 'done';
  }
  const named = new Set(markersOfChapters(media.chapters, durationMs).map(({ kind }) => kind));
  let failure: MediaFailure | null = null;

  if (!named.has('credits')) {
    const found = await creditsOf(hosts, file, media, signal);
    if (typeof found === 'string') failure = found;
    else await store.setDetected(file.id, 'credits', found);
  }

  const kin = named.has('intro') ? [] : await store.kinOf(file.id, MAX_KIN);
  let soundPrint: Uint32Array | null = null;
  if (kin.length > 0) {
    const print = await printOf(options, file, media, signal);
    if (typeof print === 'string') failure = print;
    else soundPrint = print;
  }
  // Its disk is not there just now. One that took too long would do so again.
  if (failure !== null && failure !== 'timeout' && PASSING_FAILURES.has(failure)) return 'away';
  // Before the comparison: of two that are studied at once, the second finds the first.
  await store.saveStudy(file, RULES, { soundPrint, failure });
  if (failure !== null) log.warn('a file could not be looked into for marks', { path: file.path, failure });
  if (soundPrint !== null) await compare(options, file, { soundPrint, failure }, signal);
  return 'done';
}

async function creditsOf(hosts: StudyHosts, file: MomentFile, media: MediaInfo, signal: AbortSignal) {
  const [video, audio] = [media.video[0], heardTrack(media)];
  const durationMs = media.durationMs ?? 0;
  if (video === undefined || audio === undefined) return null;
  const fromMs = endSearchFromMs(durationMs);
  const request = { video, audioIndex: audio.index, startMs: media.startMs, durationMs, fromMs };
  const result = await hosts.darkPauses(file.path, request, { priority: 'background', signal });
  return result.ok ? creditsOfPauses(result.pauses, durationMs) : result.failure;
}

async function printOf(
  { hosts, scratchFolder }: MarkerStudyOptions,
  file: MomentFile,
  media: MediaInfo,
  signal: AbortSignal,
) {
  const audio = heardTrack(media);
  if (audio === undefined) return null;
  const untilMs = introSearchUntilMs(media.durationMs ?? 0);
  const request = { scratchFolder, trackIndex: audio.index, startMs: media.startMs, fromMs: 0, untilMs };
  const result = await hosts.soundPrint(file.path, request, { priority: 'background', signal });
  return result.ok ? result.words : result.failure;
}

/** What the file shares with each of its kin, and with that everybody's intro anew. */
async function compare(
  { store, hosts }: Pick<MarkerStudyOptions, 'store' | 'hosts'>,
  file: MomentFile,
  { soundPrint }: Study,
  signal: AbortSignal,
): Promise<void> {
  // Asked again: others may have been studied meanwhile.
  const kin = (await store.kinOf(file.id, MAX_KIN)).filter((one) => one.soundPrint !== null);
  if (soundPrint === null || kin.length === 0) return;
  const others = kin.map((one) => one.soundPrint!);
  const request = { words: soundPrint, others, minMs: MIN_SHARED_MS };
  const { common } = await hosts.commonSounds(file.path, request, { priority: 'background', signal });
  const pairs = common.flatMap((shared, i): SharedPair[] =>
    shared === null
      ? []
      : [
          {
            otherId: kin[i]!.fileId,
            startMs: Math.round(shared.aStartMs),
            otherStartMs: Math.round(shared.bStartMs),
            lengthMs: Math.round(shared.lengthMs),
          },
        ],
  );
  await store.saveShared(file.id, pairs);
  for (const fileId of [file.id, ...kin.map((one) => one.fileId)]) {
    await store.setDetected(fileId, 'intro', introOfSharedSound(await store.shared(fileId), kin.length));
  }
}

/** The sound that most people hear; the jingle is in every one. */
function heardTrack(media: MediaInfo): MediaInfo['audio'][number] | undefined {
  const spoken = media.audio.filter(({ disposition }) => !disposition.commentary && !disposition.visualImpaired);
  return spoken.find(({ disposition }) => disposition.default) ?? spoken[0] ?? media.audio[0];
}
