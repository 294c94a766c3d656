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
  [576, 2_300_000],
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

/** One encoded picture among those that a player may choose from. */
export interface Rung extends PictureSize {
  readonly maxBitrateBps: number;
}

/** Below this a player changes for too little, above it for too much (Apple's authoring specification for HLS, 9.19: 1.5 to 2 times). */
const MIN_STEP = 1.5;
const MAX_STEP = 2;
/** How much more H.264 at `veryfast` needs for the same picture than the codec that a file is in. A rung that has more shows nothing more. */
const SOURCE_FACTORS: Readonly<Record<string, number>> = { hevc: 1.8, vp9: 1.8, av1: 2, vvc: 2.5 };

/** What H.264 needs at most to look like a picture of this codec and bit rate: no rung needs more. */
export function usefulBitrateBps(codec: string, bitrateBps: number): number {
  return Math.max(MIN_BITRATE_BPS, Math.round(bitrateBps * (SOURCE_FACTORS[codec] ?? 1)));
}

/**
 * The encoded pictures of a source, best first, down to 240p, each with 1.5 to 2 times the bit rate of the next. `top` is the best, as
 * the decision says. `belowBps`: what they have to stay under by as much, the bit rate of the copy that is offered above them; `null`
 * where there is none.
 */
export function encodeLadder(
  video: CodedPicture,
  top: Rung,
  framesPerSecond: number,
  belowBps: number | null = null,
): Rung[] {
  const [long, short] = sides(top);
  const source = video.width === 0 || video.height === 0 ? pictureOf(top) : video;
  const lower = LADDER.filter(([heightPx]) => heightPx < boxOf(top)).map(([heightPx, bitrateBps]): Rung => {
    const scale = Math.min((heightPx * 16) / 9 / long, heightPx / short);
    const size = pictureSize(source, even(top.heightPx * scale));
    return { ...size, maxBitrateBps: framesPerSecond > FAST_FRAME_RATE ? bitrateBps * FAST_FACTOR : bitrateBps };
  });
  const rungs: Rung[] = [];
  let lastBps = belowBps ?? Infinity;
  let tooClose: Rung | null = null;
  for (const rung of [top, ...lower.toReversed()]) {
    if (tooClose && rung.maxBitrateBps * MAX_STEP < lastBps) {
      // The next one would be too far: the one between them, for less than it usually gets.
      lastBps = Math.round(lastBps / MAX_STEP);
      rungs.push({ ...tooClose, maxBitrateBps: lastBps });
    }
    const isFar = rung.maxBitrateBps * MIN_STEP <= lastBps;
    tooClose = isFar ? null : rung;
    if (!isFar) continue;
    rungs.push(rung);
    lastBps = rung.maxBitrateBps;
  }
  return rungs;
}

/** Height of the 16:9 box of the ladder that holds a picture. */
function boxOf(size: PictureSize): number {
  const [long, short] = sides(size);
  const boxPx = Math.max(short, (long * 9) / 16);
  return (LADDER.find(([heightPx]) => heightPx >= boxPx - 8) ?? LADDER.at(-1)!)[0];
}

const pictureOf = ({ widthPx, heightPx }: PictureSize): CodedPicture => ({
  width: widthPx,
  height: heightPx,
  pixelAspect: { num: 1, den: 1 },
  rotation: 0,
});

function sides({ widthPx, heightPx }: PictureSize): [long: number, short: number] {
  return widthPx >= heightPx ? [widthPx, heightPx] : [heightPx, widthPx];
}

const even = (value: number): number => Math.max(2, Math.round(value / 2) * 2);
