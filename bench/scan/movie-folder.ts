/**
 * A folder of 486 small movies as people have them: many containers and codecs, several sound tracks and subtitles with
 * languages, chapters, covers, fonts, HDR colours, names in all styles. A few templates are encoded, everything else is
 * repackaging, so that it is made in a few minutes; it is kept under `bench/.media` and is the same on every machine.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Raise it when what is made changes. */
const VERSION = 1;
export const MOVIE_COUNT = 486;
const SECONDS = 4;
const AT_ONCE = 2;

/** Encoded once: name → arguments after the source. */
const VIDEO: Readonly<Record<string, readonly string[]>> = {
  'h264-1080': [
    '-vf',
    'scale=1920:1080',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '30',
    '-g',
    '48',
    '-pix_fmt',
    'yuv420p',
  ],
  'h264-scope': [
    '-vf',
    'scale=1920:816',
    '-r',
    '24000/1001',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '30',
    '-bf',
    '3',
    '-pix_fmt',
    'yuv420p',
  ],
  'h264-720': ['-vf', 'scale=1280:720', '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '30', '-pix_fmt', 'yuv420p'],
  'h264-10bit': [
    '-vf',
    'scale=1280:720',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '30',
    '-pix_fmt',
    'yuv420p10le',
  ],
  'h264-interlaced': [
    '-vf',
    'fps=50,scale=720:576,setsar=64/45,interlace',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-crf',
    '30',
    '-flags',
    '+ildct+ilme',
    '-pix_fmt',
    'yuv420p',
  ],
  'hevc-1080': [
    '-vf',
    'scale=1920:1080',
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:crf=34',
    '-pix_fmt',
    'yuv420p',
  ],
  'hevc-hdr10': [
    '-vf',
    'scale=3840:2160',
    '-t',
    '1',
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-color_primaries',
    'bt2020',
    '-color_trc',
    'smpte2084',
    '-colorspace',
    'bt2020nc',
    '-x265-params',
    'log-level=error:crf=38:hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400',
    '-pix_fmt',
    'yuv420p10le',
  ],
  'vp9-1080': [
    '-vf',
    'scale=1920:1080',
    '-c:v',
    'libvpx-vp9',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-row-mt',
    '1',
    '-b:v',
    '1M',
    '-pix_fmt',
    'yuv420p',
  ],
  'av1-1080': ['-vf', 'scale=1920:1080', '-c:v', 'libsvtav1', '-preset', '12', '-crf', '45', '-pix_fmt', 'yuv420p10le'],
  'mpeg2-576': ['-vf', 'scale=720:576', '-c:v', 'mpeg2video', '-b:v', '2M', '-aspect', '16:9'],
  'mpeg4-480': ['-vf', 'scale=640:480', '-c:v', 'mpeg4', '-vtag', 'XVID', '-b:v', '1M', '-bf', '0'],
};
const AUDIO: Readonly<Record<string, readonly string[]>> = {
  aac: ['-ac', '2', '-c:a', 'aac', '-b:a', '96k'],
  'aac-5.1': ['-ac', '6', '-c:a', 'aac', '-b:a', '192k'],
  'ac3-5.1': ['-ac', '6', '-c:a', 'ac3', '-b:a', '384k'],
  'eac3-5.1': ['-ac', '6', '-c:a', 'eac3', '-b:a', '384k'],
  dts: ['-ac', '6', '-c:a', 'dca', '-strict', '-2', '-b:a', '768k'],
  flac: ['-ac', '2', '-c:a', 'flac'],
  opus: ['-ac', '2', '-c:a', 'libopus', '-b:a', '96k'],
  mp3: ['-ac', '2', '-c:a', 'libmp3lame', '-b:a', '128k'],
};
const SOUND_IN: Readonly<Record<string, readonly string[]>> = {
  mkv: ['aac', 'aac-5.1', 'ac3-5.1', 'eac3-5.1', 'dts', 'flac', 'opus'],
  mp4: ['aac', 'aac-5.1', 'ac3-5.1', 'eac3-5.1'],
  mov: ['aac'],
  ts: ['aac', 'ac3-5.1'],
  mpg: ['ac3-5.1'],
  webm: ['opus'],
  avi: ['mp3', 'ac3-5.1'],
};
/** Of each 100 files: template, containers to choose from, how the release calls it. */
const MIX: readonly (readonly [weight: number, video: string, containers: readonly string[], label: string])[] = [
  [24, 'h264-1080', ['mkv', 'mp4'], '1080p.BluRay.x264'],
  [12, 'h264-scope', ['mkv', 'mp4', 'mov'], '1080p.WEB-DL.H.264'],
  [11, 'h264-720', ['mkv', 'mp4', 'ts'], '720p.HDTV.x264'],
  [4, 'h264-10bit', ['mkv'], '720p.BluRay.Hi10P.x264'],
  [3, 'h264-interlaced', ['mkv', 'ts'], '576i.DVB.H.264'],
  [18, 'hevc-1080', ['mkv', 'mp4'], '1080p.BluRay.x265'],
  [9, 'hevc-hdr10', ['mkv', 'mp4'], '2160p.UHD.BluRay.HDR10.x265'],
  [5, 'vp9-1080', ['webm', 'mkv'], '1080p.WEBRip.VP9'],
  [5, 'av1-1080', ['mkv', 'mp4', 'webm'], '1080p.WEB-DL.AV1'],
  [5, 'mpeg2-576', ['mkv', 'ts', 'mpg'], '576p.DVDRip.MPEG2'],
  [4, 'mpeg4-480', ['avi'], '480p.DVDRip.XviD'],
];
const FIRST = [
  'Silent',
  'Crimson',
  'Hidden',
  'Broken',
  'Golden',
  'Endless',
  'Distant',
  'Burning',
  'Frozen',
  'Electric',
  'Hollow',
  'Velvet',
  'Quiet',
  'Lonely',
  'Iron',
  'Paper',
  'Midnight',
  'Amélie’s',
  'L’Ultimo',
  'Der Große',
];
const SECOND = [
  'River',
  'Empire',
  'Horizon',
  'Garden',
  'Witness',
  'Station',
  'Summer',
  'Kingdom',
  'Shadow',
  'Machine',
  'Orchard',
  'Harbor',
  'Mirror',
  'Detective',
  'Letter',
  'Island',
  'Señor',
  'Città',
  '東京',
  'Протокол',
];
const LANGUAGES = ['eng', 'ita', 'fra', 'deu', 'spa', 'jpn', 'por', 'kor', 'rus', 'zho'];

/** The folder, made if it is not there yet. `say` is told what takes long. */
export async function movieFolder(mediaFolder: string, say: (text: string) => void): Promise<string> {
  const folder = join(mediaFolder, `scan-${VERSION}`);
  const mark = join(folder, 'complete');
  if (existsSync(mark)) return join(folder, 'movies');
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'templates'), { recursive: true });
  say('the movies are made, which takes a few minutes the first time');
  await makeTemplates(join(folder, 'templates'));
  const plans = planMovies();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let plan = plans[next++]; plan; plan = plans[next++]) await makeMovie(folder, plan);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await writeFile(mark, '');
  return join(folder, 'movies');
}

const FFMPEG = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y'];
const EXACT = ['-fflags', '+bitexact', '-map_metadata', '-1'];

async function ffmpeg(args: readonly string[]): Promise<void> {
  await run('ffmpeg', [...FFMPEG, ...args], { maxBuffer: 1e7 });
}

async function makeTemplates(folder: string): Promise<void> {
  const source = join(folder, 'source.mkv');
  const picture = `testsrc2=s=1920x1080:r=24:d=${SECONDS},noise=alls=8:allf=t`;
  await ffmpeg([
    '-f',
    'lavfi',
    '-i',
    picture,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-crf',
    '12',
    '-pix_fmt',
    'yuv420p',
    source,
  ]);
  const sound = join(folder, 'source.wav');
  await ffmpeg([
    '-f',
    'lavfi',
    '-i',
    `anoisesrc=c=pink:r=48000:a=0.1:seed=1:d=${SECONDS}`,
    '-af',
    'pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0',
    sound,
  ]);
  for (const [name, args] of Object.entries(VIDEO)) {
    await ffmpeg(['-i', source, '-an', ...args, ...EXACT, join(folder, `${name}.mkv`)]);
  }
  for (const [name, args] of Object.entries(AUDIO)) {
    await ffmpeg(['-i', sound, ...args, ...EXACT, join(folder, `${name}.mka`)]);
  }
  await ffmpeg(['-i', source, '-frames:v', '1', '-vf', 'scale=400:600', join(folder, 'cover.jpg')]);
  const time = (second: number): string => `00:00:0${second}`;
  const cues = Array.from(
    { length: SECONDS },
    (_, second) => `${second + 1}\n${time(second)},000 --> ${time(second)},900\nLine ${second}: è così, 日本語\n`,
  );
  await writeFile(join(folder, 'text.srt'), cues.join('\n'));
  const chapters = Array.from(
    { length: SECONDS },
    (_, index) =>
      `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${index * 1000}\nEND=${index * 1000 + 1000}\ntitle=Chapter ${index + 1}\n`,
  );
  await writeFile(join(folder, 'chapters.txt'), `;FFMETADATA1\n${chapters.join('')}`);
  // Looks like a font to nobody but the container.
  await writeFile(join(folder, 'font.ttf'), createHash('sha512').update('font').digest('hex').repeat(500));
  await rm(source);
  await rm(sound);
}

interface MoviePlan {
  readonly path: string;
  readonly container: string;
  readonly video: string;
  readonly sounds: readonly string[];
  readonly languages: readonly string[];
  readonly subtitles: number;
  readonly hasChapters: boolean;
  readonly hasCover: boolean;
  readonly hasFont: boolean;
  readonly isFastStart: boolean;
  readonly title: string;
}

/** The same numbers on every machine (mulberry32). */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function planMovies(): MoviePlan[] {
  const random = createRandom(42);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
  const names = new Set<string>();
  return Array.from({ length: MOVIE_COUNT }, () => {
    let title = '';
    let year = 0;
    do {
      title = `${pick(FIRST)} ${pick(SECOND)}${pick(['', '', '', ' II', ' Returns', ' and the Sea'])}`;
      year = 1935 + random(90);
    } while (names.has(`${title} ${year}`));
    names.add(`${title} ${year}`);
    let place = random(100);
    const [, video, containers, label] = MIX.find(([weight]) => (place -= weight) < 0) ?? MIX[0]!;
    const container = pick(containers);
    const soundCount = ['avi', 'mpg', 'mov'].includes(container) ? 1 : 1 + random(3);
    const isMatroska = container === 'mkv';
    const dotted = title.replaceAll(' ', '.');
    const name = pick([
      `${dotted}.${year}.${label}-GRP`,
      `${dotted}.${year}.${label}-GRP`,
      `${title} (${year})`,
      `${title} (${year}) [${label.slice(0, label.indexOf('.'))}]`,
    ]);
    return {
      path: `${title} (${year})/${name}.${container}`,
      container,
      video,
      sounds: Array.from({ length: soundCount }, () => pick(SOUND_IN[container] ?? ['aac'])),
      languages: Array.from({ length: soundCount + 8 }, () => pick(LANGUAGES)),
      subtitles: isMatroska ? random(6) : ['mp4', 'mov'].includes(container) ? random(2) : 0,
      hasChapters: ['mkv', 'mp4'].includes(container) && random(2) === 0,
      hasCover: container === 'mp4' && random(4) === 0,
      hasFont: isMatroska && random(5) === 0,
      isFastStart: random(2) === 0,
      title,
    };
  });
}

async function makeMovie(folder: string, plan: MoviePlan): Promise<void> {
  const template = (name: string): string => join(folder, 'templates', name);
  const file = join(folder, 'movies', plan.path);
  const inputs = [template(`${plan.video}.mkv`), ...plan.sounds.map((sound) => template(`${sound}.mka`))];
  const maps = inputs.flatMap((_, index) => ['-map', String(index)]);
  const options = ['-c', 'copy', ...EXACT];
  for (let index = 0; index < plan.subtitles; index++) maps.push('-map', String(inputs.push(template('text.srt')) - 1));
  if (plan.subtitles > 0) options.push('-c:s', plan.container === 'mkv' ? 'srt' : 'mov_text');
  if (plan.hasCover) {
    maps.push('-map', String(inputs.push(template('cover.jpg')) - 1));
    options.push('-disposition:v:1', 'attached_pic');
  }
  options.push('-map_chapters', plan.hasChapters ? String(inputs.push(template('chapters.txt')) - 1) : '-1');
  if (plan.hasFont) {
    options.push(
      '-attach',
      template('font.ttf'),
      '-metadata:s:t',
      'mimetype=font/ttf',
      '-metadata:s:t',
      'filename=font.ttf',
    );
  }
  plan.sounds.forEach((_, index) => {
    options.push(
      `-metadata:s:a:${index}`,
      `language=${plan.languages[index] ?? 'eng'}`,
      `-disposition:a:${index}`,
      index === 0 ? 'default' : '0',
    );
  });
  for (let index = 0; index < plan.subtitles; index++) {
    options.push(`-metadata:s:s:${index}`, `language=${plan.languages[plan.sounds.length + index] ?? 'eng'}`);
  }
  options.push('-metadata', `title=${plan.title}`);
  if (plan.container === 'mp4' && plan.isFastStart) options.push('-movflags', '+faststart');
  if (plan.container === 'mp4' && plan.video.startsWith('hevc')) options.push('-tag:v:0', 'hvc1');
  if (plan.container === 'mpg') options.push('-f', 'vob');
  await mkdir(dirname(file), { recursive: true });
  const draft = join(dirname(file), `draft.${plan.container}`);
  await ffmpeg([...inputs.flatMap((input) => ['-i', input]), ...maps, ...options, draft]);
  await rename(draft, file);
}

/** Reads every file once, so that every side finds the same in memory. */
export async function warm(files: readonly string[]): Promise<void> {
  for (const file of files) await readFile(file);
}
