/**
 * What this device could not play, kept on it, whoever is signed in. The server keeps the same for the person, so that each helps where
 * the other forgot. An update of the browser makes all of it void: the next one may well play it.
 */
import type { DeviceLesson, DrawnSubtitles, SentForm } from '#protocol/schema/playback.ts';
import { DeviceLesson as DeviceLessonSchema } from '#protocol/schema/playback.ts';
import { Id } from '#protocol/schema/scalar.ts';
import * as v from 'valibot';
import type { Memory } from './ports.ts';
import { randomId } from './random-id.ts';

/** As many as a profile may carry. */
const MAX_LESSONS = 64;
const MAX_FILES = 8;
/** As the server counts: a single file may be to blame itself. */
const FILES_TO_LEARN = 2;

const KeptLesson = v.object({
  ...DeviceLessonSchema.entries,
  /** Of whom the server keeps it, too; absent: it was not told, or has not said so. */
  keptFor: v.optional(v.string()),
});
type KeptLesson = v.InferOutput<typeof KeptLesson>;
const Kept = v.object({ browser: v.string(), lessons: v.array(KeptLesson) });

export class DeviceLessons {
  readonly #memory: Memory;
  /** `Firefox 153`. */
  readonly browser: string;
  /** Names this device among those of a person. */
  readonly deviceId: string;
  #lessons: readonly KeptLesson[];

  constructor(memory: Memory, browser: string, newId: () => string = randomId) {
    this.#memory = memory;
    this.browser = browser;
    const known = v.safeParse(Id, memory.read('device'));
    this.deviceId = known.success ? known.output : newId();
    if (!known.success) memory.write('device', this.deviceId);
    this.#lessons = read(memory, browser);
  }

  get all(): readonly DeviceLesson[] {
    return this.#lessons;
  }

  /** Whether subtitles of this kind could not be drawn here: with this file, or with several. */
  isUndrawn(kind: DrawnSubtitles, fileId: string): boolean {
    return this.#lessons.some(
      ({ form, fileIds }) => form.subtitles === kind && (fileIds.includes(fileId) || fileIds.length >= FILES_TO_LEARN),
    );
  }

  /** It failed with this file in this form. */
  learn(form: SentForm, fileId: string): void {
    const known = this.#lessons.find((lesson) => isSame(lesson.form, form));
    const fileIds = [fileId, ...(known?.fileIds ?? []).filter((id) => id !== fileId)].slice(0, MAX_FILES);
    this.#keep(
      [{ ...known, form, fileIds }, ...this.#lessons.filter((lesson) => lesson !== known)].slice(0, MAX_LESSONS),
    );
  }

  /** The person wants it to be tried again. */
  forget(isMeant: (lesson: DeviceLesson) => boolean = () => true): void {
    this.#keep(this.#lessons.filter((lesson) => !isMeant(lesson)));
  }

  /** What the server keeps of this device for this person: what it kept before and keeps no more is forgotten. */
  follow(forms: readonly SentForm[], personId: string): void {
    const isKept = ({ form }: KeptLesson): boolean => forms.some((one) => isSame(one, form));
    const lessons = this.#lessons
      .filter((lesson) => isKept(lesson) || lesson.keptFor !== personId)
      .map((lesson) => (isKept(lesson) && lesson.keptFor === undefined ? { ...lesson, keptFor: personId } : lesson));
    const isChanged =
      lessons.length < this.#lessons.length || lessons.some((lesson, at) => lesson !== this.#lessons[at]);
    if (isChanged) this.#keep(lessons);
  }

  /** Forgets one form. */
  forgetForm(form: SentForm): void {
    this.forget((lesson) => isSame(lesson.form, form));
  }

  #keep(lessons: readonly KeptLesson[]): void {
    this.#lessons = lessons;
    this.#memory.write('lessons', lessons.length === 0 ? null : JSON.stringify({ browser: this.browser, lessons }));
  }
}

function read(memory: Memory, browser: string): readonly KeptLesson[] {
  try {
    const kept = v.safeParse(Kept, JSON.parse(memory.read('lessons') ?? 'null'));
    return kept.success && kept.output.browser === browser ? kept.output.lessons.slice(0, MAX_LESSONS) : [];
  } catch {
    return [];
  }
}

const VIDEO_KEYS = ['videoCodec', 'videoBitDepth', 'videoBoxPx'] as const;
const FORM_KEYS = ['method', 'container', ...VIDEO_KEYS, 'audioCodec', 'subtitles'] as const;
const isSame = (a: SentForm, b: SentForm): boolean => FORM_KEYS.every((key) => a[key] === b[key]);
