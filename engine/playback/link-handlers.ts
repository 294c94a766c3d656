/**
 * `playback.link`: an address of a movie for players outside the browser. Rules PLAY86 to PLAY88 of SPEC.md.
 *
 * Of a movie that is cut into files the playlist names them all: the first by its own address, each other by `part<number>`, which leads on to an
 * address that is made when a player comes to it.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '#engine/base/clock.ts';
import type { EncodeLimits } from '#engine/media/encode-ladder.ts';
import { PLAYLIST_MIME_TYPE } from '#engine/media/hls-playlist.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import { boxHeightPx } from '#engine/media/play-lesson.ts';
import { decidePlayback, overallBitrateBps } from '#engine/media/play-method.ts';
import type { PlayDecision } from '#engine/media/play-method.ts';
import { limitObstacles } from '#engine/media/play-obstacles.ts';
import type { SendLimits } from '#engine/media/play-obstacles.ts';
import { cleanText } from '#engine/media/track-choice.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { playback } from '#protocol/index.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { HDR_KINDS } from '#protocol/schema/media.ts';
import type { DeviceProfile, PlayMethod } from '#protocol/schema/playback.ts';
import { fileMimeType } from './file-type.ts';
import type { GrantSigner, HlsForm, MediaGrant } from './media-grant.ts';
import { hlsForm } from './movie-form.ts';
import { partsOf } from './movie-parts.ts';
import type { MoviePlan, MoviePlans } from './movie-plans.ts';
import { readPreferences } from './person-wishes.ts';
import type { MovieTitle, PlaybackStore, PreferenceStore, StoredFile } from './ports.ts';
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
  readonly people: Pick<PreferenceStore, 'read'>;
  readonly plans: MoviePlans;
  readonly signer: GrantSigner;
  readonly clock: Clock;
  readonly limits: EncodeLimits;
  /** What is sent to anyone at most. */
  readonly serverLimits: SendLimits;
  readonly settings: EncodeSettings;
  readonly encoders: () => MachineEncoders;
}

/** One of the files that a movie is cut into, as its playlist names it. */
export interface LinkedPart {
  readonly number: number;
  readonly fileId: string;
  readonly durationMs: number;
}

/** The files that follow one which a link was given for. */
export interface LinkedParts {
  /** All of them in order, with the one itself; none where it is the whole movie. */
  of(file: StoredFile): Promise<readonly LinkedPart[]>;
  /** The grant for another part, as the grant for the first one has it; `null` where there is no such part any more. */
  open(grant: MediaGrant, file: StoredFile, number: number, signal: AbortSignal): Promise<string | null>;
}

type LinkOptions = Omit<LinkHandlerOptions, 'people'>;

/** How a file is cut for such a player within these limits; `null` where it can't be. */
async function streamOf(
  { plans, limits, settings, encoders }: LinkOptions,
  file: StoredFile,
  media: MediaInfo,
  serverLimits: SendLimits,
  signal: AbortSignal,
): Promise<HlsForm | null> {
  const decide = (hasUsableKeyframes: boolean, without: readonly PlayMethod[] = []): PlayDecision | null =>
    decidePlayback({
      ...{ media, hasUsableKeyframes, profile: PLAYER_PROFILE, audioTrack: null, limits, serverLimits },
      without: ['directPlay', ...without],
    });
  let decision = decide(true);
  let plan: MoviePlan | null = null;
  if (decision?.method === 'remux' && decision.video !== null) {
    plan = (await plans.search(file, signal)) ? await plans.plan(file, 'remux') : null;
    if (plan && !(await plans.hasEntryPoints(file, plan, signal))) plan = null;
    if (!plan) decision = decide(false);
  }
  if (!decision) return null;
  const keyframesUs = plan || decision.video === null ? null : await plans.known(file);
  plan ??= await plans.plan(file, keyframesUs && keyframesUs.length > 0 ? 'transcode' : 'grid');
  if (!plan) return null;
  const encoded = decision.method === 'remux' ? decide(true, ['remux'])?.video : null;
  const softer = encoded?.method === 'transcode' ? encoded : null;
  return hlsForm({ decision, softer, media, settings, encoders: encoders() }, plan);
}

export function createLinkHandlers(options: LinkHandlerOptions): Pick<Handlers<typeof playback>, 'link'> {
  const { store, people, signer, clock, serverLimits } = options;

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
      const preferences = readPreferences(await people.read(viewer.id));
      const allowed = strictest(serverLimits, preferences);
      const parts = fileId === undefined ? partsOf(file, files) : [];
      // [PLAY40] What is more than may be sent is not given as it is: it comes as a stream that fits.
      const isWithin = (one: MediaInfo): boolean =>
        limitObstacles(
          { media: one, hasUsableKeyframes: true, profile: PLAYER_PROFILE, serverLimits: allowed },
          one.video[0] ?? null,
          overallBitrateBps(one),
        ).length === 0;
      const set = parts.length > 0 ? parts.flatMap((part) => part.file.file.media ?? []) : [media];
      const given = kind === 'file' && set.every(isWithin) ? 'file' : 'stream';
      const hls =
        given === 'file'
          ? null
          : ((await streamOf(options, file, media, allowed, signal)) ??
            fail('notPlayable', { failure: 'unsupported' }));
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
        kind: given,
        title: titleLine(await store.titleOf(movieId)),
        url: hls ? `${base}/index.m3u8` : `${base}/file`,
        playlistUrl: `${base}/${parts.length > 0 ? 'all.m3u' : 'open.m3u'}`,
        mimeType: hls ? PLAYLIST_MIME_TYPE : fileMimeType(media),
        durationMs: media.durationMs ?? 0,
        expiresAt,
      };
    },
  };
}

export function createLinkedParts(options: LinkOptions): LinkedParts {
  const { store, signer, serverLimits } = options;
  const setOf = async (file: StoredFile) => {
    // Whoever has a grant for one part has proved that they may see the movie.
    const files = await store.filesOf(file.movieId, { withHidden: true });
    return files === null ? [] : partsOf(file, files);
  };
  return {
    async of(file) {
      const parts = await setOf(file);
      return parts.map(({ number, durationMs, file: { id } }) => ({ number, durationMs, fileId: id }));
    },

    async open(grant, file, number, signal) {
      const other = (await setOf(file)).find((part) => part.number === number)?.file.file;
      if (!other?.media || !file.media) return null;
      const allowed = grant.hls === null ? serverLimits : strictest(serverLimits, limitsOf(grant.hls, file.media));
      const hls = grant.hls === null ? null : await streamOf(options, other, other.media, allowed, signal);
      if (grant.hls !== null && hls === null) return null;
      return signer.sign({
        ...grant,
        fileId: other.id,
        sizeBytes: other.sizeBytes,
        mtimeUs: other.mtimeUs,
        viewerId: randomBytes(6).toString('base64url'),
        hls,
      });
    },
  };
}

const least = (...values: readonly (number | null)[]): number | null =>
  values.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)));

function strictest(a: SendLimits, b: SendLimits): SendLimits {
  return {
    maxBitrateBps: least(a.maxBitrateBps, b.maxBitrateBps),
    maxHeightPx: least(a.maxHeightPx, b.maxHeightPx),
  };
}

/** Sound beside an encoded picture takes so much at most. */
const SOUND_BPS = 640_000;

/** The most that another part may be, which is what the first is sent as: a grant does not say whose limits it was made under. */
function limitsOf({ video }: HlsForm, media: MediaInfo): SendLimits {
  const track = media.video.find(({ index }) => index === video?.trackIndex);
  const best = video?.variants[0];
  if (!track || !best) return { maxBitrateBps: null, maxHeightPx: null };
  if (best.method === 'copy') return { maxBitrateBps: null, maxHeightPx: boxHeightPx(track) };
  const { widthPx, heightPx } = pictureSize(track, best.heightPx);
  const [long, short] = widthPx >= heightPx ? [widthPx, heightPx] : [heightPx, widthPx];
  return {
    maxBitrateBps: best.maxBitrateBps + SOUND_BPS,
    maxHeightPx: Math.ceil(Math.max(short, (long * 9) / 16)),
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
 * A playlist with titles, which is what players outside the browser show instead of an address. Entries are named relative to the playlist, so
 * that it carries no address of the server, which may have several.
 */
export function titledPlaylist(
  entries: readonly { readonly title: string; readonly durationMs: number; readonly uri: string }[],
): string {
  const lines = entries.map(
    ({ title, durationMs, uri }) => `#EXTINF:${Math.round(durationMs / 1_000)},${title}\n${uri}\n`,
  );
  return `#EXTM3U\n${lines.join('')}`;
}
