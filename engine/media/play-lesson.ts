/**
 * What a device learned by failing. A lesson names the form in which something was sent, and the files with which that failed.
 *
 * One file may be damaged, so a single one counts for itself alone; from the second on it is the form that this device does not play. What
 * every browser plays (H.264 up to 1080p with AAC in MP4) is never blamed for its files.
 */
import type { Container, VideoTrack } from '#protocol/schema/media.ts';
import { BASELINE_PROFILE, UNDRAWN } from '#protocol/schema/playback.ts';
import type { DeviceLesson, DrawnSubtitles, PlayMethod, SentForm } from '#protocol/schema/playback.ts';

/** Files after which a form is not tried any more on a device. */
const FILES_TO_LEARN = 2;
/** Usual heights of pictures 16:9. */
const BOXES_PX = [480, 720, 1080, 1440, 2160, 4320] as const;

type Picture = Pick<VideoTrack, 'width' | 'height' | 'bitDepth'>;

/** Height of the 16:9 box around a picture, lying or standing. */
export function boxHeightPx({ width, height }: Pick<VideoTrack, 'width' | 'height'>): number {
  const [long, short] = width >= height ? [width, height] : [height, width];
  return Math.round(Math.max(short, (long * 9) / 16));
}

/** The form of what is sent. `videoCodec` and `audioCodec`: as they arrive; `null` for none. */
export function sentForm(
  method: PlayMethod,
  container: Container,
  picture: Picture | null,
  videoCodec: string | null,
  audioCodec: string | null,
): SentForm {
  const boxPx = picture === null ? null : boxHeightPx(picture);
  return {
    method,
    container,
    videoCodec,
    videoBitDepth: picture === null ? null : (picture.bitDepth ?? 8),
    // Coded heights are often a few lines more than they are called.
    videoBoxPx: boxPx === null ? null : (BOXES_PX.find((usualPx) => boxPx <= usualPx + 8) ?? BOXES_PX.at(-1)!),
    audioCodec,
  };
}

/** Whether what was learned speaks against sending a file in this form. Of an encoded picture its own codec is to blame, whatever the sound. */
export function isUnfit(form: SentForm, lessons: readonly DeviceLesson[], fileId: string | null): boolean {
  return lessons.some(
    (lesson) =>
      isSameForm(form, lesson.form) &&
      ((fileId !== null && lesson.fileIds.includes(fileId)) ||
        (lesson.fileIds.length >= FILES_TO_LEARN && !isBaseline(form))),
  );
}

/** Whether what was learned says that subtitles of this kind could not be drawn with this file, or not at all. */
export function isUndrawn(kind: DrawnSubtitles, lessons: readonly DeviceLesson[], fileId: string | null): boolean {
  return isUnfit({ ...UNDRAWN, subtitles: kind }, lessons, fileId);
}

/** Lessons of several sources as one list, each form once. */
export function joinLessons(...lists: readonly (readonly DeviceLesson[])[]): DeviceLesson[] {
  const joined: DeviceLesson[] = [];
  for (const lesson of lists.flat()) {
    const at = joined.findIndex(({ form }) => isSameForm(form, lesson.form));
    const known = joined[at];
    if (known === undefined) joined.push(lesson);
    else joined[at] = { form: known.form, fileIds: [...new Set([...known.fileIds, ...lesson.fileIds])] };
  }
  return joined;
}

export function isSameForm(a: SentForm, b: SentForm): boolean {
  return (
    a.method === b.method &&
    a.container === b.container &&
    a.videoCodec === b.videoCodec &&
    a.videoBitDepth === b.videoBitDepth &&
    a.videoBoxPx === b.videoBoxPx &&
    a.subtitles === b.subtitles &&
    (a.method === 'transcode' || a.audioCodec === b.audioCodec)
  );
}

function isBaseline({ container, videoCodec, videoBitDepth, videoBoxPx, audioCodec }: SentForm): boolean {
  const [baseline] = BASELINE_PROFILE.file;
  return (
    container === baseline!.container &&
    videoCodec === 'h264' &&
    (videoBitDepth ?? 8) === 8 &&
    (videoBoxPx ?? 0) <= 1080 &&
    (audioCodec === null || baseline!.audio.includes(audioCodec))
  );
}
