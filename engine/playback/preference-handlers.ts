/** The calls of `preferences`. Rules PLAY41 to PLAY45 in SPEC.md. */
import { audibleTracks, audioMeaning, subtitleMeaning } from '#engine/media/track-choice.ts';
import type { RememberedTracks, SubtitleCandidate } from '#engine/media/track-choice.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { preferences } from '#protocol/index.ts';
import { changePreferences } from './person-wishes.ts';
import type { PlaybackStore, PreferenceStore, StoredFile } from './ports.ts';
import { sightOf } from './subtitle-handlers.ts';

export interface PreferenceHandlerOptions {
  readonly store: Pick<PlaybackStore, 'file'>;
  readonly people: PreferenceStore;
  /** The subtitles that a file can be shown with. */
  readonly subtitlesOf: (file: StoredFile) => Promise<readonly SubtitleCandidate[]>;
}

export function createPreferenceHandlers(options: PreferenceHandlerOptions): Handlers<typeof preferences> {
  const { store, people, subtitlesOf } = options;
  return {
    async change(changes, { viewer }) {
      return { preferences: await people.change(viewer.id, (stored) => changePreferences(stored, changes)) };
    },
    async chooseTracks({ movieId, fileId, audioTrack, subtitle }, { viewer, fail }) {
      const file = await store.file(fileId, sightOf(viewer));
      if (file?.media == null || file.movieId !== movieId) return fail('notFound', { what: 'file', id: fileId });
      const audio =
        audioTrack === undefined
          ? undefined
          : audibleTracks(file.media.audio).find(({ index }) => index === audioTrack);
      if (audioTrack !== undefined && !audio) fail('notFound', { what: 'audio track', id: String(audioTrack) });
      const shown = subtitle == null ? subtitle : (await subtitlesOf(file)).find(({ id }) => id === subtitle);
      if (subtitle != null && !shown) fail('notFound', { what: 'subtitle', id: subtitle });
      const tracks: RememberedTracks = {
        ...(audio && { audio: audioMeaning(audio) }),
        ...(shown !== undefined && { subtitle: subtitleMeaning(shown) }),
      };
      // A trailer's tracks say nothing of the movie's.
      if (!file.isExtra) await people.remember(viewer.id, movieId, tracks);
      return {};
    },
    async learn(lesson, { viewer, fail }) {
      const file = await store.file(lesson.fileId, sightOf(viewer));
      if (file === null) return fail('notFound', { what: 'file', id: lesson.fileId });
      return { lessons: await people.learn(viewer.id, lesson) };
    },
    async forget(which, { viewer }) {
      return { forgotten: await people.forget(viewer.id, which) };
    },
  };
}
