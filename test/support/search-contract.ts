/** What every implementation of `SearchPort` keeps, on movies that are really in a database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SearchEngine, SearchPort } from '#engine/search/ports.ts';
import { changeMovie, writeMovie } from './movie-writer.ts';
import type { WrittenMovie } from './movie-writer.ts';
import { createTestDatabase } from './postgres.ts';
import type { TestDatabase } from './postgres.ts';

export interface SearchUnderTest extends AsyncDisposable {
  readonly search: SearchPort;
  readonly answeredBy: SearchEngine;
  /** Resolves when everything that was committed before is found. */
  caughtUp(): Promise<void>;
}

const MOVIES: readonly WrittenMovie[] = [
  {
    title: 'Alien',
    year: 1979,
    votes: 13_000,
    directors: ['Ridley Scott'],
    cast: ['Sigourney Weaver'],
    series: 'Alien Collection',
  },
  {
    title: 'Aliens',
    year: 1986,
    votes: 9_000,
    directors: ['James Cameron'],
    cast: ['Sigourney Weaver'],
    series: 'Alien Collection',
  },
  { title: 'Alien³', year: 1992, votes: 5_000, cast: ['Sigourney Weaver'], series: 'Alien Collection' },
  { title: 'My Stepmother Is an Alien', year: 1988, votes: 900 },
  { title: 'The Matrix', year: 1999, votes: 24_000, cast: ['Keanu Reeves', 'Carrie-Anne Moss'] },
  { title: 'The Matrix Reloaded', year: 2003, votes: 10_000, cast: ['Keanu Reeves'] },
  {
    title: 'Rocky',
    year: 1976,
    votes: 7_000,
    cast: ['Sylvester Stallone'],
    overview: 'An uneducated collector for a Philadelphia loan shark is given a once-in-a-lifetime opportunity.',
  },
  { title: 'Rocky II', year: 1979, votes: 4_000, cast: ['Sylvester Stallone'] },
  { title: 'Rocky Balboa', year: 2006, votes: 3_500, cast: ['Sylvester Stallone'] },
  { title: 'Se7en', year: 1995, votes: 20_000 },
  { title: 'Forrest Gump', year: 1994, votes: 26_000, cast: ['Tom Hanks', 'Robin Wright'] },
  { title: 'Cast Away', year: 2000, votes: 11_000, cast: ['Tom Hanks'] },
  {
    title: 'Amélie',
    originalTitle: 'Le Fabuleux Destin d’Amélie Poulain',
    year: 2001,
    votes: 11_500,
    cast: ['Audrey Tautou'],
  },
  {
    title: 'Spirited Away',
    originalTitle: '千と千尋の神隠し',
    otherTitles: ['Chihiros Reise ins Zauberland'],
    year: 2001,
    votes: 16_000,
  },
  { title: 'Брат', year: 1997, votes: 400 },
  { title: 'Die Straße', otherTitles: ['La Strada'], year: 1954, votes: 700 },
  { title: 'Ocean’s Eleven', year: 2001, votes: 11_000 },
  { title: 'Spider-Man', year: 2002, votes: 18_000 },
  { title: 'Heat', year: 1995, votes: 7_000 },
  { title: 'Heathers', year: 1989, votes: 99_000 },
  { title: 'In the Heat of the Night', year: 1967, votes: 1_000 },
  { title: 'Alien Secret', year: 2010, votes: 50_000, isHidden: true, cast: ['Hidden Actor'] },
];

/** What is typed, and the titles that answer it first, in this order. */
const ANSWERS: readonly (readonly [why: string, typed: string, first: readonly string[]])[] = [
  ['the whole title before a more popular one that begins so', 'heat', ['Heat']],
  ['the whole title before those that begin with it', 'alien', ['Alien', 'Alien³']],
  ['articles do not count', 'matrix', ['The Matrix', 'The Matrix Reloaded']],
  ['two letters swapped', 'matirx', ['The Matrix']],
  ['a letter too few', 'amlie', ['Amélie']],
  ['no diacritics', 'amelie', ['Amélie']],
  ['diacritics that are not there', 'Älien', ['Alien']],
  ['ß as ss', 'strasse', ['Die Straße']],
  ['Latin letters for Cyrillic', 'brat', ['Брат']],
  ['Cyrillic', 'брат', ['Брат']],
  ['any order of the words', 'reloaded matrix', ['The Matrix Reloaded']],
  ['an Arabic numeral for a Roman one', 'rocky 2', ['Rocky II']],
  ['a Roman numeral', 'rocky ii', ['Rocky II']],
  ['a number in words', 'oceans 11', ['Ocean’s Eleven']],
  ['a superscript', 'alien 3', ['Alien³']],
  ['digits that look like letters', 'seven', ['Se7en']],
  ['parted and joined', 'spiderman', ['Spider-Man']],
  ['a hyphen as a space', 'spider man', ['Spider-Man']],
  ['the beginning of a word while typing', 'spir', ['Spirited Away']],
  ['another title', 'la strada', ['Die Straße']],
  ['another title, in part', 'chihiros', ['Spirited Away']],
  ['the original title', 'fabuleux destin', ['Amélie']],
  ['Japanese without spaces', '千尋', ['Spirited Away']],
  ['one Japanese character', '神', ['Spirited Away']],
  ['a title with its year', 'alien 1979', ['Alien']],
  ['a person: all movies of theirs, the best known first', 'tom hanks', ['Forrest Gump', 'Cast Away']],
  ['a person by the last name', 'hanks', ['Forrest Gump', 'Cast Away']],
  ['a person who directed', 'ridley scott', ['Alien']],
  ['words of a person and of a title', 'hanks gump', ['Forrest Gump']],
  ['a word of the overview', 'philadelphia', ['Rocky']],
];

export function describeSearch(name: string, open: (database: TestDatabase) => Promise<SearchUnderTest>): void {
  describe(name, () => {
    let database: TestDatabase;
    let tested: SearchUnderTest;
    const titles = new Map<string, string>();

    beforeAll(async () => {
      database = await createTestDatabase({ max: 6 });
      // Half of them are there when it opens, the others come while it runs.
      for (const movie of MOVIES.slice(0, 11)) titles.set(await writeMovie(database.sql, movie), movie.title);
      tested = await open(database);
      for (const movie of MOVIES.slice(11)) titles.set(await writeMovie(database.sql, movie), movie.title);
      await tested.caughtUp();
    }, 60_000);
    afterAll(async () => {
      await tested[Symbol.asyncDispose]();
      await database.drop();
    });

    const ranked = async (text: string, limit = 100): Promise<string[]> => {
      const { ids, answeredBy } = await tested.search.rank(text, { limit });
      expect(answeredBy).toBe(tested.answeredBy);
      expect(new Set(ids).size).toBe(ids.length);
      return ids.map((id) => titles.get(id) ?? `unknown ${id}`);
    };
    const idOf = (title: string): string => [...titles].find(([, known]) => known === title)![0];

    it.each(ANSWERS)('[SEARCH1] %s: “%s”', async (_why, typed, first) => {
      expect((await ranked(typed)).slice(0, first.length)).toEqual(first);
    });

    it.each(['', '   ', '!?…', 'xqzvjw'])('“%s” is answered with nothing', async (typed) => {
      expect(await ranked(typed)).toEqual([]);
      expect(await tested.search.suggest(typed, 8)).toEqual([]);
    });

    it('takes any text, however long or strange', async () => {
      for (const typed of [
        'x'.repeat(500),
        '`filter_by:=&&||()[]',
        'a,b:c',
        '"',
        '\u0000',
        '%_\\',
        '🎬',
        'a b c d e f g h i j k l m n',
      ]) {
        await ranked(typed);
        await tested.search.suggest(typed, 5);
        await tested.search.people(typed, 5);
      }
    });

    it('gives no more than is asked for, the first of the whole answer', async () => {
      const whole = await ranked('alien');
      expect(await ranked('alien', 2)).toEqual(whole.slice(0, 2));
    });

    it('[SEARCH4] what was put away is never found, but by who asks for it', async () => {
      expect(await ranked('alien secret')).not.toContain('Alien Secret');
      expect(await tested.search.suggest('alien secret', 8)).not.toContainEqual(
        expect.objectContaining({ text: 'Alien Secret' }),
      );
      const away = await tested.search.rank('alien', { limit: 10, isHidden: true });
      expect(away.ids.map((id) => titles.get(id))).toEqual(['Alien Secret']);
    });

    it('suggests movies with their year, people with what they are known for, and series', async () => {
      const byTitle = await tested.search.suggest('alien', 8);
      expect(byTitle[0]).toEqual({ kind: 'movie', id: idOf('Alien'), text: 'Alien', detail: '1979' });
      expect(byTitle).toContainEqual(expect.objectContaining({ kind: 'collection', text: 'Alien Collection' }));
      const byPerson = await tested.search.suggest('sigourney', 8);
      expect(byPerson[0]).toEqual(
        expect.objectContaining({ kind: 'person', text: 'Sigourney Weaver', detail: 'Acting' }),
      );
      expect(await tested.search.suggest('a', 3)).toHaveLength(3);
    });

    it('finds people and series, also with a typing error', async () => {
      expect(await tested.search.people('keanu', 5)).toHaveLength(1);
      expect(await tested.search.people('kaenu reves', 5)).toEqual(await tested.search.people('Keanu Reeves', 5));
      expect(await tested.search.people('anne moss', 5)).toHaveLength(1);
      expect(await tested.search.collections('alien', 5)).toHaveLength(1);
      expect(await tested.search.collections('rocky', 5)).toEqual([]);
    });

    it('[SEARCH2] follows what changes: a new title, a movie put away and back, one that is gone', async () => {
      const id = await writeMovie(database.sql, { title: 'Paprika', year: 2006 });
      titles.set(id, 'Paprika');
      await tested.caughtUp();
      expect(await ranked('paprika')).toEqual(['Paprika']);
      await changeMovie(database.sql, id, { title: 'Papurika' });
      titles.set(id, 'Papurika');
      await tested.caughtUp();
      expect(await ranked('papurika')).toEqual(['Papurika']);
      await changeMovie(database.sql, id, { isHidden: true });
      await tested.caughtUp();
      expect(await ranked('papurika')).toEqual([]);
      await changeMovie(database.sql, id, { isHidden: false });
      await tested.caughtUp();
      expect(await ranked('papurika')).toEqual(['Papurika']);
      await changeMovie(database.sql, id, { isDeleted: true });
      await tested.caughtUp();
      expect(await ranked('papurika')).toEqual([]);
    });
  });
}
