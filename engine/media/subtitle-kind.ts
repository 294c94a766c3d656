/** Which codecs hold subtitles that we decode. Names as FFmpeg has them. */
import { isConvertibleSubtitle } from './web-vtt.ts';

/** Pages of letters, broadcast. */
export const TELETEXT_CODEC = 'dvb_teletext';

/** Whether tracks of this codec become text. */
export function isTextSubtitle(codec: string): boolean {
  return codec === TELETEXT_CODEC || isConvertibleSubtitle(codec);
}

/** ASS and its older sister, which bring styles of their own. */
export function isStyledSubtitle(codec: string): boolean {
  return codec === 'ass' || codec === 'ssa';
}

export type PictureSubtitleKind = 'pgs' | 'vobsub' | 'dvb';

const PICTURES: Readonly<Record<string, PictureSubtitleKind>> = {
  hdmv_pgs_subtitle: 'pgs',
  dvd_subtitle: 'vobsub',
  dvb_subtitle: 'dvb',
};

/** `null` for text, and for what nobody here decodes. */
export function pictureSubtitleKind(codec: string): PictureSubtitleKind | null {
  return Object.hasOwn(PICTURES, codec) ? PICTURES[codec]! : null;
}
