/** How large and how heavy an encoded picture becomes: the rungs of the ladder, and what limits them. */
import { pictureSize } from './picture-size.ts';
import type { CodedPicture, PictureSize } from './picture-size.ts';

/** What this server encodes at most: two cores manage 720p in real time, eight 1080p. */
export interface EncodeLimits {
  /** Of a picture 16:9; others get the box of that height, and upright ones the box on its side. */
  readonly maxHeightPx: number;
}

/** Peak bit rate of H.264 at x264's `veryfast`, by the height of the 16:9 box that holds the picture, up to 30 pictures a second. */
const LADDER: readonly (readonly [heightPx: number, maxBitrateBps: number])[] = [
  [240, 400_000],
  [360, 800_000],
  [480, 1_500_000],
  [576, 2_200_000],
  [720, 3_500_000],
  [1080, 7_000_000],
  [1440, 12_000_000],
  [2160, 24_000_000],
];
const MIN_BITRATE_BPS = 150_000;
/** Twice the pictures cost about half as much again: neighbours differ less. */
const FAST_FRAME_RATE = 35;
const FAST_FACTOR = 1.5;

/**
 * Size of the encoded picture: never larger than the source, inside the server's and the device's box, and on a rung whose bit rate fits the
 * line.
 */
export function encodeSize(
  video: CodedPicture,
  limits: EncodeLimits & {
    readonly deviceWidthPx?: number;
    readonly deviceHeightPx?: number;
    readonly maxBitrateBps: number | null;
  },
): PictureSize {
  const affordablePx =
    limits.maxBitrateBps === null
      ? Infinity
      : (LADDER.findLast(([, bps]) => bps <= limits.maxBitrateBps!)?.[0] ?? LADDER[0]![0]);
  const boxPx = Math.min(limits.maxHeightPx, affordablePx);
  // A damaged beginning may hide the size until a picture is decoded. The encoder never enlarges, so the box is a safe answer.
  if (video.width === 0 || video.height === 0) return { widthPx: even((boxPx * 16) / 9), heightPx: even(boxPx) };
  const source = pictureSize(video, Infinity);
  const [long, short] = sides(source);
  const [deviceLong, deviceShort] = sides({
    widthPx: limits.deviceWidthPx ?? Infinity,
    heightPx: limits.deviceHeightPx ?? Infinity,
  });
  const scale = Math.min(1, Math.min((boxPx * 16) / 9, deviceLong) / long, Math.min(boxPx, deviceShort) / short);
  return pictureSize(video, even(source.heightPx * scale));
}

/** Peak bit rate for a picture of this size. `roomBps`: what the line leaves for it, `null` for no limit. */
export function maxBitrateFor(size: PictureSize, framesPerSecond: number, roomBps: number | null): number {
  const [long, short] = sides(size);
  const boxPx = Math.max(short, (long * 9) / 16);
  const rungBps = (LADDER.find(([heightPx]) => heightPx >= boxPx - 8) ?? LADDER.at(-1)!)[1];
  const wantedBps = framesPerSecond > FAST_FRAME_RATE ? rungBps * FAST_FACTOR : rungBps;
  return Math.round(Math.max(MIN_BITRATE_BPS, Math.min(wantedBps, roomBps ?? Infinity)));
}

function sides({ widthPx, heightPx }: PictureSize): [long: number, short: number] {
  return widthPx >= heightPx ? [widthPx, heightPx] : [heightPx, widthPx];
}

const even = (value: number): number => Math.max(2, Math.round(value / 2) * 2);
