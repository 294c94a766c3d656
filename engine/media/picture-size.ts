import type { Ratio } from '#protocol/schema/media.ts';

export interface CodedPicture {
  readonly width: number;
  readonly height: number;
  /** Sample aspect ratio. */
  readonly pixelAspect: Ratio;
  /** Clockwise turn that a player must apply, in degrees. */
  readonly rotation: number;
}

export interface PictureSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** H.264 has no wider or higher picture than this at any level that browsers decode. */
const MAX_SIDE_PX = 4096;

/**
 * The size of a picture made for a height: upright, with square pixels, its shape kept, both sides even (4:2:0 needs that),
 * never larger than the source shows.
 */
export function pictureSize(coded: CodedPicture, heightPx: number): PictureSize {
  const shownWidthPx = coded.width * (coded.pixelAspect.num > 0 ? coded.pixelAspect.num / coded.pixelAspect.den : 1);
  const isTurned = coded.rotation % 180 !== 0;
  const uprightHeightPx = isTurned ? shownWidthPx : coded.height;
  const shape = isTurned ? coded.height / shownWidthPx : shownWidthPx / coded.height;
  const height = Math.min(heightPx, uprightHeightPx, MAX_SIDE_PX, MAX_SIDE_PX / shape);
  return { widthPx: toEven(height * shape), heightPx: toEven(height) };
}

function toEven(length: number): number {
  return Math.max(2, 2 * Math.round(length / 2));
}
