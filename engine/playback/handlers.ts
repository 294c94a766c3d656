/** The calls of `playback`. Rules: SPEC.md. */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '#engine/base/clock.ts';
import { PLAYLIST_MIME_TYPE } from '#engine/media/hls-playlist.ts';
import { decidePlayback } from '#engine/media/play-method.ts';
import type { PlayDecision, PlayQuestion } from '#engine/media/play-method.ts';
import type { SendLimits } from '#engine/media/play-obstacles.ts';
import { joinLessons } from '#engine/media/play-lesson.ts';
import type { EncodeLimits } from '#engine/media/encode-ladder.ts';
import { partAt, partsDurationMs } from '#engine/media/part-plan.ts';
import type { Part } from '#engine/media/part-plan.ts';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import { segmentAt } from '#engine/media/segment-plan.ts';
import { audibleTracks, audioLabels } from '#engine/media/track-choice.ts';
import type { SubtitleCandidate } from '#engine/media/track-choice.ts';
import type { ParsedInputOf } from '#protocol/contract.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { playback } from '#protocol/index.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { SubtitleChoice } from '#protocol/schema/subtitle.ts';
import { BASELINE_PROFILE, PLAY_METHODS } from '#protocol/schema/playback.ts';
import type { MoviePart, Playback, TrackDecision } from '#protocol/schema/playback.ts';
import { segmentSpan } from './burn-in.ts';
import type { DrawnOrder } from './burn-in.ts';
import { fileMimeType } from './file-type.ts';
import type { GrantSigner, HlsForm, MediaGrant } from './media-grant.ts';
import { hlsForm, playbackVariants, renditionOrder, startVariant } from './movie-form.ts';
import type { RenditionName } from './movie-form.ts';
import type { ViewerPlaces } from './media-routes.ts';
import type { MoviePlan, MoviePlans } from './movie-plans.ts';
import { partsOf, pixelsOf } from './movie-parts.ts';
import type { CutStoredFile } from './movie-parts.ts';
import { readPreferences, readRemembered } from './person-wishes.ts';
import type {
  MomentsPort,
  PlaybackStore,
  PreferenceStore,
  ProgressPort,
  StoredFile,
  WatchingContext,
} from './ports.ts';
import type { RenditionOrder, RenditionPool } from './rendition-pool.ts';
import type { TranscodeQueue } from './transcode-queue.ts';
import { framesPerSecond } from './variant-choice.ts';
import type { EncodeSettings, MachineEncoders } from './variant-choice.ts';

/** How long a media URL works [PLAY3]: longer than nearly every movie, so that hardly anyone meets the end of one. */
export const GRANT_MS = 6 * 3_600_000;

const MAX_VIEWERS = 10_000;

type Open = (typeof playback)['open'];

/** What is asked for, by whom and for which device: all of the question but the file. */
type Wish = Pick<
  PlayQuestion,
  | 'profile'
  | 'audioTrack'
  | 'subtitle'
  | 'without'
  | 'preferences'
  | 'remembered'
  | 'originalLanguage'
  | 'lessons'
  | 'areEncodersBusy'
> & { readonly subtitlesByFileId: ReadonlyMap<string, readonly SubtitleCandidate[]> };

interface Candidate {
  readonly file: StoredFile;
  readonly media: MediaInfo;
  readonly decision: PlayDecision;
}

export interface PlaybackHandlerOptions {
  readonly store: PlaybackStore;
  /** `null`: nothing is known for moving about. */
  readonly moments: MomentsPort | null;
  readonly people: PreferenceStore;
  /** The subtitles that a file can be shown with, as this person has set them. */
  readonly subtitlesOf: (file: StoredFile, userId: string) => Promise<readonly SubtitleCandidate[]>;
  /** The same with addresses below `base`, and as this person has set them. */
  readonly subtitlesFor: (file: StoredFile, base: string, userId: string) => Promise<SubtitleChoice[]>;
  /** Begins to read what may be wanted of a file's subtitles: the track that is chosen, and the text. */
  readonly prepareSubtitles: (file: StoredFile, chosen: number | null, fromMs: number) => void;
  /** The order with the place of the subtitles that are burnt in, where it has such. */
  readonly drawnOrder: (order: RenditionOrder, file: StoredFile) => Promise<DrawnOrder>;
  readonly progress: ProgressPort;
  readonly plans: MoviePlans;
  readonly pool: RenditionPool;
  readonly places: ViewerPlaces;
  /** Who waits for a transcode. */
  readonly line: TranscodeQueue;
  readonly signer: GrantSigner;
  readonly clock: Clock;
  readonly limits: EncodeLimits;
  /** What is sent to anyone at most. */
  readonly serverLimits: SendLimits;
  readonly settings: EncodeSettings;
  /** Asked for each opening: encoders are found, and lost. */
  readonly encoders: () => MachineEncoders;
}

/** How a candidate that is not sent as it is comes in segments. */
interface Laid {
  readonly form: HlsForm;
  readonly plan: MoviePlan;
}

export function createPlaybackHandlers(
  options: PlaybackHandlerOptions,
): Pick<Handlers<typeof playback>, 'open' | 'wait' | 'leave' | 'work' | 'close'> {
  const {
    store,
    people,
    subtitlesOf,
    subtitlesFor,
    prepareSubtitles,
    drawnOrder,
    progress,
    plans,
    pool,
    places,
    signer,
    clock,
    moments,
  } = options;
  const { limits, serverLimits, settings, encoders, line } = options;

  /** Who each session is to the renditions. One person on one device watches one thing: what they open replaces what they had. */
  const viewerIds = new LRUCache<string, string>({ max: MAX_VIEWERS });

  /** What the address of a playback carries; `null` for one that is used up, or somebody else's: of those there is nothing to tell. */
  const grantOf = (url: string, sessionId: string): MediaGrant | null => {
    const grant = signer.open(/^\/media\/([\w.-]+)\//.exec(url)?.[1] ?? '', clock.nowMs());
    return typeof grant === 'object' && grant.sessionId === sessionId ? grant : null;
  };

  const decide = (file: StoredFile, wish: Wish, hasUsableKeyframes: boolean): PlayDecision | null => {
    const { subtitlesByFileId, ...asked } = wish;
    const subtitles = subtitlesByFileId.get(file.id) ?? [];
    return decidePlayback({
      ...{ media: file.media!, fileId: file.id, hasUsableKeyframes, limits, serverLimits, subtitles },
      canBurnIn: pool.slots.limit > 0,
      canEncode: pool.slots.limit > 0,
      ...asked,
    });
  };

  /** [PLAY42] What is known of the person and of what failed on this device. */
  async function wishOf(
    input: ParsedInputOf<Open>,
    files: readonly StoredFile[],
    person: WatchingContext,
    userId: string,
  ): Promise<Wish> {
    const { profile = BASELINE_PROFILE, audioTrack = null, subtitle, without } = input;
    const subtitles = await Promise.all(files.map(async (file) => [file.id, await subtitlesOf(file, userId)] as const));
    const ofDevice = person.lessons.filter(
      ({ deviceId, browser }) => deviceId === profile.deviceId && browser === profile.browser,
    );
    return {
      ...{ profile, audioTrack, subtitle, without },
      preferences: readPreferences(person.preferences),
      remembered: files.some(({ isExtra }) => isExtra) ? {} : readRemembered(person.tracks),
      originalLanguage: person.originalLanguage,
      lessons: joinLessons(profile.lessons ?? [], ofDevice),
      subtitlesByFileId: new Map(subtitles),
    };
  }

  /** The same file with what is known of its keyframes: a remux that can't be cut becomes a transcode [PLAY20]. */
  async function withKeyframes(candidate: Candidate, wish: Wish, signal: AbortSignal): Promise<Candidate | null> {
    const { file, media, decision } = candidate;
    if (decision.method !== 'remux' || decision.video === null) return candidate;
    if (await plans.search(file, signal)) {
      const plan = await plans.plan(file, 'remux');
      if (plan && (await plans.hasEntryPoints(file, plan, signal))) return candidate;
    }
    const second = decide(file, wish, false);
    return second && { file, media, decision: second };
  }

  async function planOf({ file, decision }: Candidate): Promise<MoviePlan | null> {
    if (decision.method === 'remux' && decision.video !== null) return await plans.plan(file, 'remux');
    const keyframesUs = decision.video === null ? null : await plans.known(file);
    return await plans.plan(file, keyframesUs && keyframesUs.length > 0 ? 'transcode' : 'grid');
  }

  /** Begins to make what the player will ask for first [PLAY19]. */
  async function warm(
    form: HlsForm,
    { file }: Candidate,
    plan: MoviePlan,
    viewerId: string,
    atMs: number,
  ): Promise<void> {
    const chosen = form.audio.find(({ isDefault }) => isDefault);
    const names: RenditionName[] = [
      ...(form.video ? [startVariant(form)] : []),
      ...(chosen ? ([`a${chosen.trackIndex}`] as const) : []),
    ];
    for (const name of names) {
      const order = renditionOrder(name, form, file, plan);
      const drawn = order && (await drawnOrder(order, file));
      const rendition = drawn && (await pool.get(drawn.order));
      const index = segmentAt(plan.segments, atMs * 1_000);
      if (name.startsWith('v')) places.set(viewerId, index);
      rendition?.warm(viewerId, index);
      // Begun, and not waited for: the player asks for what it needs, and hears what is wrong with it.
      void drawn
        ?.hold(segmentSpan(drawn.order, index), new AbortController().signal)
        .then((held) => held[Symbol.dispose]())
        .catch(() => undefined);
    }
  }

  /** [PLAY13] [PLAY30] Whoever needs an encoder that is not there has a place in the line for one; 0: they need none, or have it. */
  async function placeInLine({ form, plan }: Laid, { file }: Candidate, sessionId: string): Promise<number> {
    const start = form.video?.variants[0]?.method === 'copy' ? null : startVariant(form);
    const order = form.video && start && renditionOrder(start, form, file, plan);
    const key = order && (await drawnOrder(order, file)).order.key;
    if (key === null || pool.isEncoding(key)) {
      line.leave(sessionId);
      return 0;
    }
    return pool.slots.limit === 0 ? Infinity : line.enter(sessionId);
  }

  /** [PLAY59] The same with its styled subtitles as text, where it needs no encoder then; else `null`. */
  async function withoutStyles({ file }: Candidate, wish: Wish, signal: AbortSignal): Promise<Candidate | null> {
    const plain = bestOf([file], (one) => decide(one, { ...wish, areEncodersBusy: true }, true));
    const found = plain && (await withKeyframes(plain, wish, signal));
    const isOther = found?.decision.styledTextReason === 'encodersBusy' && found.decision.method !== 'transcode';
    return isOther ? found : null;
  }

  return {
    async open(input, context) {
      const { movieId, fileId, startMs } = input;
      const { viewer, sessionId, signal, fail } = context;
      // What was put away is there for those who edit, as everywhere [HIDE2].
      const sight = { withHidden: viewer.permissions.includes('movies:edit') };
      // Whoever presses play waits for each turn to the database, so what needs nothing of another is asked together.
      const [found, person, [seen]] = await Promise.all([
        store.filesOf(movieId, sight),
        people.watching(viewer.id, movieId),
        progress.ofMovies(viewer.id, [movieId]),
      ]);
      const files = found ?? fail('notFound', { what: 'movie', id: movieId });
      // Who asks for the movie never gets a trailer of it; who asks for the trailer does.
      const considered = files.filter(({ id, isExtra }) => (fileId === undefined ? !isExtra : id === fileId));
      if (fileId !== undefined && considered.length === 0) fail('notFound', { what: 'file', id: fileId });

      const wish = await wishOf(input, considered, person, viewer.id);
      const chosen = bestOf(considered, (file) => decide(file, wish, true));
      const wantedMs = startMs ?? (chosen?.file.isExtra === true ? 0 : (seen?.positionMs ?? 0));
      const parts = chosen ? partsOf(chosen.file, files) : [];
      // Who asks for the movie goes on in the part they were in; who asks for a part gets that one.
      const there = fileId === undefined ? partAt(parts, wantedMs)?.file.file : undefined;
      const best = there === undefined ? chosen : bestOf([there], (file) => decide(file, wish, true));
      let candidate =
        (best && (await withKeyframes(best, wish, signal))) ?? fail('notPlayable', { failure: failureOf(considered) });

      const { file, media } = candidate;
      const durationMs = media.durationMs ?? 0;
      const part = parts.find((one) => one.file.id === file.id) ?? null;
      const resumeMs = placeIn(part, wantedMs, durationMs);
      const expiresAt = clock.nowMs() + GRANT_MS;
      const viewerId = randomBytes(6).toString('base64url');
      const earlier = viewerIds.get(sessionId);
      // Who opens anew what they watch, softer or in another language, goes on with the slot that they have.
      const hasSlot = earlier !== undefined && pool.isEncodingFor(earlier);
      if (earlier !== undefined) await pool.away(earlier);
      viewerIds.set(sessionId, viewerId);
      const grant = {
        sessionId,
        fileId: file.id,
        sizeBytes: file.sizeBytes,
        mtimeUs: file.mtimeUs,
        expiresAtMs: expiresAt,
        viewerId,
      };

      const layOut = async (one: Candidate): Promise<Laid | null> => {
        const { decision } = one;
        if (decision.method === 'directPlay') return null;
        // Without a length there is no complete playlist, and without that no seeking.
        const plan = (await planOf(one)) ?? fail('notPlayable', { failure: 'unsupported' });
        // What the picture of a remux becomes where the line is too weak for the copy.
        const softer = decision.method === 'remux' ? decision.encoded : null;
        return { plan, form: hlsForm({ decision, softer, media, settings, encoders: encoders() }, plan) };
      };
      let laid = await layOut(candidate);
      const place = laid === null || hasSlot ? 0 : await placeInLine(laid, candidate, sessionId);
      if (hasSlot && laid !== null) line.leave(sessionId);
      if (place > 0) {
        const plain = await withoutStyles(candidate, wish, signal);
        const { running, limit } = pool.slots;
        if (plain === null) return fail('tooManyTranscodes', { running, limit, place: limit === 0 ? null : place });
        line.leave(sessionId);
        candidate = plain;
        laid = await layOut(plain);
      }
      const { decision } = candidate;
      if (laid !== null) await warm(laid.form, candidate, laid.plan, viewerId, resumeMs);
      const form = laid?.form ?? null;
      const base = `/media/${signer.sign({ ...grant, hls: form })}`;
      const [opened, subtitleTracks] = await Promise.all([
        moments?.opened(file, resumeMs, viewer.id) ?? null,
        subtitlesFor(file, base, viewer.id),
      ]);
      const variants = form ? playbackVariants(form, media) : [];
      prepareSubtitles(
        file,
        /^t\d+$/.test(decision.subtitle ?? '') ? Number(decision.subtitle!.slice(1)) : null,
        resumeMs,
      );
      return {
        movieId,
        fileId: file.id,
        method: decision.method,
        reasons: [...decision.reasons],
        ...trackDecisions(decision, variants),
        kind: form ? 'hls' : 'file',
        url: form ? `${base}/index.m3u8` : `${base}/file`,
        mimeType: form ? PLAYLIST_MIME_TYPE : fileMimeType(media),
        expiresAt,
        durationMs,
        resumeMs,
        part: part && toMoviePart(part, parts),
        isExtra: file.isExtra,
        source: sourceOf(media),
        variants,
        audioReason: decision.audioReason,
        selectedSubtitle: decision.subtitle,
        subtitleReason: decision.subtitleReason,
        ...(decision.styledTextReason && { styledTextReason: decision.styledTextReason }),
        sent: sentAs(decision, variants),
        audioTracks: audioChoices(media, decision.audio?.trackIndex ?? null),
        subtitleTracks,
        chapters: media.chapters,
        trickplay: opened?.previews
          ? { ...opened.previews, sheetUrl: `${base}/p{n}.webp`, vttUrl: `${base}/previews.vtt` }
          : null,
        markers: [...(opened?.markers ?? [])],
        next: file.isExtra ? null : (opened?.next ?? null),
      } satisfies Playback;
    },

    async wait({ known }, { sessionId, signal }) {
      return { place: await line.ask(sessionId, known, signal) };
    },

    async work({ url }, { sessionId }) {
      const grant = grantOf(url, sessionId);
      const work = grant && pool.workFor(grant.viewerId);
      if (!grant || !work || !isEncodedPicture(work.output)) return { encoding: null };
      const { paceFactor: realTimeFactor, isAtRest, hardware } = work;
      const file = await store.file(grant.fileId);
      const track = file?.media?.video.find(({ index }) => index === grant.hls?.video?.trackIndex);
      const rate = track ? framesPerSecond(track) : null;
      const made = realTimeFactor === null || rate === null ? null : realTimeFactor * rate;
      return { encoding: { realTimeFactor, framesPerSecond: made, isAtRest, hardware } };
    },

    async close({ url }, { sessionId }) {
      const grant = grantOf(url, sessionId);
      if (grant !== null) await pool.away(grant.viewerId);
      return {};
    },

    leave(_input, { sessionId }) {
      line.leave(sessionId);
      return Promise.resolve({});
    },
  };
}

/** [PLAY18] The file that reaches the device best, with the decision for it. */
function bestOf(files: readonly StoredFile[], decide: (file: StoredFile) => PlayDecision | null): Candidate | null {
  const candidates = files.flatMap((file): Candidate[] => {
    const { media } = file;
    const decision = file.state === 'playable' && media ? decide(file) : null;
    return decision && media ? [{ file, media, decision }] : [];
  });
  const isLaterPart = ({ file }: Candidate): number => ((file.part ?? 1) > 1 ? 1 : 0);
  const ranked = candidates.toSorted(
    (a, b) =>
      isLaterPart(a) - isLaterPart(b) ||
      PLAY_METHODS.indexOf(a.decision.method) - PLAY_METHODS.indexOf(b.decision.method) ||
      pixelsOf(b.media) - pixelsOf(a.media) ||
      (b.media.bitrateBps ?? 0) - (a.media.bitrateBps ?? 0),
  );
  return ranked[0] ?? null;
}

/** [PLAY26] A position of the movie as one of the file; the beginning where it lies in another part. */
function placeIn(part: Part<CutStoredFile> | null, positionMs: number, durationMs: number): number {
  const lastMs = Math.max(0, durationMs - 1);
  if (part === null) return Math.min(positionMs, lastMs);
  const placeMs = positionMs - part.offsetMs;
  return placeMs >= 0 && placeMs < durationMs ? placeMs : 0;
}

function toMoviePart(part: Part<CutStoredFile>, parts: readonly Part<CutStoredFile>[]): MoviePart {
  return {
    number: part.number,
    count: parts.at(-1)!.number,
    offsetMs: part.offsetMs,
    movieDurationMs: partsDurationMs(parts),
    nextFileId: parts[parts.indexOf(part) + 1]?.file.id ?? null,
  };
}

/** Why none of them can be played, in the words of the one that came closest. */
function failureOf(files: readonly StoredFile[]): string {
  if (files.some(({ state, media }) => state === 'playable' && media !== null)) return 'unsupported';
  return files.find(({ failure }) => failure !== null)?.failure ?? 'notFound';
}

/**
 * [PLAY44] By what a device knows again what failed. Among encoded pictures of several codecs it is the leanest that is blamed first:
 * without it the next one is, down to H.264.
 */
function sentAs({ method, sent }: PlayDecision, variants: Playback['variants']): Playback['sent'] {
  if (method !== 'transcode') return sent;
  const lean = ['av1', 'hevc'].find((name) => variants.some(({ codec }) => codec === name));
  return { ...sent, videoCodec: lean ?? 'h264' };
}

function trackDecisions(
  { video, audio }: PlayDecision,
  variants: Playback['variants'],
): Pick<Playback, 'video' | 'audio'> {
  const track = (
    { trackIndex, method, fromCodec }: NonNullable<PlayDecision['video' | 'audio']>,
    encoded: string,
  ): TrackDecision => ({
    trackIndex,
    method,
    fromCodec,
    toCodec: method === 'copy' ? fromCodec : encoded,
  });
  return {
    video: video && track(video, variants[0]?.codec ?? 'h264'),
    audio: audio && track(audio, audio.method === 'copy' ? '' : audio.codec),
  };
}

function sourceOf(media: MediaInfo): Playback['source'] {
  const picture = media.video[0];
  return {
    container: media.container,
    bitrateBps: media.bitrateBps,
    width: picture?.width ?? null,
    height: picture?.height ?? null,
    sizeBytes: media.sizeBytes,
  };
}

function audioChoices(media: MediaInfo, selected: number | null): Playback['audioTracks'] {
  const tracks = audibleTracks(media.audio);
  const labels = audioLabels(tracks);
  return tracks.map(({ index, language, codec, channels, disposition }, at) => ({
    trackIndex: index,
    label: labels[at]!,
    language,
    codec,
    channels,
    isDefault: disposition.default,
    isSelected: index === selected,
  }));
}
