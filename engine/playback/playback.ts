/** Playback as a whole: what `main.ts` makes, and what it hands to the gateway. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { EncodeLimits } from '#engine/media/encode-ladder.ts';
import type { SendLimits } from '#engine/media/play-obstacles.ts';
import type { SubtitleCandidate } from '#engine/media/track-choice.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { playback, preferences, subtitles } from '#protocol/index.ts';
import type { SubtitleChoice } from '#protocol/schema/subtitle.ts';
import { createPlaybackHandlers } from './handlers.ts';
import { createLinkHandlers, createLinkedParts } from './link-handlers.ts';
import { withSubtitles } from './burn-in.ts';
import { GrantSigner } from './media-grant.ts';
import { createMediaRoutes } from './media-routes.ts';
import type { MediaRoute, ViewerPlaces } from './media-routes.ts';
import { MoviePlans } from './movie-plans.ts';
import { createPreferenceHandlers } from './preference-handlers.ts';
import type {
  PlaybackHosts,
  PlaybackStore,
  PreferenceStore,
  ProgressPort,
  ScratchPort,
  SessionPort,
  StoredFile,
  MomentsPort,
} from './ports.ts';
import { RenditionError } from './rendition-error.ts';
import { RenditionPool } from './rendition-pool.ts';
import { subtitleChoices } from './subtitle-choices.ts';
import { createSubtitleHandlers } from './subtitle-handlers.ts';
import type { SubtitleCachePort, SubtitleStore, SubtitleVault } from './subtitle-ports.ts';
import { createUploadRoute } from './subtitle-routes.ts';
import type { UploadQuota, UploadRoute } from './subtitle-routes.ts';
import { SubtitleShelf } from './subtitle-shelf.ts';
import { TranscodeQueue } from './transcode-queue.ts';
import { SOFTWARE_ENCODERS } from './variant-choice.ts';
import type { EncodeSettings, MachineEncoders } from './variant-choice.ts';

export interface PlaybackOptions {
  readonly store: PlaybackStore;
  readonly sessions: SessionPort;
  readonly progress: ProgressPort;
  readonly people: PreferenceStore;
  /** Absent: no previews, no marks, nothing next. */
  readonly moments?: MomentsPort;
  readonly hosts: PlaybackHosts;
  readonly scratch: ScratchPort;
  readonly subtitles: {
    readonly store: SubtitleStore;
    readonly vault: SubtitleVault;
    readonly cache: SubtitleCachePort;
    readonly newId: () => string;
    readonly quota: UploadQuota;
  };
  readonly clock: Clock;
  readonly log: Log;
  /** 32 random bytes or more, the same after each restart: media URLs are signed with it. */
  readonly urlKey: Uint8Array;
  /** Most bytes of segments in the scratch space. */
  readonly scratchQuotaBytes: number;
  /** Pictures encoded at once. */
  readonly maxTranscodes: number;
  /** What is encoded at most, and how; see `encodeDefaults`. */
  readonly encode: EncodeLimits & EncodeSettings;
  /** What is sent to anyone at most; absent: no limit. */
  readonly serverLimits?: SendLimits;
  /** What this machine encodes with; absent: the processor alone. */
  readonly encoders?: () => MachineEncoders;
}

/** Subtitles of movies, for whoever puts them into other files. */
export interface SubtitleSource {
  choices(file: Pick<StoredFile, 'id' | 'media'>): Promise<readonly SubtitleChoice[]>;
  /** Path of the whole text as WebVTT, in a cache that may forget it. Rejects where it can't be read. */
  vtt(file: Pick<StoredFile, 'id'>, subtitleId: string, signal: AbortSignal): Promise<string>;
  /** The same for pictures, as `PictureStreamReader` reads them. */
  pictures(file: Pick<StoredFile, 'id'>, subtitleId: string, signal: AbortSignal): Promise<string>;
}

export interface PlaybackPart extends AsyncDisposable {
  readonly subtitleSource: SubtitleSource;
  readonly handlers: Handlers<typeof playback>;
  readonly preferenceHandlers: Handlers<typeof preferences>;
  readonly subtitleHandlers: Handlers<typeof subtitles>;
  readonly routes: readonly MediaRoute[];
  readonly uploadRoute: UploadRoute;
}

const MAX_VIEWERS = 10_000;
/** No player of H.264 takes more, and chips make it in real time. */
const HARDWARE_MAX_HEIGHT_PX = 2_160;

/**
 * What a machine encodes by itself in real time with room to spare: measured, two cores make 60 pictures a second of 720p out
 * of 1080p, and a third of that of 1080p.
 */
export function encodeDefaults(cores: number): EncodeLimits & EncodeSettings {
  return { maxHeightPx: cores >= 6 ? 1080 : 720, crf: 23, preset: 'veryfast' };
}

export function createPlayback(options: PlaybackOptions): PlaybackPart {
  const { store, sessions, progress, people, hosts, scratch, clock, log } = options;
  const { maxHeightPx, crf, preset } = options.encode;
  const encoders = options.encoders ?? (() => SOFTWARE_ENCODERS);
  const signer = new GrantSigner(options.urlKey);
  const plans = new MoviePlans({ store, hosts, clock, log });
  const pool = new RenditionPool({
    hosts,
    scratch,
    clock,
    log,
    quotaBytes: options.scratchQuotaBytes,
    maxTranscodes: options.maxTranscodes,
  });
  const places: ViewerPlaces = new LRUCache({ max: MAX_VIEWERS });
  const line = new TranscodeQueue(clock, () => pool.hasRoom);
  const { store: subtitleStore, vault, cache, newId, quota } = options.subtitles;
  const shelf = new SubtitleShelf({ hosts, cache, clock, log });
  const subtitlesFor = async (
    { id, media }: Pick<StoredFile, 'id' | 'media'>,
    base: string,
    userId: string | null,
  ): Promise<SubtitleChoice[]> => {
    if (media === null) return [];
    const [files, offsetsMs] = await Promise.all([
      subtitleStore.filesOf(id),
      userId === null ? new Map<string, number>() : subtitleStore.offsets(userId, id),
    ]);
    return subtitleChoices({ media, files, base, offsetsMs });
  };
  const subtitlesOf = (file: StoredFile): Promise<readonly SubtitleCandidate[]> => subtitlesFor(file, '', null);
  const serverLimits = options.serverLimits ?? { maxBitrateBps: null, maxHeightPx: null };
  // A chip has room for the largest picture that players of H.264 take; what the processor has is said in the options.
  const limits: EncodeLimits = {
    get maxHeightPx() {
      const isOnChip = (encoders().h264 ?? 'software') !== 'software';
      return isOnChip ? Math.max(maxHeightPx, HARDWARE_MAX_HEIGHT_PX) : maxHeightPx;
    },
  };
  // Files whose movies have gone meanwhile.
  vault
    .sweep(() => subtitleStore.uploadIds())
    .catch((error: unknown) => log.warn('subtitles that were handed in could not be looked through', { error }));
  const linking = { store, plans, signer, clock, limits, serverLimits, settings: { crf, preset }, encoders };
  const wholeSubtitles = async (
    { id }: Pick<StoredFile, 'id'>,
    subtitleId: string,
    kind: 'vtt' | 'pics',
    signal: AbortSignal,
  ): Promise<string> => {
    const file = await store.file(id);
    const beside = subtitleId.startsWith('s') ? await subtitleStore.find(id, subtitleId.slice(1)) : null;
    if (file === null || (beside === null && !subtitleId.startsWith('t'))) throw new RenditionError('closed');
    const of = beside === null ? { trackIndex: Number(subtitleId.slice(1)), fromMs: 0 } : { file: beside };
    return await shelf.whole(file, of, kind, signal);
  };
  return {
    subtitleSource: {
      choices: (file) => subtitlesFor(file, '', null),
      vtt: (file, subtitleId, signal) => wholeSubtitles(file, subtitleId, 'vtt', signal),
      pictures: (file, subtitleId, signal) => wholeSubtitles(file, subtitleId, 'pics', signal),
    },
    preferenceHandlers: createPreferenceHandlers({ store, people, subtitlesOf }),
    handlers: {
      ...createLinkHandlers({ ...linking, people }),
      ...createPlaybackHandlers({
        store,
        people,
        subtitlesOf: (file, userId) => subtitlesFor(file, '', userId),
        subtitlesFor,
        prepareSubtitles: (file, chosen, fromMs) => shelf.prepare(file, chosen, fromMs),
        drawnOrder: (order, file) => withSubtitles(order, file, { shelf, store: subtitleStore }),
        progress,
        moments: options.moments ?? null,
        plans,
        pool,
        places,
        line,
        signer,
        clock,
        limits,
        serverLimits,
        settings: { crf, preset },
        encoders,
      }),
    },
    routes: createMediaRoutes({
      store,
      moments: options.moments ?? null,
      sessions,
      plans,
      linkedParts: createLinkedParts(linking),
      pool,
      places,
      subtitles: { shelf, store: subtitleStore },
      signer,
      clock,
    }),
    subtitleHandlers: createSubtitleHandlers(subtitleStore, vault),
    uploadRoute: createUploadRoute({ store: subtitleStore, vault, shelf, quota, newId, clock, log }),
    async [Symbol.asyncDispose]() {
      line[Symbol.dispose]();
      await Promise.all([pool[Symbol.asyncDispose](), shelf[Symbol.asyncDispose]()]);
    },
  };
}
