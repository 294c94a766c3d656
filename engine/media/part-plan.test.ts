import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partAt, partsDurationMs, planParts } from './part-plan.ts';
import type { CutFile } from './part-plan.ts';

const cut = (path: string, part: number | null, rest: Partial<CutFile> = {}): CutFile => ({
  id: path,
  path: `/movies/${path}`,
  part,
  edition: null,
  pixels: 640 * 360,
  durationMs: 1_000,
  ...rest,
});
const namesOf = (file: CutFile, files: readonly CutFile[]) => planParts(file, files).map((part) => part.file.id);

describe('the parts of a movie', () => {
  it('[PLAY25] follow each other by number, whatever the order in which they are listed', () => {
    const files = [cut('b cd2', 2, { durationMs: 500 }), cut('b cd3', 3), cut('b cd1', 1)];
    for (const file of files) {
      const parts = planParts(file, files);
      expect(parts.map(({ number, offsetMs, durationMs }) => [number, offsetMs, durationMs])).toEqual([
        [1, 0, 1_000],
        [2, 1_000, 500],
        [3, 1_500, 1_000],
      ]);
      expect(partsDurationMs(parts)).toBe(2_500);
    }
  });

  it('[PLAY25] a whole file belongs to no set, and none is joined to it', () => {
    const files = [cut('whole', null), cut('cd1', 1), cut('cd2', 2)];
    expect(planParts(files[0]!, files)).toEqual([]);
    expect(namesOf(files[1]!, files)).toEqual(['cd1', 'cd2']);
  });

  it('[PLAY25] what is not there takes no time', () => {
    const parts = planParts(cut('cd3', 3), [cut('cd3', 3), cut('cd1', 1)]);
    expect(parts.map(({ number, offsetMs }) => [number, offsetMs])).toEqual([
      [1, 0],
      [3, 1_000],
    ]);
    expect(planParts(cut('cd1', 1, { durationMs: null }), [cut('cd2', 2)]).map(({ offsetMs }) => offsetMs)).toEqual([
      0, 0,
    ]);
  });

  it('[PLAY25] are of one edition, of the nearest folders, and of the most similar picture', () => {
    const files = [
      cut('a/x cd1', 1),
      cut('a/x cd2', 2),
      cut('b/x cd1', 1),
      cut('b/x cd2', 2),
      cut('b/big cd1', 1, { pixels: 1280 * 720 }),
      cut('b/big cd2', 2, { pixels: 1280 * 714 }),
      cut('b/cut cd1', 1, { edition: 'Uncut' }),
      cut('b/cut cd2', 2, { edition: 'Uncut' }),
      cut('c/CD1/x', 1),
      cut('c/CD2/x', 2),
    ];
    for (const file of files.filter(({ part }) => part === 1)) {
      const second = file.id.replace(/1(?=\/|$)/, '2');
      expect(namesOf(file, files)).toEqual([file.id, second]);
      expect(
        namesOf(
          files.find(({ id }) => id === second)!,
          files,
        ),
      ).toEqual([file.id, second]);
    }
  });

  it('[PLAY26] a position of the movie lies in one of them, and place and offset give it back', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lengths, fc.nat(25_000), (durations, positionMs) => {
        const files = durations.map((durationMs, index) => cut(`cd${index + 1}`, index + 1, { durationMs }));
        const parts = planParts(files[0]!, files);
        const part = partAt(parts, positionMs)!;
        expect(part.offsetMs).toBeLessThanOrEqual(positionMs);
        if (positionMs < partsDurationMs(parts)) {
          expect(positionMs - part.offsetMs).toBeLessThan(part.durationMs);
        } else expect(part).toBe(parts.at(-1));
      }),
    );
    expect(partAt([], 5)).toBeNull();
  });
});
