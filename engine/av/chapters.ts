/** Chapters as the containers state them, made fit for a screen: ordered, bounded, ended, on the movie's own timeline. */
import type { Chapter } from '#protocol/schema/media.ts';
import { cleanText } from './clean-text.ts';

export interface RawChapter {
  /** On the file's timeline, microseconds. */
  readonly startUs: number;
  readonly endUs: number | null;
  readonly title: string | null;
}

/** No movie has more; a list on a screen cannot use more. */
export const MAX_CHAPTERS = 2000;

export interface ChapterFrame {
  /** Start of the file on its own timeline, subtracted from every time. */
  readonly startUs: number;
  readonly durationMs: number | null;
}

/** Chapters without an end go to the next one's start, the last to the movie's end. */
export function toChapters(raw: readonly RawChapter[], frame: ChapterFrame): Chapter[] {
  const lastMs = frame.durationMs ?? Number.MAX_SAFE_INTEGER;
  const toMs = (us: number): number => Math.min(lastMs, Math.max(0, Math.round((us - frame.startUs) / 1000)));
  const ordered = raw
    .filter((chapter) => Number.isFinite(chapter.startUs) && (chapter.startUs - frame.startUs) / 1000 <= lastMs)
    .toSorted((a, b) => a.startUs - b.startUs)
    .slice(0, MAX_CHAPTERS);
  return ordered.map((chapter, i) => {
    const startMs = toMs(chapter.startUs);
    const next = ordered[i + 1];
    let endMs = next === undefined ? frame.durationMs : toMs(next.startUs);
    if (chapter.endUs !== null && chapter.endUs > chapter.startUs) endMs = toMs(chapter.endUs);
    return { startMs, endMs: endMs === null ? null : Math.max(startMs, endMs), title: cleanText(chapter.title) };
  });
}
