/** What the header of a video bitstream tells, whatever its codec. Colour values are code points of ITU-T H.273. */
export interface VideoHeader {
  /** FFmpeg's profile number, `null` where the codec has none. */
  readonly profile: number | null;
  /** FFmpeg's level number, `null` where the codec has none. */
  readonly level: number | null;
  readonly width: number;
  readonly height: number;
  readonly chroma: 'gray' | '420' | '422' | '444';
  readonly bitDepth: number;
  readonly pixelAspect: { readonly num: number; readonly den: number } | null;
  /** `null`: the header does not say, so the container may. */
  readonly color: ColorDescription | null;
  readonly isFullRange: boolean | null;
  /** `false`: cannot be interlaced. `true`: is. `null`: only the pictures tell. */
  readonly isInterlaced: boolean | null;
}

export interface ColorDescription {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
}

/** H.273 value for "unspecified" in all three. */
export const UNSPECIFIED = 2;
const MATRIX_IDENTITY = 0;

/** FFmpeg's name of the pixel format that its decoder puts out. Only some decoders mark full range in the name (`yuvj420p`). */
export function pixelFormatName(header: VideoHeader, codec: string): string {
  const deep = header.bitDepth > 8 ? `${header.bitDepth}le` : '';
  // FFmpeg's H.264 decoder fills in neutral colour instead.
  const chroma = header.chroma === 'gray' && codec === 'h264' ? '420' : header.chroma;
  if (chroma === 'gray') return `gray${deep}`;
  if (chroma === '444' && header.color?.matrix === MATRIX_IDENTITY) return `gbrp${deep}`;
  const isJpegStyle =
    header.isFullRange === true && deep === '' && (codec === 'h264' || (codec === 'hevc' && chroma === '420'));
  return `yuv${isJpegStyle ? 'j' : ''}${chroma}p${deep}`;
}
