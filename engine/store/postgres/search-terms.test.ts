import { describe, expect, it } from 'vitest';
import { searchTerms, typingErrors } from './search-terms.ts';

describe('searchTerms', () => {
  it('are the words, bounded, and nothing that only separates', () => {
    expect(searchTerms('  The  Matrix! ').map(({ text }) => text)).toEqual(['The', 'Matrix']);
    expect(searchTerms("ocean's 11").map(({ text }) => text)).toEqual(["ocean's", '11']);
    expect(searchTerms('a b c d e f g h i j')).toHaveLength(8);
    expect(searchTerms('x'.repeat(500))[0]!.text).toHaveLength(64);
    expect(searchTerms('%_\\ …')).toEqual([]);
  });

  it('short ones begin a word unless a longer one stands beside them', () => {
    expect(searchTerms('it')).toEqual([{ text: 'it', place: 'wordStart' }]);
    expect(searchTerms('wall e').map(({ place }) => place)).toEqual(['anywhere', 'anywhere']);
    expect(searchTerms('物')).toEqual([{ text: '物', place: 'anywhere' }]);
  });
});

describe('typingErrors', () => {
  it.each<[string, string, number | null]>([
    ['matrix', 'the matrix 1999', 0],
    ['matr', 'the matrix 1999', 0],
    ['matirx', 'the matrix 1999', 1],
    ['alein', 'alien 1979', 1],
    ['pyscho', 'psycho 1960', 1],
    ['gladai', 'gladiator', 1],
    ['gldiator', 'gladiator', 1],
    ['intersteler', 'interstellar', 2],
    ['spiderman', 'spider-man 2002', 0],
    ['jaws', 'jwas', 1],
    ['the', 'teh matrix', null],
    ['alien', 'brazil', null],
    ['xyzzy', 'zardoz', null],
    ['matirx', 'mars attacks', null],
    ['matrix', '', null],
  ])('%s in “%s”', (term, text, expected) => {
    expect(typingErrors([term], text)).toBe(expected);
  });

  it('every term must be near, and the errors add up', () => {
    expect(typingErrors(['matirx', 'relaoded'], 'the matrix reloaded')).toBe(2);
    expect(typingErrors(['matirx', 'alien'], 'the matrix reloaded')).toBeNull();
  });
});
