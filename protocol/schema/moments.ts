/** Moving about in a movie: the pictures that are shown while seeking, and the stretches that people skip. */
import * as v from 'valibot';
import { Count, Id, Milliseconds, ShortText } from './scalar.ts';

const AtLeastOne = v.pipe(Count, v.minValue(1));

/** How the pictures of a movie lie on its sheets. Picture `i` stands for `i * intervalMs` and what follows, and lies on sheet `floor(i / (columns * rows))`, in rows. */
export const PreviewPlan = v.object({
  intervalMs: AtLeastOne,
  /** Pictures in all. */
  count: AtLeastOne,
  columns: AtLeastOne,
  rows: AtLeastOne,
  /** Of one picture. */
  widthPx: AtLeastOne,
  heightPx: AtLeastOne,
});
export type PreviewPlan = v.InferOutput<typeof PreviewPlan>;

/** Signed like the movie's own address, and usable as long. */
export const Trickplay = v.object({
  ...PreviewPlan.entries,
  /** Address of a sheet, a WebP picture, with `{n}` for its number from 0. A sheet that is not there yet is made when it is asked for. */
  sheetUrl: v.string(),
  /** The same for players of others: WebVTT with `#xywh=` fragments. */
  vttUrl: v.string(),
});
export type Trickplay = v.InferOutput<typeof Trickplay>;

export const MARKER_KINDS = ['intro', 'recap', 'credits'] as const;
export const MarkerKind = v.picklist(MARKER_KINDS);
export type MarkerKind = v.InferOutput<typeof MarkerKind>;

/** `chapters`: their names say so. `detected`: the picture and the sound do. `person`: somebody set it, which no machine changes. */
export const MARKER_SOURCES = ['chapters', 'detected', 'person'] as const;
export const MarkerSource = v.picklist(MARKER_SOURCES);
export type MarkerSource = v.InferOutput<typeof MarkerSource>;

/** A stretch of a file that people may want to skip. */
export const Marker = v.object({
  kind: MarkerKind,
  startMs: Milliseconds,
  endMs: Milliseconds,
  source: MarkerSource,
  /** 0 to 100. Below 70 none is told of. */
  confidence: v.pipe(Count, v.maxValue(100)),
});
export type Marker = v.InferOutput<typeof Marker>;

/** What comes after a movie: the next of its series or list that this person has not watched. */
export const NextMovie = v.object({ movieId: Id, title: ShortText, year: v.nullable(Count) });
export type NextMovie = v.InferOutput<typeof NextMovie>;
