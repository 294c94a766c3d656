/** A person's style of subtitles as variables of the style sheet. */
import type { SubtitleStyle } from '#protocol/schema/subtitle-style.ts';

type Color = SubtitleStyle['color'];

/** Not the screen's purest: those hurt in the dark. */
const COLORS: Readonly<Record<Color, string>> = {
  white: '255 255 255',
  yellow: '255 236 88',
  cyan: '120 232 255',
  green: '130 240 130',
  magenta: '255 150 240',
  red: '255 110 100',
  blue: '120 160 255',
  black: '0 0 0',
};

/** What is on the devices of today; nothing is fetched for it. */
const FONTS: Readonly<Record<SubtitleStyle['font'], string>> = {
  sans: "'Figtree Variable', system-ui, sans-serif",
  serif: 'Georgia, Cambria, "Noto Serif", serif',
  mono: 'ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace',
  casual: '"Comic Neue", "Comic Sans MS", "Chalkboard SE", casual, cursive',
  readable: '"Atkinson Hyperlegible", Verdana, "DejaVu Sans", Tahoma, sans-serif',
};

export function captionVariables(style: SubtitleStyle): Record<string, string> {
  return {
    '--caption-scale': String(style.sizePercent / 100),
    '--caption-color': `rgb(${COLORS[style.color]} / ${style.opacityPercent}%)`,
    '--caption-background': `rgb(${COLORS[style.background]} / ${style.backgroundPercent}%)`,
    '--caption-font': FONTS[style.font],
    '--caption-weight': style.isBold ? '750' : '560',
    '--caption-lift': `${style.liftPercent}%`,
  };
}
