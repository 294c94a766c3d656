import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { changePreferences, readPreferences, readRemembered } from '#engine/playback/person-wishes.ts';
import type { NewLesson, PreferenceStore } from '#engine/playback/ports.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { createPreferenceStore, moveTrackChoices } from './preference-store.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [ADA, BOB, MOVIE, OTHER] = [id(1), id(2), id(10), id(11)];
const [PHONE, TV] = [id(20), id(21)];

let database: TestDatabase;
let store: PreferenceStore;
let last = 100;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate app_user, movie, change cascade`;
  await database.sql`
    insert into app_user (id, name, role, password_hash) values (${ADA}, 'Ada', 'user', 'x'), (${BOB}, 'Bob', 'user', 'x')`;
  await database.sql`
    insert into movie (id, title, original_language, merged_into) values (${MOVIE}, 'One', 'ja', null), (${OTHER}, 'Two', null, ${MOVIE})`;
  store = createPreferenceStore(database.sql, { newId: () => id(last++) });
});

const told = async () =>
  (
    await database.sql<{ line: string }[]>`
    select feed || ' ' || kind || ' ' || audience as line from change order by seq`
  ).map(({ line }) => line);

describe('what a person prefers', () => {
  it('[PLAY41] is kept as a whole, changed in parts, and on the feed of that person only', async () => {
    expect(await store.read(ADA)).toBeNull();
    await store.change(ADA, (stored) => changePreferences(stored, { subtitleMode: 'always' }));
    await store.change(ADA, (stored) => changePreferences(stored, { spokenLanguages: ['de', 'en'] }));
    expect(readPreferences(await store.read(ADA))).toEqual({
      ...DEFAULT_PREFERENCES,
      subtitleMode: 'always',
      spokenLanguages: ['de', 'en'],
    });
    expect(readPreferences(await store.read(BOB))).toEqual(DEFAULT_PREFERENCES);
    expect(await told()).toEqual([`preferences preferences ${ADA}`, `preferences preferences ${ADA}`]);
  });

  it('[PLAY41] loses nothing to two changes at once, the first ones among them', async () => {
    await Promise.all([
      store.change(ADA, (stored) => changePreferences(stored, { maxHeightPx: 720 })),
      store.change(ADA, (stored) => changePreferences(stored, { playsNext: false })),
    ]);
    expect(readPreferences(await store.read(ADA))).toMatchObject({ maxHeightPx: 720, playsNext: false });
  });
});

describe('what was chosen in a movie', () => {
  it('[PLAY43] is there again, apart for sound and subtitles, and none wanted is a choice', async () => {
    const remembered = async (person: string) => readRemembered((await store.watching(person, MOVIE)).tracks);
    expect(await remembered(ADA)).toEqual({});
    const audio = { language: 'ja', kind: 'movie' as const, title: null };
    await store.remember(ADA, MOVIE, { audio });
    expect(await remembered(ADA)).toEqual({ audio });
    await store.remember(ADA, MOVIE, { subtitle: null });
    expect(await remembered(ADA)).toEqual({ audio, subtitle: null });
    const subtitle = { language: 'en', kind: 'full' as const, label: 'English' };
    await store.remember(ADA, MOVIE, { subtitle });
    expect(await remembered(ADA)).toEqual({ audio, subtitle });
    expect(await remembered(BOB)).toEqual({});
  });

  it('[PLAY43] goes to the movie that another one has become', async () => {
    await store.remember(ADA, OTHER, { subtitle: null });
    expect(readRemembered((await store.watching(ADA, MOVIE)).tracks)).toEqual({ subtitle: null });
    await store.remember(ADA, id(99), { subtitle: null });
  });

  it('[PLAY43] of two movies that become one the newest choice counts', async () => {
    const choiceIn = (movieId: string, language: string, day: string) => database.sql`
      insert into track_choice (user_id, movie_id, audio, updated_at)
      values (${ADA}, ${movieId}, ${database.sql.json({ language, kind: 'movie', title: null })}, ${day})`;
    await choiceIn(MOVIE, 'ja', '2020-01-02');
    await choiceIn(OTHER, 'fr', '2020-01-03');
    await database.sql.begin((tx) => moveTrackChoices(tx, [OTHER], MOVIE));
    const { tracks } = await store.watching(ADA, MOVIE);
    expect(readRemembered(tracks)).toMatchObject({ audio: { language: 'fr' } });
    // Who still asks for the one that was merged gets what is kept of the other.
    expect(await store.watching(ADA, OTHER)).toEqual(await store.watching(ADA, MOVIE));
    await choiceIn(OTHER, 'de', '2019-01-01');
    await database.sql.begin((tx) => moveTrackChoices(tx, [OTHER], MOVIE));
    expect(readRemembered((await store.watching(ADA, MOVIE)).tracks)).toMatchObject({ audio: { language: 'fr' } });
  });

  it('comes with the language of the movie, and with nothing of a movie that is not there', async () => {
    expect(await store.watching(ADA, MOVIE)).toMatchObject({ originalLanguage: 'ja', preferences: null, lessons: [] });
    expect(await store.watching(ADA, OTHER)).toMatchObject({ originalLanguage: 'ja' });
    expect(await store.watching(ADA, id(99))).toMatchObject({ originalLanguage: null, tracks: null });
  });
});

describe('what failed on a device', () => {
  const lesson = (part: Partial<NewLesson> = {}): NewLesson => ({
    deviceId: PHONE,
    device: 'Firefox on Android',
    browser: 'Firefox 153',
    form: {
      ...{ method: 'directPlay', container: 'matroska', videoCodec: 'hevc' },
      ...{ videoBitDepth: 10, videoBoxPx: 2160, audioCodec: 'aac' },
    },
    fileId: id(30),
    ...part,
  });

  it('[PLAY44] is one lesson for a form, with the files it failed with, each once', async () => {
    await store.learn(ADA, lesson());
    await store.learn(ADA, lesson({ fileId: id(31) }));
    const [kept, ...others] = await store.learn(ADA, lesson({ fileId: id(31) }));
    expect(others).toEqual([]);
    const { fileId: _first, ...form } = lesson();
    expect(kept).toMatchObject({ ...form, fileIds: [id(31), id(30)] });
    expect(await store.lessons(BOB)).toEqual([]);
    expect(new Set(await told())).toEqual(new Set([`preferences lesson ${ADA}`]));
  });

  it('[PLAY44] belongs to its device, and ends with the browser that learned it', async () => {
    await store.learn(ADA, lesson());
    expect(await store.learn(ADA, lesson({ deviceId: TV, browser: 'Safari 19' }))).toHaveLength(1);
    expect(await store.lessons(ADA)).toHaveLength(2);
    const form = { ...lesson().form, container: 'mp4' as const };
    const now = await store.learn(ADA, lesson({ browser: 'Firefox 154', form }));
    expect(now.map(({ browser }) => browser)).toEqual(['Firefox 154']);
    expect((await store.lessons(ADA)).map(({ browser }) => browser).toSorted()).toEqual(['Firefox 154', 'Safari 19']);
  });

  it('[PLAY45] is forgotten one by one or all together, and by nobody else', async () => {
    const [first] = await store.learn(ADA, lesson());
    await store.learn(ADA, lesson({ deviceId: TV }));
    expect(await store.forget(BOB, { lessonId: first!.id })).toBe(0);
    expect(await store.forget(ADA, { lessonId: first!.id })).toBe(1);
    expect(await store.forget(ADA, { deviceId: PHONE, fileId: id(30) })).toBe(0);
    expect(await store.forget(ADA, { deviceId: TV, fileId: id(31) })).toBe(0);
    expect(await store.forget(ADA, {})).toBe(1);
    expect(await store.lessons(ADA)).toEqual([]);
  });

  it('takes bounded room, the oldest goes first', async () => {
    for (let count = 0; count < 70; count++) {
      await store.learn(ADA, lesson({ form: { ...lesson().form, videoBoxPx: count } }));
    }
    const kept = await store.lessons(ADA);
    expect(kept).toHaveLength(64);
    expect(Math.min(...kept.map(({ form }) => form.videoBoxPx!))).toBe(6);
  });
});
