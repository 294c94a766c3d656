/** Movies that players and servers stumble over, besides those that all tests share. */
import { clip, clips, h264, picture, textFile, tone } from '#test/support/media.ts';

const AAC = ['-c:a', 'aac', '-b:a', '64k'];

/** What somebody may call a track to break a playlist that repeats it. */
export const HOSTILE_NAME = 'a "quoted"\r\n#EXT-X-ENDLIST\r\nname,URI="http://evil.example/"';

export const oddMovies = {
  /** VP9 with both sides odd. */
  oddSizeWebm: () =>
    clip({
      name: 'odd-size.webm',
      args: [
        ...[...picture(4, '317x179'), ...tone(4), '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
        ...['-g', '24', '-c:a', 'libopus', '-ac', '2'],
      ],
    }),
  av1Mkv: () =>
    clip({
      name: 'av1.mkv',
      args: [
        ...[...picture(4), ...tone(4), '-c:v', 'libsvtav1', '-preset', '12', '-g', '24', '-pix_fmt', 'yuv420p'],
        ...['-svtav1-params', 'scd=0', '-c:a', 'libopus', '-ac', '2'],
      ],
    }),
  /** Two tracks whose names hold everything that ends a line, a string or an attribute list; two with one name. */
  hostileNamesMkv: async () => {
    const text = await textFile('one-line.srt', '1\n00:00:00,500 --> 00:00:01,500\nHello\n');
    return clip({
      name: 'hostile-names.mkv',
      args: [
        ...[...picture(4), ...tone(4, 300), ...tone(4, 500), ...tone(4, 700), '-i', text, '-i', text],
        ...[
          '-map',
          '0:v',
          '-map',
          '1:a',
          '-map',
          '2:a',
          '-map',
          '3:a',
          '-map',
          '4:s',
          '-map',
          '5:s',
          ...h264(),
          ...AAC,
        ],
        ...['-c:s', 'srt', '-metadata:s:a:0', `title=${HOSTILE_NAME}`, '-metadata:s:a:1', 'title=Twice'],
        ...[
          '-metadata:s:a:2',
          'title=Twice',
          '-metadata:s:a:2',
          'language=x"y',
          '-metadata:s:s:0',
          `title=${HOSTILE_NAME}`,
        ],
        ...['-metadata:s:s:1', 'language=pob', '-metadata:s:s:1', 'title=Legendas (SDH)'],
        ...['-disposition:s:0', 'forced', '-disposition:s:1', 'hearing_impaired'],
      ],
    });
  },
  /** 60 s: a still picture, ten seconds of noise, a still picture. Its peak is many times its average. */
  unevenMkv: () => uneven('uneven.mkv'),
  unevenMp4: () => uneven('uneven.mp4'),
  /** 60 s, keyframes at uneven places up to seven seconds apart. */
  longMkv: () =>
    clip({
      name: 'long.mkv',
      args: [
        ...[...picture(60), ...tone(60, 300), ...tone(60, 500), '-map', '0:v', '-map', '1:a', '-map', '2:a'],
        ...h264(250),
        ...['-force_key_frames', 'expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+1+mod(n_forced*3,7)))', ...AAC],
        ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu'],
      ],
    }),
  /** Tall enough for a ladder of several rungs. */
  tallMkv: () =>
    clip({ name: 'tall.mkv', args: [...picture(12, '854x480'), ...tone(12), ...h264(48), '-b:v', '4M', ...AAC] }),
  noSoundMp4: () => clip({ name: 'no-sound.mp4', args: [...picture(4), ...h264()] }),
  xvidAvi: clips.xvidAvi,
  h264Mp4: clips.h264Mp4,
  h264Mkv: clips.h264Mkv,
  h264Ts: clips.h264Ts,
  hevcMkv: clips.hevcMkv,
  hdr10Mkv: clips.hdr10Mkv,
  hlgMp4: clips.hlgMp4,
  vp9Webm: clips.vp9Webm,
  manyAudioMkv: clips.manyAudioMkv,
  subtitlesMkv: clips.subtitlesMkv,
  irregularMp4: clips.irregularMp4,
  openGopMkv: clips.openGopMkv,
  editListMp4: clips.editListMp4,
  startAt10HoursTs: clips.startAt10HoursTs,
  startAt1HourMkv: clips.startAt1HourMkv,
  audioLongerMp4: clips.audioLongerMp4,
  fragmentedMp4: clips.fragmentedMp4,
  interlacedMkv: clips.interlacedMkv,
  rotatedMp4: clips.rotatedMp4,
  anamorphicMkv: clips.anamorphicMkv,
  vfrMkv: clips.vfrMkv,
  vfrMp4: clips.vfrMp4,
} as const;

function uneven(name: string): Promise<string> {
  return clip({
    name,
    args: [
      ...['-f', 'lavfi', '-i', 'color=gray:size=320x180:rate=24:duration=25'],
      ...['-f', 'lavfi', '-i', 'color=gray:size=320x180:rate=24:duration=10,noise=alls=60:allf=t'],
      ...['-f', 'lavfi', '-i', 'color=gray:size=320x180:rate=24:duration=25', ...tone(60)],
      ...['-filter_complex', '[0][1][2]concat=n=3:v=1[v]', '-map', '[v]', '-map', '3:a', ...h264(48), ...AAC],
    ],
  });
}
