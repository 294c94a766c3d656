/** One audio stream as `AudioTrack`. */
import {
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_ALAC,
  AV_CODEC_ID_FLAC,
  AV_CODEC_ID_NONE,
  AV_CODEC_ID_OPUS,
  AV_CODEC_ID_VORBIS,
} from 'node-av/constants';
import type { AVProfile } from 'node-av/constants';
import type { Stream } from 'node-av/lib';
import type { AudioTrack } from '#protocol/schema/media.ts';
import { layoutName, soundOfHeader } from './first-packets.ts';
import type { SoundFormat } from './first-packets.ts';
import { parsePlainAacLc } from './headers/aac.ts';
import { codecStringOf, profileNameOf, trackBase } from './track-base.ts';
import type { TrackTags } from './track-base.ts';

/** FFmpeg's AV_PROFILE_AAC_LOW. */
const AAC_LC = 1;
const MAX_CHANNELS = 64;

/** Whether one packet must be decoded to know layout and profile; otherwise headers tell. */
export function wantsDecodedSound(stream: Stream): boolean {
  const { codecId, extradata } = stream.codecpar;
  if (codecId === AV_CODEC_ID_AAC) return extradata === null || parsePlainAacLc(extradata) === null;
  return ![AV_CODEC_ID_NONE, AV_CODEC_ID_OPUS, AV_CODEC_ID_VORBIS, AV_CODEC_ID_FLAC, AV_CODEC_ID_ALAC].includes(
    codecId,
  );
}

/** `decoded`: what the first packet showed, `null` where none was wanted or none could be decoded. */
export function describeAudio(stream: Stream, tags: TrackTags, decoded: SoundFormat | null): AudioTrack {
  const par = stream.codecpar;
  const base = trackBase(stream, tags);
  const sound = decoded ?? soundOfStream(stream);
  // FFmpeg's codec string for HE-AAC depends on the profile that only the decoder sees.
  if (sound.profile >= 0) par.profile = sound.profile;
  const bits = sound.bitDepth > 0 ? sound.bitDepth : base.codec.startsWith('pcm_') ? par.bitsPerCodedSample : 0;
  return {
    ...base,
    profile: profileNameOf(par.codecId, sound.profile),
    codecString: codecStringOf(stream, null),
    channels: Math.min(Math.max(sound.channels, 0), MAX_CHANNELS),
    channelLayout: sound.channels > 0 ? sound.channelLayout : null,
    sampleRateHz: Math.max(sound.sampleRateHz, 0),
    bitDepth: bits > 0 ? bits : null,
    bitrateBps: base.bitrateBps ?? (sound.bitrateBps > 0 ? sound.bitrateBps : null),
  };
}

function soundOfStream(stream: Stream): SoundFormat {
  const par = stream.codecpar;
  const stated: SoundFormat = {
    profile: par.profile,
    channels: par.channelLayout.nbChannels,
    channelLayout: layoutName(par.channelLayout),
    sampleRateHz: par.sampleRate,
    sampleFormat: par.format as SoundFormat['sampleFormat'],
    bitDepth: par.bitsPerRawSample,
    bitrateBps: Number(par.bitRate),
  };
  const { codecId, extradata } = par;
  if (codecId === AV_CODEC_ID_AAC && extradata !== null) {
    const config = parsePlainAacLc(extradata);
    if (config !== null) return { ...stated, ...config, profile: AAC_LC as AVProfile };
  }
  const isLossless = codecId === AV_CODEC_ID_FLAC || codecId === AV_CODEC_ID_ALAC;
  // A layout is known for one and two channels; the bit depth of lossless sound only to its decoder.
  if (codecId === AV_CODEC_ID_NONE || (stated.channelLayout !== null && !isLossless)) return stated;
  const known = soundOfHeader(stream);
  return known === null ? stated : { ...known, profile: known.profile >= 0 ? known.profile : stated.profile };
}
