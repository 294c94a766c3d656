/** What people prefer, in memory: the counterpart of the store in Postgres for tests of playback. */
import type { RememberedTracks } from '#engine/media/track-choice.ts';
import type { LessonFilter, PreferenceStore, WatchingContext } from '#engine/playback/ports.ts';
import type { PlaybackLesson } from '#protocol/schema/preferences.ts';

export class MemoryPreferenceStore implements PreferenceStore {
  readonly #preferences = new Map<string, unknown>();
  readonly #tracks = new Map<string, RememberedTracks>();
  #lessons: (PlaybackLesson & { userId: string })[] = [];
  originalLanguage: string | null = null;

  watching(userId: string, movieId: string): Promise<WatchingContext> {
    const tracks = this.#tracks.get(`${userId} ${movieId}`);
    return Promise.resolve({
      preferences: this.#preferences.get(userId) ?? null,
      tracks:
        tracks === undefined
          ? null
          : { audio: tracks.audio ?? {}, subtitle: 'subtitle' in tracks ? tracks.subtitle : {} },
      lessons: this.#lessons.filter((lesson) => lesson.userId === userId),
      originalLanguage: this.originalLanguage,
    });
  }

  read(userId: string): Promise<unknown> {
    return Promise.resolve(this.#preferences.get(userId) ?? null);
  }

  change(userId: string, change: Parameters<PreferenceStore['change']>[1]): ReturnType<PreferenceStore['change']> {
    const next = change(this.#preferences.get(userId) ?? null);
    this.#preferences.set(userId, next);
    return Promise.resolve(next);
  }

  remember(userId: string, movieId: string, tracks: RememberedTracks): Promise<void> {
    const key = `${userId} ${movieId}`;
    this.#tracks.set(key, { ...this.#tracks.get(key), ...tracks });
    return Promise.resolve();
  }

  lessons(userId: string): Promise<PlaybackLesson[]> {
    return Promise.resolve(this.#lessons.filter((lesson) => lesson.userId === userId));
  }

  learn(userId: string, { fileId, ...lesson }: Parameters<PreferenceStore['learn']>[1]): Promise<PlaybackLesson[]> {
    const isSame = (one: PlaybackLesson): boolean =>
      one.deviceId === lesson.deviceId && JSON.stringify(one.form) === JSON.stringify(lesson.form);
    const known = this.#lessons.find((one) => one.userId === userId && isSame(one));
    this.#lessons = [
      ...this.#lessons.filter((one) => one !== known),
      {
        ...lesson,
        userId,
        id: known?.id ?? `01890000-0000-7000-8000-00000000f${String(this.#lessons.length).padStart(3, '0')}`,
        fileIds: [...new Set([fileId, ...(known?.fileIds ?? [])])],
        learnedAt: 0,
      },
    ];
    return this.lessons(userId);
  }

  forget(userId: string, { lessonId, deviceId, fileId }: LessonFilter): Promise<number> {
    const before = this.#lessons.length;
    this.#lessons = this.#lessons.filter(
      (one) =>
        one.userId !== userId ||
        (lessonId !== undefined && one.id !== lessonId) ||
        (deviceId !== undefined && one.deviceId !== deviceId) ||
        (fileId !== undefined && !one.fileIds.includes(fileId)),
    );
    return Promise.resolve(before - this.#lessons.length);
  }
}
