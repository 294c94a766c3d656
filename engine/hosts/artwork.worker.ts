/**
 * Decoding and resizing pictures that strangers made. Runs in a pool thread, so it reads synchronously. Whatever comes out was made
 * here, pixel by pixel: nothing of the bytes that came in reaches a browser.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';
import { servedSize } from '#engine/media/artwork-size.ts';
import { imageKindOf } from '#engine/media/image-kind.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import type { ArtworkFailure, ArtworkOutcome, ArtworkRequest, ArtworkSource, MeasureOutcome } from './artwork.port.ts';

/** Artwork beside movies is often a PNG as large as a television. */
const MAX_FILE_BYTES = 32e6;
/** 8K is 33 million; every one takes up to four bytes while it is decoded. */
const MAX_PIXELS = 40e6;
const DECODE_LIMIT_S = 15;
/** ThumbHash takes no more. */
const PLACEHOLDER_PX = 100;
/** 2,000 × 3,000 to 780: effort 2 takes 45 ms where the usual 4 takes 95, for the same bytes. */
const WEBP = { quality: 80, alphaQuality: 90, effort: 2 } as const;

sharp.concurrency(1);
sharp.cache(false);
// Of the many kinds that libvips reads, only the five that are sniffed: no SVG, no PDF, no ImageMagick. Holds for the whole process.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Heif', 'Nsgif'].map((name) => `VipsForeignLoad${name}`),
});

export async function measure(source: ArtworkSource): Promise<MeasureOutcome> {
  return await outcomeOf(async () => {
    const { size } = await open(source);
    return { ok: true, size };
  });
}

export async function render(input: { source: ArtworkSource; request: ArtworkRequest }): Promise<ArtworkOutcome> {
  return await outcomeOf(async () => {
    const { picture, size } = await open(input.source);
    const { widthPx, wantsPlaceholder } = input.request;
    const isSmaller = widthPx !== null && widthPx < size.widthPx;
    const shown: PictureSize = isSmaller
      ? { widthPx, heightPx: Math.max(1, Math.round((size.heightPx * widthPx) / size.widthPx)) }
      : size;
    const bytes = await picture
      .autoOrient()
      .resize({ width: shown.widthPx, height: shown.heightPx, fit: 'fill' })
      .timeout({ seconds: DECODE_LIMIT_S })
      .webp(WEBP)
      .toBuffer();
    return { ok: true, bytes, size, placeholder: wantsPlaceholder ? await placeholderOf(bytes) : null };
  });
}

async function open(source: ArtworkSource): Promise<{ picture: Sharp; size: PictureSize }> {
  const bytes = source.kind === 'bytes' ? source.bytes : readFile(source.path);
  const kind = imageKindOf(bytes);
  if (kind === null) throw new ArtworkError('notAPicture');
  // Of one that moves, the first picture. A file that ends too early is damaged and not a picture with a grey rest.
  const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error', pages: 1, sequentialRead: true });
  const { width, height, format, autoOrient }: Metadata = await picture.metadata();
  // One thing to who sniffs and another to who decodes: refused.
  if ((format === 'heif' ? 'avif' : format) !== kind) throw new ArtworkError('notAPicture');
  if (width * height > MAX_PIXELS) throw new ArtworkError('tooManyPixels');
  return { picture, size: servedSize({ widthPx: autoOrient.width, heightPx: autoOrient.height }) };
}

async function placeholderOf(bytes: Uint8Array): Promise<string> {
  const { data, info } = await sharp(bytes)
    .resize({ width: PLACEHOLDER_PX, height: PLACEHOLDER_PX, fit: 'inside' })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString('base64');
}

function readFile(path: string): Uint8Array {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever. The path is a real one: a link came since.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new ArtworkError('notAFile');
    if (stats.size > MAX_FILE_BYTES) throw new ArtworkError('tooLarge');
    const bytes = Buffer.allocUnsafe(stats.size);
    let doneBytes = 0;
    while (doneBytes < bytes.length) {
      const readBytes = readSync(file, bytes, doneBytes, bytes.length - doneBytes, doneBytes);
      if (readBytes === 0) break;
      doneBytes += readBytes;
    }
    return bytes.subarray(0, doneBytes);
  } finally {
    closeSync(file);
  }
}

class ArtworkError extends Error {
  readonly failure: ArtworkFailure;
  constructor(failure: ArtworkFailure) {
    super(failure);
    this.failure = failure;
  }
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<T | { ok: false; failure: ArtworkFailure }> {
  try {
    return await work();
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

const SYSTEM_FAILURES: Readonly<Record<string, ArtworkFailure>> = {
  ENOENT: 'notFound',
  ENOTDIR: 'notFound',
  ELOOP: 'notFound',
  ENXIO: 'notAFile',
};

function failureOf(error: unknown): ArtworkFailure {
  if (error instanceof ArtworkError) return error.failure;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^E[A-Z]+$/.test(code)) return SYSTEM_FAILURES[code] ?? 'notReadable';
  const text = error instanceof Error ? error.message : '';
  if (/pixel limit/i.test(text)) return 'tooManyPixels';
  if (/timeout/i.test(text)) return 'timeout';
  return 'damaged';
}
