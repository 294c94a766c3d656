import type { PictureSize } from '#engine/media/picture-size.ts';

/** Bytes that somebody sent, or a regular file (its real path; a link is refused). */
export type ArtworkSource =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string };

/**
 * Why a picture cannot be shown, as a closed set: the libraries' own words never leave the thread.
 *
 * - `notFound`, `notReadable`, `notAFile`: the system does not give it
 * - `tooLarge`: more bytes than allowed; `tooManyPixels`: larger than any artwork
 * - `notAPicture`: its bytes are none of the kinds that are taken, whatever its name says
 * - `damaged`: begins like one, but cannot be decoded
 * - `timeout`: took too long
 */
export const ARTWORK_FAILURES = [
  'notFound',
  'notReadable',
  'notAFile',
  'tooLarge',
  'tooManyPixels',
  'notAPicture',
  'damaged',
  'timeout',
] as const;
export type ArtworkFailure = (typeof ARTWORK_FAILURES)[number];

/** Upright size as it is served (`servedSize`). */
export type MeasureOutcome =
  | { readonly ok: true; readonly size: PictureSize }
  | { readonly ok: false; readonly failure: ArtworkFailure };

export interface ArtworkRequest {
  /** `null`, or not narrower than it is served anyway: as it is served. Never enlarged. */
  readonly widthPx: number | null;
  readonly wantsPlaceholder: boolean;
}

export type ArtworkOutcome =
  | {
      readonly ok: true;
      /** WebP. */
      readonly bytes: Uint8Array;
      /** Size as it is served without a wish. */
      readonly size: PictureSize;
      /** ThumbHash in base64, where it was asked for. */
      readonly placeholder: string | null;
    }
  | { readonly ok: false; readonly failure: ArtworkFailure };
