import { beforeEach, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { Failure } from '#protocol/errors.ts';
import type { InputOf } from '#protocol/contract.ts';
import { playback as calls, preferences as preferenceCalls } from '#protocol/index.ts';
import { Playback } from '#protocol/schema/playback.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { audioTrack, mediaInfo, subtitleTrack } from '#test/support/media-info.ts';
import { FakeHosts, MemoryPlaybackStore, MemoryScratch } from '#test/support/playback.ts';
import { chromium as chromiumProfile } from '#test/support/play-table.ts';
import { MemoryPreferenceStore } from '#test/support/preferences.ts';
import { MemorySubtitleCache, MemorySubtitleStore, MemorySubtitleVault } from '#test/support/subtitles.ts';
import { changePreferences, readPreferences, readRemembered } from './person-wishes.ts';
import { createPlayback } from './playback.ts';
import type { PlaybackOptions, PlaybackPart } from './playback.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [MOVIE, FILE, OTHER_FILE, TRAILER] = [id(10), id(20), id(21), id(22)];
const everySecond = Array.from({ length: 60 }, (_, index) => index * 1_000_000);
const chromium: DeviceProfile = { ...chromiumProfile, deviceId: id(40), browser: 'Chrome 156' };
const audio = [
  audioTrack({ disposition: { default: true } }),
  audioTrack({ index: 2, language: 'ja' }),
  audioTrack({ index: 3, title: 'Director’s Commentary' }),
];
const subtitles = [
  subtitleTrack({ index: 4 }),
  subtitleTrack({ index: 5, language: 'de', disposition: { forced: true } }),
];

let store: MemoryPlaybackStore;
let people: MemoryPreferenceStore;
let part: PlaybackPart;

const create = (more: Partial<PlaybackOptions> = {}): PlaybackPart =>
  createPlayback({
    ...{ store, people, hosts: new FakeHosts(), scratch: new MemoryScratch(), clock: new FakeClock(), log: silentLog },
    sessions: { isAlive: () => Promise.resolve(true) },
    progress: { ofMovies: () => Promise.resolve([]) },
    ...{ urlKey: Buffer.alloc(32, 1), scratchQuotaBytes: 1e9, maxTranscodes: 4 },
    encode: { maxHeightPx: 1080, crf: 23, preset: 'veryfast' },
    subtitles: {
      ...{ store: new MemorySubtitleStore(), vault: new MemorySubtitleVault(), cache: new MemorySubtitleCache() },
      newId: () => id(90),
      quota: { personBytes: 1e9, totalBytes: 1e9 },
    },
    ...more,
  });

beforeEach(() => {
  store = new MemoryPlaybackStore();
  people = new MemoryPreferenceStore();
  part = create();
  store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ audio, subtitles }) }, everySecond);
});

async function open(input: Partial<InputOf<typeof calls.open>> = {}, context = testContext()): Promise<Playback> {
  const playback = await part.handlers.open(
    v.parse(calls.open.input, { movieId: MOVIE, profile: chromium, ...input }),
    context,
  );
  return v.parse(Playback, playback);
}
const chosen = ({ audioTracks, audioReason, selectedSubtitle, subtitleReason }: Playback) => ({
  audio: [audioTracks.find(({ isSelected }) => isSelected)?.trackIndex ?? null, audioReason],
  subtitle: [selectedSubtitle, subtitleReason],
});
const choose = async (input: Partial<InputOf<typeof preferenceCalls.chooseTracks>>, context = testContext()) =>
  part.preferenceHandlers.chooseTracks(
    v.parse(preferenceCalls.chooseTracks.input, { movieId: MOVIE, fileId: FILE, ...input }),
    context,
  );
const change = async (changes: InputOf<typeof preferenceCalls.change>) =>
  part.preferenceHandlers.change(v.parse(preferenceCalls.change.input, changes), testContext());
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return String(error.code);
    throw error;
  }
  return 'none';
};

describe('the tracks of a movie', () => {
  it('[PLAY41] follow what the person prefers', async () => {
    expect(chosen(await open())).toEqual({ audio: [1, 'fileDefault'], subtitle: [null, 'audioUnderstood'] });
    await change({ spokenLanguages: ['ja', 'en'] });
    expect(chosen(await open())).toEqual({ audio: [2, 'spokenLanguage'], subtitle: [null, 'audioUnderstood'] });
    await change({ spokenLanguages: ['en'], prefersOriginalAudio: true });
    people.originalLanguage = 'ja';
    expect(chosen(await open())).toEqual({ audio: [2, 'originalLanguage'], subtitle: ['t4', 'audioForeign'] });
    await change({ subtitleMode: 'off' });
    expect(chosen(await open())).toMatchObject({ subtitle: [null, 'turnedOff'] });
  });

  it('[PLAY41] follow the browser’s languages until the person says what they speak', async () => {
    const profile = { ...chromium, languages: ['ja'] };
    expect(chosen(await open({ profile }))).toMatchObject({ audio: [2, 'spokenLanguage'] });
    await change({ spokenLanguages: ['en'] });
    expect(chosen(await open({ profile }))).toMatchObject({ audio: [1, 'spokenLanguage'] });
  });

  it('[PLAY42] [PLAY43] are remembered for the movie, in another file too, and give way to a choice', async () => {
    await choose({ audioTrack: 2, subtitle: 't4' });
    expect(chosen(await open())).toEqual({ audio: [2, 'remembered'], subtitle: ['t4', 'remembered'] });
    store.add(
      {
        ...{ id: OTHER_FILE, movieId: MOVIE },
        media: mediaInfo({
          audio: [audioTrack({ index: 7, language: 'ja' }), audioTrack({ index: 8 })],
          subtitles: [subtitleTrack({ index: 9, language: 'fr' }), subtitleTrack({ index: 10 })],
        }),
      },
      everySecond,
    );
    const other = await open({ fileId: OTHER_FILE });
    expect(chosen(other)).toEqual({ audio: [7, 'remembered'], subtitle: ['t10', 'remembered'] });
    const now = await open({ fileId: OTHER_FILE, audioTrack: 8, subtitle: null });
    expect(chosen(now)).toEqual({ audio: [8, 'chosen'], subtitle: [null, 'chosen'] });
    await choose({ subtitle: null });
    expect(chosen(await open({ fileId: FILE }))).toEqual({ audio: [2, 'remembered'], subtitle: [null, 'remembered'] });
    const bob = testContext({ viewer: testViewer(id(2)) });
    expect(chosen(await open({ fileId: FILE }, bob))).toMatchObject({ audio: [1, 'fileDefault'] });
  });

  it('[PLAY43] a commentary stays chosen in the movie it was chosen in', async () => {
    await choose({ audioTrack: 3 });
    expect(chosen(await open())).toMatchObject({ audio: [3, 'remembered'] });
  });

  it('[PLAY43] of an extra say nothing of the movie', async () => {
    store.add({ id: TRAILER, movieId: MOVIE, isExtra: true, media: mediaInfo({ audio }) });
    await choose({ fileId: TRAILER, audioTrack: 2 });
    expect(chosen(await open())).toMatchObject({ audio: [1, 'fileDefault'] });
    await choose({ audioTrack: 2 });
    expect(chosen(await open({ fileId: TRAILER }))).toMatchObject({ audio: [1, 'fileDefault'] });
  });

  it('that are not there can’t be chosen', async () => {
    expect(await codeOf(choose({ fileId: id(99), audioTrack: 1 }))).toBe('notFound');
    expect(await codeOf(choose({ movieId: id(99), audioTrack: 1 }))).toBe('notFound');
    expect(await codeOf(choose({ audioTrack: 9 }))).toBe('notFound');
    expect(await codeOf(choose({ subtitle: 't9' }))).toBe('notFound');
  });
});

describe('[PLAY40] limits', () => {
  it('of the person and of the server are kept, and said', async () => {
    await change({ maxHeightPx: 720 });
    const limited = await open();
    expect(limited).toMatchObject({ method: 'transcode', reasons: ['personLimit'] });
    expect(Math.max(...limited.variants.map(({ heightPx }) => heightPx ?? 0))).toBe(720);
    await change({ maxHeightPx: null });
    part = create({ serverLimits: { maxBitrateBps: 2_000_000, maxHeightPx: null } });
    const served = await open();
    expect(served).toMatchObject({ method: 'transcode', reasons: ['serverLimit'] });
    expect(Math.max(...served.variants.map(({ maxBitrateBps }) => maxBitrateBps))).toBeLessThanOrEqual(2_000_000);
  });
});

describe('what failed on a device', () => {
  const learn = async (playback: Playback, browser = 'Chrome 156') =>
    part.preferenceHandlers.learn(
      v.parse(preferenceCalls.learn.input, {
        ...{ fileId: playback.fileId, form: playback.sent, deviceId: id(40), device: 'Chrome on Linux', browser },
      }),
      testContext(),
    );

  it('[PLAY44] is not sent again there, and is on other devices', async () => {
    const direct = await open();
    expect(direct.method).toBe('directPlay');
    await learn(direct);
    const remuxed = await open();
    expect(remuxed).toMatchObject({ method: 'remux', reasons: ['failedOnThisDevice'] });
    await learn(remuxed);
    expect(await open()).toMatchObject({ method: 'transcode', reasons: ['failedOnThisDevice'] });
    expect(await open({ profile: { ...chromium, deviceId: id(41) } })).toMatchObject({ method: 'directPlay' });
    const bob = testContext({ viewer: testViewer(id(2)) });
    expect(await open({}, bob)).toMatchObject({ method: 'directPlay' });
  });

  it('[PLAY44] counts as well where only the device remembers it', async () => {
    const { sent } = await open();
    const lessons = [{ form: sent, fileIds: [FILE] }];
    expect(await open({ profile: { ...chromium, lessons } })).toMatchObject({ method: 'remux' });
  });

  it('[PLAY44] is tried again after an update of the browser', async () => {
    await learn(await open());
    expect(await open({ profile: { ...chromium, browser: 'Chrome 157' } })).toMatchObject({ method: 'directPlay' });
  });

  it('[PLAY45] is tried again when it is forgotten', async () => {
    const { lessons } = await learn(await open());
    expect(lessons).toMatchObject([{ fileIds: [FILE], device: 'Chrome on Linux' }]);
    const forget = (lessonId?: string) =>
      part.preferenceHandlers.forget(lessonId === undefined ? {} : { lessonId }, testContext());
    expect(await forget(id(99))).toEqual({ forgotten: 0 });
    expect(await forget(lessons[0]!.id)).toEqual({ forgotten: 1 });
    expect(await open()).toMatchObject({ method: 'directPlay' });
  });

  it('of a file that is not there is not learned', async () => {
    const playback = await open();
    expect(await codeOf(learn({ ...playback, fileId: id(99) }))).toBe('notFound');
  });
});

describe('what is stored', () => {
  it('[PLAY41] counts as not set where it can’t be understood, each by itself', () => {
    for (const nothing of [null, undefined, 7, 'x', []]) expect(readPreferences(nothing)).toEqual(DEFAULT_PREFERENCES);
    expect(readPreferences({ subtitleMode: 'sometimes', playsNext: false, spokenLanguages: ['de'], more: 1 })).toEqual({
      ...DEFAULT_PREFERENCES,
      playsNext: false,
      spokenLanguages: ['de'],
    });
    expect(changePreferences({ playsNext: false }, { maxHeightPx: 720 })).toMatchObject({
      playsNext: false,
      maxHeightPx: 720,
    });
  });

  it('[PLAY43] of choices: nothing, none, and what a later version says', () => {
    expect(readRemembered(null)).toEqual({});
    expect(readRemembered({ audio: {}, subtitle: null })).toEqual({ subtitle: null });
    expect(readRemembered({ audio: { language: 'en', kind: 'karaoke', title: null }, subtitle: {} })).toEqual({});
  });
});
