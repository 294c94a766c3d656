/** Subtitles in files of their own: text in any encoding, `.sup`, and VobSub with its index. What they are is told by their content. */
import { closeSync, openSync, readSync } from 'node:fs';
import { MediaError } from '#engine/media/media-failure.ts';
import { PgsDecoder, supSegments } from '#engine/media/pgs.ts';
import { MAX_SCRIPT_BYTES, parseSubtitleScript } from '#engine/media/subtitle-script.ts';
import type { PictureDecoder } from '#engine/media/subtitle-picture.ts';
import { decodeText } from '#engine/media/text-encoding.ts';
import { VOBSUB_MAGIC, VobSubDecoder, parseVobSubIndex, vobSubUnits } from '#engine/media/vobsub.ts';
import { failureOfErrno, regularFileSize } from './input.ts';
import { pictureSink, writeScript } from './subtitle-sink.ts';

/** A disc's subtitles in one language are some 30 MB. */
const MAX_PICTURE_FILE_BYTES = 256 << 20;
const MAX_INDEX_BYTES = 8 << 20;

/** What a file of subtitles holds. */
export const SUBTITLE_FILE_KINDS = ['srt', 'vtt', 'ass', 'microdvd', 'sup', 'vobsub'] as const;
export type SubtitleFileKind = (typeof SUBTITLE_FILE_KINDS)[number];

export interface SubtitleFileOptions {
  /** Where the files go; `null` to look only. */
  readonly folder: string | null;
  /** `s<uuid>`. */
  readonly id: string;
  /** The `.idx` of a VobSub; `null` where there is none, or where it stands before the `.sub` in one file. */
  readonly indexPath: string | null;
  readonly language: string | null;
  /** Of the movie, for text that counts pictures. */
  readonly frameRate: number | null;
  /** For pictures; text is bounded by its size. */
  readonly timeLimitMs: number;
}

export interface SubtitleFileFacts {
  readonly kind: SubtitleFileKind;
  /** Lines of text, or pictures. */
  readonly count: number;
}

/** Throws `MediaError`: `unsupported` for what holds no subtitles of ours, `tooComplex` where it is larger than any, `timeout`. */
export function readSubtitleFile(path: string, options: SubtitleFileOptions): SubtitleFileFacts {
  const head = readFile(path, 64, false);
  if (head[0] === 0x50 && head[1] === 0x47) {
    const packets = supSegments(readFile(path, MAX_PICTURE_FILE_BYTES));
    return { kind: 'sup', count: decodeAll(new PgsDecoder(), packets, options) };
  }
  if (options.indexPath !== null || beginsVobSub(head)) return readVobSub(path, options);
  const bytes = readFile(path, MAX_SCRIPT_BYTES);
  const { text } = decodeText(bytes, options.language);
  const script = parseSubtitleScript(text, options.frameRate);
  if (script === null || script.cues.length === 0) {
    throw new MediaError('unsupported', 'no subtitles in it that are known here');
  }
  if (options.folder !== null) writeScript({ folder: options.folder, id: options.id }, script);
  return { kind: script.format, count: script.cues.length };
}

const beginsVobSub = (head: Buffer): boolean => head.toString('latin1', 0, 8) === VOBSUB_MAGIC;

function readVobSub(path: string, options: SubtitleFileOptions): SubtitleFileFacts {
  const all = readFile(path, MAX_PICTURE_FILE_BYTES);
  const isBoth = beginsVobSub(all);
  const indexLength = isBoth && all.length >= 12 ? all.readUInt32BE(8) : 0;
  if (isBoth && 12 + indexLength > all.length) throw new MediaError('truncated', 'its index is longer than the file');
  const indexBytes = isBoth ? all.subarray(12, 12 + indexLength) : readFile(options.indexPath!, MAX_INDEX_BYTES);
  const index = parseVobSubIndex(indexBytes.toString('latin1'));
  if (index.entries.length === 0) throw new MediaError('unsupported', 'its index names no subtitles');
  const units = vobSubUnits(isBoth ? all.subarray(12 + indexLength) : all, index);
  return { kind: 'vobsub', count: decodeAll(new VobSubDecoder(index), units, options) };
}

function decodeAll(
  decoder: PictureDecoder,
  packets: Iterable<{ readonly packet: Uint8Array; readonly ptsUs: number }>,
  { folder, id, timeLimitMs }: SubtitleFileOptions,
): number {
  const endsAt = performance.now() + timeLimitMs;
  let count = 0;
  const counting: PictureDecoder = {
    take(packet, ptsUs, durationUs) {
      if (performance.now() > endsAt) throw new MediaError('timeout', `not read within ${timeLimitMs} ms`);
      const pictures = decoder.take(packet, ptsUs, durationUs);
      count += pictures.filter(({ regions }) => regions.length > 0).length;
      return pictures;
    },
  };
  if (folder === null) {
    // A few tell that it is what it claims to be.
    for (const { packet, ptsUs } of packets) {
      counting.take(packet, ptsUs, 0);
      if (count >= 3) break;
    }
  } else {
    const sink = pictureSink({ folder, id, codec: '', extradata: null }, counting);
    for (const { packet, ptsUs } of packets) sink.take(packet, ptsUs, Number.NaN);
    sink.finish();
  }
  if (count === 0) throw new MediaError('unsupported', 'no picture in it');
  return count;
}

/** The whole of a regular file, which must not be larger than that; or its beginning. */
function readFile(path: string, mostBytes: number, isWhole = true): Buffer {
  const sizeBytes = regularFileSize(path);
  if (isWhole && sizeBytes > mostBytes) {
    throw new MediaError('tooComplex', `${sizeBytes} bytes are more than any subtitles have`);
  }
  const buffer = Buffer.alloc(Math.min(sizeBytes, mostBytes));
  try {
    const file = openSync(path, 'r');
    try {
      let at = 0;
      while (at < buffer.length) {
        const got = readSync(file, buffer, at, buffer.length - at, at);
        if (got === 0) break;
        at += got;
      }
      return buffer.subarray(0, at);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new MediaError(failureOfErrno(cause), 'read failed', { cause });
  }
}
