/** Which files of a movie make one set with a file, as `engine/media/part-plan.ts` has it. */
import { planParts } from '#engine/media/part-plan.ts';
import type { CutFile, Part } from '#engine/media/part-plan.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { StoredFile } from './ports.ts';

/** Width times height of the picture; 0 where there is none. */
export function pixelsOf(media: MediaInfo | null): number {
  const picture = media?.video[0];
  return (picture?.width ?? 0) * (picture?.height ?? 0);
}

export interface CutStoredFile extends CutFile {
  readonly file: StoredFile;
}

/** [PLAY25] The parts of the movie that a file is one of; none where it is the whole movie, or the only part that is here. */
export function partsOf(file: StoredFile, files: readonly StoredFile[]): Part<CutStoredFile>[] {
  const toCut = (one: StoredFile): CutStoredFile => ({
    id: one.id,
    path: one.path,
    edition: one.edition,
    part: one.part,
    pixels: pixelsOf(one.media),
    durationMs: one.media?.durationMs ?? null,
    file: one,
  });
  if (file.isExtra) return [];
  const playable = files.filter(({ isExtra, state, media }) => !isExtra && state === 'playable' && media !== null);
  const parts = planParts(toCut(file), playable.map(toCut));
  return parts.length > 1 ? parts : [];
}
