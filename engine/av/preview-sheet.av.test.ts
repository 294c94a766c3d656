import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { clip, clips, h264, tone } from '#test/support/media.ts';
import type { MediaError } from '#engine/media/media-failure.ts';
import { planPreviews, sheetTimesMs } from '#engine/media/preview-plan.ts';
import { makePreviewSheet } from './preview-sheet.ts';
import type { PreviewSheet } from './preview-sheet.ts';
import { probe } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-sheets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sheetOf(path: string, timeLimitMs = 60_000): PreviewSheet & ReturnType<typeof planOf> {
  const planned = planOf(path);
  return { ...planned, ...makePreviewSheet(path, { ...planned.options, timeLimitMs }) };
}

function planOf(path: string) {
  const { media } = probe(path);
  const plan = planPreviews(media)!;
  const { widthPx, heightPx, columns } = plan;
  const timesMs = sheetTimesMs(plan, 0, media.durationMs!);
  const track = media.video[0]!;
  return { plan, timesMs, options: { track, startMs: media.startMs, timesMs, widthPx, heightPx, columns } };
}

/** Mean red, green and blue of one picture of a sheet, as another decoder sees it. */
async function meanOf({ bytes, plan }: ReturnType<typeof sheetOf>, index: number): Promise<number[]> {
  const { widthPx: width, heightPx: height, columns } = plan;
  const cut = { left: (index % columns) * width, top: Math.floor(index / columns) * height, width, height };
  const picture = sharp(bytes).extract(cut).resize(1, 1, { kernel: 'cubic', fit: 'fill' });
  return [...(await picture.removeAlpha().raw().toBuffer())];
}

/** A second each of red, green, blue, white. */
const colours = () =>
  clip({
    name: 'colours.mp4',
    args: [
      ...['red', 'lime', 'blue', 'white'].flatMap((name) => [
        '-f',
        'lavfi',
        '-i',
        `color=${name}:size=640x360:rate=24:duration=1`,
      ]),
      ...['-filter_complex', 'concat=n=4,format=yuv420p', ...h264()],
    ],
  });

describe('a sheet of previews', () => {
  it('[PLAY60] shows each span of the movie in its place', async () => {
    const sheet = sheetOf(await colours());
    expect(sheet.plan).toMatchObject({ intervalMs: 1_000, count: 4, widthPx: 320, heightPx: 180 });
    expect(sheet.decoded).toBe(4);
    const means = await Promise.all([0, 1, 2, 3].map((index) => meanOf(sheet, index)));
    const strongest = means.map(([r, g, b]) => [r! > 180, g! > 180, b! > 180]);
    expect(strongest).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
      [true, true, true],
    ]);
  });

  it('[PLAY60] decodes a keyframe once, however many spans it stands for', async () => {
    const sheet = sheetOf(await clips.irregularMp4());
    expect(sheet.plan.count).toBe(8);
    // Of the keyframes at 0, 2, 2.5, 5.5 and 6 s, the second is in the middle of no span.
    expect(sheet.decoded).toBe(4);
  });

  it('[PLAY60] is upright, with square pixels', async () => {
    expect(sheetOf(await clips.rotatedMp4()).plan).toMatchObject({ widthPx: 180, heightPx: 320 });
    const wide = sheetOf(await clips.anamorphicMkv());
    expect(wide.plan.widthPx / wide.plan.heightPx).toBeCloseTo(16 / 9, 1);
    const { width, height } = await sharp(wide.bytes).metadata();
    expect(width).toBe(wide.plan.widthPx * Math.min(wide.plan.columns, wide.plan.count));
    expect(height).toBe(wide.plan.heightPx * Math.ceil(wide.plan.count / wide.plan.columns));
  });

  it('[PLAY60] is tone-mapped where the movie is HDR', async () => {
    const sdr = await meanOf(sheetOf(await clips.h264Mkv()), 0);
    for (const name of ['hdr10Mkv', 'hlgMp4'] as const) {
      const hdr = await meanOf(sheetOf(await clips[name]()), 0);
      expect(Math.max(...hdr)).toBeGreaterThan(40);
      expect(Math.max(...hdr)).toBeLessThan(Math.max(...sdr) + 60);
    }
  });

  it.each([
    'h264Ts',
    'startAt10HoursTs',
    'interlacedTs',
    'xvidAvi',
    'vp9Webm',
    'fragmentedMp4',
    'startAt1HourMkv',
    'editListMp4',
    'openGopMkv',
    'openGopMp4',
    'hevcMkv',
  ] as const)('[PLAY60] works for %s', async (name) => {
    const sheet = sheetOf(await clips[name]());
    expect(sheet.decoded).toBeGreaterThan(1);
    const means = await Promise.all(sheet.timesMs.map((_, index) => meanOf(sheet, index)));
    // A test pattern is never black: nothing was left out.
    for (const mean of means) expect(Math.max(...mean)).toBeGreaterThan(40);
  });

  it('[PLAY60] says so where nothing can be shown, and at its time limit', async () => {
    const path = await clips.h264Mkv();
    const { options } = planOf(path);
    expect(() => makePreviewSheet(path, { ...options, timeLimitMs: -1 })).toThrow(
      expect.objectContaining({ failure: 'timeout' }) as MediaError,
    );
    const sound = await clip({ name: 'sound.mka', args: [...tone(1), '-c:a', 'flac'] });
    expect(() => makePreviewSheet(sound, { ...options, timeLimitMs: 60_000 })).toThrow();
    const text = join(folder, 'text.mkv');
    writeFileSync(text, 'just words');
    expect(() => makePreviewSheet(text, { ...options, timeLimitMs: 60_000 })).toThrow(
      expect.objectContaining({ failure: 'notMedia' }) as MediaError,
    );
  });
});
