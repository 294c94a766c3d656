/** What an init segment says of its track, read from its boxes without FFmpeg's help, to be held against what the playlist says. */

export interface TrackFacts {
  /** RFC 6381. */
  readonly codec: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Of the audio sample entry; what the codec's own header says may be other. */
  readonly channels: number;
  /** Number of samples that the init segment itself claims to hold. */
  readonly samples: number;
  readonly hasMovieExtends: boolean;
}

interface Box {
  readonly type: string;
  readonly body: Buffer;
}

function boxes(bytes: Buffer): Box[] {
  const found: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) break;
    found.push({ type: bytes.toString('latin1', at + 4, at + 8), body: bytes.subarray(at + 8, at + size) });
    at += size;
  }
  return found;
}

function box(bytes: Buffer, ...path: string[]): Buffer | null {
  return path.reduce<Buffer | null>(
    (parent, type) => parent && (boxes(parent).find((one) => one.type === type)?.body ?? null),
    bytes,
  );
}

export function readTrackFacts(init: Buffer): TrackFacts {
  const trak = box(init, 'moov', 'trak');
  const table = trak && box(trak, 'mdia', 'minf', 'stbl');
  const entry = table && boxes(box(table, 'stsd')!.subarray(8))[0];
  if (!trak || !table || !entry) throw new Error('the init segment has no sample entry');
  const isPicture = box(trak, 'mdia', 'hdlr')!.toString('latin1', 8, 12) === 'vide';
  const children = entry.body.subarray(isPicture ? 78 : 28);
  return {
    codec: codecOf(entry.type, children),
    widthPx: isPicture ? entry.body.readUInt16BE(24) : 0,
    heightPx: isPicture ? entry.body.readUInt16BE(26) : 0,
    channels: isPicture ? 0 : entry.body.readUInt16BE(16),
    samples: ['stsz', 'stts', 'stsc', 'stco'].reduce((sum, type) => {
      const content = box(table, type);
      return sum + (content ? content.readUInt32BE(type === 'stsz' ? 8 : 4) : 0);
    }, 0),
    hasMovieExtends: box(init, 'moov', 'mvex', 'trex') !== null,
  };
}

const hex = (value: number): string => value.toString(16).padStart(2, '0');
const two = (value: number): string => String(value).padStart(2, '0');

function codecOf(type: string, children: Buffer): string {
  const need = (name: string): Buffer => {
    const found = box(children, name);
    if (!found) throw new Error(`${type} without ${name}`);
    return found;
  };
  switch (type) {
    case 'avc1':
      return `avc1.${need('avcC').toString('hex', 1, 4)}`;
    case 'hvc1':
      return `hvc1.${hevcProfile(need('hvcC'))}`;
    case 'av01': {
      const [, profileLevel = 0, flags = 0] = need('av1C');
      const depth = flags & 0x40 ? (flags & 0x20 ? 12 : 10) : 8;
      return `av01.${profileLevel >> 5}.${two(profileLevel & 31)}${flags & 0x80 ? 'H' : 'M'}.${two(depth)}`;
    }
    case 'vp09': {
      const vpcC = need('vpcC');
      return `vp09.${two(vpcC[4]!)}.${two(vpcC[5]!)}.${two(vpcC[6]! >> 4)}`;
    }
    case 'mp4a':
      return audioObject(need('esds'));
    case 'Opus':
      return 'opus';
    default:
      return type;
  }
}

/** ISO/IEC 14496-15 E.3, from HEVCDecoderConfigurationRecord. */
function hevcProfile(hvcC: Buffer): string {
  const first = hvcC[1]!;
  const space = ['', 'A', 'B', 'C'][first >> 6]!;
  let flags = 0;
  for (let bit = 0; bit < 32; bit++) if (hvcC.readUInt32BE(2) & (1 << bit)) flags |= 1 << (31 - bit);
  const constraints = [...hvcC.subarray(6, 12)];
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const tier = first & 0x20 ? 'H' : 'L';
  const parts = [`${space}${first & 31}`, (flags >>> 0).toString(16), `${tier}${hvcC[12]!}`];
  return [...parts, ...constraints.map((byte) => byte.toString(16).toUpperCase())].join('.');
}

/** `mp4a.OTI` or `mp4a.40.objectType`, from the descriptors of `esds` (ISO/IEC 14496-1 7.2.6). */
function audioObject(esds: Buffer): string {
  let at = 4;
  const descriptor = (): number => {
    const tag = esds[at++]!;
    while (esds[at++]! & 0x80);
    return tag;
  };
  if (descriptor() !== 3) throw new Error('esds without a descriptor');
  at += 3;
  if (descriptor() !== 4) throw new Error('esds without a decoder');
  const indication = esds[at]!;
  at += 13;
  if (indication !== 0x40) return `mp4a.${hex(indication).toUpperCase()}`;
  descriptor();
  const objectType = esds[at]! >> 3;
  return `mp4a.40.${objectType === 31 ? 32 + (((esds[at]! & 7) << 3) | (esds[at + 1]! >> 5)) : objectType}`;
}
