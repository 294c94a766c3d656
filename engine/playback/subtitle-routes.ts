/**
 * Subtitles by HTTP: what lies under a signed address, and files that people hand in.
 *
 *     /media/<grant>/t<track>.vtt, s<uuid>.vtt     WebVTT
 *     /media/<grant>/….ass, ….pics                 the styled script; pictures
 *     /media/<grant>/f<attachment>                 a font of the movie's file
 *
 * `?from=<ms>` says where somebody watches: a movie that has to be read for it is read from there on.
 */
import * as v from 'valibot';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { PICTURE_STREAM_MIME_TYPE } from '#protocol/schema/subtitle-pictures.ts';
import { MAX_SCRIPT_BYTES } from '#engine/media/subtitle-script.ts';
import { VOBSUB_MAGIC } from '#engine/media/vobsub.ts';
import { cleanText } from '#engine/media/track-choice.ts';
import { commonFailure, isFailure } from '#protocol/errors.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { Id, LanguageTag } from '#protocol/schema/scalar.ts';
import type { StoredFile } from './ports.ts';
import { SUBTITLE_KINDS } from './subtitle-shelf.ts';
import type { SubtitleKind, SubtitleOf, SubtitleShelf } from './subtitle-shelf.ts';
import { codecOfFile, subtitleFormat } from './subtitle-choices.ts';
import type { SubtitleStore, SubtitleVault, UploadLimits, UploadOutcome } from './subtitle-ports.ts';
import { sightOf, toUploadedSubtitle } from './subtitle-handlers.ts';

const CONTENT_TYPES: Readonly<Record<SubtitleKind, string>> = {
  vtt: 'text/vtt; charset=utf-8',
  ass: 'text/x-ssa; charset=utf-8',
  pics: PICTURE_STREAM_MIME_TYPE,
};
/** What is not whole yet must not be kept for the whole. */
const GROWING = 'no-store';

/** What is asked for below a grant; `null` where the name is none of subtitles. */
export type SubtitleName =
  | { readonly kind: SubtitleKind; readonly trackIndex: number }
  | { readonly kind: SubtitleKind; readonly subtitleId: string }
  | { readonly kind: 'font'; readonly attachmentIndex: number };

/** Numbers are written in one way only: `t07` is not `t7`. */
export function subtitleName(text: string): SubtitleName | null {
  const font = /^f(0|[1-9]\d{0,3})$/.exec(text)?.[1];
  if (font !== undefined) return { kind: 'font', attachmentIndex: Number(font) };
  const [, id = '', ending = ''] = /^([ts][0-9a-f-]{1,36})\.([a-z]{3,4})$/.exec(text) ?? [];
  const kind = SUBTITLE_KINDS.find((one) => one === ending);
  if (kind === undefined) return null;
  const track = /^t(0|[1-9]\d{0,3})$/.exec(id)?.[1];
  if (track !== undefined) return { kind, trackIndex: Number(track) };
  return id.startsWith('s') && v.is(Id, id.slice(1)) ? { kind, subtitleId: id.slice(1) } : null;
}

type Headers = Readonly<Record<string, string>>;

/** The gateway's reply by shape. */
export interface SubtitleReply {
  send(status: number, headers: Headers, body?: string | Uint8Array): void;
  stream(status: number, headers: Headers, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  file(file: { path: string; contentType: string; cacheControl: string; headers?: Headers }): Promise<void>;
}

export interface SubtitleSending {
  readonly file: StoredFile;
  readonly name: SubtitleName;
  /** Where somebody watches. */
  readonly fromMs: number;
  readonly signal: AbortSignal;
  readonly headers: Headers;
  readonly cacheControl: string;
}

/** Sends what a name stands for. `false` where the file has nothing of that name. */
export async function sendSubtitle(
  { shelf, store }: { readonly shelf: SubtitleShelf; readonly store: SubtitleStore },
  sending: SubtitleSending,
  response: SubtitleReply,
): Promise<boolean> {
  const { file, name, signal, headers, cacheControl } = sending;
  if (name.kind === 'font') {
    const path = await shelf.font(file, name.attachmentIndex, signal);
    if (path === null) return false;
    await response.file({ path, contentType: 'font/sfnt', cacheControl, headers });
    return true;
  }
  const of = await subtitleOf(store, sending);
  if (of === null) return false;
  for (let attempt = 1; ; attempt++) {
    const found = await shelf.find(file, of, name.kind, signal);
    if ('pieces' in found) {
      const growing = { ...headers, 'content-type': CONTENT_TYPES[name.kind], 'cache-control': GROWING };
      await response.stream(200, growing, found.pieces);
      return true;
    }
    try {
      await response.file({ path: found.path, contentType: CONTENT_TYPES[name.kind], cacheControl, headers });
      return true;
    } catch (error) {
      // Somebody has cleared the cache.
      if (attempt > 1 || !isFailure(error) || error.code !== 'notFound') throw error;
      await shelf.forget(file, of);
    }
  }
}

async function subtitleOf(store: SubtitleStore, { file, name, fromMs }: SubtitleSending): Promise<SubtitleOf | null> {
  if (name.kind === 'font') return null;
  if ('trackIndex' in name) {
    const codec = file.media?.subtitles.find(({ index }) => index === name.trackIndex)?.codec;
    return codec !== undefined && makes(codec, name.kind) ? { trackIndex: name.trackIndex, fromMs } : null;
  }
  const beside = await store.find(file.id, name.subtitleId);
  return beside && makes(codecOfFile(beside), name.kind) ? { file: beside } : null;
}

function makes(codec: string, kind: SubtitleKind): boolean {
  const format = subtitleFormat(codec);
  if (kind === 'vtt') return format === 'text' || format === 'styled';
  return kind === 'ass' ? format === 'styled' : format === 'pictures';
}

const MAX_TEXT_UPLOAD_BYTES = 5 << 20;
/** The index with its pictures. */
const MAX_PICTURE_UPLOAD_BYTES = 50 << 20;
/** What one file of a movie may have handed in: a person looks through them. */
const MAX_UPLOADS = 50;
/** On their way at once: more than any household sends, and less than fills a disk that its quota spares. */
const MAX_COMING = 8;

export interface UploadRoute {
  readonly method: 'POST';
  readonly path: `/${string}`;
  readonly access: 'session';
  readonly bodyLimitBytes: number;
  readonly streamsBody: true;
  handle(
    request: {
      readonly params: Readonly<Record<string, string>>;
      readonly query: URLSearchParams;
      readonly stream: AsyncIterable<Uint8Array>;
      readonly signedIn: { readonly viewer: Viewer } | null;
    },
    response: SubtitleReply,
  ): Promise<void>;
}

const UploadFacts = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(500)),
  language: v.optional(LanguageTag, null),
  forced: v.optional(v.picklist(['0', '1']), '0'),
  sdh: v.optional(v.picklist(['0', '1']), '0'),
  /** Bytes of the `.idx` that the body begins with; its `.sub` follows. */
  index: v.optional(v.pipe(v.string(), v.regex(/^[1-9]\d{0,7}$/))),
});

/** Most that lies in the data folder of what people hand in. */
export type UploadQuota = Pick<UploadLimits, 'personBytes' | 'totalBytes'>;

export interface UploadOptions {
  readonly store: SubtitleStore;
  readonly vault: SubtitleVault;
  readonly shelf: Pick<SubtitleShelf, 'look'>;
  readonly quota: UploadQuota;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * `POST /subtitles/{fileId}?name=…&language=…`, the file as the body, which goes to the disk as it comes. What it is, is told by its
 * content, in a process that may die of it; what is none of ours is refused with 422 and kept nowhere.
 */
export function createUploadRoute({ store, vault, shelf, quota, newId, clock, log }: UploadOptions): UploadRoute {
  const limits: UploadLimits = { ...quota, perFile: MAX_UPLOADS };
  let coming = 0;

  async function receive(
    { fileId, facts, stream }: { fileId: string; facts: v.InferOutput<typeof UploadFacts>; stream: Stream },
    viewer: Viewer,
    response: SubtitleReply,
  ): Promise<void> {
    const { name, language, forced, sdh, index } = facts;
    const indexLength = index === undefined ? null : Number(index);
    const id = newId();
    await using received = await vault.receive(id, indexLength === null ? stream : afterHead(indexLength, stream));
    const bodyBytes = received.sizeBytes - (indexLength === null ? 0 : HEAD_BYTES);
    if (bodyBytes === 0) return refuse(response, 400, 'badRequest', SEND_IT);
    if (indexLength !== null && (indexLength >= bodyBytes || indexLength > MAX_SCRIPT_BYTES)) {
      return refuse(response, 400, 'badRequest', 'The index is not as long as the address says.');
    }
    const kind = await shelf.look(received.path, language);
    if (kind === null) {
      return refuse(
        response,
        422,
        'unsupported',
        'There are no subtitles in this file that are known here: SubRip, WebVTT, ASS, MicroDVD, PGS (.sup), and VobSub as .idx with .sub.',
      );
    }
    if (!['sup', 'vobsub'].includes(kind) && received.sizeBytes > MAX_TEXT_UPLOAD_BYTES) {
      return refuse(response, 413, 'bodyTooLarge', `Subtitles of text have ${MAX_TEXT_UPLOAD_BYTES >> 20} MB at most.`);
    }
    const subtitle = {
      id,
      fileId,
      userId: viewer.id,
      name: cleanText(name.replace(/^.*[\\/]/, ''), 200) || 'Subtitles',
      format: kind === 'microdvd' ? 'sub' : kind,
      language,
      isForced: forced === '1',
      isHearingImpaired: sdh === '1',
      sizeBytes: received.sizeBytes,
    };
    const outcome = await store.addUpload(subtitle, limits, sightOf(viewer));
    if (outcome !== 'kept') {
      const [status, code, detail] = UPLOAD_REFUSALS[outcome];
      return refuse(response, status, code, detail);
    }
    // Its name last: what dies in between is found by the next start [PLAY57].
    await received.keep();
    log.info('subtitles were handed in', { fileId, subtitleId: id, kind, sizeBytes: received.sizeBytes });
    const stored = { ...subtitle, movieId: '', userName: viewer.name, uploadedAtMs: clock.nowMs() };
    response.send(
      201,
      { 'content-type': 'application/json', 'cache-control': 'no-store' },
      JSON.stringify({ subtitle: toUploadedSubtitle(stored, viewer) }),
    );
  }

  return {
    method: 'POST',
    path: '/subtitles/{fileId}',
    access: 'session',
    bodyLimitBytes: MAX_PICTURE_UPLOAD_BYTES,
    streamsBody: true,
    async handle({ params, query, stream, signedIn }, response) {
      const { viewer } = signedIn!;
      if (!viewer.permissions.includes('playback:play')) {
        throw commonFailure('forbidden', { permission: 'playback:play' });
      }
      const fileId = params['fileId'] ?? '';
      const facts = v.safeParse(UploadFacts, Object.fromEntries(query));
      if (!v.is(Id, fileId) || !facts.success) return refuse(response, 400, 'badRequest', SEND_IT);
      if (coming >= MAX_COMING) {
        return refuse(
          response,
          503,
          'overloaded',
          'Many files are being handed in just now. Try it again in a moment.',
        );
      }
      coming++;
      try {
        await receive({ fileId, facts: facts.output, stream }, viewer, response);
      } finally {
        coming--;
      }
    },
  };
}

type Stream = AsyncIterable<Uint8Array>;

const SEND_IT = 'Send the file as the body, with its name in the address.';

const UPLOAD_REFUSALS = {
  noFile: [404, 'notFound', 'There is no such file of a movie.'],
  perFile: [
    409,
    'conflict',
    `${MAX_UPLOADS} subtitles were handed in for this file already. Remove one that nobody needs.`,
  ],
  person: [
    507,
    'quotaReached',
    'You have handed in as much as one person may. Remove some of yours, or ask whoever runs this server for more room.',
  ],
  total: [
    507,
    'quotaReached',
    'There is no more room for subtitles that are handed in. Ask whoever runs this server to remove some, or to make room.',
  ],
} as const satisfies Record<Exclude<UploadOutcome, 'kept'>, readonly [number, string, string]>;

const HEAD_BYTES = 12;

/** As they are kept: what says how long the index is, the index, its pictures. */
async function* afterHead(indexLength: number, body: Stream): AsyncGenerator<Uint8Array> {
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(VOBSUB_MAGIC, 'latin1');
  head.writeUInt32BE(indexLength, 8);
  yield head;
  yield* body;
}

function refuse(response: SubtitleReply, status: number, code: string, detail: string): void {
  response.send(
    status,
    { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    JSON.stringify({ type: `urn:matinee:problem:${code}`, title: detail, status, detail, code }),
  );
}
