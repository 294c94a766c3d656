import { AVCOL_SPC_BT709, AVCOL_SPC_RGB, AVCOL_SPC_SMPTE170M, AVCOL_SPC_UNSPECIFIED } from 'node-av/constants';
import type { Frame } from 'node-av/lib';
import type { PictureSize } from '#engine/media/picture-size.ts';
import type { VideoOutput } from '#engine/media/rendition-spec.ts';
import { toneMapFilters } from './tone-map.ts';
import { VIDEO_TICKS_PER_SECOND } from './video-encoder.ts';

/** A picture no larger than this is standard definition: without a word about its matrix, BT.601 is meant (as players guess). */
const MAX_SD_HEIGHT_PX = 576;
const MAX_SD_WIDTH_PX = 1024;

const TURNS = { 0: [], 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] } as const;

export interface PicturePlan {
  readonly size: PictureSize;
  /** As it is in the file, in points of whatever shape, turned upright. */
  readonly stored: PictureSize;
  readonly rotation: 0 | 90 | 180 | 270;
  readonly output: VideoOutput;
  /** Where what a filter reads from a file may be put. */
  readonly folder: string;
}

/** Arguments of FFmpeg's `buffer` for pictures like this one. Frames that give the same text can share a filter. */
export function pictureInput(frame: Frame): string {
  return (
    `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/${VIDEO_TICKS_PER_SECOND}:` +
    `pixel_aspect=1/1:colorspace=${frame.colorSpace}:range=${frame.colorRange}`
  );
}

/** Says which matrix a picture's colours were made with, where the file leaves it open. A player would guess from the size it sees, which is not this one. */
export function nameColors(frame: Frame): void {
  if (frame.colorSpace !== AVCOL_SPC_UNSPECIFIED) return;
  const isSd = frame.height <= MAX_SD_HEIGHT_PX && frame.width <= MAX_SD_WIDTH_PX;
  frame.colorSpace = isSd ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_BT709;
}

/**
 * FFmpeg's filters from a decoded picture to one that the encoder takes: progressive, upright, of the wanted size with square
 * pixels, 8 bit 4:2:0, limited range. Scaled before it is tone-mapped or turned: those work on fewer pixels then.
 */
export function pictureChain(frame: Frame, { size, rotation, output, folder }: PicturePlan): string {
  const isTurned = rotation % 180 !== 0;
  const width = isTurned ? size.heightPx : size.widthPx;
  const height = isTurned ? size.widthPx : size.heightPx;
  const isRgb = frame.colorSpace === AVCOL_SPC_RGB;
  const scale = `scale=${width}:${height}:flags=bicubic:out_range=tv${isRgb ? ':out_color_matrix=bt709' : ''}`;
  return [
    ...(output.deinterlace ? ['bwdif=mode=send_frame:parity=auto:deint=interlaced'] : []),
    ...(output.toneMap ? toneMapFilters(frame, width, height, folder) : [scale, 'format=yuv420p']),
    ...TURNS[rotation],
    'setsar=1',
  ].join(',');
}
