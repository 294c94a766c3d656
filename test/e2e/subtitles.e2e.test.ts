/** Subtitles as a person sees them: text, styled, pictures, files beside the movie and of one's own. A real engine, a real browser. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { playback, subtitles } from '#protocol/index.ts';
import { ACTION_MS } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { changedClip, clip, h264, textFile } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { supFile } from '#test/support/subtitles.ts';

const HOSTILE = `1
00:00:00,000 --> 00:00:05,000
Fish & <b>chips</b> <img src=x onerror="window.stolen=1"><script>window.stolen=1</script>

2
00:00:06,000 --> 00:00:12,000
The second line
`;
const STYLED = `[Script Info]
ScriptType: v4.00+
PlayResX: 1280
PlayResY: 720

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Sign,Liberation Sans,60,&H000000FF,&H000000FF,&H00000000,&H00000000,-1,0,0,0,100,100,0,0,1,2,0,7,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.00,0:00:05.00,Sign,,0,0,0,,{\\pos(100,100)}RED SIGN HERE
Dialogue: 0,0:00:06.00,0:00:12.00,Sign,,0,0,0,,{\\pos(600,500)\\c&H00FF00&}GREEN BELOW
`;
/** In the picture, which is 1280 × 720. */
const BOX = { startMs: 0, endMs: 5_000, x: 400, y: 600, width: 480, height: 60 };
const SECOND_BOX = { startMs: 6_000, endMs: 11_000, x: 100, y: 100, width: 200, height: 60 };

async function makeMovies(films: string): Promise<void> {
  const sup = await changedClip('e2e.sup', 'two boxes', () => Promise.resolve(supFile([BOX, SECOND_BOX])));
  const [hostile, styled] = [await textFile('hostile.srt', HOSTILE), await textFile('signs.ass', STYLED)];
  const movie = await clip({
    name: 'subtitled.mkv',
    args: [
      ...['-f', 'lavfi', '-i', 'color=c=navy:size=1280x720:rate=24:duration=12'],
      ...['-i', hostile, '-i', styled, '-i', sup, '-map', '0', '-map', '1', '-map', '2', '-map', '3', ...h264()],
      ...['-c:s:0', 'srt', '-c:s:1', 'ass', '-c:s:2', 'copy', '-metadata:s:s:0', 'language=eng'],
      ...['-metadata:s:s:1', 'language=jpn', '-metadata:s:s:2', 'language=ger'],
    ],
  });
  await putMovie(join(films, 'Signs (2002).mkv'), movie);
  // Comes in segments, whose own clock begins elsewhere.
  const tape = await clip({
    name: 'subtitled-tape.mkv',
    args: [
      ...['-f', 'lavfi', '-i', 'color=c=navy:size=1280x720:rate=24:duration=12', '-i', styled, '-i', sup],
      ...['-map', '0', '-map', '1', '-map', '2', '-c:v', 'mpeg4', '-vtag', 'XVID', '-g', '24', '-c:s:0', 'ass'],
      ...['-c:s:1', 'copy', '-metadata:s:s:0', 'language=jpn', '-metadata:s:s:1', 'language=ger'],
    ],
  });
  await putMovie(join(films, 'Tape (1999).mkv'), tape);
  // Windows-1251, as files of that time are.
  const russian = 'Всё смешалось в доме Облонских';
  const bytes = Buffer.from(
    Array.from(`1\r\n00:00:00,000 --> 00:00:11,000\r\n${russian}\r\n`).map((letter) => {
      const code = letter.codePointAt(0)!;
      if (code < 128) return code;
      return letter === 'ё' ? 0xb8 : code - 0x410 + 0xc0;
    }),
  );
  await writeFile(join(films, 'Signs (2002).ru.srt'), bytes);
}

describe('subtitles', () => {
  const evening = openEvening({
    name: 'subtitles',
    prepare: ({ films }) => makeMovies(films),
    isScanned: true,
    screen: { viewport: { width: 1_280, height: 720 } },
  });
  const { consoleLines } = evening;
  let page: Page;
  let movieId: string;
  beforeAll(async () => {
    ({ page } = evening);
    movieId = (await evening.ada.movie('Signs')).id;
  });

  const opened = () => evening.ada.request(playback.open, { movieId });
  const open = async (id = movieId): Promise<void> => {
    await page.goto(`${evening.engine.url}/play/${id}?from-start`);
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.1);
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.querySelector('video')!.paused);
  };
  const choose = async (name: RegExp): Promise<void> => {
    await page.mouse.move(600, 300);
    await page.getByRole('button', { name: 'Subtitles (C)' }).click();
    await page.getByRole('menuitemradio', { name }).click();
  };
  /** By the bar of the player, as a person does it. */
  const seek = async (seconds: number): Promise<void> => {
    await page.evaluate((to) => {
      document.querySelector('video')!.currentTime = to;
    }, seconds);
    await page.waitForFunction((to) => {
      const video = document.querySelector('video')!;
      return !video.seeking && Math.abs(video.currentTime - to) < 0.2;
    }, seconds);
  };
  const lines = (): Promise<string> =>
    page.evaluate(() => [...document.querySelectorAll('[data-top] p')].map((line) => line.textContent).join('|'));
  const hasLines = (text: string): Promise<void> => expect.poll(lines).toBe(text);
  /** Mean colour of a part of the screen, as it is composed. */
  async function colourAt(x: number, y: number, width: number, height: number): Promise<number[]> {
    const png = (await page.screenshot({ clip: { x, y, width, height } })).toString('base64');
    return await page.evaluate(async (data) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const { seen = createImageBitmap } = window as { seen?: typeof createImageBitmap };
      const image = await seen(new Blob([bytes], { type: 'image/png' }));
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext('2d')!;
      context.drawImage(image, 0, 0);
      const { data: pixels } = context.getImageData(0, 0, image.width, image.height);
      const sums = [0, 0, 0];
      for (let at = 0; at < pixels.length; at += 4) for (let c = 0; c < 3; c++) sums[c] = sums[c]! + pixels[at + c]!;
      return sums.map((sum) => Math.round(sum / (pixels.length / 4)));
    }, png);
  }
  const shot = (name: string): Promise<void> => evening.picture(name);

  it('[PLAY56] text is text, whatever the file makes of it, and in step after a seek', async () => {
    await open();
    await choose(/^English/);
    await hasLines('Fish & chips window.stolen=1');
    await shot('text');
    expect(await page.evaluate(() => (window as { stolen?: number }).stolen)).toBeUndefined();
    expect(await page.locator('[data-top] img, [data-top] script').count()).toBe(0);
    expect(await page.locator('[data-top] b').textContent()).toBe('chips');
    await seek(8);
    await hasLines('The second line');
    await seek(5.5);
    await hasLines('');
    await seek(1);
    await hasLines('Fish & chips window.stolen=1');
  });

  it('[PLAY58] are shifted by keys, and stay so for this person and this file', async () => {
    await seek(5.9);
    await hasLines('');
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await page.keyboard.press('g');
    await hasLines('The second line');
    await expect.poll(async () => (await opened()).subtitleTracks.find(({ id }) => id === 't1')?.offsetMs).toBe(-150);
    await open();
    await seek(5.9);
    await hasLines('The second line');
  });

  it('[PLAY51] a file beside the movie in an encoding of its time is read', async () => {
    await choose(/^Russian/);
    await seek(2);
    await hasLines('Всё смешалось в доме Облонских');
    await shot('sidecar');
  });

  it('[PLAY55] styled ones are drawn with their colours at their places, and in step after a seek', async () => {
    await open();
    await choose(/^Japanese/);
    await seek(2);
    await page.locator('canvas[data-captions=styled]').waitFor({ state: 'attached' });
    const red = (): Promise<number[]> => colourAt(100, 105, 420, 60);
    const isRed = ([r, g]: number[]): boolean => r! > 25 && r! > g! + 20;
    await expect.poll(async () => isRed(await red())).toBe(true);
    await shot('styled');
    await seek(8);
    await expect.poll(async () => (await red())[0]! < 10).toBe(true);
    await expect.poll(async () => (await colourAt(600, 505, 420, 60))[1]).toBeGreaterThan(25);
    await shot('styled after a seek');
    expect(consoleLines.filter((line) => /Content Security Policy|JASSUB|fontselect|libass/i.test(line))).toEqual([]);
  });

  it('[PLAY54] pictures of a disc are drawn where they belong, and in step after a seek', async () => {
    await choose(/^German/);
    await seek(2);
    await page.locator('canvas[data-captions=pictures]').waitFor({ state: 'attached' });
    await expect.poll(() => page.locator('canvas[data-captions=styled]').count()).toBe(0);
    const { x, y, width, height } = BOX;
    const inside = (): Promise<number[]> => colourAt(x + 8, y + 8, width - 16, height - 16);
    // The controls lie over the lower edge.
    await page.evaluate(() =>
      document.querySelector<HTMLElement>('[data-controls]')!.style.setProperty('visibility', 'hidden'),
    );
    await expect.poll(async () => Math.min(...(await inside())) > 200).toBe(true);
    await shot('pictures');
    expect(Math.max(...(await colourAt(x + 4, y + 1, width - 8, 2)).slice(0, 2))).toBeLessThan(40);
    expect((await colourAt(x - 20, y, 10, height))[0]).toBeLessThan(40);
    await seek(8);
    await expect.poll(async () => Math.min(...(await colourAt(110, 110, 180, 40))) > 200).toBe(true);
    expect(Math.max(...(await inside()).slice(0, 2))).toBeLessThan(60);
    await page.setViewportSize({ width: 1_280, height: 960 });
    // The picture lies in the middle now: 120 lower.
    await expect.poll(async () => Math.min(...(await colourAt(110, 230, 180, 40))) > 200).toBe(true);
    await shot('pictures with bars');
    await page.setViewportSize({ width: 1_280, height: 720 });
    await page.evaluate(() =>
      document.querySelector<HTMLElement>('[data-controls]')!.style.removeProperty('visibility'),
    );
  });

  it('[PLAY54] [PLAY55] are in step where the movie comes in segments', async () => {
    const { id } = await evening.ada.movie('Tape');
    expect((await evening.ada.request(playback.open, { movieId: id })).kind).toBe('hls');
    await open(id);
    await choose(/^Japanese/);
    await seek(8);
    const green = async (): Promise<number> => (await colourAt(600, 505, 420, 60))[1]!;
    await expect.poll(async () => (await green()) > 25).toBe(true);
    await shot('styled in segments');
    await seek(5.5);
    await expect.poll(async () => (await green()) < 10).toBe(true);
    await choose(/^German/);
    await expect.poll(async () => Math.max(...(await colourAt(110, 110, 180, 40)).slice(0, 2)) < 60).toBe(true);
    await seek(6.2);
    await expect.poll(async () => Math.min(...(await colourAt(110, 110, 180, 40))) > 200).toBe(true);
  });

  it('[PLAY56] a script that asks for more than can be drawn leaves the page alive', async () => {
    const huge = '{\\blur100\\fscx9000\\fscy9000\\frx40\\p1}m 0 0 b 90000 0 0 90000 90000 90000 l 5 90000{\\p0}';
    const bomb = `${STYLED}${`Dialogue: 0,0:00:00.00,0:00:12.00,Sign,,0,0,0,,${huge}\n`.repeat(3_000)}Dialogue: 0,0:00:00.00,0:00:12.00,Sign,,0,0,0,,still to be read\n`;
    const [{ fileId }] = [await opened()];
    const reply = await fetch(`${evening.engine.url}/subtitles/${fileId}?name=bomb.ass&language=it`, {
      method: 'POST',
      headers: { authorization: `Bearer ${evening.ada.token}` },
      body: bomb,
    });
    expect(reply.status).toBe(201);
    await open();
    await choose(/^Italian/);
    // Drawn, or given up for text: the page answers all the while.
    const begun = Date.now();
    await expect
      .poll(
        async () => {
          await page.evaluate(() => document.title);
          return (await page.locator('canvas[data-captions=styled]').count()) === 0 || Date.now() - begun > 12_000;
        },
        { timeout: ACTION_MS, interval: 500 },
      )
      .toBe(true);
    await choose(/^English/);
    await seek(8);
    await hasLines('The second line');
    const { subtitle } = (await reply.json()) as { subtitle: { id: string } };
    await evening.ada.request(subtitles.remove, { subtitleId: subtitle.id });
    expect((await opened()).subtitleTracks.filter(({ language }) => language === 'it')).toEqual([]);
  });

  it('[PLAY57] a file of one’s own is shown at once, refused in words where it is none, and gone when it is removed', async () => {
    const openPanel = async (): Promise<void> => {
      await page.mouse.move(600, 300);
      await page.getByRole('button', { name: 'Subtitles (C)' }).click();
      await page.getByRole('menuitem', { name: /Timing, style/ }).click();
    };
    await openPanel();
    await page
      .getByLabel('File of subtitles')
      .setInputFiles({ name: 'evil.srt', mimeType: 'text/plain', buffer: Buffer.from('<html>') });
    await page.getByText('There are no subtitles in this file').waitFor();
    await page.getByLabel('Language').selectOption('fr');
    await page.getByLabel('File of subtitles').setInputFiles({
      name: 'mien.srt',
      mimeType: 'text/plain',
      buffer: Buffer.from('1\n00:00:00,000 --> 00:00:11,000\nÀ moi <b>seul</b>\n'),
    });
    await hasLines('À moi seul');
    const [upload] = (await opened()).subtitleTracks.filter(({ source }) => source === 'uploaded');
    expect(upload).toMatchObject({ language: 'fr', format: 'text' });
  });

  it('[PLAY59] a style is seen at once, and kept for every device', async () => {
    await open();
    await choose(/^Russian/);
    await seek(2);
    await page.mouse.move(600, 300);
    await page.getByRole('button', { name: 'Subtitles (C)' }).click();
    await page.getByRole('menuitem', { name: /Timing, style/ }).click();
    await page.getByLabel('Colour', { exact: true }).selectOption('yellow');
    await shot('panel');
    await page.getByRole('button', { name: 'Close' }).click();
    const colour = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.querySelector('[data-top] p span')!).color);
    await expect.poll(colour).toBe('rgb(255, 236, 88)');
    await open();
    await choose(/^Russian/);
    await seek(2);
    await hasLines('Всё смешалось в доме Облонских');
    await expect.poll(colour).toBe('rgb(255, 236, 88)');
    await shot('yellow');
  });

  it('[PLAY59] a device that fails to draw pictures gets them as a part of the picture, at the same place, and is told why', async () => {
    await page.addInitScript(() => {
      const seen = window.createImageBitmap.bind(window);
      const refused = () => Promise.reject(new Error('out of memory'));
      // What looks at the screen for this test still sees.
      Object.assign(window, { seen, createImageBitmap: refused });
    });
    await open();
    await seek(1);
    await choose(/^German/);
    // The controls lie over the lower edge.
    const showControls = (visibility: string): Promise<void> =>
      page.evaluate(
        (to) => document.querySelector<HTMLElement>('[data-controls]')!.style.setProperty('visibility', to),
        visibility,
      );
    const isShown = async (): Promise<boolean> => {
      await showControls('hidden');
      const [red] = await colourAt(BOX.x + 100, BOX.y + 15, 280, 30);
      await showControls('');
      return red! > 200;
    };
    await expect.poll(() => isShown(), { timeout: ACTION_MS }).toBe(true);
    expect(await page.locator('canvas[data-captions]').count()).toBe(0);
    const place = await page.evaluate(() => document.querySelector('video')!.currentTime);
    expect(Math.abs(place - 1)).toBeLessThan(0.5);
    await page.keyboard.press('i');
    await page.getByText('This device can’t draw these subtitles').first().waitFor();
    await shot('burnt-in');
    await page.keyboard.press('i');
    // Out of step by two seconds: the box is no longer there a second after the beginning.
    await page.mouse.move(600, 300);
    await page.getByRole('button', { name: 'Subtitles (C)' }).click();
    await page.getByRole('menuitem', { name: /Timing, style/ }).click();
    for (let press = 0; press < 4; press++) await page.getByRole('button', { name: '+0.5 s' }).click();
    await page.getByText('Here they are part of the picture').waitFor();
    await shot('burnt-in-timing');
    await page.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => isShown(), { timeout: ACTION_MS }).toBe(false);
    await seek(3);
    await expect.poll(() => isShown(), { timeout: ACTION_MS }).toBe(true);
    // Known from now on: another that opens it here has it at once, and may have it tried again.
    await page.goto(`${evening.engine.url}/settings/playback`);
    await page.getByText('Subtitles as pictures').waitFor();
    await shot('burnt-in-lesson');
  });

  it('[PLAY59] a device that refuses the worker that draws styles gets them as a part of the picture, and as text where that is wanted', async () => {
    const refused: string[] = [];
    await page.route(/worker.*\.js/, (route) => {
      refused.push(route.request().url());
      return route.abort();
    });
    await open();
    await choose(/^Japanese/);
    await seek(1);
    const isRed = async (): Promise<boolean> => {
      const [red, green] = await colourAt(100, 105, 420, 60);
      return red! > 25 && red! > green! + 20;
    };
    await expect.poll(isRed, { timeout: ACTION_MS }).toBe(true);
    await hasLines('');
    expect(await page.locator('canvas[data-captions]').count()).toBe(0);
    await seek(8);
    await expect.poll(async () => (await colourAt(600, 505, 420, 60))[1], { timeout: ACTION_MS }).toBeGreaterThan(25);
    expect(await isRed()).toBe(false);
    const asked = refused.length;
    expect(asked).toBeGreaterThan(0);
    // Known from now on: it is not tried again.
    await open();
    await choose(/^Japanese/);
    await seek(1);
    await expect.poll(isRed, { timeout: ACTION_MS }).toBe(true);
    expect(refused).toHaveLength(asked);
    await page.keyboard.press('i');
    await page.getByText('This device can’t draw these subtitles').first().waitFor();
    await shot('styles in the picture');
    await page.keyboard.press('i');
    const setText = async (): Promise<void> => {
      await page.mouse.move(600, 300);
      await page.getByRole('button', { name: 'Subtitles (C)' }).click();
      await page.getByRole('menuitem', { name: /Timing, style/ }).click();
      await page.getByLabel('Also for styled subtitles').click();
      await page.getByRole('button', { name: 'Close' }).click();
    };
    await setText();
    await expect.poll(lines, { timeout: ACTION_MS }).toBe('RED SIGN HERE');
    await expect.poll(isRed, { timeout: ACTION_MS }).toBe(false);
    await page.keyboard.press('i');
    await page.getByText('You want styled subtitles as text, too.').first().waitFor();
    await page.keyboard.press('i');
    await setText();
    await expect.poll(isRed, { timeout: ACTION_MS }).toBe(true);
    await hasLines('');
  });
});
