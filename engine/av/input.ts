/**
 * The one door through which FFmpeg sees a user's file.
 *
 * The content of a file decides which demuxer FFmpeg picks, whatever the name says, and some demuxers open further
 * files or addresses (HLS, DASH, concat, image sequences). So: only the protocol `file`, only the demuxers of the
 * containers that Matinee plays, only regular files, and the name as `file:` + absolute path, which keeps `pipe:`,
 * `concat:` and the like from being read as protocols.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import {
  AVERROR_EACCES,
  AVERROR_EINVAL,
  AVERROR_ENOENT,
  AVERROR_ENOMEM,
  AVERROR_EPERM,
  AV_LOG_QUIET,
} from 'node-av/constants';
import { Dictionary, FormatContext, Log } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';

// FFmpeg writes its messages, which quote file content, straight to stderr. Nobody may rely on them.
Log.setLevel(AV_LOG_QUIET);

const MOVIE_DEMUXERS = 'matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,asf,flv,ogg';
/** Single-track audio formats. They recognise little of their content, so they must be sure of it: see `MIN_AUDIO_SCORE`. */
const AUDIO_DEMUXERS = ['flac', 'wav', 'mp3', 'aac', 'ac3', 'eac3'] as const;
/** AVPROBE_SCORE_EXTENSION: below it, FFmpeg is guessing, and any noise passes for MP3. */
const MIN_AUDIO_SCORE = 50;
const MAX_STREAMS = 200;

export interface InputOptions {
  /** How much FFmpeg may read to recognise and to analyse, in bytes. */
  readonly probeSizeBytes?: number;
  /** How much of the playing time it may analyse, in microseconds. */
  readonly analyzeUs?: number;
}

/** An open file. Owns FFmpeg's context: dispose it (`using`), or its memory and descriptor stay until the process ends. */
export class OpenedInput implements Disposable {
  readonly path: string;
  readonly sizeBytes: number;
  readonly context: FormatContext;
  /** FFmpeg's name of the demuxer, such as `matroska,webm`. */
  readonly demuxer: string;
  #streams: Stream[] | null = null;

  constructor(path: string, sizeBytes: number, context: FormatContext) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.context = context;
    this.demuxer = context.iformat?.name ?? '';
  }

  /** All streams as FFmpeg numbers them. MPEG-PS and FLV may find more while packets are read: see `refreshStreams`. */
  get streams(): readonly Stream[] {
    this.#streams ??= this.context.streams;
    return this.#streams;
  }

  refreshStreams(): void {
    this.#streams = null;
  }

  /** Lets FFmpeg read and decode the beginning to learn what the headers do not say. Milliseconds to tens of them. */
  analyze(): void {
    const code = this.context.findStreamInfoSync(null);
    this.refreshStreams();
    if (code < 0) throw new MediaError(failureOf(code, this.path), `find stream info failed with ${code}`);
  }

  [Symbol.dispose](): void {
    this.#streams = null;
    this.context.closeInputSync();
  }
}

/** Opens a movie file for reading. `path` must be absolute. Throws `MediaError`; never blocks on a pipe or device. */
export function openInput(path: string, options: InputOptions = {}): OpenedInput {
  const sizeBytes = regularFileSize(path);
  const context = new FormatContext();
  const code = context.openInputSync(
    `file:${path}`,
    null,
    Dictionary.fromObject({
      protocol_whitelist: 'file',
      format_whitelist: `${MOVIE_DEMUXERS},${AUDIO_DEMUXERS.join(',')}`,
      max_streams: MAX_STREAMS,
      probesize: options.probeSizeBytes,
      analyzeduration: options.analyzeUs,
    }),
  );
  // On failure avformat_open_input has already freed the context.
  if (code < 0) throw new MediaError(failureOf(code, path), `open failed with ${code}`);
  const input = new OpenedInput(path, sizeBytes, context);
  if (AUDIO_DEMUXERS.some((name) => name === input.demuxer) && context.probeScore < MIN_AUDIO_SCORE) {
    input[Symbol.dispose]();
    throw new MediaError('notMedia', `only ${context.probeScore} % like ${input.demuxer}`);
  }
  return input;
}

/** Size of a regular file. Checked before FFmpeg opens it: opening a pipe nobody writes to would block for ever. */
export function regularFileSize(path: string): number {
  if (!isAbsolute(path)) throw new MediaError('internal', 'openInput takes absolute paths only');
  if (path.includes('\0')) throw new MediaError('notFound', 'a path cannot contain NUL');
  let stats;
  try {
    stats = statSync(path);
  } catch (cause) {
    throw new MediaError(failureOfErrno(cause), 'stat failed', { cause });
  }
  if (!stats.isFile()) throw new MediaError('notAFile', 'not a regular file');
  if (stats.size === 0) throw new MediaError('empty', 'no bytes');
  return stats.size;
}

export function failureOfErrno(cause: unknown): MediaFailure {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return 'notFound';
    case 'EACCES':
    case 'EPERM':
    case 'EIO':
    case 'ESTALE':
    case 'EBUSY':
      return 'notReadable';
    default:
      return 'internal';
  }
}

/** FFmpeg calls almost everything "invalid data"; the first bytes tell a broken movie from something else. */
function failureOf(code: number, path: string): MediaFailure {
  switch (code) {
    case AVERROR_ENOENT:
      return 'notFound';
    case AVERROR_EACCES:
    case AVERROR_EPERM:
      return 'notReadable';
    case AVERROR_ENOMEM:
      return 'tooComplex';
    case AVERROR_EINVAL: // recognised, but not on the whitelist: text subtitles, playlists, pictures
      return 'notMedia';
    default:
      // Demuxers say "I/O error" of damaged content too; a disk that does not answer shows when we read ourselves.
      return failureOfHead(path);
  }
}

function failureOfHead(path: string): MediaFailure {
  const head = Buffer.alloc(16);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    return failureOfErrno(cause);
  }
  return beginsLikeMovie(head) ? 'truncated' : 'notMedia';
}

function beginsLikeMovie(head: Buffer): boolean {
  const tag = (at: number): string => head.toString('latin1', at, at + 4);
  return (
    head.readUInt32BE(0) === 0x1a45dfa3 || // EBML
    ['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip', 'pnot'].includes(tag(4)) ||
    (tag(0) === 'RIFF' && tag(8) === 'AVI ') ||
    head.readUInt32BE(0) === 0x3026b275 || // ASF
    head.readUInt32BE(0) === 0x000001ba || // MPEG-PS pack
    tag(0) === 'OggS' ||
    head.toString('latin1', 0, 3) === 'FLV'
  );
}
