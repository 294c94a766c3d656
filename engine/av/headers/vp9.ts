/** VP9 uncompressed frame headers (VP9 bitstream specification 6.2). VP9 has no header outside its frames. */
import { BitReader } from './bit-reader.ts';
import { UNSPECIFIED } from './video-header.ts';
import type { ColorDescription, VideoHeader } from './video-header.ts';

const CS_RGB = 7;
/** VP9 color_space as H.273 code points. */
const COLOR_SPACES: readonly ColorDescription[] = [
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: UNSPECIFIED },
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: 5 },
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: 1 },
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: 6 },
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: 7 },
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: 9 },
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: UNSPECIFIED },
  { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: 0 },
];

/** `null`: not a key frame, or damaged. */
export function parseVp9Header(packet: Uint8Array): VideoHeader | null {
  try {
    const r = new BitReader(packet.subarray(0, 64));
    if (r.bits(2) !== 2) return null;
    const profile = r.bits(1) + r.bits(1) * 2;
    if (profile === 3) r.skip(1);
    const showsExisting = r.flag();
    const isInterFrame = r.flag();
    if (showsExisting || isInterFrame) return null;
    r.skip(2);
    if (r.bits(24) !== 0x498342) return null;
    const bitDepth = profile >= 2 ? (r.flag() ? 12 : 10) : 8;
    const space = r.bits(3);
    let isFullRange = true;
    let chroma: VideoHeader['chroma'] = '444';
    if (space === CS_RGB) {
      if (profile === 1 || profile === 3) r.skip(1);
    } else {
      isFullRange = r.flag();
      chroma = '420';
      if (profile === 1 || profile === 3) {
        const halfX = r.flag();
        const halfY = r.flag();
        chroma = halfX ? (halfY ? '420' : '422') : '444';
        r.skip(1);
      }
    }
    const width = r.bits(16) + 1;
    const height = r.bits(16) + 1;
    const color = COLOR_SPACES[space] ?? null;
    return {
      profile,
      level: null,
      width,
      height,
      chroma,
      bitDepth,
      pixelAspect: null,
      color,
      isFullRange,
      isInterlaced: false,
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
