/**
 * The HTTP side of playback: files, playlists, segments and subtitles under signed addresses. Rules PLAY1 to PLAY5 and PLAY8 of SPEC.md.
 *
 *     /media/<grant>/file                          the movie file as it is
 *     /media/<grant>/open.m3u                      the same with a title, for players outside the browser
 *     /media/<grant>/all.m3u, part<number>         the same of all files that a movie is cut into; leads on to another of them
 *     /media/<grant>/index.m3u8                    multivariant playlist
 *     /media/<grant>/v<k>/index.m3u8, a<track>/…   media playlist of a rendition: the variant at a place of the ladder, a track
 *     /media/<grant>/v<k>/init.mp4, v<k>/<n>.m4s   its segments
 *     /media/<grant>/i/index.m3u8, i/<n>.m4s       I-frame playlist and its pictures
 *     /media/<grant>/t<track>.vtt, t<track>/index.m3u8   a subtitle track, and its media playlist; s<uuid> for files of their own
 *     /media/<grant>/p<n>.webp, previews.vtt       sheets of pictures to seek by, and where they are in the movie
 *
 * What lies behind `<grant>/` is one of these names with numbers in it, and never becomes a path.
 */
import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import type { Clock } from '#engine/base/clock.ts';
import { previewsVtt, sheetCount } from '#engine/media/preview-plan.ts';
import { PLAYLIST_MIME_TYPE, subtitlePlaylist } from '#engine/media/hls-playlist.ts';
import { MEDIA_FAILURE_TEXT } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { isFailure } from '#protocol/errors.ts';
import { SubtitleId } from '#protocol/schema/subtitle.ts';
import { fileMimeType } from './file-type.ts';
import { titleLine, titledPlaylist } from './link-handlers.ts';
import type { LinkedParts } from './link-handlers.ts';
import type { GrantSigner, HlsForm, MediaGrant } from './media-grant.ts';
import { formPlaylist, renditionOrder } from './movie-form.ts';
import type { RenditionName } from './movie-form.ts';
import { durationUsOf } from './movie-plans.ts';
import type { MoviePlan, MoviePlans, PicturePlan } from './movie-plans.ts';
import { picturesOrder } from './picture-order.ts';
import type { PlaybackStore, SessionPort, StoredFile, MomentsPort } from './ports.ts';
import { RenditionError } from './rendition-error.ts';
import type { Rendition } from './rendition.ts';
import type { RenditionOrder, RenditionPool } from './rendition-pool.ts';
import type { Part } from './rendition-state.ts';
import { subtitleChoices } from './subtitle-choices.ts';
import { segmentSpan, withSubtitles } from './burn-in.ts';
import type { DrawnOrder } from './burn-in.ts';
import { sendSubtitle, subtitleName } from './subtitle-routes.ts';
import type { SubtitleName } from './subtitle-routes.ts';
import type { SubtitleFile, SubtitleStore } from './subtitle-ports.ts';
import type { SubtitleShelf } from './subtitle-shelf.ts';

// The gateway's own types by shape: a domain does not import it.
export interface MediaRequest {
  readonly id: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query?: URLSearchParams;
  readonly signal: AbortSignal;
}
type Headers = Readonly<Record<string, string>>;
export interface MediaResponse {
  send(status: number, headers: Headers, body?: string | Uint8Array): void;
  stream(status: number, headers: Headers, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  file(file: { path: string; contentType: string; cacheControl: string; headers?: Headers }): Promise<void>;
}
export interface MediaRoute {
  readonly method: 'GET';
  readonly path: `/${string}`;
  readonly access: 'signedUrl';
  handle(request: MediaRequest, response: MediaResponse): Promise<void>;
}

/** The segment of the picture that each viewer is at: in another variant they begin there, too. */
export type ViewerPlaces = LRUCache<string, number>;

export interface MediaRoutesOptions {
  readonly store: PlaybackStore;
  readonly moments: MomentsPort | null;
  readonly sessions: SessionPort;
  readonly plans: MoviePlans;
  readonly linkedParts: LinkedParts;
  readonly pool: RenditionPool;
  readonly places: ViewerPlaces;
  readonly subtitles: { readonly shelf: SubtitleShelf; readonly store: SubtitleStore };
  readonly signer: GrantSigner;
  readonly clock: Clock;
}

/**
 * But for the list of what there is, nothing changes under an address while it works; and whoever signs out must not leave it in a cache that others share. Other
 * origins may read it, since players run anywhere: the address is the key, and no cookie is looked at.
 */
const HEADERS: Headers = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };
const CACHE_CONTROL = 'private, max-age=21600, immutable';
/** Of what says what else there is. */
const CHANGING = 'private, no-cache';
/** Where the store does not answer, what it said this recently counts [PLAY4]. */
const REMEMBERED_MS = 30 * 60_000;
/** What VLC and mpv are registered for. */
const M3U_MIME_TYPE = 'audio/x-mpegurl; charset=utf-8';
const COMPRESS_FROM_BYTES = 1_024;
const MAX_WATCHED = 500;

const compress = promisify(gzip);

/** A refusal on its way to the client as problem details (RFC 9457). */
class MediaProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Headers;

  constructor(status: number, code: string, detail: string, headers: Headers = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

interface Opened {
  readonly grant: MediaGrant;
  readonly file: StoredFile;
  /** The file as it was is not there any more: only what is open already goes on [PLAY23]. */
  readonly isSourceGone: boolean;
}

export function createMediaRoutes(options: MediaRoutesOptions): MediaRoute[] {
  const { store, sessions, plans, linkedParts, pool, places, subtitles, signer, clock, moments } = options;
  const remembered = new LRUCache<string, { value: unknown; atMs: number }>({ max: 2_000 });
  /** Versions of files as they were when somebody last watched them in pieces. */
  const watched = new LRUCache<string, StoredFile>({ max: MAX_WATCHED });
  const compressed = new LRUCache<string, Uint8Array>({ maxSize: 16 << 20, sizeCalculation: (bytes) => bytes.length });

  /** Asks the store, and falls back to what it said before when it does not answer: who watches goes on through its restart. */
  async function ask<T>(key: string, question: () => Promise<T>): Promise<T> {
    try {
      const value = await question();
      remembered.set(key, { value, atMs: clock.monotonicMs() });
      return value;
    } catch (error) {
      const before = remembered.get(key);
      if (before && clock.monotonicMs() - before.atMs < REMEMBERED_MS) return before.value as T;
      throw error;
    }
  }

  /** Reads the grant, and looks up that what it is bound to is still there [PLAY2] [PLAY3] [PLAY4]. */
  async function open(token: string): Promise<Opened> {
    const grant = signer.open(token, clock.nowMs());
    if (grant === 'invalid') throw new MediaProblem(403, 'forbidden', 'This address was not made by this server.');
    if (grant === 'expired') {
      throw gone(
        'This address has expired. Open the movie again, or copy a new link for your player from the movie’s page.',
      );
    }
    const [isAlive, file] = await Promise.all([
      ask(`session ${grant.sessionId}`, () => sessions.isAlive(grant.sessionId)),
      ask(`file ${grant.fileId}`, () => store.file(grant.fileId)),
    ]);
    if (!isAlive) {
      throw new MediaProblem(401, 'unauthenticated', 'The session of this address has ended. Sign in again.', {
        'www-authenticate': 'Bearer realm="matinee"',
      });
    }
    if (file === null) throw gone('This file is not there any more.');
    const version = `${grant.fileId} ${grant.sizeBytes} ${grant.mtimeUs}`;
    const isReplaced = file.sizeBytes !== grant.sizeBytes || file.mtimeUs !== grant.mtimeUs;
    if (!isReplaced && file.state === 'playable') {
      if (grant.hls !== null) watched.set(version, file);
      return { grant, file, isSourceGone: false };
    }
    const before = isReplaced || file.state === 'missing' ? watched.get(version) : undefined;
    if (before) return { grant, file: before, isSourceGone: true };
    throw gone(isReplaced ? 'This file has been replaced. Open the movie again.' : 'This file is not there any more.');
  }

  async function planFor({ file }: Opened, form: HlsForm): Promise<MoviePlan> {
    const plan = await plans.plan(file, form.plan);
    if (plan?.id !== form.planId) throw gone('This movie is cut differently now. Open it again.');
    return plan;
  }

  async function sendFile(
    response: MediaResponse,
    path: string,
    contentType: string,
    more: Headers = {},
  ): Promise<void> {
    await response.file({ path, contentType, cacheControl: CACHE_CONTROL, headers: { ...HEADERS, ...more } });
  }

  async function sendPlaylist(
    request: MediaRequest,
    response: MediaResponse,
    key: string,
    text: string,
    cacheControl: string = CACHE_CONTROL,
  ): Promise<void> {
    const headers = {
      ...HEADERS,
      'content-type': PLAYLIST_MIME_TYPE,
      'cache-control': cacheControl,
      vary: 'accept-encoding',
    };
    if (text.length < COMPRESS_FROM_BYTES || !acceptsGzip(request.headers['accept-encoding'])) {
      return response.send(200, headers, text);
    }
    let bytes = compressed.get(key);
    if (!bytes) compressed.set(key, (bytes = await compress(text)));
    response.send(200, { ...headers, 'content-encoding': 'gzip' }, bytes);
  }

  async function sendPart(
    request: MediaRequest,
    response: MediaResponse,
    opened: Opened,
    name: RenditionName,
    part: Part,
  ): Promise<void> {
    const form = formOf(opened.grant);
    const plan = await planFor(opened, form);
    const order = renditionOrder(name, form, opened.file, plan);
    if (!order) throw nothingHere();
    const { viewerId } = opened.grant;
    if (!name.startsWith('v')) return await sendOrdered(request, response, opened, order, part);
    const drawn = await drawnOrder(order, opened);
    pool.watch(viewerId, drawn.order.key);
    if (part !== 'init') places.set(viewerId, part);
    // An init segment comes with the first segment that is made: the one that its viewer is at.
    const place = places.get(viewerId);
    // Of a file that is gone nothing more can be read.
    const span = place === undefined || opened.isSourceGone ? null : segmentSpan(order, place);
    const askedMs = clock.monotonicMs();
    using _pictures = await drawn.hold(span, request.signal);
    await sendOrdered(request, response, opened, drawn.order, part, { askedMs, place });
  }

  async function drawnOrder(order: RenditionOrder, { file }: Opened): Promise<DrawnOrder> {
    try {
      return await withSubtitles(order, file, subtitles);
    } catch (error) {
      if (error instanceof RenditionError) throw gone('These subtitles are not there any more. Open the movie again.');
      throw error;
    }
  }

  async function sendOrdered(
    request: MediaRequest,
    response: MediaResponse,
    opened: Opened,
    order: RenditionOrder | null,
    part: Part,
    begun: { readonly askedMs: number; readonly place: number | undefined } | null = null,
  ): Promise<void> {
    if (!order || (part !== 'init' && part >= order.plan.length - 1)) throw nothingHere();
    const contentType = order.spec.kind === 'video' ? 'video/mp4' : 'audio/mp4';
    const askedMs = begun?.askedMs ?? clock.monotonicMs();
    for (let attempt = 1; ; attempt++) {
      const rendition = await pool.get(order);
      if (!rendition) throw new RenditionError('closed');
      if (part === 'init' && begun?.place !== undefined) rendition.warm(opened.grant.viewerId, begun.place);
      const path = await partOf(rendition, opened, part, request.signal);
      try {
        return await sendFile(response, path, contentType, making(clock.monotonicMs() - askedMs));
      } catch (error) {
        // Between its being there and its being read the file may have made room for others, or somebody has cleared the space.
        if (attempt > 1 || !isNotFound(error)) throw error;
        rendition.reportLost();
      }
    }
  }

  async function partOf(
    rendition: Rendition,
    { grant, isSourceGone }: Opened,
    part: Part,
    signal: AbortSignal,
  ): Promise<string> {
    try {
      return await rendition.part(grant.viewerId, part, signal, isSourceGone);
    } catch (error) {
      // Whatever goes wrong with a file that is not there any more: another one may be by now.
      if (isSourceGone && error instanceof RenditionError && error.code === 'failed') {
        throw gone('This file has been replaced. Open the movie again.');
      }
      throw error;
    }
  }

  async function sendSubtitleFile(
    request: MediaRequest,
    response: MediaResponse,
    { file }: Opened,
    name: SubtitleName,
  ): Promise<void> {
    const from = Number(request.query?.get('from') ?? 0);
    const fromMs = Number.isSafeInteger(from) && from > 0 ? from : 0;
    const sending = { file, name, fromMs, signal: request.signal, headers: HEADERS, cacheControl: CACHE_CONTROL };
    if (!(await sendSubtitle(subtitles, sending, response))) throw nothingHere();
  }

  /** [PLAY61] Pictures are a comfort: what can't be made is not there, and nothing waits for it. */
  async function sendSheet(response: MediaResponse, { file }: Opened, sheet: number, signal: AbortSignal) {
    const plan = moments?.previews(file) ?? null;
    if (moments === null || plan === null || sheet >= sheetCount(plan)) throw nothingHere();
    for (let attempt = 1; ; attempt++) {
      const path = await moments.sheet(file, sheet, signal);
      if (path === null) throw nothingHere();
      try {
        return await sendFile(response, path, 'image/webp');
      } catch (error) {
        // It made room for others in this very moment.
        if (attempt > 1 || !isNotFound(error)) throw error;
      }
    }
  }

  function sendPreviewsVtt(response: MediaResponse, { file }: Opened): void {
    const plan = moments?.previews(file) ?? null;
    if (plan === null) throw nothingHere();
    const text = previewsVtt(plan, file.media?.durationMs ?? 0, (sheet) => `p${sheet}.webp`);
    const headers = { ...HEADERS, 'content-type': 'text/vtt; charset=utf-8', 'cache-control': CACHE_CONTROL };
    response.send(200, headers, text);
  }

  /** The pictures to look for a place by, where a playback has them. Their plan needs keyframes, and a grid has none. */
  async function picturesFor({ file }: Opened, { video, plan }: HlsForm): Promise<PicturePlan | null> {
    return video === null || plan === 'grid' ? null : await plans.pictures(file);
  }

  async function servePicture(
    request: MediaRequest,
    response: MediaResponse,
    opened: Opened,
    part: string,
  ): Promise<void> {
    const form = formOf(opened.grant);
    await planFor(opened, form);
    const plan = await picturesFor(opened, form);
    if (!plan || !form.video) throw nothingHere();
    if (part === 'index.m3u8') {
      return await sendPlaylist(request, response, `${opened.file.id} ${plan.id} pictures`, plan.playlist);
    }
    const order = picturesOrder(opened.file, form.video.trackIndex, plan);
    const index = part === 'init.mp4' ? 'init' : numberIn(/^(\d{1,6})\.m4s$/, part);
    if (index === null) throw nothingHere();
    await sendOrdered(request, response, opened, order, index);
  }

  const subtitleFilesOf = ({ id }: StoredFile): Promise<SubtitleFile[]> =>
    ask(`subtitles ${id}`, () => subtitles.store.filesOf(id));

  async function sendSubtitlePlaylist(
    request: MediaRequest,
    response: MediaResponse,
    { grant, file }: Opened,
    id: string,
    part: string,
  ): Promise<void> {
    const durationUs = durationUsOf(file);
    if (part !== 'index.m3u8' || grant.hls === null || durationUs === null || !file.media) throw nothingHere();
    const files = await subtitleFilesOf(file);
    const choices = subtitleChoices({ media: file.media, files, base: '', offsetsMs: new Map() });
    if (!choices.some((choice) => choice.id === id && choice.url !== null)) throw nothingHere();
    const text = subtitlePlaylist(`../${id}.vtt`, durationUs);
    await sendPlaylist(request, response, text, text);
  }

  /** [PLAY86] What a player outside the browser shows of a link. */
  async function linkPlaylist({ grant, file }: Opened, isWhole: boolean): Promise<string> {
    const title = titleLine(await store.titleOf(file.movieId));
    const parts = isWhole ? await linkedParts.of(file) : [];
    if (parts.length === 0) {
      return titledPlaylist([{ title, durationMs: file.media?.durationMs ?? 0, uri: ownName(grant) }]);
    }
    return titledPlaylist(
      parts.map(({ number, durationMs, fileId }) => ({
        title: `${title}, part ${number}`,
        durationMs,
        uri: fileId === file.id ? ownName(grant) : `part${number}`,
      })),
    );
  }

  async function serveFile(request: MediaRequest, response: MediaResponse): Promise<void> {
    const opened = await open(request.params['grant'] ?? '');
    const name = request.params['name'] ?? '';
    const { grant, file } = opened;
    if (name === 'file' && grant.hls === null && file.media) {
      return await sendFile(response, file.path, fileMimeType(file.media));
    }
    if (name === 'index.m3u8' && grant.hls !== null && file.media) {
      const plan = await planFor(opened, grant.hls);
      const [pictures, beside] = await Promise.all([picturesFor(opened, grant.hls), subtitleFilesOf(file)]);
      const text = formPlaylist(grant.hls, file.media, plan, pictures, beside);
      // It names the subtitles that there are, and somebody may hand some in while the address works.
      const digest = createHash('sha256').update(text).digest('base64url');
      return await sendPlaylist(request, response, digest, text, CHANGING);
    }
    if ((name === 'open.m3u' || name === 'all.m3u') && file.media) {
      const text = await linkPlaylist(opened, name === 'all.m3u');
      return response.send(
        200,
        { ...HEADERS, 'content-type': M3U_MIME_TYPE, 'cache-control': 'private, no-cache' },
        text,
      );
    }
    const number = numberIn(/^part(\d{1,3})$/, name);
    if (number !== null) {
      const other = await linkedParts.open(grant, file, number, request.signal);
      if (other === null) throw gone('This part of the movie is not there any more.');
      const location = `/media/${other}/${ownName(grant)}`;
      return response.send(302, { ...HEADERS, location, 'cache-control': 'private, no-store' });
    }
    const sheet = numberIn(/^p(\d{1,4})\.webp$/, name);
    if (sheet !== null) return await sendSheet(response, opened, sheet, request.signal);
    if (name === 'previews.vtt') return sendPreviewsVtt(response, opened);
    const subtitle = subtitleName(name);
    if (subtitle !== null) return await sendSubtitleFile(request, response, opened, subtitle);
    throw nothingHere();
  }

  async function servePart(request: MediaRequest, response: MediaResponse): Promise<void> {
    const opened = await open(request.params['grant'] ?? '');
    const part = request.params['part'] ?? '';
    if (request.params['name'] === 'i') return await servePicture(request, response, opened, part);
    const subtitle = v.safeParse(SubtitleId, request.params['name']);
    if (subtitle.success) return await sendSubtitlePlaylist(request, response, opened, subtitle.output, part);
    const name = renditionName(request.params['name'] ?? '');
    if (name === null) throw nothingHere();
    if (part === 'index.m3u8') {
      const form = formOf(opened.grant);
      const plan = await planFor(opened, form);
      if (!renditionOrder(name, form, opened.file, plan)) throw nothingHere();
      return await sendPlaylist(request, response, `${opened.file.id} ${plan.id}`, plan.playlist);
    }
    if (part === 'init.mp4') return await sendPart(request, response, opened, name, 'init');
    const index = numberIn(/^(\d{1,6})\.m4s$/, part);
    if (index === null) throw nothingHere();
    await sendPart(request, response, opened, name, index);
  }

  return [
    { method: 'GET', path: '/media/{grant}/{name}', access: 'signedUrl', handle: guarded(serveFile) },
    { method: 'GET', path: '/media/{grant}/{name}/{part}', access: 'signedUrl', handle: guarded(servePart) },
  ];
}

/** [PLAY29] Tells a player what of its wait was not the line. */
const making = (ms: number): Headers => ({
  'server-timing': `make;dur=${Math.round(ms)}`,
  'access-control-expose-headers': 'server-timing',
});

type Serve = (request: MediaRequest, response: MediaResponse) => Promise<void>;

/** Answers every refusal of ours as problem details; what else is thrown is the gateway's to report. */
function guarded(serve: Serve): Serve {
  return async (request, response) => {
    try {
      await serve(request, response);
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      const { status, code, message, headers } = problem;
      const type = `urn:matinee:problem:${code}`;
      const body = {
        type,
        title: STATUS_CODES[status] ?? 'Error',
        status,
        detail: message,
        instance: `urn:uuid:${request.id}`,
        code,
      };
      response.send(
        status,
        { ...HEADERS, 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
        JSON.stringify(body),
      );
    }
  };
}

function problemOf(error: unknown): MediaProblem | null {
  if (error instanceof MediaProblem) return error;
  if (isNotFound(error)) return gone('This file is not there any more.');
  if (!(error instanceof RenditionError)) return null;
  switch (error.code) {
    case 'failed':
      return mediaProblem(error.failure ?? 'internal');
    case 'busy':
      return new MediaProblem(503, 'tooManyTranscodes', 'As many transcodes run as this server allows.', {
        'retry-after': '5',
      });
    case 'late':
      return new MediaProblem(504, 'timeout', 'This part of the movie was not ready in time.');
    case 'superseded':
      return new MediaProblem(503, 'superseded', 'This player has asked for another place since.', {
        'retry-after': '1',
      });
    case 'left':
    case 'closed':
      return new MediaProblem(503, 'overloaded', 'This part of the movie can’t be made just now.', {
        'retry-after': '1',
      });
  }
}

/** A player goes on to another play method after a 4xx, and tries again after a 5xx. */
function mediaProblem(failure: MediaFailure): MediaProblem {
  const mayPass = failure === 'timeout' || failure === 'crashed' || failure === 'internal' || failure === 'notReadable';
  return new MediaProblem(mayPass ? 500 : 422, failure, `The movie’s file ${MEDIA_FAILURE_TEXT[failure]}`);
}

const gone = (detail: string): MediaProblem => new MediaProblem(410, 'gone', detail);
const nothingHere = (): MediaProblem => new MediaProblem(404, 'notFound', 'There is nothing at this address.');
const isNotFound = (error: unknown): boolean => isFailure(error) && error.code === 'notFound';

/** What a grant is for, beside the playlist of it. */
const ownName = ({ hls }: MediaGrant): string => (hls === null ? 'file' : 'index.m3u8');

function formOf(grant: MediaGrant): HlsForm {
  if (!grant.hls) throw nothingHere();
  return grant.hls;
}

function renditionName(text: string): RenditionName | null {
  const position = numberIn(/^v(\d{1,2})$/, text);
  if (position !== null) return `v${position}`;
  const trackIndex = numberIn(/^a(\d{1,4})$/, text);
  return trackIndex === null ? null : `a${trackIndex}`;
}

/** The number in a name that is written in one way only: `a07` is not `a7`. */
function numberIn(pattern: RegExp, text: string): number | null {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined || String(Number(digits)) !== digits ? null : Number(digits);
}

function acceptsGzip(header: string | undefined): boolean {
  return /(^|[\s,])(gzip|\*)(?!\s*;\s*q=0(\.0*)?(\s|,|$))/i.test(header ?? '');
}
