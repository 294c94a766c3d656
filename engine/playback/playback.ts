/** Playback as a whole: what `main.ts` makes, and what it hands to the gateway. */
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { EncodeLimits } from '#engine/media/encode-ladder.ts';
import type { SendLimits } from '#engine/media/play-obstacles.ts';
import type { SubtitleCandidate } from '#engine/media/track-choice.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { playback, preferences } from '#protocol/index.ts';
import { createPlaybackHandlers } from './handlers.ts';
import { GrantSigner } from './media-grant.ts';
import { createMediaRoutes } from './media-routes.ts';
import type { MediaRoute } from './media-routes.ts';
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
import { RenditionPool } from './rendition-pool.ts';
import { subtitleChoices } from './subtitle-choices.ts';
import { SubtitleShelf } from './subtitle-shelf.ts';
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

export interface PlaybackPart extends AsyncDisposable {
  readonly handlers: Handlers<typeof playback>;
  readonly preferenceHandlers: Handlers<typeof preferences>;
  readonly routes: readonly MediaRoute[];
}

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
  const subtitles = new SubtitleShelf({ hosts, scratch, log });
  const subtitlesOf = ({ media }: StoredFile): Promise<readonly SubtitleCandidate[]> =>
    Promise.resolve(media === null ? [] : subtitleChoices({ media, files: [], base: '', offsetsMs: new Map() }));
  return {
    preferenceHandlers: createPreferenceHandlers({ store, people, subtitlesOf }),
    handlers: createPlaybackHandlers({
      store,
      people,
      subtitlesOf,
      progress,
      moments: options.moments ?? null,
      plans,
      pool,
      signer,
      clock,
      limits: { maxHeightPx },
      serverLimits: options.serverLimits ?? { maxBitrateBps: null, maxHeightPx: null },
      settings: { crf, preset },
      encoders: options.encoders ?? (() => SOFTWARE_ENCODERS),
    }),
    routes: createMediaRoutes({
      store,
      moments: options.moments ?? null,
      sessions,
      plans,
      pool,
      subtitles,
      signer,
      clock,
    }),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}
