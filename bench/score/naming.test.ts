import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { scoreNaming } from './naming.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-naming-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let told: string[] = [];
beforeEach(() => {
  told = [];
  vi.spyOn(console, 'error').mockImplementation((text: string) => void told.push(text));
});

async function score(content: object) {
  const path = join(folder, 'cases.json');
  writeFileSync(path, JSON.stringify(content));
  const rows = await scoreNaming(path);
  return Object.fromEntries(rows.map((row) => [row.key, row]));
}

describe('the score of names', () => {
  it('counts what a case asserts, key by key, and tells every difference', async () => {
    const rows = await score({
      cases: [
        {
          id: 'a',
          input: 'Night.Train.1999.1080p.BluRay.x264-GRP',
          expect: { title: 'Night Train', year: 1999, group: 'GRP' },
        },
        { id: 'b', input: 'Night Train (1999)', expect: { year: 1998, group: 'GRP' } },
        { id: 'c', input: '1080i', guessit: { screen_size: '1080p' }, negated: true },
        { id: 'd', input: 'Night.Train.S01E02', expect: { title: 'Other' }, tvLike: true },
      ],
    });
    expect(rows['title']).toMatchObject({ right: 1, wrong: 0 });
    expect(rows['year']).toMatchObject({ right: 1, wrong: 1 });
    expect(rows['group']).toMatchObject({ right: 1, missing: 1, accuracy: 0.5 });
    expect(rows['resolution']).toMatchObject({ right: 1, wrong: 0 });
    expect(rows['speed']).toMatchObject({ right: 1 });
    expect(told.filter((line) => line.startsWith('b '))).toHaveLength(2);
    expect(told.join('\n')).toContain('left out: 1 × title of a series');
  });

  it('groups files that lie together', async () => {
    const rows = await score({
      groups: [
        {
          id: 'g',
          files: [
            '/m/Heat (1995)/Heat (1995) - 1080p.mkv',
            '/m/Heat (1995)/Heat (1995) - 2160p.mkv',
            '/m/Heat (1995)/trailer.mkv',
          ],
          expect: { items: 2, alternatesOfFirst: 1, extraTypes: ['Trailer'] },
        },
        {
          id: 'h',
          files: ['Heat (1995) cd1.avi', 'Heat (1995) cd2.avi'],
          expect: { stacks: [{ name: 'Heat', parts: 2 }] },
        },
      ],
    });
    expect(rows['all']).toMatchObject({ wrong: 0, missing: 0 });
  });
});
