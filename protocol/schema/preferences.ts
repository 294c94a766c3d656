/** How a person likes to watch. Kept on the server, so that it follows them to every device; volume and the like stay on the device. */
import * as v from 'valibot';
import { SentForm } from './playback.ts';
import { Count, Id, ShortText, Timestamp } from './scalar.ts';
import { DEFAULT_SUBTITLE_STYLE, SubtitleStyle } from './subtitle-style.ts';

const SpokenLanguage = v.pipe(v.string(), v.minLength(2), v.maxLength(35));

/**
 * When subtitles show by themselves.
 * - `off`: never
 * - `forced`: only what translates the foreign lines of a movie in its own language
 * - `foreign`: that, and all of it where the sound is in a language that the person does not speak
 * - `always`: always, in the first of their languages that there is
 */
export const SUBTITLE_MODES = ['off', 'forced', 'foreign', 'always'] as const;
export const SubtitleMode = v.picklist(SUBTITLE_MODES);
export type SubtitleMode = v.InferOutput<typeof SubtitleMode>;

/** What happens where an intro, a recap or the credits begin: a button, a skip without being asked, or nothing. */
export const SKIP_MODES = ['offer', 'skip', 'nothing'] as const;
export const SkipMode = v.picklist(SKIP_MODES);
export type SkipMode = v.InferOutput<typeof SkipMode>;

export const PlaybackPreferences = v.object({
  /** BCP 47, the best spoken first; `null` until the person says, and then whatever the browser in use is set to. */
  spokenLanguages: v.nullable(v.pipe(v.array(SpokenLanguage), v.maxLength(16))),
  /** The language in which the movie was made before the languages that the person speaks. */
  prefersOriginalAudio: v.boolean(),
  /** Sound that also tells what is to be seen, where there is such. */
  prefersAudioDescription: v.boolean(),
  subtitleMode: SubtitleMode,
  /** Of two subtitles in one language the one for people who are hard of hearing, which also tells noises. */
  prefersHearingImpaired: v.boolean(),
  /** Most bits a second of anything that is sent to this person; `null` for no limit. */
  maxBitrateBps: v.nullable(v.pipe(Count, v.minValue(200_000))),
  /** Largest picture that is sent, by the height of a picture 16:9; `null` for no limit. */
  maxHeightPx: v.nullable(v.pipe(Count, v.minValue(144), v.maxValue(8_640))),
  /** The next movie of a collection begins by itself, after a countdown. */
  playsNext: v.boolean(),
  skips: v.object({ intro: SkipMode, recap: SkipMode, credits: SkipMode }),
  subtitleStyle: SubtitleStyle,
});
export type PlaybackPreferences = v.InferOutput<typeof PlaybackPreferences>;

export const DEFAULT_PREFERENCES: PlaybackPreferences = {
  spokenLanguages: null,
  prefersOriginalAudio: false,
  prefersAudioDescription: false,
  subtitleMode: 'foreign',
  prefersHearingImpaired: false,
  maxBitrateBps: null,
  maxHeightPx: null,
  playsNext: true,
  skips: { intro: 'offer', recap: 'offer', credits: 'offer' },
  subtitleStyle: DEFAULT_SUBTITLE_STYLE,
};

/** What may be changed, each by itself; what is absent stays. */
export const PreferenceChanges = v.partial(PlaybackPreferences);
export type PreferenceChanges = v.InferOutput<typeof PreferenceChanges>;

/** Something that failed on one device of this person, and is therefore not tried there again. */
export const PlaybackLesson = v.object({
  id: Id,
  /** Made by the device itself, and the same as long as its browser keeps what pages store. */
  deviceId: Id,
  /** `Firefox on Linux`. */
  device: ShortText,
  /** `Firefox 153`: another one makes the lesson void. */
  browser: ShortText,
  form: SentForm,
  /** Files with which it failed. One counts for itself only; from the second on it is the form that fails here. */
  fileIds: v.array(Id),
  learnedAt: Timestamp,
});
export type PlaybackLesson = v.InferOutput<typeof PlaybackLesson>;
