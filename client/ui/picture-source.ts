/** What an `<img>` is told of a picture: where each of its sizes is, and what stands there until it came. */
import { signal } from '@preact/signals';
import { PICTURE_WIDTHS } from '#protocol/schema/picture.ts';
import type { MovieField } from '#protocol/schema/movie.ts';
import type { Picture } from '#protocol/schema/picture.ts';

type Shown = NonNullable<Picture>;

/** `null` where there is one size only: the picture is as narrow as the narrowest. */
export function sourceSet({ url, width }: Shown): string | null {
  const narrower = PICTURE_WIDTHS.filter((narrow) => narrow < width);
  if (narrower.length === 0) return null;
  const widest = Math.min(width, PICTURE_WIDTHS.at(-1)!);
  const whole = narrower.at(-1) === widest ? [] : [`${url} ${widest}w`];
  return [...narrower.map((narrow) => `${url}?w=${narrow} ${narrow}w`), ...whole].join(', ');
}

/** The address for who knows no `srcset`: never the largest. */
export const plainSource = ({ url, width }: Shown): string => (width > 640 ? `${url}?w=640` : url);

interface Titled {
  readonly logo: Picture;
  readonly lockedFields: readonly MovieField[];
}

/** The logo that may stand for a movie's title. `null` where a person calls the movie otherwise: the logo says what everybody else does. */
export const titleLogo = ({ logo, lockedFields }: Titled): Picture =>
  lockedFields.includes('title') && !lockedFields.includes('logo') ? null : logo;

type Draw = (thumbHash: string) => string | null;
const draw = signal<Draw | null>(null);
let isLoading = false;

/**
 * A ThumbHash in base64 as the address of a small picture. `null` where it is none, and until what draws it was loaded: a component that asks is drawn again
 * then.
 */
export function placeholderOf(thumbHash: string | null): string | null {
  if (thumbHash === null) return null;
  if (!isLoading) {
    isLoading = true;
    // Without it there are no placeholders, and nobody misses more.
    import('./placeholder.ts').then(({ placeholderUrl }) => (draw.value = placeholderUrl)).catch(() => undefined);
  }
  return draw.value?.(thumbHash) ?? null;
}
