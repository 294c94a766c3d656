/**
 * The pictures that are shown while a person seeks: where in the movie they are, and how they lie on sheets. Pure numbers, so
 * that server and tests agree on them without asking. Picture `i` stands for the time from `i * intervalMs` to the next.
 */
import type { MediaInfo, VideoTrack } from '#protocol/schema/media.ts';
import type { PreviewPlan } from '#protocol/schema/moments.ts';

const MAX_EDGE_PX = 320;
const MIN_EDGE_PX = 16;
/** One picture every ten seconds, as everybody does; closer where that would be few. */
const INTERVAL_MS = 10_000;
const MIN_INTERVAL_MS = 1_000;
const WANTED_PICTURES = 120;
/** A day-long recording has wider steps instead of a thousand sheets. */
const MAX_PICTURES = 3_600;
/** Small sheets: the first one is there in about a second, and a finger on the bar loads 60 kB and not a megabyte. */
const COLUMNS = 5;
const ROWS = 5;

/** `null` where there is nothing to show: no picture, or no length. */
export function planPreviews(media: MediaInfo): PreviewPlan | null {
  const [track] = media.video;
  const durationMs = media.durationMs ?? 0;
  if (track === undefined || durationMs < MIN_INTERVAL_MS || track.width * track.height === 0) return null;
  const closerMs = Math.floor(durationMs / WANTED_PICTURES / 1_000) * 1_000;
  const widerMs = Math.ceil(durationMs / MAX_PICTURES / 1_000) * 1_000;
  const intervalMs = Math.max(widerMs, MIN_INTERVAL_MS, Math.min(INTERVAL_MS, closerMs));
  return {
    intervalMs,
    count: Math.ceil(durationMs / intervalMs),
    columns: COLUMNS,
    rows: ROWS,
    ...pictureEdges(track),
  };
}

/** Upright, square pixels, within a square of `MAX_EDGE_PX`, never enlarged; even, because colour has half the resolution. */
function pictureEdges(track: VideoTrack): { widthPx: number; heightPx: number } {
  const stretchedPx = (track.width * track.pixelAspect.num) / track.pixelAspect.den;
  const isTurned = track.rotation % 180 !== 0;
  const [fullWidthPx, fullHeightPx] = isTurned ? [track.height, stretchedPx] : [stretchedPx, track.height];
  const scale = Math.min(1, MAX_EDGE_PX / Math.max(fullWidthPx, fullHeightPx));
  const even = (edgePx: number): number =>
    Math.min(MAX_EDGE_PX, Math.max(MIN_EDGE_PX, Math.round((edgePx * scale) / 2) * 2));
  return { widthPx: even(fullWidthPx), heightPx: even(fullHeightPx) };
}

export function sheetCount({ count, columns, rows }: PreviewPlan): number {
  return Math.ceil(count / (columns * rows));
}

/** The sheet with the picture for a time of the movie. */
export function sheetAt(plan: PreviewPlan, ms: number): number {
  const index = Math.min(plan.count - 1, Math.max(0, Math.floor(ms / plan.intervalMs)));
  return Math.floor(index / (plan.columns * plan.rows));
}

/** All sheets, those first that a person is likely to look at: where they are, what comes next, then ever farther away. */
export function sheetOrder(plan: PreviewPlan, atMs: number): number[] {
  const here = sheetAt(plan, atMs);
  // What lies ahead is looked at more than what is past.
  const distance = (sheet: number): number => (sheet >= here ? (sheet - here) * 2 : (here - sheet) * 2 + 1);
  return Array.from({ length: sheetCount(plan) }, (_, sheet) => sheet).toSorted((a, b) => distance(a) - distance(b));
}

/** The middles of the spans that the pictures of a sheet stand for: what begins in the span is seen more likely than what ends. */
export function sheetTimesMs(plan: PreviewPlan, sheet: number, durationMs: number): number[] {
  const perSheet = plan.columns * plan.rows;
  const first = sheet * perSheet;
  const length = Math.min(perSheet, plan.count - first);
  return Array.from({ length: Math.max(0, length) }, (_, i) =>
    Math.min((first + i + 0.5) * plan.intervalMs, Math.max(0, durationMs - 1)),
  );
}

/** WebVTT with media fragments (`#xywh=`), as players other than ours read it. */
export function previewsVtt(plan: PreviewPlan, durationMs: number, sheetName: (sheet: number) => string): string {
  const perSheet = plan.columns * plan.rows;
  const cues = Array.from({ length: plan.count }, (_, i) => {
    const [startMs, endMs] = [i * plan.intervalMs, Math.min((i + 1) * plan.intervalMs, durationMs)];
    const place = i % perSheet;
    const x = (place % plan.columns) * plan.widthPx;
    const y = Math.floor(place / plan.columns) * plan.heightPx;
    const at = `${x},${y},${plan.widthPx},${plan.heightPx}`;
    return `${vttTime(startMs)} --> ${vttTime(endMs)}\n${sheetName(Math.floor(i / perSheet))}#xywh=${at}\n`;
  });
  return `WEBVTT\n\n${cues.join('\n')}`;
}

function vttTime(ms: number): string {
  const part = (value: number, digits: number): string => String(Math.floor(value)).padStart(digits, '0');
  return `${part(ms / 3_600_000, 2)}:${part((ms / 60_000) % 60, 2)}:${part((ms / 1_000) % 60, 2)}.${part(ms % 1_000, 3)}`;
}
