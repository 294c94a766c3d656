/** Pictures of palette colours as PNG (RFC 2083 types: colour type 3, eight bits), and back again from what was written here. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { PictureRegion } from '#engine/media/subtitle-picture.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Letters compress well at any level, and many are made at once. */
const LEVEL = 4;

export function encodeIndexedPng({ width, height, pixels, palette }: Omit<PictureRegion, 'x' | 'y'>): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const count = Math.min(256, palette.length >> 2);
  const colours = Buffer.alloc(count * 3);
  const opacities = Buffer.alloc(count);
  for (let index = 0; index < count; index++) {
    colours.set(palette.subarray(index * 4, index * 4 + 3), index * 3);
    opacities[index] = palette[index * 4 + 3]!;
  }
  const rows = Buffer.alloc(height * (width + 1));
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('tRNS', opacities),
    chunk('IDAT', deflateSync(rows, { level: LEVEL })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Reads what `encodeIndexedPng` wrote, and nothing else. */
export function decodeIndexedPng(bytes: Uint8Array): Omit<PictureRegion, 'x' | 'y'> {
  const chunks = new Map<string, Buffer>();
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; at + 12 <= all.length;) {
    const length = all.readUInt32BE(at);
    chunks.set(all.toString('latin1', at + 4, at + 8), all.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const [head, colours, opacities, data] = ['IHDR', 'PLTE', 'tRNS', 'IDAT'].map((name) => chunks.get(name)!);
  const [width, height] = [head!.readUInt32BE(0), head!.readUInt32BE(4)];
  const rows = inflateSync(data!, { maxOutputLength: height * (width + 1) });
  const pixels = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    pixels.set(rows.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)), row * width);
  }
  const palette = new Uint8Array(opacities!.length * 4);
  for (let index = 0; index < opacities!.length; index++) {
    palette.set(colours!.subarray(index * 3, index * 3 + 3), index * 4);
    palette[index * 4 + 3] = opacities![index]!;
  }
  return { width, height, pixels, palette };
}

function chunk(type: string, content: Buffer): Buffer {
  const name = Buffer.from(type, 'latin1');
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(content, crc32(name)));
  return Buffer.concat([length, name, content, sum]);
}
