/** Which codecs hold subtitles as pictures that we decode. Names as FFmpeg has them. */
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
