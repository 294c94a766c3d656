import type { VideoTrack } from './schema/media.ts';

/** Short sides as people name them, with the width of the picture that goes by that name. */
const NAMED: readonly (readonly [name: number, width: number])[] = [
  [4320, 7680],
  [2160, 3840],
  [1440, 2560],
  [1080, 1920],
  [720, 1280],
  [576, 1024],
  [480, 720],
  [360, 640],
  [240, 426],
  [144, 256],
];
/** How much of a side may be missing: black bars are cut off, encoders round. */
const SLACK = 0.95;

/**
 * What people call a picture of this size: 1920 × 816 is 1080, so is 1440 × 1080. By the shown size, upright or not. `null`
 * for a file without a picture; the smallest name for what is smaller than all.
 */
export function resolutionOf(track: Pick<VideoTrack, 'width' | 'height' | 'pixelAspect'> | undefined): number | null {
  if (track === undefined || track.width === 0 || track.height === 0) return null;
  const { num, den } = track.pixelAspect;
  const shownWidth = track.width * (num > 0 ? num / den : 1);
  const long = Math.max(shownWidth, track.height);
  const short = Math.min(shownWidth, track.height);
  const found = NAMED.find(([name, width]) => short >= name * SLACK || long >= width * SLACK);
  return (found ?? NAMED.at(-1)!)[0];
}
