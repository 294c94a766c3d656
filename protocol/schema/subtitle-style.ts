/** How a person reads subtitles of text, on every device of theirs. Styled subtitles (ASS) and pictures keep the looks they bring. */
import * as v from 'valibot';

export const SUBTITLE_COLORS = ['white', 'yellow', 'cyan', 'green', 'magenta', 'red', 'blue', 'black'] as const;
export const SUBTITLE_FONTS = ['sans', 'serif', 'mono', 'casual', 'readable'] as const;
export const SUBTITLE_EDGES = ['none', 'shadow', 'outline', 'raised'] as const;

const Percent = (min: number, max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));

/** How a person reads subtitles of text. What leaves one of them out gets its default, so fields can be added. */
export const SubtitleStyle = v.object({
  /** Of the usual size. */
  sizePercent: v.optional(Percent(50, 300), 100),
  color: v.optional(v.picklist(SUBTITLE_COLORS), 'white'),
  /** How opaque the letters are. */
  opacityPercent: v.optional(Percent(25, 100), 100),
  background: v.optional(v.picklist(SUBTITLE_COLORS), 'black'),
  /** 0: no background. */
  backgroundPercent: v.optional(Percent(0, 100), 55),
  edge: v.optional(v.picklist(SUBTITLE_EDGES), 'shadow'),
  font: v.optional(v.picklist(SUBTITLE_FONTS), 'sans'),
  isBold: v.optional(v.boolean(), false),
  /** Distance from the lower edge of the picture, in percent of its height. */
  liftPercent: v.optional(Percent(0, 45), 4),
  /** Subtitles with styles of their own are shown as text in this style. */
  overridesStyled: v.optional(v.boolean(), false),
});
export type SubtitleStyle = v.InferOutput<typeof SubtitleStyle>;
export const DEFAULT_SUBTITLE_STYLE: SubtitleStyle = v.parse(SubtitleStyle, {});
