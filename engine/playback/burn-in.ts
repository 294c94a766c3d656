/** Subtitles that a device can neither draw nor read become a part of the picture [PLAY59]. */
import { burnInOf } from './movie-form.ts';
import type { StoredFile } from './ports.ts';
import type { RenditionOrder } from './rendition-pool.ts';
import type { MovieSpan, SubtitleOf, SubtitleShelf } from './subtitle-shelf.ts';

/** What is made for a viewer, and how its subtitles are waited for. */
export interface DrawnOrder {
  readonly order: RenditionOrder;
  /**
   * Resolves when the subtitles of a stretch of the movie are known; their reading stays until what it resolves with is disposed of.
   * `null`: the stretch is not known, and nothing is waited for. Rejects with a RenditionError or the signal's reason.
   */
  readonly hold: (span: MovieSpan | null, signal: AbortSignal) => Promise<Disposable>;
}

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

/** The order with the place of its pictures, where it burns subtitles in. The encoder itself goes no further than they have been read. */
export async function withSubtitlePictures(
  order: RenditionOrder,
  file: StoredFile,
  shelf: Pick<SubtitleShelf, 'hold' | 'picturesPath'>,
): Promise<DrawnOrder> {
  const track = burnInOf(order.spec.output);
  if (track === null) return { order, hold: () => Promise.resolve(NOTHING) };
  const of: SubtitleOf = { trackIndex: track, fromMs: 0 };
  const burnInPath = await shelf.picturesPath(file, of);
  return {
    order: { ...order, spec: { ...order.spec, burnInPath } },
    hold: (span, signal) => (span === null ? Promise.resolve(NOTHING) : shelf.hold(file, of, span, signal)),
  };
}

/** The stretch of the movie that a segment covers; a moment that is not in the plan covers nothing. */
export function segmentSpan({ plan }: Pick<RenditionOrder, 'plan'>, index: number): MovieSpan | null {
  const [fromUs, untilUs] = [plan[index], plan[index + 1]];
  return fromUs === undefined || untilUs === undefined ? null : { fromMs: fromUs / 1_000, untilMs: untilUs / 1_000 };
}
