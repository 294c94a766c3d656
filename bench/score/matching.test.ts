import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { standInCollections, standInMovies } from '#test/support/tmdb-movies.ts';
import { scoreMatching } from './matching.ts';

it('[FIND1] finds disturbed names of sequels, remakes and twins, and takes none for another one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-score-'));
  const told: string[] = [];
  const quiet = vi.spyOn(console, 'error').mockImplementation((line: string) => void told.push(line));
  try {
    const file = join(folder, 'movies.json');
    await writeFile(file, JSON.stringify({ movies: standInMovies(), collections: standInCollections() }));
    const rows = await scoreMatching(file);
    // Twins of one year and title: where TMDB knows only one of them, nothing tells that it is the other.
    const taken = told.filter((line) => line.includes('was taken for') && !line.includes('Paper Boats'));
    expect(taken).toEqual([]);
    expect(rows.filter(({ key, wrong }) => wrong > 0 && key !== 'all' && !key.startsWith('absent'))).toEqual([]);
    const accuracy = (key: string): number => rows.find((row) => row.key === key)!.accuracy;
    for (const key of ['exact', 'lower case', 'no punctuation', 'no article', 'original title', 'other numerals']) {
      expect(accuracy(key)).toBeGreaterThanOrEqual(0.9);
    }
    expect(accuracy('year after')).toBeGreaterThan(0.85);
  } finally {
    quiet.mockRestore();
    await rm(folder, { recursive: true });
  }
});
