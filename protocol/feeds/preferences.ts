import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { PlaybackLesson, PlaybackPreferences } from '../schema/preferences.ts';
import { Id } from '../schema/scalar.ts';

export const preferencesFeed = defineFeed({
  id: 6,
  name: 'preferences',
  since: 1,
  summary: 'How this person likes to watch, and what failed on their devices.',
  permission: 'self',
  key: null,
  snapshot: v.object({ preferences: PlaybackPreferences, lessons: v.array(PlaybackLesson) }),
  entry: v.variant('kind', [
    v.object({ kind: v.literal('preferences'), id: v.literal('mine'), preferences: PlaybackPreferences }),
    /** `null`: it is forgotten. */
    v.object({ kind: v.literal('lesson'), id: Id, lesson: v.nullable(PlaybackLesson) }),
  ]),
});
