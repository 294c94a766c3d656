import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { planPreviews, previewsVtt, sheetAt, sheetCount, sheetOrder, sheetTimesMs } from './preview-plan.ts';

const planFor = (durationMs: number, track = videoTrack()) => planPreviews(mediaInfo({ durationMs, video: [track] }))!;

describe('where previews are', () => {
  it('[PLAY60] every ten seconds, closer in short movies, wider in endless ones', () => {
    expect(planFor(7_200_000)).toMatchObject({ intervalMs: 10_000, count: 720, widthPx: 320, heightPx: 180 });
    expect(planFor(600_000)).toMatchObject({ intervalMs: 5_000, count: 120 });
    expect(planFor(60_000)).toMatchObject({ intervalMs: 1_000, count: 60 });
    expect(planFor(24 * 3_600_000)).toMatchObject({ intervalMs: 24_000, count: 3_600 });
  });

  it('[PLAY60] at most 320 wide, upright, square, never enlarged', () => {
    const edges = (part: Parameters<typeof videoTrack>[0]) => {
      const { widthPx, heightPx } = planFor(60_000, videoTrack(part));
      return [widthPx, heightPx];
    };
    expect(edges({ width: 1920, height: 800 })).toEqual([320, 134]);
    expect(edges({ width: 720, height: 576, pixelAspect: { num: 64, den: 45 } })).toEqual([320, 180]);
    expect(edges({ width: 1920, height: 1080, rotation: 90 })).toEqual([180, 320]);
    expect(edges({ width: 160, height: 120 })).toEqual([160, 120]);
  });

  it('[PLAY60] none without picture or length', () => {
    expect(planPreviews(mediaInfo({ video: [] }))).toBeNull();
    expect(planPreviews(mediaInfo({ durationMs: null }))).toBeNull();
  });

  it('[PLAY60] every moment has its picture on one sheet, and each sheet its times', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 40_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (durationMs, at) => {
          const plan = planFor(durationMs);
          const sheets = sheetCount(plan);
          const ms = at * durationMs;
          const sheet = sheetAt(plan, ms);
          expect(sheet).toBeGreaterThanOrEqual(0);
          expect(sheet).toBeLessThan(sheets);
          const order = sheetOrder(plan, ms);
          expect(order[0]).toBe(sheet);
          expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: sheets }, (_, i) => i));
          const all = Array.from({ length: sheets }, (_, i) => sheetTimesMs(plan, i, durationMs)).flat();
          expect(all).toHaveLength(plan.count);
          expect(all.every((time, i) => time < durationMs && (i === 0 || time >= all[i - 1]!))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('[PLAY62] the same as WebVTT', () => {
    const plan = planFor(60_000);
    const lines = previewsVtt(plan, 60_000, (sheet) => `p${sheet}.webp`).split('\n\n');
    expect(lines[0]).toBe('WEBVTT');
    expect(lines[1]).toBe('00:00:00.000 --> 00:00:01.000\np0.webp#xywh=0,0,320,180');
    expect(lines[7]).toBe('00:00:06.000 --> 00:00:07.000\np0.webp#xywh=320,180,320,180');
    expect(lines[26]).toBe('00:00:25.000 --> 00:00:26.000\np1.webp#xywh=0,0,320,180');
    expect(lines).toHaveLength(61);
  });
});
