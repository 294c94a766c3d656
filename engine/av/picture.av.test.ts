import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { clip, clips, tone } from '#test/support/media.ts';
import type { MediaError } from '#engine/media/media-failure.ts';
import { takePicture } from './picture.ts';
import type { Picture } from './picture.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-picture-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const take = (path: string, widthPx = 160, atFraction = 0.2): Picture =>
  takePicture(path, { widthPx, atFraction, timeLimitMs: 60_000 });

/** Red, green and blue of the mean of all pixels, as another decoder sees the WebP. */
async function meanColor({ bytes }: Picture): Promise<[number, number, number]> {
  const path = join(folder, 'picture.webp');
  writeFileSync(path, bytes);
  const { stdout } = await promisify(execFile)(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-vf', 'scale=1:1:flags=area,format=rgb24', '-f', 'rawvideo', '-'],
    { encoding: 'buffer' },
  );
  return [stdout[0] ?? 0, stdout[1] ?? 0, stdout[2] ?? 0];
}

describe('takePicture', () => {
  it("makes a WebP of the wanted width and the movie's shape", async () => {
    const picture = take(await clips.h264Mp4());
    expect(Buffer.from(picture.bytes.subarray(0, 4)).toString()).toBe('RIFF');
    expect(Buffer.from(picture.bytes.subarray(8, 12)).toString()).toBe('WEBP');
    expect([picture.widthPx, picture.heightPx]).toEqual([160, 90]);
  });

  it('never enlarges', async () => {
    const picture = take(await clips.h264Mkv(), 4000);
    expect([picture.widthPx, picture.heightPx]).toEqual([320, 180]);
  });

  it('is upright and has square pixels', async () => {
    const turned = take(await clips.rotatedMp4(), 90);
    expect([turned.widthPx, turned.heightPx]).toEqual([90, 160]);
    const wide = take(await clips.anamorphicMkv(), 512);
    expect([wide.widthPx, wide.heightPx]).toEqual([512, 288]);
  });

  it('passes over black', async () => {
    const [red, green, blue] = await meanColor(take(await clips.blackFirstMkv(), 160, 0.1));
    expect(red + green + blue).toBeGreaterThan(200);
  });

  it('shows what there is where all is black', async () => {
    const black = await clip({
      name: 'black.mkv',
      args: ['-f', 'lavfi', '-i', 'color=black:size=320x180:rate=24:duration=2', '-c:v', 'libx264'],
    });
    expect(take(black).widthPx).toBe(160);
  });

  it('tone-maps HDR to about the brightness of SDR', async () => {
    const sdr = await meanColor(take(await clips.h264Mkv()));
    for (const name of ['hdr10Mkv', 'hlgMp4'] as const) {
      const hdr = await meanColor(take(await clips[name]()));
      expect(Math.max(...hdr)).toBeGreaterThan(40);
      expect(Math.max(...hdr)).toBeLessThan(Math.max(...sdr) + 60);
    }
  });

  it('keeps the colours', async () => {
    const red = await clip({
      name: 'red.mp4',
      args: [
        '-f',
        'lavfi',
        '-i',
        'color=red:size=320x180:rate=24:duration=2',
        '-c:v',
        'libx264',
        '-pix_fmt',
        'yuv420p',
        '-colorspace',
        'bt709',
      ],
    });
    const [r, g, b] = await meanColor(take(red));
    expect(r).toBeGreaterThan(230);
    expect(g + b).toBeLessThan(40);
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
  ] as const)('works for %s', async (name) => {
    expect(take(await clips[name](), 160, 0.5).bytes.length).toBeGreaterThan(500);
  });

  it('says so where there is no picture', async () => {
    const sound = await clip({ name: 'sound.mka', args: [...tone(1), '-c:a', 'flac'] });
    expect(() => take(sound)).toThrow(expect.objectContaining({ failure: 'unsupported' }) as MediaError);
    expect(() =>
      takePicture(join(folder, 'absent.mkv'), { widthPx: 100, atFraction: 0.5, timeLimitMs: 60_000 }),
    ).toThrow(expect.objectContaining({ failure: 'notFound' }) as MediaError);
  });

  it('gives up at its time limit', async () => {
    const path = await clips.h264Mkv();
    expect(() => takePicture(path, { widthPx: 100, atFraction: 0.5, timeLimitMs: -1 })).toThrow(
      expect.objectContaining({ failure: 'timeout' }) as MediaError,
    );
  });
});
