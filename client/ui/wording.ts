/** Numbers, times and codec names as people read them. Pure: text in, text out. */
import type { AudioTrack, HdrKind } from '#protocol/schema/media.ts';
import type { PlayMethod } from '#protocol/schema/playback.ts';

/** The reader's own English, or plain English: days and numbers fit the words around them. */
const LOCALE = /^en(-|$)/i.test(navigator.language) ? navigator.language : 'en';

/** `1:02:03`, or `2:03` below an hour. What a clock beside a seek bar shows. */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  const hours = Math.floor(seconds / 3_600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':').replace(/^0(?=\d:)/, '');
}

/** `2 h 10 min`, `48 min`, `20 s`: how long a movie is. */
export function movieLength(ms: number): string {
  if (ms < 60_000) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  const minutes = Math.round(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} min`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** For ears and sentences: `1 hour 2 minutes`, `40 seconds`. */
export function spokenDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const units: readonly (readonly [amount: number, unit: string])[] = [
    [Math.floor(seconds / 3_600), 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    // Seconds stop mattering after ten minutes.
    [seconds >= 600 ? 0 : seconds % 60, 'second'],
  ];
  const words = units
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}${amount === 1 ? '' : 's'}`);
  return words.length === 0 ? 'a moment' : words.join(' ');
}

export function count(value: number): string {
  return value.toLocaleString(LOCALE);
}

/** `1 movie`, `1,204 movies`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `4.2 GB`: powers of ten, as disks are sold. */
export function fileSize(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? 'TB'}`;
}

/** `12.4 Mbit/s` */
export function bitrate(bps: number): string {
  return bps >= 999_500 ? `${(bps / 1_000_000).toFixed(1)} Mbit/s` : `${Math.max(1, Math.round(bps / 1_000))} kbit/s`;
}

/** `4K`, `1080p`; `null` where unknown. */
export function resolutionName(shortSide: number | null): string | null {
  if (shortSide === null) return null;
  if (shortSide >= 4_320) return '8K';
  return shortSide >= 2_160 ? '4K' : `${shortSide}p`;
}

const HDR_NAMES: Readonly<Record<HdrKind, string>> = {
  hdr10: 'HDR10',
  hdr10plus: 'HDR10+',
  hlg: 'HLG',
  dolbyVision: 'Dolby Vision',
};

export function hdrName(kind: HdrKind): string {
  return HDR_NAMES[kind];
}

const CODEC_NAMES: Readonly<Record<string, string>> = {
  h264: 'H.264',
  hevc: 'HEVC',
  av1: 'AV1',
  vp8: 'VP8',
  vp9: 'VP9',
  mpeg4: 'MPEG-4',
  mpeg2video: 'MPEG-2',
  mpeg1video: 'MPEG-1',
  vc1: 'VC-1',
  msmpeg4v3: 'DivX 3',
  aac: 'AAC',
  ac3: 'Dolby Digital',
  eac3: 'Dolby Digital Plus',
  truehd: 'Dolby TrueHD',
  dts: 'DTS',
  mp3: 'MP3',
  mp2: 'MP2',
  opus: 'Opus',
  vorbis: 'Vorbis',
  flac: 'FLAC',
  alac: 'Apple Lossless',
  subrip: 'SRT',
  webvtt: 'WebVTT',
  ass: 'ASS',
  ssa: 'SSA',
  mov_text: 'Timed text',
  hdmv_pgs_subtitle: 'PGS pictures',
  dvd_subtitle: 'VobSub pictures',
  dvb_subtitle: 'DVB pictures',
};

export function codecName(codec: string): string {
  return CODEC_NAMES[codec] ?? (codec.startsWith('pcm_') ? 'PCM' : codec);
}

const CONTAINER_NAMES: Readonly<Record<string, string>> = {
  matroska: 'Matroska',
  webm: 'WebM',
  mp4: 'MP4',
  mpegts: 'MPEG-TS',
  mpegps: 'MPEG-PS',
  avi: 'AVI',
  asf: 'WMV',
  flv: 'Flash video',
  ogg: 'Ogg',
  audio: 'Audio file',
};

export function containerName(container: string): string {
  return CONTAINER_NAMES[container] ?? container;
}

/** `Stereo`, `5.1`. */
export function channelsName(channels: number): string {
  const names: Readonly<Record<number, string>> = { 1: 'Mono', 2: 'Stereo', 6: '5.1', 7: '6.1', 8: '7.1' };
  return names[channels] ?? counted(channels, 'channel');
}

let languageNames: Intl.DisplayNames | undefined;

/** The language's English name; the tag itself where there is none, `null` for no tag. */
export function languageName(tag: string | null): string | null {
  if (tag === null || tag === '' || tag === 'und') return null;
  try {
    languageNames ??= new Intl.DisplayNames(LOCALE, { type: 'language' });
    return languageNames.of(tag) ?? tag;
  } catch {
    // A tag from a file need not be one that the standard knows.
    return tag;
  }
}

/**
 * What the server calls a track, with the language as this page calls it everywhere: `Deutsch · SDH` is `German · SDH`. Players of
 * playlists show the server's name, which begins with the language in its own words wherever it knows the tag.
 */
export function trackLabel({ label, language }: { readonly label: string; readonly language: string | null }): string {
  const name = languageName(language);
  if (name === null || name === language) return label;
  // Two of one name are told apart by a number behind it.
  const [, number = '', rest = ''] = /^.*?( \(\d+\))?( · .*)?$/u.exec(label) ?? [];
  return `${name}${number}${rest}`;
}

/** `English · Dolby Digital 5.1 · Commentary` */
export function audioTrackName(track: AudioTrack): string {
  const notes = [track.disposition.commentary && 'Commentary', track.disposition.visualImpaired && 'Audio description'];
  return [
    languageName(track.language) ?? 'Unknown language',
    `${codecName(track.codec)} ${channelsName(track.channels)}`,
    ...notes.filter((note) => note !== false),
    ...(track.title === null ? [] : [track.title]),
  ].join(' · ');
}

/** `3 minutes ago`, `yesterday`; `now` and `then` by the same clock. */
export function timeAgo(then: number, now: number): string {
  const seconds = Math.round((then - now) / 1_000);
  const steps: readonly (readonly [limit: number, unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
    [60, 'second', 1],
    [3_600, 'minute', 60],
    [86_400, 'hour', 3_600],
    [86_400 * 30, 'day', 86_400],
    [86_400 * 365, 'month', 86_400 * 30],
    [Infinity, 'year', 86_400 * 365],
  ];
  if (Math.abs(seconds) < 45) return 'just now';
  const [, unit, size] = steps.find(([limit]) => Math.abs(seconds) < limit)!;
  return new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' }).format(Math.round(seconds / size), unit);
}

/** `Nov 23, 2026`, or `23 Nov 2026` where English is written so. */
export function dayOf(timestamp: number): string {
  return new Date(timestamp).toLocaleDateString(LOCALE, { year: 'numeric', month: 'short', day: 'numeric' });
}

/** `22:41`, in the person's own habit of twelve or twenty-four hours. */
export function timeOfDay(timestamp: number): string {
  return new Date(timestamp).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
}

const METHOD_NAMES: Readonly<Record<PlayMethod, string>> = {
  directPlay: 'Direct play',
  remux: 'Repackaged',
  transcode: 'Converted',
};

export function methodName(method: PlayMethod): string {
  return METHOD_NAMES[method];
}

export const METHOD_SENTENCES: Readonly<Record<PlayMethod, string>> = {
  directPlay: 'The file arrives exactly as it lies on the server.',
  remux: 'The picture arrives untouched, in a wrapping that this device opens.',
  transcode: 'The server converts the movie while you watch.',
};
