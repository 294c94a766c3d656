/** The truth tables of `chooseAudio` and `chooseSubtitle`. Their rows are tested one by one, and stand as they are in docs/playback.md. */
import type {
  AudioQuestion,
  RememberedTracks,
  SubtitleCandidate,
  SubtitleQuestion,
  TrackPreferences,
} from '#engine/media/track-choice.ts';
import type { AudioReason, SubtitleReason } from '#protocol/schema/playback.ts';
import { audioTrack } from './media-info.ts';

const NOTHING_SAID: TrackPreferences = {
  spokenLanguages: [],
  prefersOriginalAudio: false,
  prefersAudioDescription: false,
  subtitleMode: 'foreign',
  prefersHearingImpaired: false,
};

/** One track in a word: `en`, `en default`, `ja commentary`, `en description`, `en original`, `- "Surround"` where `-` is no language. */
type TrackWord = string;

interface AudioRow {
  readonly what: string;
  readonly tracks: readonly TrackWord[];
  /** Languages, best first, and what else is preferred: `en, de`, `de; original`, `en; described`. */
  readonly speaks: string;
  readonly original?: string;
  readonly remembered?: RememberedTracks['audio'];
  readonly chosen?: number;
  /** Its place in `tracks`; `null` for none. */
  readonly takes: number | null;
  readonly reason: AudioReason | null;
}

export const AUDIO_TABLE: readonly AudioRow[] = [
  { what: 'no sound', tracks: [], speaks: 'en', takes: null, reason: null },
  { what: 'chosen in the player', tracks: ['en default', 'ja'], speaks: 'en', chosen: 1, takes: 1, reason: 'chosen' },
  {
    what: 'chosen, but the file has no such',
    tracks: ['en', 'ja'],
    speaks: 'ja',
    chosen: 9,
    takes: 1,
    reason: 'spokenLanguage',
  },
  {
    what: 'a commentary that was chosen',
    tracks: ['en', 'en commentary'],
    speaks: 'en',
    chosen: 1,
    takes: 1,
    reason: 'chosen',
  },
  {
    what: 'the choice goes before what is remembered',
    ...{ tracks: ['en', 'ja', 'fr'], speaks: 'en', chosen: 2 },
    remembered: { language: 'ja', kind: 'movie', title: null },
    ...{ takes: 2, reason: 'chosen' },
  },
  {
    what: 'chosen earlier in this movie',
    ...{ tracks: ['en default', 'ja'], speaks: 'en' },
    remembered: { language: 'ja', kind: 'movie', title: null },
    ...{ takes: 1, reason: 'remembered' },
  },
  {
    what: 'chosen earlier, of two alike the one of that title',
    ...{ tracks: ['en', 'en "Isolated score"'], speaks: 'en' },
    remembered: { language: 'en', kind: 'movie', title: 'Isolated score' },
    ...{ takes: 1, reason: 'remembered' },
  },
  {
    what: 'a commentary chosen earlier, in a file without one',
    ...{ tracks: ['en', 'fr'], speaks: 'fr' },
    remembered: { language: 'en', kind: 'commentary', title: null },
    ...{ takes: 1, reason: 'spokenLanguage' },
  },
  {
    what: 'description preferred',
    tracks: ['en', 'en description'],
    speaks: 'en; described',
    takes: 1,
    reason: 'audioDescription',
  },
  {
    what: 'description preferred, but not in a language that is spoken',
    tracks: ['en', 'fr description'],
    speaks: 'en; described',
    takes: 0,
    reason: 'spokenLanguage',
  },
  {
    what: 'original preferred',
    tracks: ['en default', 'ja'],
    speaks: 'en; original',
    original: 'ja',
    takes: 1,
    reason: 'originalLanguage',
  },
  {
    what: 'original preferred, which only the file knows',
    tracks: ['en default', 'ko original'],
    speaks: 'en; original',
    takes: 1,
    reason: 'originalLanguage',
  },
  {
    what: 'original preferred, but not there',
    tracks: ['en', 'de'],
    speaks: 'de; original',
    original: 'ja',
    takes: 1,
    reason: 'spokenLanguage',
  },
  {
    what: 'original not preferred',
    tracks: ['ja default', 'en'],
    speaks: 'en',
    original: 'ja',
    takes: 1,
    reason: 'spokenLanguage',
  },
  {
    what: 'the first language spoken that is there',
    tracks: ['en default', 'fr', 'de'],
    speaks: 'it, de, fr',
    takes: 2,
    reason: 'spokenLanguage',
  },
  {
    what: 'of one language the default',
    tracks: ['fr', 'en', 'en default'],
    speaks: 'en',
    takes: 2,
    reason: 'spokenLanguage',
  },
  {
    what: 'of one language the first',
    tracks: ['fr default', 'en', 'en'],
    speaks: 'en',
    takes: 1,
    reason: 'spokenLanguage',
  },
  {
    what: 'the very kind of a language first',
    tracks: ['pt', 'pt-BR'],
    speaks: 'pt-BR',
    takes: 1,
    reason: 'spokenLanguage',
  },
  {
    what: 'another kind of it before a foreign one',
    tracks: ['en default', 'pt-PT'],
    speaks: 'pt-BR',
    takes: 1,
    reason: 'spokenLanguage',
  },
  {
    what: 'no commentary in a language that is spoken',
    tracks: ['ja', 'en commentary'],
    speaks: 'en',
    takes: 0,
    reason: 'firstTrack',
  },
  {
    what: 'no commentary that only its title tells',
    tracks: ['en "Kommentar der Regie"', 'en'],
    speaks: 'en',
    takes: 1,
    reason: 'spokenLanguage',
  },
  {
    what: 'nothing in a language that is spoken',
    tracks: ['ja', 'ko default'],
    speaks: 'en',
    takes: 1,
    reason: 'fileDefault',
  },
  { what: 'languages not known', tracks: ['-', '- default'], speaks: 'en', takes: 1, reason: 'fileDefault' },
  { what: 'nothing said, nothing marked', tracks: ['ja', 'en'], speaks: '', takes: 0, reason: 'firstTrack' },
  {
    what: 'the default is a commentary',
    tracks: ['en commentary default', 'en'],
    speaks: '',
    takes: 1,
    reason: 'firstTrack',
  },
  {
    what: 'the default is a description',
    tracks: ['en description default', 'en'],
    speaks: '',
    takes: 1,
    reason: 'firstTrack',
  },
  { what: 'nothing but a commentary', tracks: ['en commentary'], speaks: 'en', takes: 0, reason: 'nothingElse' },
  {
    what: 'nothing but commentaries, one of them the default',
    tracks: ['en commentary', 'en commentary default'],
    speaks: 'en',
    takes: 1,
    reason: 'nothingElse',
  },
];

export function audioQuestion({ tracks, speaks, original, remembered, chosen }: AudioRow): AudioQuestion {
  return {
    tracks: tracks.map((word, index) => {
      const { language, title, has } = read(word);
      return audioTrack({
        ...{ index, language, title },
        disposition: {
          default: has('default'),
          commentary: has('commentary'),
          visualImpaired: has('description'),
          original: has('original'),
        },
      });
    }),
    chosen: chosen ?? null,
    remembered: remembered === undefined ? {} : { audio: remembered },
    preferences: preferencesOf(speaks),
    originalLanguage: original ?? null,
  };
}

interface SubtitleRow {
  readonly what: string;
  /** `en`, `en forced`, `en sdh`, `en default`, `en pictures`, `en uploaded`, `en commentary`, `en unreadable`. */
  readonly subtitles: readonly TrackWord[];
  readonly hears: string | null;
  /** Languages, best first, then how subtitles are wanted: `en, de; always`, `en; foreign sdh`. */
  readonly speaks: string;
  readonly remembered?: RememberedTracks['subtitle'];
  readonly chosen?: string | null;
  readonly drawsNoPictures?: boolean;
  /** `t` and its place in `subtitles`; `null` for none. */
  readonly takes: string | null;
  readonly reason: SubtitleReason;
}

export const SUBTITLE_TABLE: readonly SubtitleRow[] = [
  {
    what: 'chosen in the player',
    subtitles: ['en', 'fr'],
    hears: 'en',
    speaks: 'en; off',
    chosen: 't1',
    takes: 't1',
    reason: 'chosen',
  },
  {
    what: 'none chosen in the player',
    subtitles: ['en'],
    hears: 'ja',
    speaks: 'en; always',
    chosen: null,
    takes: null,
    reason: 'chosen',
  },
  {
    what: 'chosen, but there is no such',
    subtitles: ['en'],
    hears: 'ja',
    speaks: 'en; foreign',
    chosen: 't7',
    takes: 't0',
    reason: 'audioForeign',
  },
  {
    what: 'a commentary that was chosen',
    subtitles: ['en', 'en commentary'],
    hears: 'en',
    speaks: 'en; off',
    chosen: 't1',
    takes: 't1',
    reason: 'chosen',
  },
  {
    what: 'chosen earlier in this movie',
    ...{ subtitles: ['en', 'fr'], hears: 'en', speaks: 'en; off' },
    remembered: { language: 'fr', kind: 'full', label: 'Français' },
    ...{ takes: 't1', reason: 'remembered' },
  },
  {
    what: 'turned off earlier in this movie',
    ...{ subtitles: ['en'], hears: 'ja', speaks: 'en; always', remembered: null },
    ...{ takes: null, reason: 'remembered' },
  },
  {
    what: 'chosen earlier for people who are hard of hearing, in a file that has only the plain ones',
    ...{ subtitles: ['en forced', 'en'], hears: 'en', speaks: 'en; off' },
    remembered: { language: 'en', kind: 'hearingImpaired', label: 'English · SDH' },
    ...{ takes: 't1', reason: 'remembered' },
  },
  {
    what: 'chosen earlier in a language that this file does not have',
    ...{ subtitles: ['en'], hears: 'en', speaks: 'en; foreign' },
    remembered: { language: 'fr', kind: 'full', label: 'Français' },
    ...{ takes: null, reason: 'audioUnderstood' },
  },
  {
    what: 'turned off',
    subtitles: ['en', 'en forced'],
    hears: 'ja',
    speaks: 'en; off',
    takes: null,
    reason: 'turnedOff',
  },
  {
    what: 'forced ones in the language that is heard',
    subtitles: ['en', 'en forced', 'fr forced'],
    hears: 'en',
    speaks: 'en; forced',
    takes: 't1',
    reason: 'forced',
  },
  {
    what: 'only forced ones wanted, and there are none',
    subtitles: ['en'],
    hears: 'en',
    speaks: 'en; forced',
    takes: null,
    reason: 'noneFits',
  },
  {
    what: 'only forced ones wanted, and the sound is foreign',
    subtitles: ['en', 'en forced'],
    hears: 'ja',
    speaks: 'en; forced',
    takes: 't1',
    reason: 'forced',
  },
  {
    what: 'the sound is understood',
    subtitles: ['en', 'fr'],
    hears: 'en',
    speaks: 'en; foreign',
    takes: null,
    reason: 'audioUnderstood',
  },
  {
    what: 'the sound is understood, foreign lines are translated',
    subtitles: ['en', 'en forced'],
    hears: 'en',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'forced',
  },
  {
    what: 'the sound is in the second language spoken',
    subtitles: ['de', 'en'],
    hears: 'en',
    speaks: 'de, en; foreign',
    takes: null,
    reason: 'audioUnderstood',
  },
  {
    what: 'the sound is in another kind of a language spoken',
    subtitles: ['pt'],
    hears: 'pt-PT',
    speaks: 'pt-BR; foreign',
    takes: null,
    reason: 'audioUnderstood',
  },
  {
    what: 'the sound is of unknown language',
    subtitles: ['en'],
    hears: null,
    speaks: 'en; foreign',
    takes: null,
    reason: 'audioUnderstood',
  },
  {
    what: 'nobody said what they speak',
    subtitles: ['en'],
    hears: 'ja',
    speaks: '; foreign',
    takes: null,
    reason: 'audioUnderstood',
  },
  {
    what: 'the sound is foreign',
    subtitles: ['fr', 'en'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'audioForeign',
  },
  {
    what: 'the sound is foreign: the first language spoken that there is',
    subtitles: ['fr', 'en', 'de'],
    hears: 'ja',
    speaks: 'it, de, en; foreign',
    takes: 't2',
    reason: 'audioForeign',
  },
  {
    what: 'the sound is foreign: whole ones before forced ones',
    subtitles: ['en forced default', 'en'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'audioForeign',
  },
  {
    what: 'the sound is foreign, and there are only forced ones',
    subtitles: ['en forced'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't0',
    reason: 'forced',
  },
  {
    what: 'the sound is foreign, and there are none that are understood',
    subtitles: ['ja', 'ko'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: null,
    reason: 'noneFits',
  },
  {
    what: 'plain ones before those for people who are hard of hearing',
    subtitles: ['en sdh', 'en'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'audioForeign',
  },
  {
    what: 'those for people who are hard of hearing, where preferred',
    subtitles: ['en', 'en sdh'],
    hears: 'ja',
    speaks: 'en; foreign sdh',
    takes: 't1',
    reason: 'audioForeign',
  },
  {
    what: 'those for people who are hard of hearing, where there are no others',
    subtitles: ['en sdh'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't0',
    reason: 'audioForeign',
  },
  {
    what: 'no commentary',
    subtitles: ['en commentary', 'en'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'audioForeign',
  },
  {
    what: 'nothing but a commentary',
    subtitles: ['en commentary'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: null,
    reason: 'noneFits',
  },
  {
    what: 'text before pictures',
    subtitles: ['en pictures default', 'en'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'audioForeign',
  },
  {
    what: 'pictures where there is nothing else',
    subtitles: ['en pictures'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't0',
    reason: 'audioForeign',
  },
  {
    what: 'pictures that can’t be shown',
    subtitles: ['en pictures'],
    hears: 'ja',
    speaks: 'en; foreign',
    drawsNoPictures: true,
    takes: null,
    reason: 'noneFits',
  },
  {
    what: 'what can’t be read at all',
    subtitles: ['en unreadable'],
    hears: 'ja',
    speaks: 'en; always',
    takes: null,
    reason: 'noneFits',
  },
  {
    what: 'what somebody handed in goes first',
    subtitles: ['en default', 'en uploaded'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'audioForeign',
  },
  {
    what: 'the default of several',
    subtitles: ['en', 'en default'],
    hears: 'ja',
    speaks: 'en; foreign',
    takes: 't1',
    reason: 'audioForeign',
  },
  { what: 'always', subtitles: ['fr', 'en'], hears: 'en', speaks: 'en; always', takes: 't1', reason: 'always' },
  {
    what: 'always, in the first language spoken that there is',
    subtitles: ['en', 'de'],
    hears: 'en',
    speaks: 'de, en; always',
    takes: 't1',
    reason: 'always',
  },
  {
    what: 'always, of somebody who said nothing: as it is heard',
    subtitles: ['fr', 'ja'],
    hears: 'ja',
    speaks: '; always',
    takes: 't1',
    reason: 'always',
  },
  {
    what: 'always, where nothing is known at all',
    subtitles: ['fr', 'en default'],
    hears: null,
    speaks: '; always',
    takes: 't1',
    reason: 'always',
  },
  {
    what: 'always, but there are only forced ones',
    subtitles: ['en forced'],
    hears: 'en',
    speaks: 'en; always',
    takes: 't0',
    reason: 'forced',
  },
  {
    what: 'always, but in no language that is spoken',
    subtitles: ['fr'],
    hears: 'en',
    speaks: 'en; always',
    takes: null,
    reason: 'noneFits',
  },
];

export function subtitleQuestion(row: SubtitleRow): SubtitleQuestion {
  return {
    subtitles: row.subtitles.map((word, at): SubtitleCandidate => {
      const { language, has } = read(word);
      return {
        id: `t${at}`,
        label: word,
        language,
        format: has('pictures') ? 'pictures' : has('unreadable') ? 'none' : 'text',
        source: has('uploaded') ? 'uploaded' : 'embedded',
        isForced: has('forced'),
        isDefault: has('default'),
        isHearingImpaired: has('sdh'),
        isCommentary: has('commentary'),
      };
    }),
    chosen: row.chosen,
    remembered: row.remembered === undefined ? {} : { subtitle: row.remembered },
    preferences: preferencesOf(row.speaks),
    audioLanguage: row.hears,
    showsPictures: row.drawsNoPictures !== true,
  };
}

function read(word: TrackWord): { language: string | null; title: string | null; has: (fact: string) => boolean } {
  const title = /"(.+)"/.exec(word)?.[1] ?? null;
  const [language = '-', ...facts] = word
    .replace(/"(.+)"/, '')
    .trim()
    .split(' ');
  return { language: language === '-' ? null : language, title, has: (fact) => facts.includes(fact) };
}

function preferencesOf(speaks: string): TrackPreferences {
  const [languages = '', wishes = ''] = speaks.split(';').map((part) => part.trim());
  const mode = (['off', 'forced', 'foreign', 'always'] as const).find((one) => wishes.split(' ').includes(one));
  return {
    spokenLanguages: languages === '' ? [] : languages.split(', '),
    prefersOriginalAudio: wishes.includes('original'),
    prefersAudioDescription: wishes.includes('described'),
    subtitleMode: mode ?? NOTHING_SAID.subtitleMode,
    prefersHearingImpaired: wishes.includes('sdh'),
  };
}
