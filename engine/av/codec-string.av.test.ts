/** What a playlist calls a copied track, against what lies in its init segment: players compare the two. */
import { describe, expect, it } from 'vitest';
import { copiedAudioCodecString, copiedVideoCodecString } from '#engine/media/codec-string.ts';
import { clip, clips, h264, picture, tone } from '#test/support/media.ts';
import { COPY, makeAll, movie, orderOf } from '#test/support/rendition.ts';

/** The body of the first box of this type, wherever it lies. Its four letters appear nowhere else in an init segment of ours. */
function box(init: Buffer, type: string): Buffer {
  const at = init.indexOf(type, 0, 'latin1');
  if (at < 4) throw new Error(`no ${type}`);
  return init.subarray(at + 4, at - 4 + init.readUInt32BE(at - 4));
}

const hex = (value: number, width = 0): string => value.toString(16).toUpperCase().padStart(width, '0');
const two = (value: number): string => String(value).padStart(2, '0');

/** ISO/IEC 14496-15, annex E, from the bytes of `hvcC`. */
function hevcString(hvcC: Buffer): string {
  const space = ['', 'A', 'B', 'C'][hvcC[1]! >> 6]!;
  let flags = hvcC.readUInt32BE(2);
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++, flags >>>= 1) reversed = reversed * 2 + (flags & 1);
  const constraints = [...hvcC.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  const tier = (hvcC[1]! & 0x20) === 0 ? 'L' : 'H';
  return [
    'hvc1',
    `${space}${hvcC[1]! & 0x1f}`,
    hex(reversed),
    `${tier}${hvcC[12]}`,
    ...constraints.map((byte) => hex(byte)),
  ].join('.');
}

/** The AV1 and VP9 bindings to ISOBMFF. */
function av1String(av1C: Buffer): string {
  const tier = av1C[2]! & 0x80 ? 'H' : 'M';
  const depth = (av1C[2]! & 0x40) === 0 ? 8 : (av1C[2]! & 0x20) === 0 ? 10 : 12;
  return `av01.${av1C[1]! >> 5}.${two(av1C[1]! & 0x1f)}${tier}.${two(depth)}`;
}
const vp9String = (vpcC: Buffer): string => `vp09.${two(vpcC[4]!)}.${two(vpcC[5]!)}.${two(vpcC[6]! >> 4)}`;

/** ISO/IEC 14496-1 descriptors: the object type of `esds`, and behind `40` that of the decoder's configuration. */
function mpeg4String(esds: Buffer): string {
  const at = esds.indexOf(4, 4 + 5); // DecoderConfigDescriptor, behind the ES descriptor's header
  const skip = (from: number): number => {
    let next = from + 1;
    while (esds[next]! & 0x80) next++;
    return next + 1;
  };
  const config = skip(at);
  const objectType = esds[config]!;
  if (objectType !== 0x40) return `mp4a.${hex(objectType)}`;
  const specific = skip(config + 13);
  return `mp4a.40.${esds[specific]! >> 3}`;
}

const x265 = (params: string, ...more: string[]): string[] => [
  '-c:v',
  'libx265',
  '-preset',
  'ultrafast',
  '-x265-params',
  `log-level=none:${params}`,
  ...more,
];
const svt = ['-c:v', 'libsvtav1', '-preset', '12', '-g', '24'];

const PICTURES: Record<string, readonly [make: () => Promise<string>, type: string, read: (bytes: Buffer) => string]> =
  {
    'H.264': [clips.h264Mkv, 'avcC', (avcC) => `avc1.${avcC.toString('hex', 1, 4)}`],
    'H.264 of a broadcast': [clips.h264Ts, 'avcC', (avcC) => `avc1.${avcC.toString('hex', 1, 4)}`],
    'HEVC Main': [clips.hevcMkv, 'hvcC', hevcString],
    'HEVC Main 10': [clips.hdr10Mkv, 'hvcC', hevcString],
    'HEVC of a broadcast': [
      () => clip({ name: 'string.ts', args: [...picture(4), ...x265('keyint=24')] }),
      'hvcC',
      hevcString,
    ],
    'HEVC in the high tier': [
      () =>
        clip({
          name: 'high-tier.mkv',
          args: [...picture(2), ...x265('keyint=24:high-tier=1:level-idc=5.1:vbv-maxrate=80000:vbv-bufsize=80000')],
        }),
      'hvcC',
      hevcString,
    ],
    'HEVC called hev1': [
      () => clip({ name: 'hev1.mp4', args: [...picture(2), ...x265('keyint=24'), '-tag:v', 'hev1'] }),
      'hvcC',
      hevcString,
    ],
    AV1: [() => clip({ name: 'string-av1.mkv', args: [...picture(2), ...svt] }), 'av1C', av1String],
    'AV1 of 10 bits': [
      () => clip({ name: 'string-av1-10.mp4', args: [...picture(2), '-pix_fmt', 'yuv420p10le', ...svt] }),
      'av1C',
      av1String,
    ],
    VP9: [clips.vp9Webm, 'vpcC', vp9String],
  };

describe('the string of a copied picture', () => {
  it.each(Object.keys(PICTURES))('%s', async (name) => {
    const [make, type, read] = PICTURES[name]!;
    const source = movie(await make());
    const made = await makeAll(orderOf(source, 'video', COPY));
    expect(made.failures).toEqual([]);
    const stated = copiedVideoCodecString(source.media.video[0]!)!;
    // What AV1 and VP9 add about colour is the same by default.
    const found = read(box(made.initBytes, type));
    expect(stated.toLowerCase().startsWith(found.toLowerCase()), `${stated} for ${found}`).toBe(true);
    expect(made.init.sampleEntry).toBe(stated.slice(0, 4));
  });
});

const sound =
  (name: string, ...codec: string[]) =>
  () =>
    clip({ name, args: [...picture(2), ...tone(2), ...h264(), '-ar', '48000', ...codec] });

describe('the string of copied sound', () => {
  it.each([
    ['AAC', sound('string-aac.mkv', '-c:a', 'aac'), 'mp4a', 'esds', mpeg4String],
    ['MP3', sound('string-mp3.mkv', '-c:a', 'libmp3lame'), 'mp4a', 'esds', mpeg4String],
    [
      'MP3 of a low rate',
      sound('string-mp3-low.mkv', '-c:a', 'libmp3lame', '-ar', '22050'),
      'mp4a',
      'esds',
      mpeg4String,
    ],
    ['AC-3', sound('string-ac3.mkv', '-c:a', 'ac3'), 'ac-3', 'dac3', () => 'ac-3'],
    ['E-AC-3', sound('string-eac3.mkv', '-c:a', 'eac3'), 'ec-3', 'dec3', () => 'ec-3'],
    ['Opus', sound('string-opus.mkv', '-c:a', 'libopus', '-ac', '2'), 'Opus', 'dOps', () => 'opus'],
    ['FLAC', sound('string-flac.mkv', '-c:a', 'flac'), 'fLaC', 'dfLa', () => 'fLaC'],
    ['ALAC', sound('string-alac.mp4', '-c:a', 'alac'), 'alac', 'alac', () => 'alac'],
  ] as const)('%s', async (_, make, entry, type, read) => {
    const source = movie(await make());
    const made = await makeAll(orderOf(source, 'audio', COPY));
    expect(made.failures).toEqual([]);
    expect(made.init.sampleEntry).toBe(entry);
    expect(copiedAudioCodecString(source.media.audio[0]!)).toBe(read(box(made.initBytes, type)));
  });
});
