/** Reads fragmented MP4 (ISO/IEC 14496-12) for tests: what samples a segment holds and when each is shown, without FFmpeg's help. */

export interface InitFacts {
  readonly timescale: number;
  /** Start of the edit list's entry in ticks: taken off every presentation time. 0 where there is none. */
  readonly mediaTime: number;
  /** Four characters of the sample entry. */
  readonly sampleEntry: string;
  /** RFC 6381 string of H.264, from the bytes of `avcC`; `null` for others. */
  readonly avcCodec: string | null;
  readonly width: number;
  readonly height: number;
  readonly defaultDuration: number;
  readonly defaultFlags: number;
}

export interface Sample {
  readonly dtsUs: number;
  readonly ptsUs: number;
  readonly durationUs: number;
  readonly sizeBytes: number;
  readonly isKeyframe: boolean;
}

interface Box {
  readonly type: string;
  readonly body: Buffer;
}

function boxes(bytes: Buffer): Box[] {
  const found: Box[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) throw new Error(`a box of ${size} bytes at ${at} of ${bytes.length}`);
    found.push({ type: bytes.toString('latin1', at + 4, at + 8), body: bytes.subarray(at + 8, at + size) });
    at += size;
  }
  return found;
}

function find(bytes: Buffer, ...path: string[]): Buffer | null {
  return path.reduce<Buffer | null>(
    (parent, type) => parent && (boxes(parent).find((box) => box.type === type)?.body ?? null),
    bytes,
  );
}

function need(bytes: Buffer, ...path: string[]): Buffer {
  const found = find(bytes, ...path);
  if (!found) throw new Error(`no ${path.join('/')}`);
  return found;
}

export function readInit(bytes: Buffer): InitFacts {
  if (boxes(bytes)[0]?.type !== 'ftyp') throw new Error('an init segment begins with ftyp');
  const trak = need(bytes, 'moov', 'trak');
  const mdhd = need(trak, 'mdia', 'mdhd');
  const elst = find(trak, 'edts', 'elst');
  const entry = boxes(need(trak, 'mdia', 'minf', 'stbl', 'stsd').subarray(8))[0]!;
  const isPicture = need(trak, 'mdia', 'hdlr').toString('latin1', 8, 12) === 'vide';
  const avcC = isPicture ? find(entry.body.subarray(78), 'avcC') : null;
  const trex = need(bytes, 'moov', 'mvex', 'trex');
  return {
    timescale: mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12),
    mediaTime: elst ? elst.readInt32BE(12) : 0,
    sampleEntry: entry.type,
    avcCodec: avcC && `avc1.${avcC.toString('hex', 1, 4)}`,
    width: isPicture ? entry.body.readUInt16BE(24) : 0,
    height: isPicture ? entry.body.readUInt16BE(26) : 0,
    defaultDuration: trex.readUInt32BE(12),
    defaultFlags: trex.readUInt32BE(20),
  };
}

export function readSegment(bytes: Buffer, init: InitFacts): Sample[] {
  const samples: Sample[] = [];
  const toUs = (ticks: number): number => (ticks * 1e6) / init.timescale;
  for (const { type, body } of boxes(bytes)) {
    if (type !== 'moof') continue;
    const traf = need(body, 'traf');
    const tfhd = need(traf, 'tfhd');
    const header = tfhd.readUInt32BE(0);
    let at = 8 + (header & 1 ? 8 : 0) + (header & 2 ? 4 : 0);
    const take = (isThere: number, otherwise: number): number => {
      if (!isThere) return otherwise;
      at += 4;
      return tfhd.readUInt32BE(at - 4);
    };
    const defaultDuration = take(header & 8, init.defaultDuration);
    const defaultSize = take(header & 0x10, 0);
    const defaultFlags = take(header & 0x20, init.defaultFlags);
    const tfdt = need(traf, 'tfdt');
    let dts = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
    for (const { body: trun } of boxes(traf).filter((box) => box.type === 'trun')) {
      const flags = trun.readUInt32BE(0);
      const count = trun.readUInt32BE(4);
      let place = 8 + (flags & 1 ? 4 : 0);
      const next = (isThere: number, otherwise: number, isSigned = false): number => {
        if (!isThere) return otherwise;
        place += 4;
        return isSigned ? trun.readInt32BE(place - 4) : trun.readUInt32BE(place - 4);
      };
      const firstFlags = next(flags & 4, defaultFlags);
      for (let index = 0; index < count; index++) {
        const duration = next(flags & 0x100, defaultDuration);
        const sizeBytes = next(flags & 0x200, defaultSize);
        const sampleFlags = next(flags & 0x400, index === 0 ? firstFlags : defaultFlags);
        const shift = next(flags & 0x800, 0, true);
        samples.push({
          dtsUs: toUs(dts),
          ptsUs: toUs(dts + shift - init.mediaTime),
          durationUs: toUs(duration),
          sizeBytes,
          isKeyframe: (sampleFlags & 0x10000) === 0,
        });
        dts += duration;
      }
    }
  }
  return samples;
}
