/** What a picture is by its bytes: names and media types of others say nothing. */

export const IMAGE_KINDS = ['jpeg', 'png', 'webp', 'avif', 'gif'] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

/** Bytes that are enough to tell. */
export const SNIFF_BYTES = 64;

/** `null`: none of those that are taken, SVG among them, which is a program as much as a picture. */
export function imageKindOf(bytes: Uint8Array): ImageKind | null {
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'gif';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  // ISO BMFF: a box `ftyp` with its brands. Only AV1 pictures: HEIC is H.265, which has no free decoder here.
  if (text(4, 8) === 'ftyp' && /avi[fs]/.test(text(8, Math.min(bytes.length, SNIFF_BYTES)))) return 'avif';
  return null;
}
