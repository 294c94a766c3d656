/**
 * Small media files for tests, made with the ffmpeg program when they are first wanted and kept under `test/.media`.
 *
 * A clip's file name holds a digest of what it is made from, so a changed recipe makes a new file and nothing goes stale.
 * Made once even when test processes race for it: each writes a file of its own, and the last rename wins.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const FOLDER = join(import.meta.dirname, '..', '.media');
const run = promisify(execFile);
const inTheMaking = new Map<string, Promise<string>>();

export interface ClipRecipe {
  /** File name with the extension that decides the container: `two-audio.mkv`. */
  readonly name: string;
  /** Arguments of ffmpeg between its own first options and the output file. Paths of other clips may be among them. */
  readonly args: readonly string[];
}

/** Absolute path of the clip. */
export function clip({ name, args }: ClipRecipe): Promise<string> {
  return made(name, args, (file) => ffmpeg([...args, file]));
}

/** A text file to be an input of a clip: subtitles, chapters, a concat list. */
export function textFile(name: string, text: string): Promise<string> {
  return made(name, [text], (file) => writeFile(file, text));
}

/** A clip that is another one changed byte by byte. `recipe` names the change, for the cache. */
export function changedClip(name: string, recipe: string, make: () => Promise<Uint8Array>): Promise<string> {
  return made(name, [recipe], async (file) => writeFile(file, await make()));
}

/** What ffprobe prints as JSON for these arguments. */
export async function ffprobe(args: readonly string[]): Promise<unknown> {
  const { stdout } = await program('ffprobe', ['-v', 'error', '-print_format', 'json', ...args]);
  return JSON.parse(stdout);
}

async function made(
  name: string,
  recipe: readonly string[],
  make: (file: string) => Promise<unknown>,
): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 10);
  const file = join(FOLDER, `${digest}-${name}`);
  if (existsSync(file)) return file;
  const other = inTheMaking.get(file);
  if (other !== undefined) return other;
  const making = (async () => {
    await mkdir(FOLDER, { recursive: true });
    const draft = join(FOLDER, `${digest}-${process.pid}-draft-${name}`);
    try {
      await make(draft);
      await rename(draft, file);
    } finally {
      await rm(draft, { force: true });
      inTheMaking.delete(file);
    }
    return file;
  })();
  inTheMaking.set(file, making);
  return making;
}

function ffmpeg(args: readonly string[]): Promise<unknown> {
  return program('ffmpeg', ['-hide_banner', '-nostdin', '-v', 'error', '-y', ...args]);
}

async function program(name: string, args: readonly string[]): Promise<{ stdout: string }> {
  try {
    return await run(name, [...args], { maxBuffer: 64 << 20 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(`These tests need ${name}. Install it: apt-get install -y ffmpeg`, { cause: error });
    }
    throw error;
  }
}

/** Moving pictures: `seconds` of a test pattern, 320x180 at 24 a second unless told. */
export function picture(seconds: number, size = '320x180', rate = '24'): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`];
}

/** A tone, mono at 44.1 kHz. */
export function tone(seconds: number, hertz = 440): string[] {
  return ['-f', 'lavfi', '-i', `sine=frequency=${hertz}:duration=${seconds}:sample_rate=44100`];
}

/** H.264, fast, with B pictures and a keyframe every second unless told. */
export function h264(keyframeEvery = 24, params = ''): string[] {
  const x264 = `keyint=${keyframeEvery}:min-keyint=${keyframeEvery}:scenecut=0:bframes=2${params === '' ? '' : `:${params}`}`;
  return ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x264-params', x264];
}

const AAC = ['-c:a', 'aac', '-b:a', '64k'];

/** Clips that many tests can use. All are a few hundred kilobytes at most and made in well under a second each. */
export const clips = {
  /** 8 s, H.264 Main + AAC, a keyframe each second. */
  h264Mp4: () =>
    clip({ name: 'h264.mp4', args: [...picture(8), ...tone(8), ...h264(), ...AAC, '-movflags', '+faststart'] }),
  h264Mkv: () => clip({ name: 'h264.mkv', args: [...picture(8), ...tone(8), ...h264(), ...AAC] }),
  h264Ts: () => clip({ name: 'h264.ts', args: [...picture(8), ...tone(8), ...h264(), ...AAC] }),
  /** 4 s, HEVC Main + AC-3 5.1. */
  hevcMkv: () =>
    clip({
      name: 'hevc.mkv',
      args: [...picture(4), ...tone(4), ...HEVC, '-c:a', 'ac3', '-ac', '6', '-b:a', '192k'],
    }),
  /** 3 s, HEVC Main 10, PQ, with mastering metadata in the bitstream only. */
  hdr10Mkv: () => clip({ name: 'hdr10.mkv', args: [...picture(3), ...hdrHevc('smpte2084')] }),
  hlgMp4: () => clip({ name: 'hlg.mp4', args: [...picture(3), ...hdrHevc('arib-std-b67'), '-tag:v', 'hvc1'] }),
  /** 4 s, VP9 + Opus. */
  vp9Webm: () =>
    clip({
      name: 'vp9.webm',
      args: [
        ...picture(4),
        ...tone(4),
        '-c:v',
        'libvpx-vp9',
        '-deadline',
        'realtime',
        '-cpu-used',
        '8',
        '-g',
        '24',
        '-c:a',
        'libopus',
        '-ac',
        '2',
      ],
    }),
  /** 4 s, MPEG-4 + MP3. */
  xvidAvi: () =>
    clip({
      name: 'xvid.avi',
      args: [...picture(4), ...tone(4), '-c:v', 'mpeg4', '-vtag', 'XVID', '-g', '24', '-c:a', 'libmp3lame'],
    }),
  /** Three languages: English 5.1 (default), French stereo, German commentary. */
  manyAudioMkv: () =>
    clip({
      name: 'many-audio.mkv',
      args: [
        ...[...picture(4), ...tone(4, 300), ...tone(4, 500), ...tone(4, 700)],
        ...['-map', '0:v', '-map', '1:a', '-map', '2:a', '-map', '3:a', ...h264()],
        ...['-c:a:0', 'ac3', '-ac:a:0', '6', '-c:a:1', 'aac', '-ac:a:1', '2', '-c:a:2', 'libopus', '-ac:a:2', '2'],
        ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fre', '-metadata:s:a:2', 'language=ger'],
        ...['-metadata:s:a:2', 'title=Kommentar', '-disposition:a:0', 'default', '-disposition:a:2', 'comment'],
      ],
    }),
  /** SubRip (English, forced), ASS (French), both text, in Matroska. */
  subtitlesMkv: async () => {
    const text = await textFile(
      'two-lines.srt',
      '1\n00:00:00,500 --> 00:00:01,500\nHello <b>there</b>\n\n2\n00:00:02,000 --> 00:00:03,000\nSecond & last\n',
    );
    return clip({
      name: 'subtitles.mkv',
      args: [
        ...[...picture(4), ...tone(4), '-i', text, '-i', text, '-map', '0', '-map', '1', '-map', '2', '-map', '3'],
        ...[...h264(), ...AAC, '-c:s:0', 'srt', '-c:s:1', 'ass', '-disposition:s:0', 'forced'],
        ...['-metadata:s:s:0', 'language=eng', '-metadata:s:s:1', 'language=fre', '-metadata:s:s:1', 'title=Français'],
      ],
    });
  },
  /** Three chapters with titles, once as Matroska chapters, once as an MP4 text track. */
  chaptersMkv: () => chapters('chapters.mkv'),
  chaptersMp4: () => chapters('chapters.mp4'),
  /** Keyframes after 2, 2.5, 5.5 and 6 s. */
  irregularMp4: () =>
    clip({ name: 'irregular.mp4', args: [...picture(8), ...h264(250), '-force_key_frames', '2,2.5,5.5,6'] }),
  openGopMkv: () => clip({ name: 'open-gop.mkv', args: [...picture(8), ...h264(24, 'open-gop=1')] }),
  openGopMp4: () => clip({ name: 'open-gop.mp4', args: [...picture(8), ...h264(24, 'open-gop=1')] }),
  /** Cut without encoding, so an edit list begins in the middle of a group of pictures. */
  editListMp4: async () =>
    clip({ name: 'edit-list.mp4', args: ['-ss', '1.5', '-i', await clips.h264Mp4(), '-t', '5', '-c', 'copy'] }),
  startAt10HoursTs: () =>
    clip({ name: 'ten-hours.ts', args: [...picture(4), ...tone(4), ...h264(), ...AAC, '-output_ts_offset', '36000'] }),
  startAt1HourMkv: () =>
    clip({ name: 'one-hour.mkv', args: [...picture(4), ...tone(4), ...h264(), ...AAC, '-output_ts_offset', '3600'] }),
  audioLongerMp4: () => clip({ name: 'audio-longer.mp4', args: [...picture(3), ...tone(6), ...h264(), ...AAC] }),
  /** One fragment per keyframe, no index. */
  fragmentedMp4: () =>
    clip({
      name: 'fragmented.mp4',
      args: [...picture(6), ...tone(6), ...h264(), ...AAC, '-movflags', '+frag_keyframe+empty_moov+default_base_moof'],
    }),
  /** Fragments with one index over all of them. */
  indexedFragmentsMp4: () =>
    clip({
      name: 'indexed-fragments.mp4',
      args: [...picture(6), ...h264(), '-movflags', '+dash+global_sidx+frag_keyframe'],
    }),
  /** Fields, top first. */
  interlacedTs: () =>
    clip({ name: 'interlaced.ts', args: [...INTERLACED, '-c:v', 'mpeg2video', '-flags', '+ildct+ilme'] }),
  interlacedMkv: () => clip({ name: 'interlaced.mkv', args: [...INTERLACED, ...h264(24, 'tff=1')] }),
  /** A player must turn it by 270 degrees clockwise. */
  rotatedMp4: async () =>
    clip({ name: 'rotated.mp4', args: ['-i', await clips.h264Mp4(), '-c', 'copy', '-metadata:s:v', 'rotate=90'] }),
  anamorphicMkv: () =>
    clip({ name: 'anamorphic.mkv', args: [...picture(3, '720x576', '25'), '-vf', 'setsar=64/45', ...h264(25)] }),
  /** Pictures at 30, then at 12 a second. */
  vfrMkv: () => variableRate('vfr.mkv'),
  vfrMp4: () => variableRate('vfr.mp4'),
  /** A cover picture and a font as attachments. */
  attachmentsMkv: async () => {
    const cover = await clip({ name: 'cover.jpg', args: [...picture(1, '120x180'), '-frames:v', '1'] });
    const font = await textFile('title.ttf', 'not a real font, which nobody looks into');
    return clip({
      name: 'attachments.mkv',
      args: [
        ...[
          ...picture(2),
          ...h264(),
          '-attach',
          cover,
          '-metadata:s:t:0',
          'mimetype=image/jpeg',
          '-metadata:s:t:0',
          'filename=cover.jpg',
        ],
        ...[
          '-attach',
          font,
          '-metadata:s:t:1',
          'mimetype=application/x-truetype-font',
          '-metadata:s:t:1',
          'filename=title.ttf',
        ],
      ],
    });
  },
  /** Black for 4 s, then a test pattern for 4. */
  blackFirstMkv: () =>
    clip({
      name: 'black-first.mkv',
      args: [
        ...['-f', 'lavfi', '-i', 'color=black:size=320x180:rate=24:duration=4', ...picture(4)],
        ...['-filter_complex', '[0][1]concat=n=2:v=1', ...h264()],
      ],
    }),
} as const;

const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=24:min-keyint=24'];
const INTERLACED = [...picture(3, '720x576', '50'), '-vf', 'interlace=scan=tff', '-r', '25'];

function hdrHevc(transfer: string): string[] {
  const mastering =
    'master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400';
  const params = `log-level=none:keyint=24:colorprim=bt2020:transfer=${transfer}:colormatrix=bt2020nc`;
  const hdr10 = transfer === 'smpte2084' ? `:hdr10=1:${mastering}` : '';
  return ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-x265-params', `${params}${hdr10}`];
}

async function chapters(name: string): Promise<string> {
  const marks = [
    [0, 1500, 'Opening'],
    [1500, 2500, 'Die Mitte – ä ö ü'],
    [2500, 4000, 'End'],
  ].map(([start, end, title]) => `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=${title}\n`);
  const list = await textFile('chapters.txt', `;FFMETADATA1\n${marks.join('')}`);
  return clip({ name, args: [...picture(4), '-i', list, '-map', '0', '-map_metadata', '1', ...h264()] });
}

function variableRate(name: string): Promise<string> {
  return clip({
    name,
    args: [
      ...[...picture(3, '320x180', '30'), ...picture(3, '320x180', '12')],
      ...['-filter_complex', '[0][1]concat=n=2:v=1', '-vsync', 'vfr', ...h264()],
    ],
  });
}
