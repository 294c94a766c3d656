import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import type { Catalogue as Browsing } from '#engine/catalogue/catalogue.ts';
import { createFeedSources } from '#engine/library/feed-sources.ts';
import { movieNameOf } from '#engine/media/file-name.ts';
import type { Call, InputOf, OutputOf } from '#protocol/contract.ts';
import type { Failure } from '#protocol/errors.ts';
import type { Handler } from '#protocol/handler.ts';
import { collections as collectionCalls, movies as movieCalls, people as peopleCalls } from '#protocol/index.ts';
import { parse } from 'valibot';
import { openBrowsing } from '#test/support/browsing.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createCatalogue } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import { recordChanges } from './change-feed.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let catalogue: Catalogue;
let browsing: Browsing;
let libraryId: string;
let admin: string;
let user: string;
/** Ids by title. */
let ids: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  catalogue = createCatalogue(database.sql, { newId });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate library, movie, person, collection, term, app_user, edit, change restart identity cascade`;
  catalogue.forgetCounts();
  libraryId = (await catalogue.libraries.add({ id: newId(), name: 'Movies', path: '/movies' }))!.id;
  [admin, user] = [await addUser('admin'), await addUser('user')];
  browsing = await openBrowsing(database.sql, catalogue.movies);
  await add('Alien (1979).mkv', 'Brazil (1985).mkv', 'Casablanca (1942).mkv', 'Dune (1984).mkv');
});
afterEach(() => browsing[Symbol.asyncDispose]());

async function addUser(role: 'admin' | 'user'): Promise<string> {
  const id = newId();
  await database.sql`insert into app_user (id, name, role, password_hash) values (${id}, ${id}, ${role}, '')`;
  return id;
}

async function add(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await catalogue.scans.write(libraryId, [
      {
        kind: 'probed',
        fileId: null,
        file: { path, sizeBytes: 1, mtimeUs: 1, inode: '1' },
        name: movieNameOf(path),
        contentHash: null,
        outcome: { media: mediaInfo(), resolution: 1080, keyframes: null },
      },
    ]);
  }
  const rows = await database.sql<{ id: string; title: string }[]>`select id, title from movie`;
  ids = Object.fromEntries(rows.map(({ id, title }) => [title, id]));
}

/** A call as somebody makes it: its input and its output are what the contract says. */
async function call<C extends Call>(
  declared: C,
  input: InputOf<C>,
  as: 'admin' | 'user' = 'admin',
): Promise<OutputOf<C>> {
  const [group = '', name = ''] = declared.name.split('.');
  const handlers = browsing.handlers as unknown as Record<string, Record<string, Handler<Call>>>;
  const context = testContext({ viewer: testViewer(as === 'admin' ? admin : user, as) });
  const output = await handlers[group]![name]!(parse(declared.input, input), context);
  return parse(declared.output, output);
}
const movie = async (title: string) => (await call(movieCalls.get, { movieId: ids[title]! })).movie;
const titles = async (input: InputOf<typeof movieCalls.list> = {}, as: 'admin' | 'user' = 'user') =>
  (await call(movieCalls.list, input, as)).movies.map(({ title }) => title);
const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'done',
    (error: Failure) => error.code,
  );
const names = (terms: readonly { readonly name: string }[]) => terms.map(({ name }) => name);
const changes = async () =>
  (await database.sql<{ kind: string; id: string }[]>`select kind, entity_id as id from change order by seq`).map(
    ({ kind, id }) => `${kind} ${id}`,
  );

describe('an edit', () => {
  it('that says nothing changes nothing', async () => {
    const movieId = ids['Alien']!;
    expect(await call(movieCalls.edit, { movieId })).toMatchObject({ editId: null, changed: 0 });
    expect(await call(movieCalls.edit, { movieId, lock: [] })).toMatchObject({ editId: null, changed: 0 });
    expect(await call(movieCalls.editMany, { movieIds: [movieId] })).toEqual({ editId: null, changed: 0 });
  });

  it('[EDIT1] [EDIT2] sets what it names, locks it, and is in the next answer', async () => {
    const {
      movie: edited,
      changed,
      editId,
    } = await call(movieCalls.edit, {
      movieId: ids['Alien']!,
      title: 'Alien: Director’s Dream',
      sortTitle: 'Zz',
      originalTitle: null,
      year: 1980,
      releaseDate: '1980-02-03',
      tagline: 'In space',
      genres: ['Horror', 'Sci-Fi'],
      tags: ['favourite'],
      unlock: ['year'],
    });
    expect(changed).toBe(1);
    expect(editId).not.toBeNull();
    expect(edited).toMatchObject({
      title: 'Alien: Director’s Dream',
      sortTitle: 'zz',
      year: 1980,
      releaseDate: '1980-02-03',
      tagline: 'In space',
      overview: null,
    });
    expect(names(edited.genres)).toEqual(['Horror', 'Sci-Fi']);
    expect(names(edited.tags)).toEqual(['favourite']);
    expect(edited.lockedFields.toSorted()).toEqual([
      'genres',
      'originalTitle',
      'releaseDate',
      'sortTitle',
      'tagline',
      'title',
    ]);
    expect(await titles()).toEqual(['Brazil', 'Casablanca', 'Dune', 'Alien: Director’s Dream']);
    expect(await titles({ genreIds: [edited.genres[0]!.id] })).toEqual(['Alien: Director’s Dream']);
    expect(await titles({ yearFrom: 1980, yearTo: 1980 })).toEqual(['Alien: Director’s Dream']);
    expect((await call(movieCalls.tags, {})).tags).toEqual([
      { id: edited.tags[0]!.id, name: 'favourite', movieCount: 1 },
    ]);
  });

  it('[EDIT3] [CAT2] is in the change feed with the movies that it changed, and with no others', async () => {
    const before = (await changes()).length;
    await call(movieCalls.editMany, { movieIds: [ids['Alien']!, ids['Brazil']!], certification: 'R' });
    expect((await changes()).slice(before).toSorted()).toEqual(
      [`movie ${ids['Alien']}`, `movie ${ids['Brazil']}`].toSorted(),
    );
    const { editId, changed } = await call(movieCalls.editMany, { movieIds: [ids['Alien']!], certification: 'R' });
    expect([editId, changed]).toEqual([null, 0]);
    expect(await changes()).toHaveLength(before + 2);
  });

  it('one term for every spelling, in the order given', async () => {
    await call(movieCalls.edit, { movieId: ids['Alien']!, genres: ['Sci-Fi', 'Horror', 'sci-fi'] });
    const { movie: dune } = await call(movieCalls.edit, { movieId: ids['Dune']!, genres: ['SCI-FI'] });
    expect(names(dune.genres)).toEqual(['Sci-Fi']);
    expect(names((await movie('Alien')).genres)).toEqual(['Sci-Fi', 'Horror']);
    expect(dune.genres[0]!.id).toBe((await movie('Alien')).genres[0]!.id);
  });

  it('of many adds and removes, and leaves the rest', async () => {
    await call(movieCalls.edit, { movieId: ids['Alien']!, tags: ['a', 'b'] });
    const movieIds = [ids['Alien']!, ids['Dune']!];
    expect((await call(movieCalls.editMany, { movieIds, addTags: ['c'], removeTags: ['A'] })).changed).toBe(2);
    expect(names((await movie('Alien')).tags)).toEqual(['b', 'c']);
    expect(names((await movie('Dune')).tags)).toEqual(['c']);
    expect(names((await movie('Brazil')).tags)).toEqual([]);
  });

  it('of a movie that is not there, or a collection that is no list, changes nothing', async () => {
    const series = newId();
    await database.sql`insert into collection (id, kind, name) values (${series}, 'series', 'Alien')`;
    const movieIds = [ids['Alien']!];
    expect(await codeOf(call(movieCalls.edit, { movieId: newId(), title: 'x' }))).toBe('notFound');
    expect(await codeOf(call(movieCalls.editMany, { movieIds, addTags: ['x'], addToCollection: series }))).toBe(
      'notFound',
    );
    expect(
      await codeOf(call(movieCalls.choosePicture, { movieId: ids['Alien']!, role: 'poster', pictureId: newId() })),
    ).toBe('notFound');
    expect(names((await movie('Alien')).tags)).toEqual([]);
    expect(await database.sql`select from edit`).toHaveLength(0);
  });
});

describe('taking back', () => {
  it('[EDIT4] gives every field back, with its lock', async () => {
    await call(movieCalls.edit, { movieId: ids['Alien']!, genres: ['Horror', 'Action'], year: 1981, tags: ['x'] });
    const before = await movie('Alien');
    const { editId } = await call(movieCalls.edit, {
      movieId: ids['Alien']!,
      title: 'Other',
      year: null,
      releaseDate: '2001-01-01',
      certification: 'PG',
      genres: ['Action'],
      tags: [],
      lock: ['overview'],
      unlock: ['genres'],
    });
    expect(await call(movieCalls.undo, { editId: editId! })).toEqual({ changed: 1, kept: 0 });
    expect(await movie('Alien')).toEqual(before);
    expect(await titles()).toEqual(['Alien', 'Brazil', 'Casablanca', 'Dune']);
    expect(await codeOf(call(movieCalls.undo, { editId: editId! }))).toBe('alreadyUndone');
    expect(await codeOf(call(movieCalls.undo, { editId: newId() }))).toBe('notFound');
  });

  it('[EDIT5] keeps what was changed again since', async () => {
    const first = await call(movieCalls.editMany, {
      movieIds: Object.values(ids),
      addTags: ['seen'],
      certification: 'R',
    });
    expect(first.changed).toBe(4);
    await call(movieCalls.edit, { movieId: ids['Alien']!, certification: '18', tags: ['seen', 'mine'] });
    const undone = await call(movieCalls.undo, { editId: first.editId! });
    expect(undone).toEqual({ changed: 4, kept: 2 });
    expect(await movie('Alien')).toMatchObject({ certification: '18', tags: [{ name: 'seen' }, { name: 'mine' }] });
    expect(await movie('Dune')).toMatchObject({ certification: null, tags: [], lockedFields: [] });
  });

  it('[EDIT6] holds for hiding, for places in lists and for pictures', async () => {
    const alien = ids['Alien']!;
    const { collection } = await call(collectionCalls.create, { name: 'Mine', movieIds: [ids['Dune']!] });
    const pictureIds = [newId(), newId()];
    for (const [position, id] of pictureIds.entries()) {
      await database.sql`
        insert into picture (id, movie_id, role, source, location, version, width, height, position)
        values (${id}, ${alien}, 'poster', 'tmdb', ${`/${id}.jpg`}, 'v', 500, 750, ${position})`;
    }
    const chosen = await call(movieCalls.choosePicture, { movieId: alien, role: 'poster', pictureId: pictureIds[1]! });
    expect((await movie('Alien')).poster?.url).toContain(pictureIds[1]);
    expect((await movie('Alien')).lockedFields).toEqual(['poster']);
    expect(
      (await call(movieCalls.pictures, { movieId: alien, role: 'poster' })).pictures.map(({ isChosen }) => isChosen),
    ).toEqual([true, false]);
    const hidden = await call(movieCalls.hide, { movieId: alien });
    const listed = await call(movieCalls.editMany, {
      movieIds: [ids['Brazil']!],
      addToCollection: collection.id,
      removeFromCollection: undefined,
    });
    expect(await titles({ collectionId: collection.id })).toEqual(['Brazil', 'Dune']);
    expect(await titles()).toEqual(['Brazil', 'Casablanca', 'Dune']);
    for (const { editId } of [chosen, hidden, listed]) await call(movieCalls.undo, { editId: editId! });
    expect((await movie('Alien')).poster?.url).toContain(pictureIds[0]);
    expect((await movie('Alien')).lockedFields).toEqual([]);
    expect(await titles()).toEqual(['Alien', 'Brazil', 'Casablanca', 'Dune']);
    expect(await titles({ collectionId: collection.id })).toEqual(['Dune']);
  });
});

describe('any edits', () => {
  const some = <T>(...values: T[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 });
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const fields = some('title' as const, 'genres' as const, 'overview' as const);
  const edits = fc.record({
    titles: fc.uniqueArray(fc.constantFrom('Alien', 'Brazil', 'Casablanca', 'Dune'), { minLength: 1 }),
    one: maybe(
      fc.record(
        {
          title: fc.constantFrom('A', 'B', 'C'),
          year: fc.constantFrom(null, 1950, 2000),
          overview: fc.constantFrom(null, 'x', 'y'),
          releaseDate: fc.constantFrom(null, '1999-12-31'),
          genres: some('Drama', 'Horror', 'horror', 'Sci-Fi'),
          tags: some('a', 'b', 'B'),
          lock: fields,
          unlock: fields,
        },
        { requiredKeys: [] },
      ),
    ),
    many: fc.record(
      {
        addTags: some('a', 'c'),
        removeTags: some('b', 'A'),
        addGenres: some('Drama', 'Western'),
        certification: fc.constantFrom(null, 'R'),
        isHidden: fc.boolean(),
        unlock: fields,
        isListed: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  });

  it('[EDIT4] [EDIT7] taken back, the last one first, leave everything as it was', async () => {
    const state = async (collectionId: string) => [
      ...(await database.sql`
        select m.id, title, original_title, custom_sort_title, year, release_date::text, overview, certification, locked_fields,
          hidden_at is not null as hidden,
          (select jsonb_agg(t.kind || ' ' || t.name order by t.kind, o.position, t.name) from movie_term o join term t on t.id = o.term_id
            where o.movie_id = m.id) as terms,
          exists (select from collection_movie c where c.collection_id = ${collectionId} and c.movie_id = m.id) as listed
        from movie m order by m.id`),
    ];
    const { collection } = await call(collectionCalls.create, { name: 'Mine', movieIds: [ids['Dune']!] });
    const known = { ...ids };
    await fc.assert(
      fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 5 }), async (made) => {
        const states = [await state(collection.id)];
        const editIds: (string | null)[] = [];
        for (const { titles: of, one, many } of made) {
          const movieIds = of.map((title) => known[title]!);
          const { isListed, ...rest } = many;
          const place = { [isListed === true ? 'addToCollection' : 'removeFromCollection']: collection.id };
          const { editId } = one
            ? await call(movieCalls.edit, { movieId: movieIds[0]!, ...one })
            : await call(movieCalls.editMany, { movieIds, ...rest, ...(isListed === undefined ? {} : place) });
          editIds.push(editId);
          states.push(await state(collection.id));
          // What an edit says of itself: nothing was different exactly where it gave no number.
          expect(JSON.stringify(states.at(-1)) === JSON.stringify(states.at(-2))).toBe(editId === null);
        }
        for (const editId of editIds.toReversed()) {
          states.pop();
          if (editId !== null) expect((await call(movieCalls.undo, { editId })).kept).toBe(0);
          expect(await state(collection.id)).toEqual(states.at(-1));
        }
        expect((await browsing.index.count()) + (await titles({ isHidden: true }, 'admin')).length).toBe(4);
      }),
      { numRuns: 15 },
    );
  });
});

describe('hidden movies', () => {
  it('[HIDE1] [HIDE2] are nowhere, but for who edits and asks for them', async () => {
    const alien = ids['Alien']!;
    const person = newId();
    await database.sql`insert into person (id, name) values (${person}, 'Ada')`;
    await database.sql`insert into credit (movie_id, person_id, kind, role, position) values (${alien}, ${person}, 'cast', 'Ripley', 0)`;
    const { collection } = await call(collectionCalls.create, { name: 'Mine', movieIds: [alien, ids['Dune']!] });
    await database.sql.begin(async (tx) => {
      await tx`
        insert into progress (user_id, movie_id, position_ms, duration_ms, observed_at)
        values (${user}, ${alien}, 3000000, 6000000, now())`;
      await recordChanges(tx, [{ feed: 'progress', audience: user, kind: 'progress', entityId: alien }]);
    });
    expect((await call(movieCalls.home, {}, 'user')).continueWatching).toHaveLength(1);
    await call(movieCalls.hide, { movieId: alien });

    expect(await titles()).toEqual(['Brazil', 'Casablanca', 'Dune']);
    expect(await titles({ search: 'alien' })).toEqual([]);
    const home = await call(movieCalls.home, {}, 'user');
    expect(home).toMatchObject({ continueWatching: [], movieCount: 3 });
    expect(JSON.stringify(home)).not.toContain(alien);
    expect((await call(movieCalls.facets, {}, 'user')).total).toBe(3);
    expect((await browsing.shown.cards([alien])).size).toBe(0);
    expect(await browsing.shown.count()).toBe(3);
    expect((await call(peopleCalls.get, { personId: person }, 'user')).movies).toEqual([]);
    const shown = await call(collectionCalls.get, { collectionId: collection.id }, 'user');
    expect([shown.collection.movieCount, shown.movies.map(({ title }) => title)]).toEqual([1, ['Dune']]);
    expect(await codeOf(call(movieCalls.get, { movieId: alien }, 'user'))).toBe('notFound');
    expect(await codeOf(call(movieCalls.similar, { movieId: alien }, 'user'))).toBe('notFound');
    expect(await codeOf(call(movieCalls.similar, { movieId: alien }))).toBe('done');
    expect(await codeOf(call(movieCalls.list, { isHidden: true }, 'user'))).toBe('forbidden');
    expect(await codeOf(call(movieCalls.facets, { isHidden: true }, 'user'))).toBe('forbidden');

    expect(await titles({ isHidden: true }, 'admin')).toEqual(['Alien']);
    expect(await titles({ isHidden: true, search: 'alien' }, 'admin')).toEqual(['Alien']);
    expect(await movie('Alien')).toMatchObject({ title: 'Alien', isHidden: true });
    await call(movieCalls.hide, { movieId: alien, isHidden: false });
    expect(await titles()).toContain('Alien');
    expect((await call(movieCalls.home, {}, 'user')).continueWatching).toHaveLength(1);
  });

  it('[HIDE1] [HIDE2] are gone from the feeds, but for who edits', async () => {
    const alien = ids['Alien']!;
    const { library, movie: page } = createFeedSources({ list: () => Promise.resolve([]) }, browsing.shown);
    const audiences = [page.audienceOf(testViewer(admin, 'admin')), page.audienceOf(testViewer(user, 'user'))];
    await call(movieCalls.hide, { movieId: alien });
    const change = { feed: 'library', kind: 'movie', entityId: alien };
    const shown = await Promise.all(audiences.map((audience) => page.entries([change], audience, alien)));
    expect(shown.map(([entry]) => entry?.movie?.isHidden)).toEqual([true, undefined]);
    for (const audience of audiences) {
      expect(await library.entries([change], audience, null)).toEqual([
        { kind: 'movie', id: alien, movie: null },
        { kind: 'movieCount', id: 'all', count: 3 },
      ]);
    }
    const collection = { feed: 'library', kind: 'collection', entityId: newId() };
    expect(library.concerns(collection, audiences[1]!, null)).toBe(true);
    expect(await library.entries([collection], audiences[1]!, null)).toEqual([
      { kind: 'collection', id: collection.entityId },
    ]);
  });

  it('[HIDE3] keep their files', async () => {
    await call(movieCalls.hide, { movieId: ids['Alien']! });
    expect((await movie('Alien')).files).toHaveLength(1);
    const [file] = await database.sql<
      { state: string }[]
    >`select state from movie_file where movie_id = ${ids['Alien']!}`;
    expect(file!.state).toBe('playable');
  });
});

describe('collections', () => {
  const order = async (collectionId: string) =>
    (await call(collectionCalls.get, { collectionId }, 'user')).movies.map(({ title }) => title);

  it('[COLL1] lists keep the order that a person gave them', async () => {
    const movieIds = [ids['Dune']!, ids['Alien']!, ids['Brazil']!];
    const { collection } = await call(collectionCalls.create, { name: 'Mine', overview: 'About', movieIds });
    expect(collection).toMatchObject({
      kind: 'manual',
      name: 'Mine',
      overview: 'About',
      movieCount: 3,
      partCount: 3,
      watchedCount: 0,
    });
    expect(await order(collection.id)).toEqual(['Dune', 'Alien', 'Brazil']);
    await call(collectionCalls.update, {
      collectionId: collection.id,
      movieIds: [ids['Alien']!, ids['Dune']!],
      name: 'Ours',
    });
    expect(await order(collection.id)).toEqual(['Alien', 'Dune']);
    expect((await movie('Alien')).collections).toEqual([{ id: collection.id, name: 'Ours' }]);
    await call(movieCalls.editMany, { movieIds: [ids['Casablanca']!], addToCollection: collection.id });
    expect(await order(collection.id)).toEqual(['Alien', 'Dune', 'Casablanca']);
    expect((await titles({ collectionId: collection.id })).toSorted()).toEqual(['Alien', 'Casablanca', 'Dune']);
    await call(collectionCalls.remove, { collectionId: collection.id });
    expect(await codeOf(call(collectionCalls.get, { collectionId: collection.id }))).toBe('notFound');
    expect(await titles({ collectionId: collection.id })).toEqual([]);
    expect((await movie('Alien')).collections).toEqual([]);
    expect(await titles()).toHaveLength(4);
  });

  it('[COLL2] a saved filter has what it finds, for who asks, also after a change', async () => {
    await call(movieCalls.editMany, { movieIds: [ids['Alien']!, ids['Dune']!], addGenres: ['Sci-Fi'] });
    const genreIds = (await movie('Alien')).genres.map(({ id }) => id);
    const query = { filter: { genreIds }, sort: 'year', order: 'descending' } as const;
    const { collection } = await call(collectionCalls.create, { name: 'Space', query });
    expect(collection).toMatchObject({ kind: 'smart', movieCount: 2, partCount: 2, query });
    expect(await order(collection.id)).toEqual(['Dune', 'Alien']);
    await call(movieCalls.edit, { movieId: ids['Brazil']!, genres: ['sci-fi'] });
    expect(await order(collection.id)).toEqual(['Brazil', 'Dune', 'Alien']);
    const narrower = { filter: { collectionId: collection.id, yearTo: 1984 }, sort: 'title' } as const;
    const inner = (await call(collectionCalls.create, { name: 'Old space', query: narrower })).collection;
    expect(await order(inner.id)).toEqual(['Alien', 'Dune']);
    expect(await titles({ collectionId: inner.id, yearFrom: 1984 })).toEqual(['Dune']);
    // Round in a circle is nothing, and ends.
    await call(collectionCalls.update, {
      collectionId: collection.id,
      query: { filter: { collectionId: inner.id }, sort: 'title' },
    });
    expect(await order(inner.id)).toEqual([]);
    // What was put away is in no collection, whoever saves it.
    await call(movieCalls.hide, { movieId: ids['Dune']! });
    const sneaky = await call(collectionCalls.create, {
      name: 'All',
      query: { filter: { isHidden: true }, sort: 'title' },
    });
    expect(await order(sneaky.collection.id)).toEqual(['Alien', 'Brazil', 'Casablanca']);
  });

  it('[COLL3] a series tells how much of it is here and watched, and what is missing', async () => {
    const id = newId();
    await database.sql`insert into collection (id, kind, name, tmdb_id) values (${id}, 'series', 'Alien Collection', 8091)`;
    await database.sql`update movie set tmdb_id = 348 where id = ${ids['Alien']!}`;
    await database.sql`
      insert into collection_part (collection_id, tmdb_id, title, release_date, poster_path, position)
      values (${id}, 679, 'Aliens', '1986-07-18', '/aliens.jpg', 1), (${id}, 348, 'Alien', '1979-05-25', null, 0),
        (${id}, 8077, 'Alien³', '1992-05-22', null, 2)`;
    await database.sql.begin(async (tx) => {
      await tx`insert into collection_movie (collection_id, movie_id, position) values (${id}, ${ids['Alien']!}, 0)`;
      await tx`
        insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, observed_at)
        values (${user}, ${ids['Alien']!}, 0, 6000000, true, now())`;
      const change = { feed: 'library', audience: null };
      await recordChanges(tx, [
        { ...change, kind: 'movie', entityId: ids['Alien']! },
        { ...change, kind: 'collection', entityId: id },
        { feed: 'progress', audience: user, kind: 'progress', entityId: ids['Alien']! },
      ]);
    });
    const { collection } = await call(collectionCalls.get, { collectionId: id }, 'user');
    expect(collection).toMatchObject({ movieCount: 1, partCount: 3, watchedCount: 1, tmdbId: 8091 });
    expect(collection.missing.map(({ title, releaseDate }) => [title, releaseDate])).toEqual([
      ['Aliens', '1986-07-18'],
      ['Alien³', '1992-05-22'],
    ]);
    expect((await call(collectionCalls.get, { collectionId: id })).collection.watchedCount).toBe(0);
    // One movie is no series yet.
    expect((await call(collectionCalls.list, {}, 'user')).total).toBe(0);
    await database.sql.begin(async (tx) => {
      await tx`insert into collection_movie (collection_id, movie_id, position) values (${id}, ${ids['Dune']!}, 1)`;
      await recordChanges(tx, [{ feed: 'library', audience: null, kind: 'movie', entityId: ids['Dune']! }]);
    });
    expect((await call(collectionCalls.list, { kind: 'series' }, 'user')).collections).toMatchObject([
      { id, movieCount: 2 },
    ]);
    expect((await call(collectionCalls.list, { kind: 'manual' }, 'user')).total).toBe(0);
  });

  it('[COLL4] what a kind has not cannot be changed', async () => {
    const { collection } = await call(collectionCalls.create, { name: 'Mine' });
    const query = { filter: {}, sort: 'title' } as const;
    expect(await codeOf(call(collectionCalls.update, { collectionId: collection.id, query }))).toBe('wrongKind');
    expect(await codeOf(call(collectionCalls.update, { collectionId: collection.id, posterOf: newId() }))).toBe(
      'notFound',
    );
    expect(await codeOf(call(collectionCalls.create, { name: 'Both', query, movieIds: [ids['Dune']!] }))).toBe(
      'badRequest',
    );
    expect(await codeOf(call(collectionCalls.remove, { collectionId: newId() }))).toBe('notFound');
  });

  it('[COLL5] is shown by the poster that a person chose, else by its own, else by its first movie’s', async () => {
    const movieIds = [ids['Dune']!, ids['Alien']!];
    for (const id of movieIds) {
      await database.sql`
        insert into picture (id, movie_id, role, source, location, version, width, height)
        values (${id}, ${id}, 'poster', 'tmdb', ${`/${id}.jpg`}, 'v', 500, 750)`;
    }
    const { collection } = await call(collectionCalls.create, { name: 'Mine', movieIds });
    expect(collection.poster?.url).toContain(ids['Dune']);
    const update = await call(collectionCalls.update, { collectionId: collection.id, posterOf: ids['Alien']! });
    expect(update.collection.poster?.url).toContain(ids['Alien']);
    const smart = await call(collectionCalls.create, { name: 'All', query: { filter: {}, sort: 'title' } });
    expect(smart.collection.poster?.url).toContain(ids['Alien']);
  });
});

describe('people', () => {
  it('have their movies, the latest first, with what they did', async () => {
    const id = newId();
    await database.sql`insert into person (id, name, known_for, born_on) values (${id}, 'Ada', 'Acting', '1950-02-03')`;
    await database.sql`
      insert into credit (movie_id, person_id, kind, role, position)
      values (${ids['Alien']!}, ${id}, 'crew', 'Director', 1), (${ids['Alien']!}, ${id}, 'cast', 'Ripley', 0), (${ids['Dune']!}, ${id}, 'cast', '', 0)`;
    const found = await call(peopleCalls.get, { personId: id }, 'user');
    expect(found.person).toMatchObject({ name: 'Ada', knownFor: 'Acting', bornOn: '1950-02-03', portrait: null });
    expect(found.movies.map(({ movie: { title }, roles }) => [title, roles])).toEqual([
      ['Dune', []],
      ['Alien', ['Ripley', 'Director']],
    ]);
    expect(await titles({ personId: id })).toEqual(['Alien', 'Dune']);
    expect(await codeOf(call(peopleCalls.get, { personId: newId() }))).toBe('notFound');
  });
});

describe('similar movies', () => {
  it('[CAT10] the catalogue’s own list first, then what shares what is rare', async () => {
    await add('Eraserhead (1977).mkv', 'Fargo (1996).mkv');
    await call(movieCalls.editMany, { movieIds: Object.values(ids), addGenres: ['Drama'] });
    await call(movieCalls.edit, { movieId: ids['Alien']!, keywords: ['spaceship'] });
    await call(movieCalls.edit, { movieId: ids['Dune']!, keywords: ['spaceship'] });
    await database.sql`update movie set tmdb_id = 78 where id = ${ids['Brazil']!}`;
    await database.sql`insert into similar_movie (movie_id, tmdb_id, position) values (${ids['Alien']!}, 78, 0), (${ids['Alien']!}, 99, 1)`;
    const person = newId();
    await database.sql`insert into person (id, name) values (${person}, 'Ada')`;
    await database.sql`
      insert into credit (movie_id, person_id, kind, role, position)
      values (${ids['Alien']!}, ${person}, 'crew', 'Director', 0), (${ids['Fargo']!}, ${person}, 'crew', 'Director', 0)`;
    const { movies } = await call(movieCalls.similar, { movieId: ids['Alien']!, limit: 3 }, 'user');
    expect(movies.map(({ title }) => title)).toEqual(['Brazil', 'Dune', 'Fargo']);
    expect(await codeOf(call(movieCalls.similar, { movieId: newId() }))).toBe('notFound');
  });
});
