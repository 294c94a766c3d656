/** Subtitles that a device can't draw become a part of the picture: pictures, and scripts with styles [PLAY59]. */
import { createHash } from 'node:crypto';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import type { RenditionOutput } from '#engine/media/rendition-spec.ts';
import { burnInOf } from './movie-form.ts';
import type { StoredFile } from './ports.ts';
import { RenditionError } from './rendition-error.ts';
import type { RenditionOrder } from './rendition-pool.ts';
import type { SubtitleStore } from './subtitle-ports.ts';
import { codecOfFile, subtitleFormat } from './subtitle-choices.ts';
import type { BurntKind, MovieSpan, SubtitleOf, SubtitleShelf } from './subtitle-shelf.ts';

/** What is made for a viewer, and how its subtitles are waited for. */
export interface DrawnOrder {
  readonly order: RenditionOrder;
  /**
   * Resolves when the subtitles of a stretch of the movie are known; their reading stays until what it resolves with is disposed of.
   * `null`: the stretch is not known, and nothing is waited for. Rejects with a RenditionError or the signal's reason.
   */
  readonly hold: (span: MovieSpan | null, signal: AbortSignal) => Promise<Disposable>;
}

export interface BurnInPorts {
  readonly shelf: Pick<SubtitleShelf, 'fontsPath' | 'hold' | 'pathOf'>;
  readonly store: Pick<SubtitleStore, 'find'>;
}

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

/**
 * The order with the place of its subtitles, where it burns some in. The encoder itself goes no further than they have been read.
 * Throws a RenditionError where the subtitles lay in a file of their own that is not there any more.
 */
export async function withSubtitles(
  order: RenditionOrder,
  file: StoredFile,
  { shelf, store }: BurnInPorts,
): Promise<DrawnOrder> {
  const id = burnInOf(order.spec.output);
  if (id === null) return { order, hold: () => Promise.resolve(NOTHING) };
  const of = await sourceOf(id, file, store);
  const kind = kindOf(of, file);
  const burnInPath = await shelf.pathOf(file, of, kind);
  const fontsPath = kind === 'ass' ? { fontsPath: await shelf.fontsPath() } : {};
  return {
    order: { ...order, key: keyFor(order.key, of), spec: { ...order.spec, burnInPath, ...fontsPath } },
    hold: (span, signal) =>
      span === null ? Promise.resolve(NOTHING) : shelf.hold(file, of, kind, spanRead(order.spec.output, span), signal),
  };
}

/** The stretch of the movie that a segment covers; a moment that is not in the plan covers nothing. */
export function segmentSpan({ plan }: Pick<RenditionOrder, 'plan'>, index: number): MovieSpan | null {
  const [fromUs, untilUs] = [plan[index], plan[index + 1]];
  return fromUs === undefined || untilUs === undefined ? null : { fromMs: fromUs / 1_000, untilMs: untilUs / 1_000 };
}

/** What has to be read for a stretch of the movie: subtitles that are shown later lie earlier in their file. */
function spanRead(output: RenditionOutput, { fromMs, untilMs }: MovieSpan): MovieSpan {
  const offsetMs = isEncodedPicture(output) ? (output.burnInOffsetMs ?? 0) : 0;
  // Nothing lies before the beginning, which is read to know that.
  const beganMs = Math.max(0, fromMs - offsetMs);
  return { fromMs: beganMs, untilMs: Math.max(beganMs + 1, untilMs - offsetMs) };
}

async function sourceOf(id: string, file: StoredFile, store: BurnInPorts['store']): Promise<SubtitleOf> {
  if (id.startsWith('t')) return { trackIndex: Number(id.slice(1)), fromMs: 0 };
  const beside = await store.find(file.id, id.slice(1));
  if (beside === null) throw new RenditionError('failed', 'notFound');
  return { file: beside };
}

function kindOf(of: SubtitleOf, { media }: StoredFile): BurntKind {
  const codec =
    'file' in of ? codecOfFile(of.file) : media?.subtitles.find(({ index }) => index === of.trackIndex)?.codec;
  return codec !== undefined && subtitleFormat(codec) === 'styled' ? 'ass' : 'pics';
}

/** Another version of the subtitles makes other segments. Those of a track change with the movie's file only, which the key knows. */
function keyFor(key: string, of: SubtitleOf): string {
  if (!('file' in of)) return key;
  const { sizeBytes, mtimeUs } = of.file;
  return createHash('sha256')
    .update(JSON.stringify([key, sizeBytes, mtimeUs]))
    .digest('hex')
    .slice(0, 32);
}
