/** AudioSpecificConfig of AAC (ISO/IEC 14496-3 1.6.2.1). */
import { BitReader } from './bit-reader.ts';

const AOT_LC = 2;
const ESCAPE = 31;
/** Core rates above this are never doubled by spectral band replication that the header does not mention. */
const MAX_IMPLICIT_SBR_RATE_HZ = 24_000;
const RATES_HZ = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
/** Channel configurations 1 to 7 with FFmpeg's layout names. */
const LAYOUTS = [
  null,
  [1, 'mono'],
  [2, 'stereo'],
  [3, '3.0'],
  [4, '4.0'],
  [5, '5.0'],
  [6, '5.1'],
  [8, '7.1(wide)'],
] as const;

export interface AacConfig {
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly channelLayout: string;
}

/** Plain AAC-LC with a standard channel configuration; `null` for everything that only decoding a frame can settle. */
export function parsePlainAacLc(extradata: Uint8Array): AacConfig | null {
  try {
    const r = new BitReader(extradata);
    let type = r.bits(5);
    if (type === ESCAPE) type = 32 + r.bits(6);
    const rateIndex = r.bits(4);
    const sampleRateHz = rateIndex === 15 ? r.bits(24) : RATES_HZ[rateIndex];
    const layout = LAYOUTS[r.bits(4)];
    if (type !== AOT_LC || layout === undefined || layout === null || sampleRateHz === undefined) return null;
    if (sampleRateHz <= MAX_IMPLICIT_SBR_RATE_HZ) return null;
    r.skip(3);
    // A sync extension (0x2b7) may announce band replication for this very stream.
    if (extradata.length >= 4 && r.bits(11) === 0x2b7 && r.bits(5) === 5 && r.flag()) return null;
    return { sampleRateHz, channels: layout[0], channelLayout: layout[1] };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
