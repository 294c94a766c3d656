import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changedClip, clip, h264, textFile } from '#test/support/media.ts';
import { testContext } from '#test/support/call-context.ts';
import { PlaybackStage } from '#test/support/playback-stage.ts';
import { supFile } from '#test/support/subtitles.ts';

const run = promisify(execFile);
/** Of a canvas of 1280 × 720: the picture comes out at a quarter of it. */
const BOX = { startMs: 0, endMs: 2_000, x: 400, y: 400, width: 480, height: 160 };

describe('subtitles that a device can’t draw', () => {
  let stage: PlaybackStage;
  let base: string;
  let movieId: string;
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'matinee-burn-'));
    stage = await PlaybackStage.open();
    const sup = await changedClip('burn.sup', 'one box', () => Promise.resolve(supFile([BOX])));
    const path = await clip({
      name: 'burn.mkv',
      args: [
        ...['-f', 'lavfi', '-i', 'color=c=navy:size=1280x720:rate=24:duration=4', '-i', sup, '-map', '0', '-map', '1'],
        ...[...h264(), '-c:s', 'copy'],
      ],
    });
    movieId = await stage.addMovie(path);
  }, 120_000);
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  });

  /** Red, green and blue of a point, in the picture that a device gets at a time. */
  async function colourAt(url: string, seconds: number, x: number, y: number): Promise<number[]> {
    const master = (await stage.get(url)).toString();
    const variant = /^(v\d+)\/index\.m3u8$/m.exec(master)![1]!;
    const at = (name: string): Promise<Buffer> => stage.get(url.replace('index.m3u8', `${variant}/${name}`));
    const list = (await at('index.m3u8')).toString();
    const names = [...list.matchAll(/^(\d+\.m4s)$/gm)].map(([, name]) => name!);
    const file = join(base, 'movie.mp4');
    await writeFile(file, Buffer.concat([await at('init.mp4'), ...(await Promise.all(names.map(at)))]));
    const { stdout } = await run(
      'ffmpeg',
      [
        '-v',
        'error',
        '-ss',
        String(seconds),
        '-i',
        file,
        '-frames:v',
        '1',
        '-vf',
        `scale=320:180,crop=2:2:${x}:${y}`,
        '-pix_fmt',
        'rgb24',
        '-f',
        'rawvideo',
        '-',
      ],
      { encoding: 'buffer' },
    );
    return [...stdout.subarray(0, 3)];
  }

  it('[PLAY59] become a part of the picture, at their place and for their time', async () => {
    const playback = await stage.open(movieId, { subtitle: 't1' });
    expect(playback).toMatchObject({ method: 'transcode', selectedSubtitle: 't1' });
    expect(playback.reasons).toContain('subtitlesBurnedIn');
    const middle = { x: (BOX.x + BOX.width / 2) / 4, y: (BOX.y + BOX.height / 2) / 4 };
    expect(Math.min(...(await colourAt(playback.url, 1, middle.x, middle.y)))).toBeGreaterThan(220);
    expect((await colourAt(playback.url, 1, 20, 20))[0]).toBeLessThan(40);
    expect((await colourAt(playback.url, 3, middle.x, middle.y))[0]).toBeLessThan(40);
  }, 120_000);

  it('[PLAY58] are shown as late, or as early, as this person has set', async () => {
    const [file] = [...stage.store.files.values()].filter((one) => one.movieId === movieId);
    const middle = { x: (BOX.x + BOX.width / 2) / 4, y: (BOX.y + BOX.height / 2) / 4 };
    const shownAt = async (offsetMs: number, ...seconds: number[]): Promise<boolean[]> => {
      await stage.subtitles.setOffset(testContext().viewer.id, file!.id, 't1', offsetMs);
      const { url } = await stage.open(movieId, { subtitle: 't1' });
      const shown: boolean[] = [];
      for (const at of seconds) shown.push((await colourAt(url, at, middle.x, middle.y))[0]! > 200);
      return shown;
    };
    expect(await shownAt(1_500, 0.5, 1, 2, 3, 3.7)).toEqual([false, false, true, true, false]);
    expect(await shownAt(-1_500, 0.2, 1, 3)).toEqual([true, false, false]);
    expect(await shownAt(0, 0.5, 1, 3)).toEqual([true, true, false]);
  }, 120_000);

  it.each(['sidecar', 'uploaded'] as const)(
    '[PLAY59] become a part of the picture also where they lie in a file of their own (%s)',
    async (source) => {
      const [file] = [...stage.store.files.values()].filter((one) => one.movieId === movieId);
      // Upper left, where the track's are not.
      const bytes = supFile([{ ...BOX, x: 0, y: 0 }]);
      const path = join(base, `${source}.sup`);
      await writeFile(path, bytes);
      const id = `00000000-0000-4000-8000-00000000000${source === 'sidecar' ? 1 : 2}`;
      stage.subtitles.files.push({
        ...{ id, fileId: file!.id, source, path, indexPath: null, format: 'sup', language: 'en', title: null },
        ...{ isForced: false, isDefault: false, isHearingImpaired: false, sizeBytes: bytes.length, mtimeUs: 1 },
      });
      const playback = await stage.open(movieId, { subtitle: `s${id}` });
      expect(playback).toMatchObject({ method: 'transcode', selectedSubtitle: `s${id}` });
      expect(playback.reasons).toContain('subtitlesBurnedIn');
      expect(Math.min(...(await colourAt(playback.url, 1, BOX.width / 8, BOX.height / 8)))).toBeGreaterThan(220);
      expect((await colourAt(playback.url, 3, BOX.width / 8, BOX.height / 8))[0]).toBeLessThan(40);
      // Taken away meanwhile: who watched opens the movie anew, and is not told that the movie's file is broken.
      stage.subtitles.files.splice(0);
      const variant = /^(v\d+)\/index\.m3u8$/m.exec((await stage.get(playback.url)).toString())![1]!;
      await expect(stage.get(playback.url.replace('index.m3u8', `${variant}/1.m4s`))).rejects.toThrow(/^410 /);
    },
    120_000,
  );

  describe('because they have styles', () => {
    const style =
      'Style: Default,Arial,60,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,1';
    const shape = '{\\pos(400,400)\\1c&H0000FF&\\p1}m 0 0 l 480 0 480 160 0 160{\\p0}';
    const scriptOf = (...texts: string[]): string =>
      [
        '[Script Info]\nScriptType: v4.00+\nPlayResX: 1280\nPlayResY: 720\n\n[V4+ Styles]',
        'Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding',
        `${style}\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text`,
        ...texts.map((text) => `Dialogue: 0,0:00:00.00,0:00:02.00,Default,,0,0,0,,${text}`),
        '',
      ].join('\n');
    const isRed = ([red, green, blue]: number[]): boolean => red! > 200 && green! < 60 && blue! < 60;
    const middle = { x: (BOX.x + BOX.width / 2) / 4, y: (BOX.y + BOX.height / 2) / 4 };
    let styledId: string;
    beforeAll(async () => {
      const ass = await textFile('burn.ass', scriptOf(shape));
      const path = await clip({
        name: 'burn-styled.mkv',
        args: [
          ...[
            '-f',
            'lavfi',
            '-i',
            'color=c=navy:size=1280x720:rate=24:duration=4',
            '-i',
            ass,
            '-map',
            '0',
            '-map',
            '1',
          ],
          ...[...h264(), '-c:s', 'copy'],
        ],
      });
      styledId = await stage.addMovie(path);
    }, 120_000);

    it('[PLAY59] become a part of the picture, by libass, in their colours', async () => {
      const playback = await stage.open(styledId, { subtitle: 't1' });
      expect(playback).toMatchObject({ method: 'transcode', selectedSubtitle: 't1' });
      expect(playback.reasons).toContain('subtitlesBurnedIn');
      expect(isRed(await colourAt(playback.url, 1, middle.x, middle.y))).toBe(true);
      expect((await colourAt(playback.url, 1, 20, 20))[0]).toBeLessThan(40);
      expect((await colourAt(playback.url, 3, middle.x, middle.y))[0]).toBeLessThan(40);
    }, 120_000);

    it('[PLAY58] are shown as late as this person has set', async () => {
      const [file] = [...stage.store.files.values()].filter((one) => one.movieId === styledId);
      await stage.subtitles.setOffset(testContext().viewer.id, file!.id, 't1', 1_500);
      const { url } = await stage.open(styledId, { subtitle: 't1' });
      expect(isRed(await colourAt(url, 1, middle.x, middle.y))).toBe(false);
      expect(isRed(await colourAt(url, 3, middle.x, middle.y))).toBe(true);
      await stage.subtitles.setOffset(testContext().viewer.id, file!.id, 't1', 0);
    }, 120_000);

    /** Subtitles in a file of their own beside the movie. */
    async function beside(last: number, content: string): Promise<string> {
      const [file] = [...stage.store.files.values()].filter((one) => one.movieId === styledId);
      const path = join(base, `beside-${last}.ass`);
      await writeFile(path, content);
      const id = `00000000-0000-4000-8000-00000000000${last}`;
      stage.subtitles.files.push({
        ...{
          id,
          fileId: file!.id,
          source: 'sidecar',
          path,
          indexPath: null,
          format: 'ass',
          language: 'en',
          title: null,
        },
        ...{ isForced: false, isDefault: false, isHearingImpaired: false, sizeBytes: content.length, mtimeUs: last },
      });
      return `s${id}`;
    }

    it('[PLAY59] also where they lie in a file of their own', async () => {
      const subtitle = await beside(5, scriptOf(shape));
      const playback = await stage.open(styledId, { subtitle });
      expect(playback).toMatchObject({ method: 'transcode', selectedSubtitle: subtitle });
      expect(isRed(await colourAt(playback.url, 1, middle.x, middle.y))).toBe(true);
      stage.subtitles.files.splice(0);
    }, 120_000);

    it('[PLAY56] ask for more than can be drawn: the segment is refused, and the movie plays with them as text', async () => {
      const heavy = `{\\an5\\pos(640,360)\\blur60\\bord30\\fscx600\\fscy600\\t(\\frz3600\\frx720)}${'Wg&'.repeat(40)}`;
      const subtitle = await beside(6, scriptOf(...Array.from({ length: 2_000 }, () => heavy)));
      const playback = await stage.open(styledId, { subtitle });
      const variant = /^(v\d+)\/index\.m3u8$/m.exec((await stage.get(playback.url)).toString())![1]!;
      await expect(stage.get(playback.url.replace('index.m3u8', `${variant}/0.m4s`))).rejects.toThrow(/^[45]\d\d /);
      const again = await stage.open(styledId, { subtitle, without: ['transcode'] });
      expect(again).toMatchObject({ selectedSubtitle: subtitle, styledTextReason: 'encodingFailed' });
      expect(again.method).not.toBe('transcode');
      expect(again.subtitleTracks.find(({ id }) => id === subtitle)?.url).toMatch(/\.vtt$/);
      stage.subtitles.files.splice(0);
    }, 120_000);
  });

  it('[PLAY59] are not burnt in for a device that draws them, or for nobody', async () => {
    const draws = { pictures: true, styled: true };
    const { BASELINE_PROFILE } = await import('#protocol/schema/playback.ts');
    const drawn = await stage.open(movieId, { subtitle: 't1', profile: { ...BASELINE_PROFILE, subtitles: draws } });
    expect(drawn.reasons).not.toContain('subtitlesBurnedIn');
    expect((await stage.open(movieId, { subtitle: null })).reasons).not.toContain('subtitlesBurnedIn');
  });
});
