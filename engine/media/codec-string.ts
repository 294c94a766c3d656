/**
 * RFC 6381 codec strings for the CODECS attribute of a playlist: what a track will be called once it lies in fragmented MP4.
 * The file's own string comes from the probe; here is what must change on the way, and what can be said where there is none.
 */
import type { AudioTrack, VideoTrack } from '#protocol/schema/media.ts';
import type { SoundCodec } from './rendition-spec.ts';

/** Video codecs that we put into fragmented MP4 unchanged. The others have no sample entry there that players know. */
const COPYABLE_VIDEO: ReadonlySet<string> = new Set(['h264', 'hevc', 'av1', 'vp9']);
const COPYABLE_AUDIO: ReadonlySet<string> = new Set(['aac', 'mp3', 'ac3', 'eac3', 'opus', 'flac', 'alac']);

/** Audio codecs with one string whatever their parameters (RFC 6381 and the MP4 registration authority). */
const FIXED_AUDIO: Readonly<Record<string, string>> = {
  ac3: 'ac-3',
  eac3: 'ec-3',
  opus: 'opus',
  flac: 'fLaC',
  alac: 'alac',
};

/** Audio object types (ISO/IEC 14496-3, table 1.3) by FFmpeg's profile name. */
const AAC_OBJECT_TYPES: Readonly<Record<string, number>> = {
  Main: 1,
  LC: 2,
  SSR: 3,
  LTP: 4,
  'HE-AAC': 5,
  'HE-AACv2': 29,
};

/** profile_idc and constraint flags by FFmpeg's profile name (H.264, annex A.2). */
const H264_PROFILES: Readonly<Record<string, string>> = {
  Baseline: '4200',
  'Constrained Baseline': '42E0',
  Main: '4D40',
  Extended: '5800',
  High: '6400',
  'High 10': '6E00',
  'High 4:2:2': '7A00',
};

/** Whether a video codec can be put into fragmented MP4 without encoding it anew. */
export function isCopyableVideo(codec: string): boolean {
  return COPYABLE_VIDEO.has(codec);
}

/** Whether an audio codec can be put into fragmented MP4 without encoding it anew. */
export function isCopyableAudio(codec: string): boolean {
  return COPYABLE_AUDIO.has(codec);
}

/**
 * The string of a copied video track; `null` where none can be formed, and CODECS is better left out than wrong. HEVC and H.264 are
 * written with their parameter sets in the sample entry, so `hev1` and `avc3` become `hvc1` and `avc1`.
 */
export function copiedVideoCodecString(track: VideoTrack): string | null {
  // Dolby Vision 5 has no base layer for other decoders, so its sample entry is its own.
  if (track.dolbyVision?.profile === 5) return `dvh1.05.${pad(track.dolbyVision.level)}`;
  const known = track.codecString?.replace(/^hev1\b/, 'hvc1').replace(/^avc3\b/, 'avc1') ?? '';
  if (/^(avc1\.[0-9A-Fa-f]{6}|hvc1\.[\w.]+|dvh1\.[\w.]+|av01\.[\w.]+|vp09\.[\d.]+)$/.test(known)) return known;
  const level = track.level ?? -1;
  switch (track.codec) {
    case 'h264': {
      const profile = H264_PROFILES[track.profile ?? ''];
      return profile && level > 0 && level < 256 ? `avc1.${profile}${hexByte(level)}` : null;
    }
    case 'hevc': {
      if (level <= 0) return null;
      if (track.profile === 'Main') return `hvc1.1.6.L${level}.B0`;
      return track.profile === 'Main 10' ? `hvc1.2.4.L${level}.B0` : null;
    }
    case 'vp9': {
      const profile = /^Profile (\d)$/.exec(track.profile ?? '')?.[1] ?? (track.bitDepth === 10 ? '2' : '0');
      return `vp09.0${profile}.${level > 0 ? level : vp9Level(track)}.${pad(track.bitDepth ?? 8)}`;
    }
    case 'av1': {
      const profile = { Main: 0, High: 1, Professional: 2 }[track.profile ?? 'Main'] ?? 0;
      // seq_level_idx 8 is 4.0, the level of 1080p; 31 would say "no limits".
      return `av01.${profile}.${pad(level >= 0 && level < 32 ? level : 8)}M.${pad(track.bitDepth ?? 8)}`;
    }
    default:
      return null;
  }
}

/**
 * SUPPLEMENTAL-CODECS of a copied track that is Dolby Vision over HDR10 or HLG, `null` for any other: what it is for players that
 * know the enhancement, beside CODECS for those that play the base layer.
 */
export function supplementalCodecs(track: VideoTrack): string | null {
  if (track.codec !== 'hevc' || track.dolbyVision?.profile !== 8) return null;
  const brand = { 1: 'db1p', 4: 'db4h' }[track.dolbyVision.compatibility];
  return brand === undefined ? null : `dvh1.08.${pad(track.dolbyVision.level)}/${brand}`;
}

/** The string of a copied audio track; `null` where none can be formed. */
export function copiedAudioCodecString(track: AudioTrack): string | null {
  // As the sample entry has it, and as devices are asked: an object type of its own, MPEG-1 or the lower rates of MPEG-2 and 2.5.
  if (track.codec === 'mp3') return track.sampleRateHz > 24_000 ? 'mp4a.6B' : 'mp4a.69';
  if (track.codec !== 'aac') return FIXED_AUDIO[track.codec] ?? null;
  if (track.codecString && /^mp4a\.40\.\d{1,2}$/.test(track.codecString)) return track.codecString;
  return `mp4a.40.${AAC_OBJECT_TYPES[track.profile ?? ''] ?? 2}`;
}

/** The string of sound that we encode: AAC-LC, AC-3 or E-AC-3. */
export function encodedAudioCodecString(codec: SoundCodec): string {
  return { aac: 'mp4a.40.2', ac3: 'ac-3', eac3: 'ec-3' }[codec];
}

/** Levels of VP9 by luma samples in a picture and a second (VP9 bitstream specification, annex A): what a track without one needs. */
function vp9Level(track: VideoTrack): number {
  const samples = track.width * track.height;
  const rate = samples * (track.frameRate ? track.frameRate.num / track.frameRate.den : 30);
  const levels: readonly (readonly [level: number, samples: number, rate: number])[] = [
    [10, 36_864, 829_440],
    [20, 122_880, 4_608_000],
    [30, 552_960, 20_736_000],
    [31, 983_040, 36_864_000],
    [40, 2_228_224, 83_558_400],
    [41, 2_228_224, 160_432_128],
    [50, 8_912_896, 311_951_360],
    [51, 8_912_896, 588_251_136],
    [52, 8_912_896, 1_176_502_272],
  ];
  return levels.find(([, maxSamples, maxRate]) => samples <= maxSamples && rate <= maxRate)?.[0] ?? 62;
}

const hexByte = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
const pad = (value: number): string => String(value).padStart(2, '0');
