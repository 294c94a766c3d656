/** `playback.link`: an address of a movie for players outside the browser. Rules PLAY86 to PLAY88 of SPEC.md. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import type { EncodeLimits } from '#engine/media/encode-ladder.ts';
import { PLAYLIST_MIME_TYPE } from '#engine/media/hls-playlist.ts';
import { decidePlayback } from '#engine/media/play-method.ts';
import type { PlayDecision } from '#engine/media/play-method.ts';
import type { SendLimits } from '#engine/media/play-obstacles.ts';
import { cleanText } from '#engine/media/track-choice.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { playback } from '#protocol/index.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { HDR_KINDS } from '#protocol/schema/media.ts';
import type { DeviceProfile, PlayMethod } from '#protocol/schema/playback.ts';
import { fileMimeType } from './file-type.ts';
import type { GrantSigner, HlsForm } from './media-grant.ts';
import { hlsForm } from './movie-form.ts';
import type { MoviePlan, MoviePlans } from './movie-plans.ts';
import type { MovieTitle, PlaybackStore, StoredFile } from './ports.ts';
import type { EncodeSettings, MachineEncoders } from './variant-choice.ts';

/** What mpv and VLC decode wherever they run. */
export const PLAYER_PROFILE: DeviceProfile = {
  name: 'player outside the browser',
  file: [],
  segments: {
    video: ['h264', 'hevc', 'vp9', 'av1'].map((codec) => ({ codec, maxBitDepth: 10 })),
    audio: ['aac', 'ac3', 'eac3', 'mp3', 'opus', 'flac', 'alac'],
  },
  hdr: [...HDR_KINDS],
  maxAudioChannels: 8,
};

export interface LinkHandlerOptions {
  readonly store: PlaybackStore;
  readonly plans: MoviePlans;
  readonly signer: GrantSigner;
  readonly clock: Clock;
  readonly limits: EncodeLimits;
  /** What is sent to anyone at most. */
  readonly serverLimits: SendLimits;
  readonly settings: EncodeSettings;
  readonly encoders: () => MachineEncoders;
}

export function createLinkHandlers(options: LinkHandlerOptions): Pick<Handlers<typeof playback>, 'link'> {
  const { store, plans, signer, clock, limits, serverLimits, settings, encoders } = options;

  const decide = (
    media: MediaInfo,
    hasUsableKeyframes: boolean,
    without: readonly PlayMethod[] = [],
  ): PlayDecision | null =>
    decidePlayback({
      media,
      hasUsableKeyframes,
      profile: PLAYER_PROFILE,
      audioTrack: null,
      without: ['directPlay', ...without],
      limits,
      serverLimits,
    });

  /** How the file is cut for such a player; `null` where it can't be. */
  async function streamOf(file: StoredFile, media: MediaInfo, signal: AbortSignal): Promise<HlsForm | null> {
    let decision = decide(media, true);
    let plan: MoviePlan | null = null;
    if (decision?.method === 'remux' && decision.video !== null) {
      plan = (await plans.search(file, signal)) ? await plans.plan(file, 'remux') : null;
      if (plan && !(await plans.hasEntryPoints(file, plan, signal))) plan = null;
      if (!plan) decision = decide(media, false);
    }
    if (!decision) return null;
    const keyframesUs = plan || decision.video === null ? null : await plans.known(file);
    plan ??= await plans.plan(file, keyframesUs && keyframesUs.length > 0 ? 'transcode' : 'grid');
    if (!plan) return null;
    const encoded = decision.method === 'remux' ? decide(media, true, ['remux'])?.video : null;
    const softer = encoded?.method === 'transcode' ? encoded : null;
    return hlsForm({ decision, softer, media, settings, encoders: encoders() }, plan);
  }

  return {
    async link({ movieId, fileId, kind, lifetimeMs }, { viewer, sessionId, signal, fail }) {
      // What was put away is there for those who edit, as everywhere [HIDE2].
      const sight = { withHidden: viewer.permissions.includes('movies:edit') };
      const files = (await store.filesOf(movieId, sight)) ?? fail('notFound', { what: 'movie', id: movieId });
      const considered = files.filter(({ id, isExtra }) => (fileId === undefined ? !isExtra : id === fileId));
      if (fileId !== undefined && considered.length === 0) fail('notFound', { what: 'file', id: fileId });
      const [file] = considered
        .filter(({ state, media }) => state === 'playable' && media !== null)
        .toSorted(byQuality);
      const media = file?.media;
      if (!file || !media) {
        const failure = considered.find((one) => one.failure !== null)?.failure ?? 'notFound';
        return fail('notPlayable', { failure });
      }
      const hls =
        kind === 'file'
          ? null
          : ((await streamOf(file, media, signal)) ?? fail('notPlayable', { failure: 'unsupported' }));
      const expiresAt = clock.nowMs() + lifetimeMs;
      const base = `/media/${signer.sign({
        sessionId,
        fileId: file.id,
        sizeBytes: file.sizeBytes,
        mtimeUs: file.mtimeUs,
        expiresAtMs: expiresAt,
        viewerId: randomBytes(6).toString('base64url'),
        hls,
      })}`;
      return {
        movieId,
        fileId: file.id,
        kind,
        title: titleLine(await store.titleOf(movieId)),
        url: hls ? `${base}/index.m3u8` : `${base}/file`,
        playlistUrl: `${base}/open.m3u`,
        mimeType: hls ? PLAYLIST_MIME_TYPE : fileMimeType(media),
        durationMs: media.durationMs ?? 0,
        expiresAt,
      };
    },
  };
}

/** The first part of a movie that is cut, then the larger picture, then the higher bit rate. */
function byQuality(a: StoredFile, b: StoredFile): number {
  const pixels = ({ media }: StoredFile): number => (media?.video[0]?.width ?? 0) * (media?.video[0]?.height ?? 0);
  return (
    (a.part ?? 0) - (b.part ?? 0) || pixels(b) - pixels(a) || (b.media?.bitrateBps ?? 0) - (a.media?.bitrateBps ?? 0)
  );
}

/** `Heat (1995)`, on one line. */
export function titleLine(title: MovieTitle | null): string {
  if (!title) return 'Movie';
  return cleanText(title.year === null ? title.title : `${title.title} (${title.year})`, 200) || 'Movie';
}

/**
 * A playlist of one entry with a title, which is what players outside the browser show instead of an address. The entry is named
 * relative to the playlist, so that it carries no address of the server, which may have several.
 */
export function titledPlaylist(title: string, durationMs: number, uri: string): string {
  return `#EXTM3U\n#EXTINF:${Math.round(durationMs / 1_000)},${title}\n${uri}\n`;
}
