import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BT2020_TO_BT709, deltaE2000, fromPq, times, toLab, toPq } from '#test/support/color-difference.ts';
import type { Triple } from '#test/support/color-difference.ts';
import { addDolbyVision } from '#test/support/dolby-vision.ts';
import { PATCHES, hdrChart, shownPatches } from '#test/support/hdr-chart.ts';
import type { ChartOptions } from '#test/support/hdr-chart.ts';
import { changedClip } from '#test/support/media.ts';
import { H264, makeAll, makeEach, movie, orderOf, temporaryFolder } from '#test/support/rendition.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peakNits } from './tone-map.ts';

const MAPPED = { ...H264, heightPx: 32, crf: 1, maxBitrateBps: 50_000_000, toneMap: true } as const;
const SCREEN_NITS = 203;

/** What ITU-R BT.2390 and BT.2087 make of light, written down from the reports a second time and without a table. */
function expected(light: Triple, peak: number): Triple {
  const brightest = Math.max(...light);
  const [top, most] = [toPq(peak), toPq(SCREEN_NITS) / toPq(peak)];
  const knee = 1.5 * most - 0.5;
  const signal = Math.min(1, toPq(brightest) / top);
  const t = (signal - knee) / (1 - knee);
  const spline =
    (2 * t ** 3 - 3 * t ** 2 + 1) * knee + (t ** 3 - 2 * t ** 2 + t) * (1 - knee) + (-2 * t ** 3 + 3 * t ** 2) * most;
  const mapped = fromPq((signal < knee ? signal : spline) * top) / SCREEN_NITS;
  const linear = times(
    BT2020_TO_BT709,
    light.map((value) => (brightest === 0 ? 0 : (value / brightest) * mapped)) as unknown as Triple,
  );
  const grey = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  const kept = Math.min(
    1,
    ...linear.map((value) => (value < 0 ? grey / (grey - value) : value > 1 ? (1 - grey) / (value - grey) : 1)),
  );
  return linear.map(
    (value) => Math.min(1, Math.max(0, grey + kept * (value - grey))) ** (1 / 2.4),
  ) as unknown as Triple;
}

async function shown(path: string, count = PATCHES.length): Promise<Triple[]> {
  const made = await makeAll(orderOf(movie(path), 'video', MAPPED));
  expect(made.failures).toEqual([]);
  return shownPatches(made.joined(), count);
}

const differences = (one: readonly Triple[], other: readonly Triple[]): number[] =>
  one.map((color, at) => deltaE2000(toLab(color), toLab(other[at]!)));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('tone mapping', () => {
  it.each<[string, ChartOptions, peak: number, most: number, average: number]>([
    // `tonemapx` bends a little earlier, and cuts off what lies outside BT.709 instead of moving it in.
    ['PQ that says nothing of itself', { kind: 'pq' }, 1000, 7.5, 3],
    ['PQ graded at 1,000 cd/m²', { kind: 'pq', masteringNits: 1000, maxContentNits: 900 }, 1000, 7.5, 3],
    ['PQ graded at 4,000', { kind: 'pq', masteringNits: 4000 }, 4000, 2.5, 1],
    ['PQ of which a spot has 2,000', { kind: 'pq', masteringNits: 4000, maxContentNits: 2000 }, 2000, 2.5, 1],
    ['HLG', { kind: 'hlg' }, 1000, 2.5, 1],
  ])(
    '%s comes out as BT.2390 has it, within a visible difference [VIDEO4]',
    async (what, options, peak, most, average) => {
      const found = await shown(await hdrChart(`chart-${what.replace(/\W+/g, '-')}.mkv`, options));
      const apart = differences(
        found,
        PATCHES.map((light) => expected(light, peak)),
      );
      const table = apart.map((value, at) => `${PATCHES[at]!.join('/')}: ${value.toFixed(2)}`).join(', ');
      expect(Math.max(...apart), table).toBeLessThan(most);
      expect(mean(apart), table).toBeLessThan(average);
    },
  );

  it('never makes brighter light darker [VIDEO4]', async () => {
    const steps = [600, 900, 1000, 1100, 1300, 1600, 2000, 3000, 4000, 7000, 10_000];
    const patches = steps.map((nits): Triple => [nits, nits, nits]);
    for (const options of [{ kind: 'pq' }, { kind: 'pq', masteringNits: 4000 }] as const) {
      const path = await hdrChart(`bright-${'masteringNits' in options ? 4000 : 0}.mkv`, { ...options, patches });
      const found = await shown(path, patches.length);
      found.forEach(([red], at) =>
        expect(red, `${steps[at]} cd/m²`).toBeGreaterThanOrEqual((found[at - 1]?.[0] ?? 0) - 0.005),
      );
      expect(found.at(-1)![0]).toBeGreaterThan(0.99);
    }
  });

  it('Dolby Vision without a base layer has the colours of the same light in HDR10 [VIDEO4]', async () => {
    // Colours that BT.709 has: `tonemapx` treats all others by cutting them off, in a space of their own.
    const patches = PATCHES.filter((light) => Math.min(...times(BT2020_TO_BT709, light)) >= 0);
    const plain = await hdrChart('ipt.mp4', { kind: 'ipt', patches });
    const path = await changedClip(
      'dolby-vision-5-chart.mp4',
      'metadata of profile 5 behind each picture of ipt.mp4, 1',
      async () => {
        const draft = join(temporaryFolder(), 'draft.mp4');
        addDolbyVision(plain, draft, { profile: 5, compatibility: 0 });
        return readFile(draft);
      },
    );
    expect(movie(path).media.video[0]!.dolbyVision).toMatchObject({ profile: 5, compatibility: 0 });
    const found = await shown(path, patches.length);
    const hdr10 = await shown(await hdrChart('same-light.mkv', { kind: 'pq', patches }), patches.length);
    const apart = differences(found, hdr10);
    const table = apart.map((value) => value.toFixed(2)).join(', ');
    expect(Math.max(...apart), table).toBeLessThan(6);
    expect(mean(apart), table).toBeLessThan(1.5);
  });

  it.each([
    [8, 1],
    [7, 6],
  ] as const)('Dolby Vision %d.%d has the colours of its base layer [VIDEO4]', async (profile, compatibility) => {
    const plain = await hdrChart('base-layer.mp4', { kind: 'pq' });
    const path = await changedClip(
      `dolby-vision-${profile}-chart.mkv`,
      'metadata behind each picture of base-layer.mp4, 1',
      async () => {
        const draft = join(temporaryFolder(), 'draft.mkv');
        addDolbyVision(plain, draft, { profile, compatibility });
        return readFile(draft);
      },
    );
    const apart = differences(await shown(path), await shown(plain));
    expect(Math.max(...apart)).toBeLessThan(0.5);
  });

  it('is the same from every session, and the table is written once [SEG1]', async () => {
    const source = movie(await hdrChart('chart-table.mkv', { kind: 'pq', masteringNits: 4000 }));
    const order = orderOf(source, 'video', MAPPED, [0, 1e6, 2e6]);
    const [all, each] = [await makeAll(order), await makeEach(order)];
    for (const index of [0, 1]) {
      const [one, other] = [
        await shownPatches(all.joined([index]), PATCHES.length),
        await shownPatches(each.joined([index]), PATCHES.length),
      ];
      expect(Math.max(...differences(one, other))).toBeLessThan(0.5);
    }
    expect(readdirSync(all.folder).filter((name) => name.endsWith('.cube'))).toEqual(['.pq-4000.cube']);
    expect(existsSync(join(all.folder, 'init.mp4'))).toBe(true);
  });

  it.each([
    ['MaxCLL', 1400, 4000, 1400],
    ['a film that states no brightest spot', 0, 4000, 4000],
    ['a film that states nothing', null, null, 1000],
    ['one that says it has hardly any light', 5, null, 400],
    ['one that says it has more than there is', 60_000, null, 10_000],
    ['one that says nonsense', Number.NaN, -3, 1000],
  ])('believes %s', (_, content, mastering, peak) => {
    expect(peakNits(content, mastering)).toBe(peak);
  });
});
