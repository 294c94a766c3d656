/** How a person likes to watch, what they choose in a movie, and what their devices learn. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { SentForm } from '../schema/playback.ts';
import { PlaybackLesson, PlaybackPreferences, PreferenceChanges } from '../schema/preferences.ts';
import { Count, Id, ShortText } from '../schema/scalar.ts';
import { SubtitleId } from '../schema/subtitle.ts';

export const preferences = {
  change: defineCall({
    id: 81,
    name: 'preferences.change',
    since: 1,
    summary:
      'Changes how this person likes to watch, on every device. What is left out stays; with nothing it only tells.',
    permission: 'self',
    input: PreferenceChanges,
    output: v.object({ preferences: PlaybackPreferences }),
    failures: {},
    http: { method: 'PATCH', path: '/account/preferences' },
  }),
  chooseTracks: defineCall({
    id: 82,
    name: 'preferences.chooseTracks',
    since: 1,
    summary: 'Remembers which sound and subtitles this person wants in a movie, whichever of its files plays.',
    permission: 'playback:play',
    input: v.object({
      movieId: Id,
      /** The file whose tracks are meant. */
      fileId: Id,
      /** FFmpeg’s track number; absent: nothing is said of the sound. */
      audioTrack: v.optional(Count),
      /** `null` for none; absent: nothing is said of subtitles. */
      subtitle: v.optional(v.nullable(SubtitleId)),
    }),
    output: v.object({}),
    failures: {},
    http: { method: 'PUT', path: '/movies/{movieId}/tracks' },
  }),
  learn: defineCall({
    id: 83,
    name: 'preferences.learn',
    since: 1,
    summary:
      'Keeps what a device could not play, so that it is not tried there again. Answers with all that is kept of the device.',
    permission: 'playback:play',
    input: v.object({
      fileId: Id,
      /** What was sent: `sent` of the playback. */
      form: SentForm,
      deviceId: Id,
      /** `Firefox on Linux`. */
      device: ShortText,
      /** `Firefox 153`. What another one learned on this device is forgotten. */
      browser: ShortText,
    }),
    output: v.object({ lessons: v.array(PlaybackLesson) }),
    failures: {},
    http: { method: 'POST', path: '/account/lessons' },
  }),
  forget: defineCall({
    id: 84,
    name: 'preferences.forget',
    since: 1,
    summary:
      'Forgets what devices of this person could not play, so that it is tried again: all of it, or what the input names.',
    permission: 'self',
    input: v.object({
      lessonId: v.optional(Id),
      /** Only those of this device. */
      deviceId: v.optional(Id),
      /** Only those that this file is named in. */
      fileId: v.optional(Id),
    }),
    output: v.object({ forgotten: Count }),
    failures: {},
    http: { method: 'DELETE', path: '/account/lessons' },
  }),
};
