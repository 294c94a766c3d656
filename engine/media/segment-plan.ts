/**
 * Where segments begin, known before anything is made: so a media playlist is complete from the first second, and a
 * segment means the same span of the movie whoever makes it, whenever.
 *
 * A plan is n + 1 times in whole µs from the start of the file: the starts of n segments, then the end. It begins at 0, is
 * strictly increasing and ends exactly at the duration.
 *
 * Remux: a copied segment can begin at a keyframe of the source only. Transcode: a segment may begin anywhere, but decoding can't,
 * so starts are put on the source's keyframes where they fall close enough, and what lies between two of them is divided evenly.
 */
import type { Ratio } from '#protocol/schema/media.ts';

/** Copying is quick, so segments are as long as players like them (Apple's authoring specification says about 6 s). */
const REMUX_TARGET_US = 5_000_000;
/** Encoding sets the wait after a seek: measured 0.6 to 0.9 of the segment's own length on two cores, so they are short. */
const TRANSCODE_TARGET_US = 2_000_000;
/** The first segments of a movie are shorter, so that the picture is there sooner. */
const REMUX_START_US = [1_000_000, 2_000_000, 3_000_000];
const TRANSCODE_START_US = [1_000_000, 1_000_000];
/** Shorter ones cost more in requests than they save. Below a second, so that a keyframe each 24 or 25 frames still counts. */
const MIN_US = 800_000;
/** A player must fetch a whole segment before it can show anything of it. Twice x264's longest default GOP at 24 pictures a second. */
const MAX_REMUX_US = 30_000_000;
/** Of pictures to look for a place by. A hair less than two seconds, so that every second of one-second GOPs counts. */
const PICTURES_APART_US = 1_990_000;
/** What claims to be longer is no movie, and its playlist would be larger than many movies. */
const MAX_DURATION_US = 48 * 3_600_000_000;

/** Times in whole µs from the start of the file: segment `i` covers `[plan[i], plan[i + 1])`. */
export type SegmentPlan = Float64Array;

/** Whether a movie of this length can be cut into segments at all. */
export function isPlannable(durationUs: number): boolean {
  return Number.isFinite(durationUs) && durationUs >= 1 && durationUs <= MAX_DURATION_US;
}

/**
 * Plans segments that begin at the source's keyframes, about five seconds each, the first ones shorter. `keyframesUs` is strictly
 * increasing. `null` where the keyframes can't carry it: there are none, or more than 30 s lie between two of them.
 */
export function planRemux(keyframesUs: ArrayLike<number>, durationUs: number): SegmentPlan | null {
  if (!isPlannable(durationUs) || keyframesUs.length === 0) return null;
  const endUs = Math.round(durationUs);
  if (longestGapUs(keyframesUs, endUs) > MAX_REMUX_US) return null;
  const plan = [0];
  let startUs = 0;
  // The first keyframe belongs to the first segment, also where the picture begins later than the sound.
  let next = 1;
  for (;;) {
    const idealUs = startUs + (REMUX_START_US[plan.length - 1] ?? REMUX_TARGET_US);
    while (next < keyframesUs.length && keyframesUs[next]! < startUs + MIN_US) next++;
    while (
      next + 1 < keyframesUs.length &&
      Math.abs(keyframesUs[next + 1]! - idealUs) < Math.abs(keyframesUs[next]! - idealUs)
    ) {
      next++;
    }
    const borderUs = keyframesUs[next];
    // The end is as good a border as any, and a last segment that would be too short belongs to the one before it.
    if (borderUs === undefined || borderUs > endUs - MIN_US) break;
    if (Math.abs(endUs - idealUs) <= Math.abs(borderUs - idealUs)) break;
    plan.push(borderUs);
    startUs = borderUs;
    next++;
  }
  plan.push(endUs);
  return Float64Array.from(plan);
}

/**
 * Plans segments of at most two seconds for encoding. They begin on keyframes of the source where those lie close enough, so that
 * a seek there decodes nothing in vain, and otherwise on its frames where their rate is constant. Without keyframes
 * (`null`) an even grid. Throws `RangeError` where `isPlannable` says no.
 */
export function planTranscode(
  keyframesUs: ArrayLike<number> | null,
  durationUs: number,
  frameRate: Ratio | null,
): SegmentPlan {
  if (!isPlannable(durationUs)) throw new RangeError(`no plan for a duration of ${durationUs} µs`);
  const endUs = Math.round(durationUs);
  const keys = keyframesUs ?? [];
  const plan = [0];
  let startUs = 0;
  let next = 0;
  let anchorUs = keys[0] ?? 0;
  for (;;) {
    const maxUs = TRANSCODE_START_US[plan.length - 1] ?? TRANSCODE_TARGET_US;
    if (endUs - startUs <= maxUs) break;
    // Several short GOPs make one segment: the last keyframe within reach wins.
    let keyUs: number | null = null;
    while (next < keys.length && keys[next]! <= startUs + maxUs) {
      const candidateUs = keys[next]!;
      if (candidateUs >= startUs + MIN_US / 2) keyUs = candidateUs;
      if (candidateUs <= startUs) anchorUs = candidateUs;
      next++;
    }
    let borderUs = keyUs;
    if (borderUs === null) {
      const targetUs = Math.min(keys[next] ?? endUs, endUs);
      borderUs = targetUs;
      if (targetUs - startUs > maxUs) {
        // Only the first of the equal pieces: the next round divides what is left, and comes to the same places.
        const pieces = Math.ceil((targetUs - startUs) / maxUs);
        const pieceUs = keyframesUs === null && pieces > 2 ? maxUs : (targetUs - startUs) / pieces;
        borderUs = frameAtOrBefore(startUs + pieceUs, anchorUs, frameRate, startUs + MIN_US / 2);
      }
    }
    if (borderUs > endUs - MIN_US / 2) break;
    plan.push(borderUs);
    startUs = borderUs;
    if (keyUs !== null || keys[next] === borderUs) anchorUs = borderUs;
  }
  plan.push(endUs);
  return Float64Array.from(plan);
}

/**
 * The keyframes that an I-frame playlist lists: two seconds apart or more, each shown until the next. `null` where there are none.
 */
export function planPictures(keyframesUs: ArrayLike<number>, durationUs: number): SegmentPlan | null {
  if (!isPlannable(durationUs) || keyframesUs.length === 0) return null;
  const endUs = Math.round(durationUs);
  const plan = [0];
  let lastUs = 0;
  for (let index = 0; index < keyframesUs.length; index++) {
    const timeUs = keyframesUs[index]!;
    if (timeUs < lastUs + PICTURES_APART_US || timeUs > endUs - MIN_US) continue;
    plan.push(timeUs);
    lastUs = timeUs;
  }
  plan.push(endUs);
  return Float64Array.from(plan);
}

/** The segment that holds a time in µs. Before the start it is the first, after the end the last. */
export function segmentAt(plan: SegmentPlan, timeUs: number): number {
  let low = 0;
  let high = plan.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (plan[middle]! <= timeUs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Short text that differs when a plan does: 53 bits of FNV-1a over its times, for URLs that must not outlive their plan. */
export function planFingerprint(plan: SegmentPlan): string {
  let low = 0x811c9dc5;
  let high = 0x050c5d1f;
  for (const timeUs of plan) {
    for (const word of [timeUs >>> 0, Math.floor(timeUs / 2 ** 32)]) {
      low = Math.imul(low ^ word, 0x01000193);
      high = Math.imul(high ^ (word + low), 0x01000193);
    }
  }
  return ((high >>> 11) * 2 ** 32 + (low >>> 0)).toString(36);
}

function longestGapUs(keyframesUs: ArrayLike<number>, endUs: number): number {
  let longestUs = 0;
  let lastUs = 0;
  for (let index = 0; index < keyframesUs.length; index++) {
    longestUs = Math.max(longestUs, keyframesUs[index]! - lastUs);
    lastUs = keyframesUs[index]!;
  }
  return Math.max(longestUs, endUs - lastUs);
}

/**
 * The time of the frame at or before `timeUs`, counted from a known one, so that the length that a playlist states is the length that the
 * encoder makes. The time itself where the rate is unknown, or where the frame lies before `earliestUs`.
 */
function frameAtOrBefore(timeUs: number, anchorUs: number, frameRate: Ratio | null, earliestUs: number): number {
  const frameUs = frameRate && frameRate.num > 0 ? (1_000_000 * frameRate.den) / frameRate.num : 0;
  if (frameUs > 0) {
    // The tolerance keeps a frame that lies exactly there from falling to the one before by rounding.
    const frames = Math.floor((timeUs - anchorUs) / frameUs + 1e-3);
    const borderUs = Math.floor(anchorUs + frames * frameUs);
    if (borderUs >= earliestUs) return borderUs;
  }
  return Math.floor(timeUs);
}
