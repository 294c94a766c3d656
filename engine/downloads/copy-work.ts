/**
 * Makes one copy, from its row to its file. Owns: the process that makes it, for as long as it does.
 * Rules DL20 to DL33 of SPEC.md.
 */
import { stat } from 'node:fs/promises';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { DownloadEvent, DownloadTrouble } from '#engine/hosts/download.port.ts';
import { planCopy } from '#engine/media/download-plan.ts';
import { decodeKeyframes } from '#engine/media/keyframe-index.ts';
import { isPlannable, planTranscode } from '#engine/media/segment-plan.ts';
import type { DownloadFailure } from '#protocol/schema/downloads.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { downloadSpec } from './offers.ts';
import type {
  CopyFolder,
  DownloadChoice,
  DownloadEncoder,
  DownloadFile,
  DownloadHosts,
  DownloadStore,
  DownloadSubtitles,
  StoredCopy,
} from './ports.ts';

/** How often is looked whether somebody watches something that is made for them. */
const LOOK_EVERY_MS = 3_000;
/** What the disk has to keep beside it. */
const SPARE_BYTES = 256 << 20;

export interface CopyProgress {
  /** 0 to 1. */
  readonly share: number;
  /** Times as fast as it plays; `null` until that is known, and while the tracks are put together. */
  readonly speed: number | null;
  readonly leftMs: number | null;
  readonly isHeld: boolean;
}

export interface CopyWorkOptions {
  readonly store: DownloadStore;
  readonly folder: CopyFolder;
  readonly hosts: DownloadHosts;
  readonly subtitles: DownloadSubtitles;
  readonly encoder: () => DownloadEncoder;
  readonly clock: Clock;
  readonly log: Log;
}

/** Ends the making with a reason that people are told. */
export class CopyFailed extends Error {
  readonly failure: DownloadFailure;
  constructor(failure: DownloadFailure, detail: string) {
    super(detail);
    this.name = 'CopyFailed';
    this.failure = failure;
  }
}

const FAILURES: Readonly<Record<DownloadTrouble, DownloadFailure>> = {
  sourceGone: 'sourceGone',
  sourceDamaged: 'sourceDamaged',
  cannotCopy: 'cannotCopy',
  diskFull: 'diskFull',
  tooLarge: 'noRoom',
  trouble: 'trouble',
};

/**
 * Resolves with its size when it lies in its place. Rejects with `CopyFailed`, or with the signal's reason; then what was made so far stays
 * for the next time. `maxBytes`: what there is room for.
 */
export async function makeCopy(
  options: CopyWorkOptions,
  copy: StoredCopy,
  choice: DownloadChoice,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal; readonly tell: (progress: CopyProgress) => void },
): Promise<number> {
  const { store, folder, subtitles, encoder } = options;
  const { signal, maxBytes, tell } = limits;
  // A kill may have come between the file and its row.
  const there = await folder.sizeOf(copy.id);
  if (there !== null) return there;
  const file = await presentSource(store, copy);
  const boundariesUs = await boundariesOf(options, file, choice, signal);
  if ((await folder.freeBytes()) < Math.min(copy.sizeBytes, maxBytes) * 2 + SPARE_BYTES) {
    throw new CopyFailed('diskFull', 'less is free on the disk than making it needs');
  }
  const choices = await subtitles.choices(file);
  const texts: string[] = [];
  for (const [index, id] of choice.subtitles.entries()) {
    try {
      const path = await subtitles.vtt(file, id, signal);
      texts.push(await folder.keepText(copy.id, String(index), path));
    } catch (error) {
      signal.throwIfAborted();
      throw new CopyFailed('sourceDamaged', `subtitles ${id} cannot be read: ${(error as Error).message}`);
    }
  }
  const burnInPath = await keptPictures(options, file, copy, choice, signal);
  const spec = downloadSpec(file, choice, {
    ...{ boundariesUs, subtitles: choices, texts, burnInPath, maxBytes, encoder: encoder() },
    workFolder: folder.workFolderOf(copy.id),
    resultPath: folder.partPathOf(copy.id),
  });
  signal.throwIfAborted();
  await hosted(options, spec, { signal, tell });
  await folder.publish(copy.id);
  const sizeBytes = await folder.sizeOf(copy.id);
  if (sizeBytes === null) throw new CopyFailed('trouble', 'the copy is not where it was put');
  return sizeBytes;
}

/** [DL36] All of them are there before the first picture is encoded: nothing has to wait for them, and no cache forgets them meanwhile. */
async function keptPictures(
  { subtitles, folder }: CopyWorkOptions,
  file: DownloadFile,
  copy: StoredCopy,
  { burnedSubtitle }: DownloadChoice,
  signal: AbortSignal,
): Promise<string | null> {
  if (burnedSubtitle === null) return null;
  try {
    return await folder.keepPictures(copy.id, await subtitles.pictures(file, burnedSubtitle, signal));
  } catch (error) {
    signal.throwIfAborted();
    throw new CopyFailed('sourceDamaged', `subtitles ${burnedSubtitle} cannot be read: ${(error as Error).message}`);
  }
}

/** [DL28] The movie's file, as it was when it was asked for. */
async function presentSource(
  store: DownloadStore,
  copy: StoredCopy,
): Promise<DownloadFile & { readonly media: MediaInfo }> {
  const file = await store.file(copy.fileId);
  if (file === null || file.state === 'missing') throw new CopyFailed('sourceGone', 'the file is missing');
  const { media } = file;
  const isSame = file.sizeBytes === copy.sourceBytes && file.mtimeUs === copy.sourceMtimeUs;
  // A scan may not have come by since it was replaced.
  const sizeBytes = await stat(file.path).then(
    ({ size }) => size,
    () => null,
  );
  if (sizeBytes === null) throw new CopyFailed('sourceGone', 'the file cannot be found');
  if (!isSame || sizeBytes !== copy.sourceBytes) throw new CopyFailed('sourceChanged', 'the file is another one');
  if (media === null || file.state === 'unplayable') throw new CopyFailed('sourceDamaged', 'the file is unplayable');
  return { ...file, media };
}

async function boundariesOf(
  { store, hosts }: CopyWorkOptions,
  file: DownloadFile & { readonly media: MediaInfo },
  { quality }: DownloadChoice,
  signal: AbortSignal,
): Promise<Float64Array> {
  const durationUs = (file.media.durationMs ?? 0) * 1_000;
  if (!isPlannable(durationUs)) throw new CopyFailed('sourceDamaged', 'its length is not known');
  const [video] = file.media.video;
  const stored = video && (await store.keyframes(file.id));
  let keyframesUs = stored ? decodeKeyframes(stored) : null;
  const isCopy = quality === 'copy' && video !== undefined;
  if (isCopy && (keyframesUs === null || keyframesUs.length === 0)) {
    const found = await hosts.keyframes(file.path, video.index, { priority: 'background', signal });
    keyframesUs = found.ok ? Float64Array.from(found.keyframesUs) : null;
  }
  if (!isCopy) {
    const rate = video?.isVariableFrameRate === false ? video.frameRate : null;
    return planTranscode(keyframesUs, durationUs, rate);
  }
  const plan = keyframesUs && planCopy(keyframesUs, durationUs);
  if (!plan) throw new CopyFailed('cannotCopy', 'no keyframes are known');
  return plan;
}

async function hosted(
  { hosts, clock, log }: CopyWorkOptions,
  spec: Parameters<DownloadHosts['openDownload']>[0],
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: (progress: CopyProgress) => void },
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined); // waited for below, once the host is open
  const pace = new Pace(spec.boundariesUs.at(-1) ?? 0, clock);
  const onAbort = (): void => ended.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  const onEvent = (event: DownloadEvent): void => {
    if (event.kind === 'finished') ended.resolve();
    else if (event.kind === 'failed') ended.reject(new CopyFailed(FAILURES[event.trouble], event.detail));
    else if (event.kind === 'hardwareFailed') {
      log.warn('hardware failed while a copy was made, which goes on with the processor', {
        ...{ kind: event.hardware, verdict: event.verdict, detail: event.detail },
      });
    } else if (event.kind === 'progress') tell(pace.at(event.doneUs));
    else tell(pace.joining(event.share));
  };
  const handle = await hosts.openDownload(spec, onEvent).catch((error: unknown) => {
    signal.removeEventListener('abort', onAbort);
    throw error;
  });
  // Copying takes nothing of the processor that somebody could miss.
  const isEncoded = spec.video !== null && spec.video.output.method !== 'copy';
  const look = async (): Promise<void> => {
    const { transcodes } = await hosts.status();
    if (pace.isHeld === transcodes > 0) return;
    handle.hold(transcodes > 0);
    tell(pace.hold(transcodes > 0));
  };
  const looking = isEncoded ? clock.every(LOOK_EVERY_MS, () => void look().catch(() => undefined)).unref() : null;
  if (isEncoded) void look().catch(() => undefined);
  try {
    signal.throwIfAborted();
    await ended.promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    looking?.[Symbol.dispose]();
    await handle.close();
  }
}

/** The tracks take nearly all the time; putting them together the rest. */
const TRACKS_SHARE = 0.95;
/** Of what is measured lately. */
const RECENT_MS = 20_000;

/** How far it is, how fast, and for how long still. */
class Pace {
  readonly #totalUs: number;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #points: { readonly atMs: number; readonly doneUs: number }[] = [];
  #last: CopyProgress = { share: 0, speed: null, leftMs: null, isHeld: false };

  constructor(totalUs: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#totalUs = Math.max(1, totalUs);
    this.#clock = clock;
  }

  get isHeld(): boolean {
    return this.#last.isHeld;
  }

  at(doneUs: number): CopyProgress {
    const atMs = this.#clock.monotonicMs();
    this.#points.push({ atMs, doneUs });
    while (this.#points.length > 2 && this.#points[0]!.atMs < atMs - RECENT_MS) this.#points.shift();
    const [first] = this.#points;
    const speed =
      first && atMs - first.atMs >= 1_000 && doneUs > first.doneUs
        ? (doneUs - first.doneUs) / 1_000 / (atMs - first.atMs)
        : this.#last.speed;
    const leftMs = speed === null ? null : Math.round((this.#totalUs - doneUs) / 1_000 / speed / TRACKS_SHARE);
    // It never goes back: a process that was replaced looks through what is there from the beginning.
    const share = Math.max(this.#last.share, Math.min(1, doneUs / this.#totalUs) * TRACKS_SHARE);
    return (this.#last = { share, speed, leftMs, isHeld: this.#last.isHeld });
  }

  joining(share: number): CopyProgress {
    const isHeld = false;
    return (this.#last = { share: TRACKS_SHARE + share * (1 - TRACKS_SHARE), speed: null, leftMs: null, isHeld });
  }

  hold(isHeld: boolean): CopyProgress {
    this.#points = [];
    return (this.#last = { ...this.#last, isHeld, ...(isHeld && { speed: null, leftMs: null }) });
  }
}
