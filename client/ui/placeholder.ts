/** Draws placeholders. Loaded after the first screen: what it draws is only worth something while pictures load. */
import { rgbaToDataURL, thumbHashToRGBA } from 'thumbhash';

/** A tile is drawn many times and its placeholder, of some 4 kB, once. */
const MAX_DRAWN = 500;
const drawn = new Map<string, string | null>();

/** A ThumbHash in base64 as a small picture, `null` where it is none. */
export function placeholderUrl(thumbHash: string): string | null {
  const known = drawn.get(thumbHash);
  if (known !== undefined) return known;
  if (drawn.size >= MAX_DRAWN) drawn.clear();
  const url = draw(thumbHash);
  drawn.set(thumbHash, url);
  return url;
}

function draw(thumbHash: string): string | null {
  try {
    const { w, h, rgba } = thumbHashToRGBA(Uint8Array.from(atob(thumbHash), (letter) => letter.charCodeAt(0)));
    return w > 0 && h > 0 ? rgbaToDataURL(w, h, rgba) : null;
  } catch {
    return null;
  }
}
