import type { Container, MediaInfo } from '#protocol/schema/media.ts';

/** Content types by container: those that browsers go by, which for MP4 covers QuickTime too. */
const VIDEO_TYPES: Readonly<Record<Container, string>> = {
  matroska: 'video/x-matroska',
  webm: 'video/webm',
  mp4: 'video/mp4',
  mpegts: 'video/mp2t',
  mpegps: 'video/mpeg',
  avi: 'video/x-msvideo',
  asf: 'video/x-ms-wmv',
  flv: 'video/x-flv',
  ogg: 'video/ogg',
  audio: 'audio/mpeg',
};
/** Formats that hold one sound track and nothing else, by FFmpeg's demuxer. */
const SOUND_TYPES: Readonly<Record<string, string>> = {
  flac: 'audio/flac',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  aac: 'audio/aac',
  ac3: 'audio/ac3',
  eac3: 'audio/eac3',
};

/** The content type under which a movie file is sent. */
export function fileMimeType({ container, demuxer, video }: MediaInfo): string {
  if (container === 'audio') return SOUND_TYPES[demuxer] ?? VIDEO_TYPES.audio;
  const type = VIDEO_TYPES[container];
  return video.length > 0 ? type : type.replace('video/', 'audio/');
}
