/** Pictures for tests, good and bad, made by sharp and by hand. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';

type Kind = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff';

/**
 * A picture with something in it: a gradient from one colour to another. Not drawn from an SVG: the threads under test switch that off for the whole process.
 */
export async function pictureBytes(widthPx: number, heightPx: number, kind: Kind = 'jpeg', red = 200): Promise<Buffer> {
  const pixels = Buffer.alloc(widthPx * heightPx * 3);
  for (let at = 0; at < pixels.length; at += 3) {
    const share = at / pixels.length;
    pixels.set([red * (1 - share), 40 + 20 * share, 60 + 150 * share], at);
  }
  return await sharp(pixels, { raw: { width: widthPx, height: heightPx, channels: 3 } })
    .toFormat(kind)
    .toBuffer();
}

/** A PNG that says how large it is and holds nearly nothing: all of one colour. */
export function hugePng(widthPx: number, heightPx: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(widthPx, 0);
  header.writeUInt32BE(heightPx, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const lines = deflateSync(Buffer.alloc(heightPx * (1 + Math.ceil(widthPx / 8))));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', lines),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A moving picture: red, then green, then blue. */
export async function movingPicture(kind: 'gif' | 'webp', widthPx = 40, heightPx = 60): Promise<Buffer> {
  const frames = await Promise.all(
    ['red', 'lime', 'blue'].map((background) =>
      sharp({ create: { width: widthPx, height: heightPx, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return await sharp(frames, { join: { animated: true } })
    .toFormat(kind)
    .toBuffer();
}

export const HTML = Buffer.from('<!doctype html><script>alert(1)</script>');
export const SVG = Buffer.from(
  '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
);
