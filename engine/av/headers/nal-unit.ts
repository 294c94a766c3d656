/** NAL units of H.264 and HEVC: how they lie in packets and in the configuration records of containers. */

/** A parameter set is a few hundred bytes; anything longer is cut before it is searched or copied. */
const MAX_PARAMETER_SET_BYTES = 4096;

/** Removes the emulation prevention bytes (00 00 03 → 00 00) of the first `limit` bytes. */
export function unescapeNal(nal: Uint8Array, limit = MAX_PARAMETER_SET_BYTES): Uint8Array {
  const source = nal.subarray(0, limit);
  const out = new Uint8Array(source.length);
  let length = 0;
  let zeros = 0;
  for (const byte of source) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length] = byte;
    length += 1;
  }
  return out.subarray(0, length);
}

/** NAL units between start codes (00 00 01). Looks at the first `limit` bytes only. */
export function* annexBNals(data: Uint8Array, limit = data.length): Generator<Uint8Array> {
  const end = Math.min(data.length, limit);
  let start = -1;
  for (let at = 0; at + 2 < end; at += 1) {
    if (data[at] !== 0 || data[at + 1] !== 0 || data[at + 2] !== 1) continue;
    if (start >= 0) yield data.subarray(start, at);
    start = at + 3;
    at += 2;
  }
  if (start >= 0) yield data.subarray(start);
}

/** NAL units behind big-endian lengths of `lengthSize` bytes, as MP4 and Matroska store them. */
export function* lengthPrefixedNals(data: Uint8Array, lengthSize: number): Generator<Uint8Array> {
  let at = 0;
  while (at + lengthSize <= data.length) {
    let length = 0;
    for (let i = 0; i < lengthSize; i += 1) length = length * 256 + (data[at + i] ?? 0);
    at += lengthSize;
    if (length === 0 || at + length > data.length) return;
    yield data.subarray(at, at + length);
    at += length;
  }
}

export interface ParameterSets {
  /** Bytes of the length before each NAL unit in packets; `null`: packets use start codes. */
  readonly lengthSize: number | null;
  readonly nals: readonly Uint8Array[];
}

/** Parameter sets of an `avcC` record (ISO/IEC 14496-15 5.3.3.1) or of Annex B extradata. `null`: neither. */
export function avcParameterSets(extradata: Uint8Array): ParameterSets | null {
  if (extradata.length < 7 || extradata[0] !== 1) return annexBSets(extradata);
  const nals: Uint8Array[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (extradata[at] ?? 0) & mask;
    at += 1;
    for (let i = 0; i < count; i += 1) {
      const length = (extradata[at] ?? 0) * 256 + (extradata[at + 1] ?? 0);
      at += 2;
      if (length === 0 || at + length > extradata.length) break;
      nals.push(extradata.subarray(at, at + length));
      at += length;
    }
  }
  return { lengthSize: ((extradata[4] ?? 3) & 3) + 1, nals };
}

/** Parameter sets of an `hvcC` record (ISO/IEC 14496-15 8.3.3.1) or of Annex B extradata. `null`: neither. */
export function hevcParameterSets(extradata: Uint8Array): ParameterSets | null {
  const isAnnexB = extradata[0] === 0 && extradata[1] === 0 && (extradata[2] === 1 || extradata[2] === 0);
  if (extradata.length < 23 || isAnnexB) return annexBSets(extradata);
  const nals: Uint8Array[] = [];
  let at = 23;
  for (let arrays = extradata[22] ?? 0; arrays > 0; arrays -= 1) {
    const count = (extradata[at + 1] ?? 0) * 256 + (extradata[at + 2] ?? 0);
    at += 3;
    for (let i = 0; i < count; i += 1) {
      const length = (extradata[at] ?? 0) * 256 + (extradata[at + 1] ?? 0);
      at += 2;
      if (length === 0 || at + length > extradata.length) return { lengthSize: ((extradata[21] ?? 3) & 3) + 1, nals };
      nals.push(extradata.subarray(at, at + length));
      at += length;
    }
  }
  return { lengthSize: ((extradata[21] ?? 3) & 3) + 1, nals };
}

function annexBSets(extradata: Uint8Array): ParameterSets | null {
  const nals = [...annexBNals(extradata, 1 << 16)];
  return nals.length > 0 ? { lengthSize: null, nals } : null;
}

/** NAL units of one packet, whichever way the track stores them. */
export function packetNals(data: Uint8Array, lengthSize: number | null): Generator<Uint8Array> {
  return lengthSize === null ? annexBNals(data, 1 << 18) : lengthPrefixedNals(data, lengthSize);
}

export interface SeiMessage {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Messages of an SEI NAL unit; `headerBytes` is 1 for H.264 and 2 for HEVC. */
export function* seiMessages(nal: Uint8Array, headerBytes: number): Generator<SeiMessage> {
  const data = unescapeNal(nal);
  let at = headerBytes;
  const coded = (): number => {
    let value = 0;
    while (data[at] === 0xff) {
      value += 255;
      at += 1;
    }
    value += data[at] ?? 0;
    at += 1;
    return value;
  };
  while (at + 2 < data.length) {
    const type = coded();
    const size = coded();
    if (at + size > data.length) return;
    yield { type, payload: data.subarray(at, at + size) };
    at += size;
  }
}

/** HDR10+ (SMPTE ST 2094-40) inside an ITU-T T.35 payload: country US, provider Samsung, application 4. */
export function isHdr10PlusT35(payload: Uint8Array): boolean {
  const signature = [0xb5, 0x00, 0x3c, 0x00, 0x01, 0x04];
  return signature.every((byte, i) => payload[i] === byte);
}
