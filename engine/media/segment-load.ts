/** How heavy copied segments will be, from what the container's index says of the bytes between keyframes. */
import type { SegmentPlan } from './segment-plan.ts';

export interface SegmentLoad {
  /** Of the heaviest run of segments of about the target duration, which is how RFC 8216bis 4.4.6.2 defines BANDWIDTH. */
  readonly peakBps: number;
  readonly averageBps: number;
}

/** Of fragmented MP4: up to 16 bytes in `trun` for each picture at 60 a second, and the boxes around them. */
const PACKING_BPS = 10_000;

/**
 * The load of a remux that is cut on `plan`. `bytes`: from each keyframe to the next, of the picture alone or of all tracks.
 * `null` where nothing was measured.
 */
export function segmentLoad(
  plan: SegmentPlan,
  keyframesUs: ArrayLike<number>,
  bytes: ArrayLike<number>,
): SegmentLoad | null {
  const count = plan.length - 1;
  if (count < 1 || keyframesUs.length === 0 || keyframesUs.length !== bytes.length) return null;
  const sizes = new Float64Array(count);
  let segment = 0;
  for (let index = 0; index < keyframesUs.length; index++) {
    while (segment + 1 < count && keyframesUs[index]! >= plan[segment + 1]!) segment++;
    sizes[segment]! += bytes[index]!;
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return null;
  const averageBps = bitrateBps(total, plan[count]! - plan[0]!) + PACKING_BPS;
  return { peakBps: Math.max(averageBps, heaviestBps(plan, sizes) + PACKING_BPS), averageBps };
}

/** The heaviest run that lasts between a half and one and a half target durations; the heaviest segment where no run does. */
function heaviestBps(plan: SegmentPlan, sizes: Float64Array): number {
  let targetS = 1;
  let singleBps = 0;
  for (const [index, size] of sizes.entries()) {
    const lengthUs = plan[index + 1]! - plan[index]!;
    targetS = Math.max(targetS, Math.round(lengthUs / 1e6));
    singleBps = Math.max(singleBps, bitrateBps(size, lengthUs));
  }
  let peakBps = 0;
  for (let from = 0; from < sizes.length; from++) {
    let runBytes = 0;
    for (let until = from; until < sizes.length; until++) {
      runBytes += sizes[until]!;
      const lengthUs = plan[until + 1]! - plan[from]!;
      if (lengthUs > targetS * 1.5e6) break;
      if (lengthUs >= targetS * 0.5e6) peakBps = Math.max(peakBps, bitrateBps(runBytes, lengthUs));
    }
  }
  return peakBps > 0 ? peakBps : singleBps;
}

const bitrateBps = (bytes: number, lengthUs: number): number => (bytes * 8e6) / lengthUs;
