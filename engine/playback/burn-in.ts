/** Subtitles that a device can neither draw nor read become a part of the picture [PLAY59]. */
import { burnInOf } from './movie-form.ts';
import type { StoredFile } from './ports.ts';
import type { RenditionOrder } from './rendition-pool.ts';
import type { SubtitleShelf } from './subtitle-shelf.ts';

/**
 * The order with the file of its pictures, where it burns subtitles in. Their reading begins at the place that is asked for, and keeps ahead
 * of the encoder: it passes over everything that the encoder has to decode.
 */
export async function withSubtitlePictures(
  order: RenditionOrder,
  file: StoredFile,
  fromMs: number,
  shelf: Pick<SubtitleShelf, 'growing'>,
  signal: AbortSignal,
): Promise<RenditionOrder> {
  const track = burnInOf(order.spec.output);
  if (track === null) return order;
  const burnInPath = await shelf.growing(file, track, Math.max(0, Math.round(fromMs)), signal);
  return { ...order, spec: { ...order.spec, burnInPath } };
}
