/**
 * How decoded sound becomes what is encoded: two channels or six, at 48 kHz.
 *
 * Two channels of more (ITU-R BS.775-4, annex 4): left and right as they are, the centre at −3 dB in both, each surround
 * channel at −3 dB in the one on its side, low frequency effects left out, as the recommendation has it: they double what the main
 * channels hold. Nothing is turned down for that, so speech stays as loud as it was mixed; what exceeds full scale, which is rare, meets
 * a limiter. FFmpeg's own default turns everything down by as much as the sum could exceed (8 dB), and speech with it.
 *
 * At night: the centre at full level, where films have their speech, surround at −6 dB, and the range from soft to loud pressed together
 * (above −34 dB by 3:1, made good by 9 dB), so that speech is heard and explosions wake nobody.
 */
export interface SoundForm {
  readonly channels: 2 | 6;
  readonly isNight: boolean;
}

export const SOUND_RATE_HZ = 48_000;
const LIMIT = 'alimiter=limit=0.97:attack=5:release=50:level=0:latency=1';
const COMPRESS = 'acompressor=threshold=0.02:ratio=3:attack=15:release=250:knee=4:makeup=2.8:detection=rms';

/** FFmpeg's name of a layout. Six channels as AAC and AC-3 order them. */
export function layoutName(channels: 2 | 6): string {
  return channels === 2 ? 'stereo' : '5.1';
}

/** FFmpeg's filters from sound of `fromChannels` to the form. In float throughout, so that sums may exceed full scale on the way. */
export function soundChain(fromChannels: number, { channels, isNight }: SoundForm): string {
  const resample = `aresample=${SOUND_RATE_HZ}:out_sample_fmt=fltp`;
  const isMixed = fromChannels > channels;
  const levels = isNight
    ? 'center_mix_level=1:surround_mix_level=0.5'
    : 'center_mix_level=0.7071:surround_mix_level=0.7071';
  const mix =
    fromChannels === 1
      ? // FFmpeg would take one channel for a centre and turn it down.
        [resample, channels === 2 ? 'pan=stereo|c0=c0|c1=c0' : 'pan=5.1|c2=c0']
      : [`${resample}:out_chlayout=${layoutName(channels)}:${levels}:lfe_mix_level=0`];
  return [
    ...mix,
    ...(isNight ? [COMPRESS] : []),
    ...(isMixed || isNight ? [LIMIT] : []),
    // The limiter works in doubles.
    `aformat=sample_fmts=fltp:channel_layouts=${layoutName(channels)}`,
  ].join(',');
}
