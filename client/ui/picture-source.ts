/** What an `<img>` is told of a picture: where each of its sizes is, and what stands there until it came. */
import { rgbaToDataURL, thumbHashToRGBA } from 'thumbhash';
import { PICTURE_WIDTHS } from '#protocol/schema/picture.ts';
import type { Picture } from '#protocol/schema/picture.ts';

type Shown = NonNullable<Picture>;

/** `null` where there is one size only: the picture is as narrow as the narrowest. */
export function sourceSet({ url, width }: Shown): string | null {
  const narrower = PICTURE_WIDTHS.filter((narrow) => narrow < width);
  if (narrower.length === 0) return null;
  const widest = Math.min(width, PICTURE_WIDTHS.at(-1)!);
  const whole = narrower.at(-1) === widest ? [] : [`${url} ${widest}w`];
  return [...narrower.map((narrow) => `${url}?w=${narrow} ${narrow}w`), ...whole].join(', ');
}

/** The address for who knows no `srcset`: never the largest. */
export const plainSource = ({ url, width }: Shown): string => (width > 640 ? `${url}?w=640` : url);

/** A ThumbHash in base64 as a small picture, `null` where it is none. */
export function placeholderUrl(thumbHash: string | null): string | null {
  if (thumbHash === null) return null;
  try {
    const { w, h, rgba } = thumbHashToRGBA(Uint8Array.from(atob(thumbHash), (letter) => letter.charCodeAt(0)));
    return w > 0 && h > 0 ? rgbaToDataURL(w, h, rgba) : null;
  } catch {
    return null;
  }
}
