import { describe, expect, it } from 'vitest';
import { changesOf, draftOf } from './edit-draft.ts';

const before = draftOf({
  title: 'Heat',
  originalTitle: null,
  sortTitle: 'heat',
  year: 1995,
  releaseDate: '1995-12-15',
  certification: 'R',
  tagline: null,
  overview: 'A heist.',
  genres: [{ id: 1, name: 'Crime' }],
  keywords: [],
  studios: [],
  countries: [],
  tags: [],
});
const none = new Set<never>();

describe('what an edit sends', () => {
  it('nothing where nothing was changed', () => {
    expect(changesOf(before, { ...before, title: ' Heat ' }, none, none)).toEqual({});
  });

  it('only what was changed; an emptied text is nothing', () => {
    const after = { ...before, overview: '', year: '1996', genres: ['Crime', 'Drama'] };
    const locked = new Set(['overview', 'year', 'genres'] as const);
    expect(changesOf(before, after, none, locked)).toEqual({ overview: null, year: 1996, genres: ['Crime', 'Drama'] });
  });

  it('a lock of its own, and an opened one', () => {
    expect(changesOf(before, before, new Set(['poster'] as const), new Set(['credits'] as const))).toEqual({
      lock: ['credits'],
      unlock: ['poster'],
    });
  });

  it('a changed field whose lock was opened again stays open', () => {
    expect(changesOf(before, { ...before, tagline: 'Now.' }, none, none)).toEqual({
      tagline: 'Now.',
      unlock: ['tagline'],
    });
  });

  it('tags have no lock', () => {
    expect(changesOf(before, { ...before, tags: ['seaside'] }, none, none)).toEqual({ tags: ['seaside'] });
  });
});
