/** Decoders of pictures on bytes of anybody, and what becomes of pictures in a frame. What real files hold is tried in `engine/av`. */
import { describe, expect, it } from 'vitest';
import { PictureStreamReader, canvasBox, printStreamedPicture, regionBox } from '#protocol/schema/subtitle-pictures.ts';
import { DvbSubtitleDecoder } from './dvb-subtitle.ts';
import { PgsDecoder, supSegments } from './pgs.ts';
import { blend, overlaysOf } from './picture-blend.ts';
import { MAX_REGION_PIXELS } from './subtitle-picture.ts';
import type { PictureDecoder } from './subtitle-picture.ts';
import { VobSubDecoder, parseVobSubIndex, vobSubUnits } from './vobsub.ts';

function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below;
}

describe('pictures out of bytes of anybody', () => {
  it.each<[string, () => PictureDecoder, readonly number[][]]>([
    [
      'PGS',
      () => new PgsDecoder(),
      [
        [0x16, 0, 19, 5, 0, 2, 208, 16, 0, 0, 128, 0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 9],
        [0x15, 0, 20, 0, 0, 0, 192, 0, 0, 13, 0, 9, 0, 3],
        [0x14, 0, 7, 0, 0, 1, 9, 9, 9, 255],
        [0x80, 0, 0],
      ],
    ],
    [
      'VobSub',
      () => new VobSubDecoder(parseVobSubIndex('')),
      [
        [0, 60, 0, 20, 1, 2, 3],
        [0, 30, 0, 4, 0, 0, 0, 4, 1, 5, 0, 0, 9, 0, 0, 9, 6, 0, 20, 0, 22, 255],
      ],
    ],
    [
      'DVB',
      () => new DvbSubtitleDecoder(),
      [
        [0x20, 0, 0x0f, 0x10, 0, 1, 0, 8, 5, 8, 1, 255, 0, 9, 0, 9],
        [0x0f, 0x11, 0, 1, 0, 16, 1, 8, 1, 0, 0, 80, 104, 4, 1, 0, 0, 1, 0, 0, 0, 0],
        [0x0f, 0x13, 0, 1, 0, 12, 0, 1, 0, 0, 5, 0, 0, 0x11, 0, 1, 2, 3],
        [0x0f, 0x80, 0, 1, 0, 0],
      ],
    ],
  ])('[PLAY56] %s: never throws, and no region is larger than its limit', (_name, open, starts) => {
    const random = randoms(3);
    for (let round = 0; round < 300; round++) {
      const decoder = open();
      for (const start of starts) {
        const packet = Uint8Array.from([...start, ...Array.from({ length: random(60) }, () => random(256))]);
        for (let change = random(4); change > 0; change--) packet[random(packet.length)] = random(256);
        for (const { regions } of decoder.take(packet, 0, 0)) {
          for (const { width, height, pixels } of regions) {
            expect(pixels.length).toBe(width * height);
            expect(pixels.length).toBeLessThanOrEqual(MAX_REGION_PIXELS);
          }
        }
      }
    }
  });

  it('[PLAY56] files that claim what is not there end where they end', () => {
    expect([
      ...supSegments(Buffer.from('PG\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0016\u00ff\u00ff', 'latin1')),
    ]).toHaveLength(1);
    expect([...supSegments(Buffer.from('nothing'))]).toEqual([]);
    const index = parseVobSubIndex(
      'size: 99999x1\ntimestamp: 00:00:01:000, filepos: fffffffff\ntimestamp: 00:00:02:000, filepos: 0\n',
    );
    expect(index).toMatchObject({ width: 4_096, height: 16 });
    expect([...vobSubUnits(Buffer.alloc(100), index)]).toEqual([]);
  });

  it('[PLAY54] of an index with several languages the first that has anything counts', () => {
    const index = parseVobSubIndex(
      'palette: 000000, ffffff, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000\nid: en, index: 0\nid: de, index: 1\ndelay: -00:00:01:000\ntimestamp: 00:00:05:500, filepos: 000001000\nid: fr, index: 2\ntimestamp: 00:00:06:000, filepos: 2000\n',
    );
    expect(index).toMatchObject({ language: 'de', entries: [{ startUs: 4_500_000, at: 0x1000 }] });
    expect([...index.palette!.subarray(3, 6)]).toEqual([255, 255, 255]);
  });
});

describe('the stream of pictures', () => {
  const picture = {
    startMs: 5,
    endMs: null,
    canvasWidth: 720,
    canvasHeight: 576,
    regions: [{ x: 1, y: 2, width: 3, height: 4, png: Uint8Array.of(9, 8, 7) }],
  };

  it('[PLAY53] is read in pieces of any size', () => {
    const bytes = Buffer.concat([
      Buffer.from('MSP1'),
      printStreamedPicture(picture),
      printStreamedPicture({ ...picture, regions: [] }),
    ]);
    for (const size of [1, 3, 7, 1_000]) {
      const reader = new PictureStreamReader();
      const read = [];
      for (let at = 0; at < bytes.length; at += size) read.push(...reader.take(bytes.subarray(at, at + size)));
      expect(read).toEqual([picture, { ...picture, regions: [] }]);
    }
  });

  it('[PLAY56] is refused where it is none', () => {
    expect(() => new PictureStreamReader().take(Buffer.from('<html>'))).toThrow(RangeError);
    expect(() => new PictureStreamReader().take(Buffer.from('MSP1\u00ff\u00ff\u00ff\u00ff', 'latin1'))).toThrow(
      RangeError,
    );
  });
});

describe('where pictures lie', () => {
  const screen = { x: 0, y: 0, width: 1_920, height: 800 };
  it.each<[string, { x: number; y: number; width: number; height: number }, [number, number], unknown]>([
    ['as large as the movie', { ...screen, height: 1_080 }, [1_920, 1_080], { ...screen, height: 1_080 }],
    [
      'of a disc in standard definition, whatever its pixels',
      { ...screen, height: 1_080 },
      [720, 576],
      { ...screen, height: 1_080 },
    ],
    ['of a movie whose bars were cut off', screen, [1_920, 1_080], { x: 0, y: -140, width: 1_920, height: 1_080 }],
    ['of half the size, with bars cut off', screen, [960, 540], { x: 0, y: -140, width: 1_920, height: 1_080 }],
    [
      'of a movie whose sides were cut off',
      { x: 0, y: 0, width: 1_440, height: 1_080 },
      [1_920, 1_080],
      { x: -240, y: 0, width: 1_920, height: 1_080 },
    ],
  ])('[PLAY54] a canvas %s', (_what, picture, [width, height], expected) => {
    expect(canvasBox(picture, { width, height })).toEqual(expected);
  });

  it('[PLAY54] what would lie where bars were cut off is moved inside', () => {
    const canvas = { x: 0, y: -140, width: 1_920, height: 1_080 };
    const region = { x: 100, y: 980, width: 400, height: 60 };
    expect(regionBox(canvas, { width: 1_920, height: 1_080 }, region, screen)).toEqual({
      x: 100,
      y: 740,
      width: 400,
      height: 60,
    });
  });
});

describe('pictures in a frame', () => {
  const palette = Uint8Array.from([0, 0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 128]);
  const gray = (width: number, height: number) => ({
    data: [
      new Uint8Array(width * height).fill(100),
      ...[0, 1].map(() => new Uint8Array((width * height) / 4).fill(128)),
    ],
    strides: [width, width / 2, width / 2],
  });

  it('[PLAY59] opaque ones replace, half-opaque ones mix, and nothing beside them changes', () => {
    const region = { x: 3, y: 3, width: 4, height: 4, palette, pixels: new Uint8Array(16).fill(1) };
    const planes = gray(16, 16);
    for (const overlay of overlaysOf([region], { width: 16, height: 16 }, { width: 16, height: 16 })) {
      blend(planes, overlay);
    }
    const at = (x: number, y: number): number => planes.data[0]![y * 16 + x]!;
    expect([at(3, 3), at(6, 6), at(2, 3), at(7, 6)]).toEqual([235, 235, 100, 100]);
    const mixed = gray(16, 16);
    const half = { ...region, pixels: new Uint8Array(16).fill(2) };
    for (const overlay of overlaysOf([half], { width: 16, height: 16 }, { width: 16, height: 16 })) {
      blend(mixed, overlay);
    }
    expect(mixed.data[0]![4 * 16 + 4]).toBe(90);
    expect(mixed.data[2]![2 * 8 + 2]).toBeGreaterThan(170);
  });

  it('[PLAY59] become smaller and larger with the frame, and stay inside of it', () => {
    const random = randoms(9);
    for (let round = 0; round < 200; round++) {
      const frame = { width: 2 + random(40) * 2, height: 2 + random(40) * 2 };
      const canvas = { width: 800 + random(1_200), height: 600 + random(600) };
      const region = {
        ...{ x: random(2_000), y: random(1_200), width: 1 + random(30), height: 1 + random(30), palette },
        pixels: new Uint8Array(900).fill(1),
      };
      const planes = gray(frame.width, frame.height);
      const sizes = planes.data.map(({ length }) => length);
      for (const overlay of overlaysOf([region], canvas, frame)) {
        expect(overlay.x + overlay.width).toBeLessThanOrEqual(frame.width);
        expect(overlay.y + overlay.height).toBeLessThanOrEqual(frame.height);
        blend(planes, overlay);
      }
      expect(planes.data.map(({ length }) => length)).toEqual(sizes);
    }
  });
});
