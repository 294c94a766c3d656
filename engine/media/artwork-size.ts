/** How large pictures are served. */
import type { PictureRole } from '#protocol/schema/picture.ts';
import type { PictureSize } from './picture-size.ts';

/** A dense screen shows a backdrop of this width as sharp as anybody can see from a sofa. */
const MAX_WIDTH_PX = 1920;
/** A poster of the largest width is this high; nothing sensible is higher. */
const MAX_HEIGHT_PX = 2880;

/** Size of a picture as it is served without a wish: its own, made to fit. */
export function servedSize({ widthPx, heightPx }: PictureSize): PictureSize {
  const scale = Math.min(1, MAX_WIDTH_PX / widthPx, MAX_HEIGHT_PX / heightPx);
  return { widthPx: Math.max(1, Math.round(widthPx * scale)), heightPx: Math.max(1, Math.round(heightPx * scale)) };
}

/** What a picture is taken to be until it was seen: the shape of nearly all of its kind. */
export const USUAL_SIZE: Readonly<Record<PictureRole, PictureSize>> = {
  poster: { widthPx: 780, heightPx: 1170 },
  backdrop: { widthPx: 1280, heightPx: 720 },
  logo: { widthPx: 500, heightPx: 200 },
  portrait: { widthPx: 421, heightPx: 632 },
};
