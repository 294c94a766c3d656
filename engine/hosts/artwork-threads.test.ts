import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HTML, SVG, hugePng, movingPicture, pictureBytes } from '#test/support/artwork.ts';
import type { ArtworkOutcome, ArtworkSource } from './artwork.port.ts';
import { ArtworkThreads } from './artwork-threads.ts';

let threads: ArtworkThreads;
let folder: string;
beforeAll(() => {
  threads = new ArtworkThreads({ threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'artwork-'));
});
afterAll(async () => {
  await threads[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const fromBytes = (bytes: Uint8Array): ArtworkSource => ({ kind: 'bytes', bytes });
const render = (source: ArtworkSource, widthPx: number | null = null) =>
  threads.render(source, { widthPx, wantsPlaceholder: true });
async function rendered(source: ArtworkSource, widthPx: number | null = null) {
  const outcome = await render(source, widthPx);
  if (!outcome.ok) throw new Error(outcome.failure);
  return { ...outcome, shown: await sharp(outcome.bytes).metadata() };
}
const failureOf = (outcome: ArtworkOutcome): string => (outcome.ok ? 'none' : outcome.failure);

describe('sizes', () => {
  it.each(['jpeg', 'png', 'webp', 'avif', 'gif'] as const)(
    '[IMG3] [IMG4] a %s becomes WebP of the width',
    async (kind) => {
      const source = fromBytes(await pictureBytes(400, 600, kind));
      const { shown, size, placeholder } = await rendered(source, 160);
      expect(shown).toMatchObject({ format: 'webp', width: 160, height: 240 });
      expect(size).toEqual({ widthPx: 400, heightPx: 600 });
      expect(Buffer.from(placeholder!, 'base64').length).toBeLessThan(40);
      expect(await threads.measure(source)).toEqual({ ok: true, size });
    },
  );

  it('[IMG4] nothing is enlarged', async () => {
    const source = fromBytes(await pictureBytes(100, 50));
    expect((await rendered(source, 640)).shown).toMatchObject({ width: 100, height: 50 });
    expect((await rendered(source)).shown).toMatchObject({ width: 100, height: 50 });
  });

  it('[IMG4] without a width it is at most as large as the largest screen shows', async () => {
    const { shown, size } = await rendered(fromBytes(await pictureBytes(3_840, 2_160)));
    expect([shown.width, shown.height, size]).toEqual([1_920, 1_080, { widthPx: 1_920, heightPx: 1_080 }]);
    expect((await rendered(fromBytes(await pictureBytes(10, 4_000, 'png')))).size).toEqual({
      widthPx: 7,
      heightPx: 2_880,
    });
    expect((await rendered(fromBytes(await pictureBytes(3_000, 1, 'png')), 160)).shown).toMatchObject({ height: 1 });
  });

  it('[IMG4] a photo that lies on its side stands upright', async () => {
    const bytes = await sharp(await pictureBytes(60, 40))
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const { shown, size } = await rendered(fromBytes(bytes), 20);
    expect(size).toEqual({ widthPx: 40, heightPx: 60 });
    expect([shown.width, shown.height, shown.orientation]).toEqual([20, 30, undefined]);
  });

  it('[IMG4] a logo keeps what shines through it', async () => {
    const logo = await sharp({
      create: { width: 80, height: 20, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer();
    const { shown, bytes } = await rendered(fromBytes(logo), 160);
    expect(shown.hasAlpha).toBe(true);
    expect((await sharp(bytes).raw().toBuffer())[3]).toBe(0);
  });

  it.each(['gif', 'webp'] as const)('[IMG3] of a moving %s the first picture', async (kind) => {
    const { shown, bytes, size } = await rendered(fromBytes(await movingPicture(kind)));
    expect(size).toEqual({ widthPx: 40, heightPx: 60 });
    expect(shown.pages ?? 1).toBe(1);
    const [red, green, blue] = await sharp(bytes).raw().toBuffer();
    expect([red! > 200, green! < 60, blue! < 60]).toEqual([true, true, true]);
  });

  it('[IMG4] print colours and deep colours are shown as screens have them', async () => {
    const print = await sharp(await pictureBytes(40, 60))
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    expect((await sharp(print).metadata()).space).toBe('cmyk');
    expect((await rendered(fromBytes(print))).shown.space).toBe('srgb');
    const deep = await sharp(await pictureBytes(40, 60, 'png'))
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await rendered(fromBytes(deep))).shown.space).toBe('srgb');
  });

  it('[IMG5] without being asked it makes no placeholder', async () => {
    const outcome = await threads.render(fromBytes(await pictureBytes(40, 60)), {
      widthPx: null,
      wantsPlaceholder: false,
    });
    expect(outcome).toMatchObject({ ok: true, placeholder: null });
  });
});

describe('what is no picture, or means harm', () => {
  it.each([
    ['nothing', Buffer.alloc(0), 'notAPicture'],
    ['a page', HTML, 'notAPicture'],
    ['an SVG', SVG, 'notAPicture'],
    ['a PDF', Buffer.from('%PDF-1.7\n%âãÏÓ'), 'notAPicture'],
    ['the beginning of a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'damaged'],
    ['a HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'notAPicture'],
    ['an SVG with the first bytes of a GIF', Buffer.concat([Buffer.from('GIF89a'), SVG]), 'damaged'],
    ['a page with the first bytes of a JPEG', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), HTML]), 'damaged'],
  ])('[IMG3] %s is refused', async (_name, bytes, failure) => {
    expect(failureOf(await render(fromBytes(bytes)))).toBe(failure);
    expect(await threads.measure(fromBytes(bytes))).toEqual({ ok: false, failure });
  });

  it('[IMG3] kinds that are not taken are refused, however good', async () => {
    expect(failureOf(await render(fromBytes(await pictureBytes(40, 60, 'tiff'))))).toBe('notAPicture');
  });

  it('[IMG3] one that unpacks to thirty thousand by thirty thousand is refused by what it says of itself', async () => {
    const bomb = hugePng(30_000, 30_000);
    expect(bomb.length).toBeLessThan(1e6);
    expect(failureOf(await render(fromBytes(bomb)))).toBe('tooManyPixels');
    expect(await threads.measure(fromBytes(bomb))).toEqual({ ok: false, failure: 'tooManyPixels' });
  });

  it.each(['jpeg', 'png', 'webp', 'avif', 'gif'] as const)(
    '[IMG3] half a %s is damaged, and no grey rest is shown',
    async (kind) => {
      const whole = await sharp({
        create: {
          width: 300,
          height: 300,
          channels: 3,
          background: 'red',
          noise: { type: 'gaussian', mean: 128, sigma: 40 },
        },
      })
        .toFormat(kind)
        .toBuffer();
      expect(failureOf(await render(fromBytes(whole.subarray(0, whole.length / 2))))).toBe('damaged');
    },
  );

  it('[IMG4] nothing of the bytes that came in comes out: neither what was put behind them nor in them', async () => {
    const gif = Buffer.concat([await pictureBytes(40, 60, 'gif'), HTML]);
    const told = await sharp(await pictureBytes(40, 60))
      .withExif({ IFD0: { ImageDescription: String(HTML) } })
      .toBuffer();
    expect(told.includes('alert(1)')).toBe(true);
    for (const bytes of [gif, told]) {
      const { bytes: made } = await rendered(fromBytes(bytes));
      expect(Buffer.from(made).includes('alert(1)')).toBe(false);
      expect(Buffer.from(made).subarray(0, 4).toString()).toBe('RIFF');
    }
  });

  it('[IMG3] whatever is damaged in them, an outcome comes of it', async () => {
    const kinds = ['jpeg', 'png', 'webp', 'avif', 'gif'] as const;
    const pictures = await Promise.all(kinds.map((kind) => pictureBytes(80, 120, kind)));
    let seed = 20_261_123;
    const below = (limit: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return seed % limit;
    };
    const outcomes = new Set<string>();
    for (let turn = 0; turn < 300; turn++) {
      const bytes = Buffer.from(pictures[turn % pictures.length]!);
      for (let hits = below(10); hits >= 0; hits--) {
        // Half of them where it says what it is.
        bytes[below(turn % 2 === 0 ? bytes.length : 120)] = [0, 255, 127, below(256)][below(4)]!;
      }
      outcomes.add(failureOf(await render(fromBytes(bytes), 40)));
    }
    expect([...outcomes].toSorted()).toEqual(['damaged', 'none', 'notAPicture']);
  });

  it('[IMG3] the thread lives on after all of that', async () => {
    expect((await rendered(fromBytes(await pictureBytes(40, 60)))).shown.width).toBe(40);
  });
});

describe('files', () => {
  const at = (name: string): ArtworkSource => ({ kind: 'file', path: join(folder, name) });

  it('are read, at most so much of them', async () => {
    writeFileSync(join(folder, 'good.jpg'), await pictureBytes(40, 60));
    expect((await rendered(at('good.jpg'))).size).toEqual({ widthPx: 40, heightPx: 60 });
    writeFileSync(join(folder, 'large.jpg'), await pictureBytes(40, 60));
    truncateSync(join(folder, 'large.jpg'), 200e6);
    expect(failureOf(await render(at('large.jpg')))).toBe('tooLarge');
  });

  it('that are none are refused, and nobody waits for a pipe', async () => {
    mkdirSync(join(folder, 'poster.jpg'));
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    symlinkSync('/etc/passwd', join(folder, 'link.jpg'));
    expect(failureOf(await render(at('poster.jpg')))).toBe('notAFile');
    expect(failureOf(await render(at('pipe.jpg')))).toBe('notAFile');
    expect(failureOf(await render(at('link.jpg')))).toBe('notFound');
    expect(failureOf(await render(at('gone.jpg')))).toBe('notFound');
  });
});
