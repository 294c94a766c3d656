import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import type { PictureOffer, PictureOwner, PictureStore } from '#engine/images/ports.ts';
import { REMOTE_SIZES } from '#engine/images/remote-pictures.ts';
import type { FileWrite } from '#engine/library/ports.ts';
import { movieNameOf } from '#engine/media/file-name.ts';
import { mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createCatalogue } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import { createPictureStore } from './picture-store.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let catalogue: Catalogue;
let store: PictureStore;
let libraryId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  catalogue = createCatalogue(database.sql, { newId });
  store = createPictureStore(database.sql, { sizes: REMOTE_SIZES });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate library, movie, person, collection, picture, change restart identity cascade`;
  libraryId = (await catalogue.libraries.add({ id: newId(), name: 'Movies', path: '/movies' }))!.id;
});

async function addMovie(path: string, resolution = 1080): Promise<string> {
  const write: FileWrite = {
    kind: 'probed',
    fileId: null,
    file: { path, sizeBytes: 1, mtimeUs: 1, inode: '1' },
    name: movieNameOf(path),
    contentHash: null,
    outcome: { media: mediaInfo({ video: [videoTrack({ height: resolution })] }), resolution, keyframes: null },
  };
  await catalogue.scans.write(libraryId, [write]);
  const [row] = await database.sql<{ id: string }[]>`select movie_id as id from movie_file where path = ${path}`;
  return row!.id;
}

const offer = (path: string, parts: Partial<PictureOffer> = {}): PictureOffer => ({
  ...{ path, widthPx: 2_000, heightPx: 3_000, language: null, vote: null },
  ...parts,
});
const movieOf = (id: string): PictureOwner => ({ kind: 'movie', id });
const shown = async (movieId: string) => (await store.picturesOf([movieId])).get(movieId)!;
const frameOf = (version: string) => ({ version, size: { widthPx: 1_280, heightPx: 720 } });
const fileOf = async (movieId: string) =>
  (await database.sql<{ id: string }[]>`select best_file_id as id from movie where id = ${movieId}`)[0]!.id;
const local = (role: 'poster' | 'backdrop', path: string, version = 'local-version-of-it') => ({
  ...{ role, libraryId, path, version, size: { widthPx: 1_000, heightPx: 1_500 }, position: 0 },
});
async function changes(): Promise<string[]> {
  const rows = await database.sql<
    { id: string }[]
  >`select entity_id as id from change where kind in ('movie', 'collection') order by seq`;
  await database.sql`delete from change`;
  return rows.map(({ id }) => id);
}

describe('frames', () => {
  it('[PIC1] [PIC8] are wanted from the best file that plays, once for each such file', async () => {
    const alien = await addMovie('Alien (1979).mkv');
    const brazil = await addMovie('Brazil (1985).mkv');
    const wanted = await store.pictureless(10, { among: null, except: [] });
    expect(wanted.map(({ path }) => path)).toEqual(['/movies/Brazil (1985).mkv', '/movies/Alien (1979).mkv']);
    expect(await store.pictureless(10, { among: [alien], except: [] })).toEqual([wanted[1]]);
    expect(await store.pictureless(10, { among: null, except: [alien] })).toEqual([wanted[0]]);
    await changes();
    await store.setFrame(brazil, wanted[0]!.fileId, frameOf('version-of-brazil'));
    await store.setFrame(alien, wanted[1]!.fileId, null);
    expect(await store.picturelessCount()).toBe(0);
    expect(await changes()).toEqual([brazil]);
    const { picture, poster, backdrop } = await shown(brazil);
    expect([poster, backdrop]).toEqual([null, picture]);
    expect(picture).toMatchObject({ width: 1_280, height: 720, placeholder: null });
    const [, , pictureId, version] = picture!.url.split('/');
    expect(version).toBe('version-of-brazil');
    expect(await store.find(pictureId!)).toMatchObject({
      ...{ version, source: 'frame', role: 'backdrop', moviePath: '/movies/Brazil (1985).mkv', libraryPath: null },
    });
    await addMovie('Alien.1979.2160p.mkv', 2160);
    expect((await store.pictureless(10, { among: null, except: [] })).map(({ path }) => path)).toEqual([
      '/movies/Alien.1979.2160p.mkv',
    ]);
  });

  it('[PIC1] are not wanted where there is artwork, and wanted again when that is gone', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await store.offer(movieOf(movieId), 'backdrop', [offer('/wide.jpg', { widthPx: 3_840, heightPx: 2_160 })]);
    expect(await store.picturelessCount()).toBe(0);
    const [choice] = (await store.list(movieId, 'backdrop'))!;
    await store.noteFailure(choice!.pictureId, choice!.picture.url.split('/')[3]!, 'gone');
    expect(await store.picturelessCount()).toBe(1);
  });
});

describe('which picture', () => {
  it('[IMG11] what a person chose, then what lies beside the movie, then TMDB, then a frame', async () => {
    const movieId = await addMovie('Heat (1995)/Heat.mkv');
    await changes();
    const seen: (string | undefined)[] = [];
    const look = async () => {
      const { picture } = await shown(movieId);
      const [, , id] = picture!.url.split('/');
      seen.push((await store.find(id!))?.source);
      expect(await changes()).toEqual([movieId]);
    };
    await store.setFrame(movieId, await fileOf(movieId), frameOf('version-of-frame1'));
    await look();
    await store.offer(movieOf(movieId), 'backdrop', [offer('/a.jpg'), offer('/b.jpg')]);
    await look();
    await store.replaceLocal(movieId, [libraryId], [local('backdrop', 'Heat (1995)/fanart.jpg')]);
    await look();
    const choices = (await store.list(movieId, 'backdrop'))!;
    expect(choices.map(({ source, isChosen }) => [source, isChosen])).toEqual([
      ['local', true],
      ['tmdb', false],
      ['tmdb', false],
      ['frame', false],
    ]);
    expect(await store.choose(movieId, 'backdrop', choices[2]!.pictureId)).toEqual({ before: null });
    await look();
    expect((await store.list(movieId, 'backdrop'))![0]).toMatchObject({
      pictureId: choices[2]!.pictureId,
      isChosen: true,
    });
    expect(await store.choose(movieId, 'backdrop', choices[3]!.pictureId)).toEqual({ before: choices[2]!.pictureId });
    await look();
    expect(await store.choose(movieId, 'backdrop', null)).toEqual({ before: choices[3]!.pictureId });
    await look();
    expect(seen).toEqual(['frame', 'tmdb', 'local', 'tmdb', 'frame', 'local']);
  });

  it('[IMG11] only a picture of that movie and that role can be chosen', async () => {
    const [heat, alien] = [await addMovie('Heat (1995).mkv'), await addMovie('Alien (1979).mkv')];
    await store.offer(movieOf(heat), 'poster', [offer('/a.jpg')]);
    const [choice] = (await store.list(heat, 'poster'))!;
    expect(await store.choose(alien, 'poster', choice!.pictureId)).toBeNull();
    expect(await store.choose(heat, 'backdrop', choice!.pictureId)).toBeNull();
    expect(await store.choose(newId(), 'poster', null)).toBeNull();
    expect(await store.list(newId(), 'poster')).toBeNull();
    expect(await store.list(alien, 'poster')).toEqual([]);
  });

  it('[IMG8] one that can never be shown makes room for the next, and is offered again after a week', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    const offers = [offer('/a.jpg'), offer('/b.jpg')];
    await store.offer(movieOf(movieId), 'poster', offers);
    const { poster } = await shown(movieId);
    const [, , id, version] = poster!.url.split('/');
    await changes();
    await store.noteFailure(id!, 'an-older-version-of-it', 'damaged');
    expect(await changes()).toEqual([]);
    await store.noteFailure(id!, version!, 'damaged');
    expect(await changes()).toEqual([movieId]);
    expect((await shown(movieId)).poster).not.toEqual(poster);
    expect((await store.list(movieId, 'poster'))!).toHaveLength(1);
    await store.offer(movieOf(movieId), 'poster', offers);
    expect((await shown(movieId)).poster).not.toEqual(poster);
    await database.sql`update picture set failed_at = now() - interval '8 days' where id = ${id!}`;
    await store.offer(movieOf(movieId), 'poster', offers);
    expect((await shown(movieId)).poster).toEqual(poster);
  });

  it('[IMG5] what was learnt by decoding stands in the rows, and is no change of the movie', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await store.offer(movieOf(movieId), 'poster', [offer('/a.jpg')]);
    const [, , id, version] = (await shown(movieId)).poster!.url.split('/');
    await changes();
    await store.noteSeen(id!, version!, { size: { widthPx: 500, heightPx: 750 }, placeholder: 'aGFzaA==' });
    expect((await shown(movieId)).poster).toMatchObject({ width: 500, height: 750, placeholder: 'aGFzaA==' });
    await store.offer(movieOf(movieId), 'poster', [offer('/a.jpg')]);
    expect((await shown(movieId)).poster).toMatchObject({ width: 500, height: 750, placeholder: 'aGFzaA==' });
    expect(await changes()).toEqual([]);
    expect(await catalogue.movies.cards([movieId])).toMatchObject(
      new Map([[movieId, { poster: { placeholder: 'aGFzaA==' } }]]),
    );
  });

  it('[IMG5] [IMG12] looking, failing, choosing and offering at the same time wait for each other, and never in a circle', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    const offers = [offer('/a.jpg'), offer('/b.jpg'), offer('/c.jpg')];
    await store.offer(movieOf(movieId), 'poster', offers);
    const choices = (await store.list(movieId, 'poster'))!;
    const turns = Array.from({ length: 60 }, (_, turn) => {
      const { pictureId, picture } = choices[turn % 3]!;
      const version = picture.url.split('/')[3]!;
      switch (turn % 4) {
        case 0:
          return store.offer(movieOf(movieId), 'poster', turn % 8 === 0 ? offers : offers.toReversed());
        case 1:
          return store.noteSeen(pictureId, version, {
            size: { widthPx: 100 + turn, heightPx: 150 },
            placeholder: 'aGFzaA==',
          });
        case 2:
          return store.choose(movieId, 'poster', pictureId);
        default:
          return store.noteFailure(pictureId, version, 'damaged');
      }
    });
    await Promise.all(turns);
    expect((await shown(movieId)).poster).toBeNull();
  });

  it('[IMG11] a library that is removed takes its pictures along, and the movies show the next best', async () => {
    const movieId = await addMovie('Heat (1995)/Heat.mkv');
    await store.offer(movieOf(movieId), 'poster', [offer('/a.jpg')]);
    const remote = (await shown(movieId)).poster;
    await store.replaceLocal(movieId, [libraryId], [local('poster', 'Heat (1995)/poster.jpg')]);
    expect((await shown(movieId)).poster).not.toEqual(remote);
    await database.sql`delete from library where id = ${libraryId}`;
    expect((await shown(movieId)).poster).toEqual(remote);
  });
});

describe('offers of TMDB', () => {
  it('[IMG12] again change nothing, in another order only the order, and what is gone goes but for what was chosen', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    const [a, b, c] = [offer('/a.jpg'), offer('/b.jpg', { language: 'de', vote: 7 }), offer('/c.jpg')];
    await store.offer(movieOf(movieId), 'poster', [a, b, c]);
    const before = (await store.list(movieId, 'poster'))!;
    expect(before.map(({ language }) => language)).toEqual([null, 'de', null]);
    await changes();
    await store.offer(movieOf(movieId), 'poster', [a, b, c, a]);
    expect(await store.list(movieId, 'poster')).toEqual(before);
    expect(await changes()).toEqual([]);
    await store.choose(movieId, 'poster', before[2]!.pictureId);
    await store.offer(movieOf(movieId), 'poster', [b]);
    expect((await store.list(movieId, 'poster'))!.map(({ pictureId }) => pictureId)).toEqual([
      before[2]!.pictureId,
      before[1]!.pictureId,
    ]);
    await store.offer(movieOf(movieId), 'poster', []);
    expect((await shown(movieId)).poster?.url).toBe(before[2]!.picture.url);
  });

  it('[IMG2] are as large as they will come', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    const wide = offer('/wide.jpg', { widthPx: 3_840, heightPx: 2_160 });
    await store.offer(movieOf(movieId), 'poster', [offer('/a.jpg')]);
    await store.offer(movieOf(movieId), 'backdrop', [wide]);
    await store.offer(movieOf(movieId), 'logo', [offer('/l.svg', { widthPx: null, heightPx: null })]);
    const { poster, backdrop, picture, logo } = await shown(movieId);
    expect(poster).toMatchObject({ width: 780, height: 1_170 });
    expect(backdrop).toMatchObject({ width: 1_920, height: 1_080 });
    expect(picture).toEqual(backdrop);
    expect(logo).toMatchObject({ width: 500, height: 200 });
  });

  it.each([
    'http://10.0.0.1/x.jpg',
    '//evil/x.jpg',
    '/../../etc/passwd',
    '/a/b.jpg',
    'a.jpg',
    '/a.html',
    '/a.jpg?x',
    '',
  ])('[IMG2] a path that TMDB has not is left out: %j', async (path) => {
    const movieId = await addMovie('Heat (1995).mkv');
    await store.offer(movieOf(movieId), 'poster', [offer(path)]);
    expect(await store.list(movieId, 'poster')).toEqual([]);
    expect(await store.offerPaths([path], 'poster')).toEqual(new Map());
  });

  it('[IMG12] are for people and collections as well, and for nobody who is gone', async () => {
    const personId = newId();
    const collectionId = newId();
    await database.sql`insert into person (id, name) values (${personId}, 'Ada')`;
    await database.sql`insert into collection (id, kind, name) values (${collectionId}, 'series', 'Alien')`;
    await store.offer({ kind: 'person', id: personId }, 'portrait', [offer('/ada.jpg')]);
    expect(await changes()).toEqual([]);
    await store.offer({ kind: 'collection', id: collectionId }, 'poster', [offer('/alien.jpg')]);
    expect(await changes()).toEqual([collectionId]);
    const [person] = await database.sql<{ artwork: unknown }[]>`select artwork from person`;
    expect(person!.artwork).toMatchObject({ portrait: { width: 421, height: 632 } });
    const [collection] = await database.sql<{ artwork: unknown }[]>`select artwork from collection`;
    expect(collection!.artwork).toMatchObject({ poster: { width: 780 } });
    await store.offer({ kind: 'person', id: newId() }, 'portrait', [offer('/ada.jpg')]);
    await database.sql`delete from person`;
    expect((await database.sql`select id from picture where role = 'portrait'`).length).toBe(0);
  });

  it('[IMG12] of many people at once are the same as one by one, and again change nothing', async () => {
    const people = [newId(), newId(), newId()];
    for (const id of people) await database.sql`insert into person (id, name) values (${id}, ${id})`;
    const portraits = people.map((personId, place) => ({ personId, path: place === 2 ? null : `/${place}.jpg` }));
    await Promise.all([store.offerPortraits(portraits), store.offerPortraits(portraits.toReversed())]);
    const rows = () =>
      database.sql<
        { id: string; personId: string }[]
      >`select id, person_id as "personId" from picture order by location`;
    const before = await rows();
    expect(before.map(({ personId }) => personId)).toEqual(people.slice(0, 2));
    await store.offer({ kind: 'person', id: people[0]! }, 'portrait', [
      offer('/0.jpg', { widthPx: null, heightPx: null }),
    ]);
    await store.offerPortraits([...portraits, { personId: newId(), path: '/gone.jpg' }]);
    expect(await rows()).toEqual(before);
    await store.offerPortraits([
      { personId: people[0]!, path: '/new.jpg' },
      { personId: people[1]!, path: '/../x' },
    ]);
    const [person] = await database.sql<{ artwork: { portrait: { id: string } } }[]>`
      select artwork from person where id = ${people[0]!}`;
    const after = await rows();
    expect(after.map(({ personId }) => personId)).toEqual([people[1], people[0]]);
    expect(person!.artwork.portrait.id).toBe(after[1]!.id);
  });

  it('[IMG12] by their paths alone are one row each, also when asked for at the same time', async () => {
    const both = await Promise.all([
      store.offerPaths(['/a.jpg', '/b.jpg', '/a.jpg'], 'poster'),
      store.offerPaths(['/b.jpg', '/a.jpg'], 'poster'),
    ]);
    expect(both[0]).toEqual(both[1]);
    expect([...both[0].keys()].toSorted()).toEqual(['/a.jpg', '/b.jpg']);
    expect(both[0].get('/a.jpg')).toMatchObject({ width: 780, height: 1_170, placeholder: null });
    const [, , id, version] = both[0].get('/a.jpg')!.url.split('/');
    await store.noteFailure(id!, version!, 'gone');
    expect([...(await store.offerPaths(['/a.jpg', '/b.jpg'], 'poster')).keys()]).toEqual(['/b.jpg']);
    expect((await database.sql`select id from picture`).length).toBe(2);
  });

  it('[IMG12] by their paths alone are forgotten after a month, but for those that are still named', async () => {
    const collectionId = newId();
    await database.sql`insert into collection (id, kind, name) values (${collectionId}, 'series', 'Alien')`;
    await database.sql`insert into collection_part (collection_id, tmdb_id, title, poster_path, position) values (${collectionId}, 1, 'x', '/part.jpg', 0)`;
    await store.offerPaths(['/old.jpg', '/part.jpg'], 'poster');
    await store.offer(movieOf(await addMovie('Heat (1995).mkv')), 'poster', [offer('/own.jpg')]);
    await database.sql`update picture set created_at = now() - interval '31 days'`;
    await store.offerPaths(['/new.jpg'], 'poster');
    await store.forgetNameless();
    const rows = await database.sql<{ path: string }[]>`select location as path from picture order by location`;
    expect(rows.map(({ path }) => path)).toEqual(['/new.jpg', '/own.jpg', '/part.jpg']);
  });

  it('[IMG12] at the same time end as one of them said', async () => {
    const movieId = await addMovie('Heat (1995).mkv');
    await Promise.all(
      Array.from({ length: 6 }, (_, place) =>
        store.offer(movieOf(movieId), 'poster', [offer(`/${place}.jpg`), offer('/both.jpg')]),
      ),
    );
    expect((await store.list(movieId, 'poster'))!).toHaveLength(2);
  });
});

describe('artwork beside movies', () => {
  it('[IMG9] folders are told with what else is in them', async () => {
    const heat = await addMovie('Heat (1995)/Heat.mkv');
    const alien = await addMovie('all/Alien (1979).mkv');
    const brazil = await addMovie('all/Brazil (1985).mkv');
    const folders = await store.foldersOf([heat, alien, brazil]);
    expect(folders.map(({ movieId, folder, fileNames, isOwn }) => [movieId, folder, fileNames, isOwn])).toEqual(
      [
        [heat, 'Heat (1995)', ['Heat.mkv'], true],
        [alien, 'all', ['Alien (1979).mkv'], false],
        [brazil, 'all', ['Brazil (1985).mkv'], false],
      ].toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
    );
    expect((await store.moviesOf(libraryId, null, 2)).length).toBe(2);
    expect(await store.moviesOf(newId(), null, 2)).toEqual([]);
  });

  it('[IMG9] movies are looked at when they are new, and again when a file of theirs came or moved', async () => {
    const heat = await addMovie('Heat (1995)/Heat.mkv');
    await addMovie('Alien (1979).mkv');
    expect(await store.unlooked(10)).toHaveLength(2);
    for (const movieId of await store.unlooked(10)) await store.replaceLocal(movieId, [libraryId], []);
    expect(await store.unlooked(10)).toEqual([]);
    await addMovie('more/Heat.1995.2160p.mkv', 2160);
    expect(await store.unlooked(10)).toEqual([heat]);
    await store.replaceLocal(heat, [libraryId], []);
    await database.sql`update movie_file set probed_at = now()`;
    expect(await store.unlooked(10)).toEqual([]);
    await database.sql`update movie_file set path = 'Heat/Heat.mkv' where path = 'Heat (1995)/Heat.mkv'`;
    expect(await store.unlooked(10)).toEqual([heat]);
  });

  it('[IMG10] a replaced file is another version without the old one’s placeholder, one that is gone goes', async () => {
    const movieId = await addMovie('Heat (1995)/Heat.mkv');
    const poster = local('poster', 'Heat (1995)/poster.jpg');
    await store.replaceLocal(movieId, [libraryId], [poster, local('backdrop', 'Heat (1995)/fanart.jpg')]);
    const [, , id, version] = (await shown(movieId)).poster!.url.split('/');
    await store.noteSeen(id!, version!, { size: poster.size, placeholder: 'aGFzaA==' });
    await changes();
    await store.replaceLocal(movieId, [libraryId], [poster, local('backdrop', 'Heat (1995)/fanart.jpg')]);
    expect(await changes()).toEqual([]);
    expect((await shown(movieId)).poster).toMatchObject({ placeholder: 'aGFzaA==' });
    await store.replaceLocal(movieId, [libraryId], [{ ...poster, version: 'another-version-of-it' }]);
    expect(await changes()).toEqual([movieId]);
    const { poster: after, backdrop } = await shown(movieId);
    expect(after).toMatchObject({ url: `/images/${id}/another-version-of-it`, placeholder: null });
    expect(backdrop).toBeNull();
    expect((await store.localOf([movieId])).get(movieId)).toEqual([{ ...poster, version: 'another-version-of-it' }]);
    // Of a library that could not be looked at, nothing is known to be gone.
    await store.replaceLocal(movieId, [], []);
    expect((await shown(movieId)).poster).toEqual(after);
  });
});
