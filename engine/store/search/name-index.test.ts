import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Named } from './name-index.ts';
import { NameIndex } from './name-index.ts';
import { queryTerms, titleTerms } from './search-words.ts';
import { SortedKeys } from './sorted-keys.ts';
import { foldText, romanize } from './transliteration.ts';
import { Vocabulary, nearness } from './vocabulary.ts';

const named = (name: string, more: Partial<Named> = {}): Named => ({
  id: name,
  name,
  variants: [],
  otherNames: [],
  year: null,
  detail: null,
  weight: 0,
  isHidden: false,
  ...more,
});

function indexOf(...entries: (string | Named)[]): NameIndex {
  const index = new NameIndex();
  for (const entry of entries) index.put(typeof entry === 'string' ? named(entry) : entry);
  return index;
}

const found = (index: NameIndex, text: string, enough = 1): string[] =>
  index.search(text, { limit: 100, enough }).map(({ id }) => id);

describe('foldText and romanize', () => {
  it.each([
    ['Amélie', 'amelie'],
    ['STRASSE Straße', 'strasse strasse'],
    ['Smørrebrød', 'smorrebrod'],
    ['Ǣlfrīc', 'aelfric'],
    ['Łódź', 'lodz'],
    ['Ёлки', 'елки'],
    ['ｆｕｌｌ', 'full'],
    ['が', 'が'],
    ['İstanbul', 'istanbul'],
    ['ΨΥΧΉ', 'ψυχη'],
  ])('%s folds to %s', (text, folded) => expect(foldText(text)).toBe(folded));

  it.each([
    ['брат', 'brat'],
    ['сталкер', 'stalker'],
    ['щелкунчик', 'shchelkunchik'],
    ['ψυχη', 'psychi'],
    ['となりのトトロ', 'tonarinototoro'],
    ['きゃっと', 'kyatto'],
    ['기생충', 'gisaengchung'],
    ['千と千尋', '千to千尋'],
    ['plain', 'plain'],
  ])('%s is %s in Latin letters', (text, roman) => expect(romanize(text)).toBe(roman));

  it('folding is done once and for all, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const folded = foldText(text);
        expect(foldText(folded)).toBe(folded);
        titleTerms(text);
        queryTerms(text);
        romanize(folded);
      }),
    );
  });
});

describe('nearness', () => {
  it.each<[string, string, boolean, number]>([
    ['matirx', 'matrix', false, 2],
    ['alein', 'alien', false, 2],
    ['alien', 'alien', true, 0],
    ['gladai', 'gladiator', true, 3],
    ['gldiator', 'gladiator', false, 2],
    ['intersteler', 'interstellar', false, 4],
    ['matr', 'matrix', false, 4],
    ['matr', 'matrix', true, 1],
    ['ab', 'ba', false, 2],
  ])('%s → %s (open: %s)', (typed, word, isOpen, cost) => expect(nearness(typed, word, isOpen, 2)).toBe(cost));

  it('is the plain distance wherever that is small enough, and more than enough elsewhere', () => {
    const plain = (a: string, b: string): number => {
      const cell = (i: number, j: number): number => {
        if (i === 0 || j === 0) return i + j;
        const swap =
          i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? cell(i - 2, j - 2) + 1 : Infinity;
        return Math.min(
          cell(i - 1, j) + 1,
          cell(i, j - 1) + 1,
          cell(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
          swap,
        );
      };
      return cell(a.length, b.length);
    };
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = plain(a, b);
        const closed = nearness(a, b, false, 2);
        if (distance <= 2) expect(closed).toBe(2 * distance);
        else expect(closed).toBeGreaterThan(5);
        const begun = Math.min(...Array.from({ length: b.length + 1 }, (_, end) => plain(a, b.slice(0, end))));
        const open = nearness(a, b, true, 2);
        if (begun <= 2) expect(open).toBe(Math.min(distance <= 2 ? 2 * distance : Infinity, 2 * begun + 1));
        else expect(open).toBeGreaterThan(5);
      }),
      { numRuns: 500 },
    );
  });
});

describe('Vocabulary', () => {
  it('forgives nothing in short words and in numbers, one error in five letters, two in more', () => {
    const vocabulary = new Vocabulary();
    const words = ['the', 'jaws', 'alien', 'matrix', '1984', 'interstellar'];
    for (const word of words) vocabulary.add(word);
    const near = (text: string) => vocabulary.near(text, false).map(({ number }) => vocabulary.text(number));
    expect(near('teh')).toEqual([]);
    expect(near('jwas')).toEqual(['jaws']);
    expect(near('alein')).toEqual(['alien']);
    expect(near('laein')).toEqual([]);
    expect(near('matirxx')).toEqual(['matrix']);
    expect(near('1985')).toEqual([]);
    expect(near('intersteler')).toEqual(['interstellar']);
  });
});

describe('SortedKeys', () => {
  it('finds what a plain filter finds, whatever was added, removed and merged before', () => {
    const steps = fc.array(
      fc.record({
        do: fc.constantFrom('add', 'remove', 'grow'),
        key: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom('', 'a', 'ab', 'c'), (list, prefix) => {
        const keys = new SortedKeys();
        const plain: [string, number][] = [];
        list.forEach((step, number) => {
          if (step.do === 'grow') {
            // As many as make a run.
            for (let more = 0; more < 1_100; more++) keys.add('z', 1_000);
          } else if (step.do === 'add') {
            keys.add(step.key, number);
            plain.push([step.key, number]);
          } else {
            const at = plain.findIndex(([key]) => key === step.key);
            if (at < 0) return;
            keys.remove(step.key, plain[at]![1]);
            plain.splice(at, 1);
          }
        });
        const seen: number[] = [];
        keys.forBeginning(prefix, (number) => seen.push(number));
        const expected = plain.filter(([key]) => key.startsWith(prefix)).map(([, number]) => number);
        const ours = seen.filter((number) => number !== 1_000);
        expect(ours.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('NameIndex', () => {
  it('[SEARCH1] the whole name, then its beginning, then all words, then beginnings of words', () => {
    const index = indexOf(
      named('Man of Starlight', { weight: 900 }),
      named('A Rising Star', { weight: 800 }),
      named('Stardust', { weight: 700 }),
      named('Star Wars', { weight: 10 }),
      named('Star'),
      named('Sun', { otherNames: ['Star'] }),
    );
    expect(found(index, 'star')).toEqual(['Star', 'Sun', 'Star Wars', 'Stardust', 'A Rising Star', 'Man of Starlight']);
  });

  it('[SEARCH1] weight decides between equals only', () => {
    const index = indexOf(
      named('Heat', { id: 'a', weight: 1 }),
      named('Heat', { id: 'b', weight: 2 }),
      named('Heathers', { weight: 1_000 }),
    );
    expect(found(index, 'heat')).toEqual(['b', 'a', 'Heathers']);
  });

  it.each([
    ['rocky 2', 'Rocky II'],
    ['rocky ii', 'Rocky 2'],
    ['rocky two', 'Rocky II'],
    ['12 angry men', 'Twelve Angry Men'],
    ['oceans 11', 'Ocean’s Eleven'],
    ["ocean's eleven", 'Ocean’s Eleven'],
    ['seven', 'Se7en'],
    ['se7en', 'Se7en'],
    ['alien 3', 'Alien³'],
    ['spiderman', 'Spider-Man'],
    ['spider man', 'Spiderman'],
    ['swat', 'S.W.A.T.'],
    ['wall e', 'WALL·E'],
    ['walle', 'WALL·E'],
    ['fast and furious', 'Fast & Furious'],
    ['uber', 'Über'],
    ['ueber', 'Über'],
    ['das leben der anderen', 'Das Leben der Anderen'],
    ['brat', 'Брат'],
    ['брат', 'Брат'],
    ['брат', 'Brat'],
    ['tonari', 'となりのトトロ'],
    ['トトロ', 'となりのトトロ'],
    ['千尋', '千と千尋の神隠し'],
    ['千', '千と千尋の神隠し'],
    ['darkknight', 'The Dark Knight'],
    ['knight dark', 'The Dark Knight'],
    ['the dark knite', 'The Dark Knight'],
    ['pyscho', 'Psycho'],
    ['harry potter and the sorcerers stone', 'Harry Potter and the Philosopher’s Stone'],
    ['sta wa', 'Star Wars'],
    ['matrix (1999)', 'The Matrix'],
  ])('“%s” finds %s', (typed, title) => {
    const index = indexOf('Zardoz', 'Ödland', named(title, { year: 1999 }), 'Alphaville', '雨月物語');
    expect(found(index, typed)).toEqual([title]);
  });

  it.each(['xyzzy', '', '  ', '…!?'])('“%s” finds nothing', (typed) => {
    expect(found(indexOf('Zardoz', 'The Matrix'), typed)).toEqual([]);
  });

  it('a year is a word of its own, and not the beginning of one', () => {
    const index = indexOf(named('Alien', { year: 1979 }), named('2012', { year: 2009 }), named('Up', { year: 2009 }));
    expect(found(index, '2009')).toEqual(['Up', '2012']);
    expect(found(index, '20')).toEqual(['2012']);
    expect(found(index, 'alien 1979')).toEqual(['Alien']);
  });

  it('typing errors are forgiven only where exact answers are fewer than enough', () => {
    const index = indexOf('Alien', 'Aliens', 'Alieno');
    expect(found(index, 'alein')).toEqual(['Alien', 'Alieno', 'Aliens']);
    expect(found(indexOf('Alein', 'Alien'), 'alein')).toEqual(['Alein']);
    expect(found(indexOf('Alein', 'Alien'), 'alein', 5)).toEqual(['Alein', 'Alien']);
  });

  it('[SEARCH4] what was put away is found only among its like', () => {
    const index = indexOf(named('Alien', { isHidden: true }), 'Aliens');
    expect(found(index, 'alien')).toEqual(['Aliens']);
    expect(index.search('alien', { limit: 5, isHidden: true }).map(({ id }) => id)).toEqual(['Alien']);
    index.put(named('Alien'));
    expect(found(index, 'alien')).toEqual(['Alien', 'Aliens']);
  });

  it('after any changes it finds what a new index of the same entries finds', () => {
    const words = fc.constantFrom('star', 'wars', 'the', 'ii', 'Ö', '千と', 'stars', 'matrix');
    const entry = fc.record({
      id: fc.integer({ min: 0, max: 5 }),
      title: fc.array(words, { minLength: 1, maxLength: 3 }),
    });
    const steps = fc.array(fc.oneof(entry, fc.integer({ min: 0, max: 5 })), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.array(words, { minLength: 1, maxLength: 2 }), (list, typed) => {
        const index = new NameIndex();
        const now = new Map<number, Named>();
        for (const step of list) {
          if (typeof step === 'number') {
            index.remove(String(step));
            now.delete(step);
          } else {
            const next = named(step.title.join(' '), { id: String(step.id) });
            index.put(next);
            now.set(step.id, next);
          }
        }
        const fresh = indexOf(...now.values());
        const text = typed.join(' ');
        const sorted = (of: NameIndex) =>
          of
            .search(text, { limit: 100, enough: 10 })
            .map(({ id, tier }) => `${tier} ${id}`)
            .toSorted();
        expect(sorted(index)).toEqual(sorted(fresh));
        expect(index.size).toBe(now.size);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the first of many, the heaviest', () => {
    const index = new NameIndex();
    for (let n = 0; n < 5_000; n++) index.put(named(`Star ${n}`, { weight: n % 1_000 }));
    const best = index.search('star', { limit: 3 });
    expect(best.map(({ weight }) => weight)).toEqual([999, 999, 999]);
    expect(index.search('s', { limit: 5_000 })).toHaveLength(5_000);
  });
});
