import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Trickplay } from '#protocol/schema/moments.ts';
import { PreviewSheets } from './preview-sheets.ts';

const TRICKPLAY: Trickplay = {
  intervalMs: 10_000,
  count: 60,
  columns: 5,
  rows: 5,
  widthPx: 320,
  heightPx: 180,
  sheetUrl: '/media/x/p{n}.webp',
  vttUrl: '/media/x/previews.vtt',
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const loads: {
    url: string;
    resolve: (value?: unknown) => void;
    reject: (error: Error) => void;
    isAborted: boolean;
  }[] = [];
  const sheets = new PreviewSheets((url) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const load = { url, resolve, reject, isAborted: false };
    loads.push(load);
    const abort = (): void => {
      load.isAborted = true;
      reject(new Error('given up'));
    };
    return { loaded: promise, abort };
  });
  return { loads, sheets };
}

it('[PLAY62] loads the sheet that a hand stops at, and none that it passes', async () => {
  const { loads, sheets } = setUp();
  for (const ms of [0, 300_000, 590_000]) sheets.want('file', TRICKPLAY, ms);
  await vi.advanceTimersByTimeAsync(60);
  expect(loads.map(({ url }) => url)).toEqual(['/media/x/p2.webp']);
  loads[0]!.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(sheets.pictureAt('file', TRICKPLAY, 569_000)).toEqual({ url: '/media/x/p2.webp', x: 320, y: 180 });
  expect(sheets.pictureAt('file', TRICKPLAY, 0)).toBeNull();
  expect(sheets.pictureAt('other', TRICKPLAY, 569_000)).toBeNull();
});

it('[PLAY62] gives up the one on its way for the next, and holds nothing against it', async () => {
  const { loads, sheets } = setUp();
  sheets.want('file', TRICKPLAY, 0);
  await vi.advanceTimersByTimeAsync(60);
  sheets.want('file', TRICKPLAY, 300_000);
  await vi.advanceTimersByTimeAsync(60);
  expect(loads.map(({ isAborted }) => isAborted)).toEqual([true, false]);
  expect(sheets.hasFailed('file', TRICKPLAY, 0)).toBe(false);
});

it('[PLAY61] what does not come is left alone for a while', async () => {
  const { loads, sheets } = setUp();
  sheets.want('file', TRICKPLAY, 0);
  await vi.advanceTimersByTimeAsync(60);
  loads[0]!.reject(new Error('404'));
  await vi.advanceTimersByTimeAsync(0);
  expect(sheets.hasFailed('file', TRICKPLAY, 5_000)).toBe(true);
  sheets.want('file', TRICKPLAY, 5_000);
  await vi.advanceTimersByTimeAsync(60);
  expect(loads).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(30_000);
  sheets.want('file', TRICKPLAY, 5_000);
  await vi.advanceTimersByTimeAsync(60);
  expect(loads).toHaveLength(2);
});
