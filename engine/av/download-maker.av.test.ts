/** Whole files made out of real ones, and looked at by ffprobe, which shares no code with what wrote them. */
import { execFile } from 'node:child_process';
import { readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { DownloadSound, DownloadSpec, DownloadText } from '#engine/media/download-spec.ts';
import { planRemux, planTranscode } from '#engine/media/segment-plan.ts';
import { clip, clips, ffprobe, h264, picture, textFile, tone } from '#test/support/media.ts';
import { AAC, COPY, H264, movie, temporaryFolder } from '#test/support/rendition.ts';
import { PICTURE_STREAM_MAGIC, printStreamedPicture } from '#protocol/schema/subtitle-pictures.ts';
import { DownloadMaker } from './download-maker.ts';
import type { DownloadNews } from './download-maker.ts';
import { encodeIndexedPng } from './indexed-png.ts';

interface Probed {
  readonly format: { readonly duration: string; readonly format_name: string; readonly tags?: Record<string, string> };
  readonly streams: readonly {
    readonly codec_name: string;
    readonly codec_type: string;
    readonly codec_tag_string: string;
    readonly duration: string;
    readonly start_time: string;
    readonly width?: number;
    readonly height?: number;
    readonly nb_frames: string;
    readonly tags?: Record<string, string>;
    readonly disposition: Record<string, number>;
    readonly side_data_list?: readonly { readonly rotation?: number }[];
  }[];
  readonly chapters: readonly { readonly start_time: string; readonly tags: { readonly title: string } }[];
}

const probed = (path: string): Promise<Probed> =>
  ffprobe(['-show_format', '-show_streams', '-show_chapters', path]) as Promise<Probed>;

const sound = (trackIndex: number, more: Partial<DownloadSound> = {}): DownloadSound => ({
  ...{ trackIndex, output: COPY, otherwise: AAC, language: null, title: null, isDefault: true, roles: [] },
  ...more,
});
const words = (vttPath: string, more: Partial<DownloadText> = {}): DownloadText => ({
  ...{ vttPath, language: null, title: null, isDefault: false, isForced: false, roles: [] },
  ...more,
});

function orderFor(path: string, more: Partial<DownloadSpec> = {}): DownloadSpec {
  const { media, keyframesUs, durationUs, startUs } = movie(path);
  const [video] = media.video;
  const isCopy = more.video === undefined || more.video?.output.method === 'copy';
  const folder = temporaryFolder();
  const boundariesUs =
    video && isCopy
      ? planRemux(keyframesUs, durationUs)
      : planTranscode(keyframesUs, durationUs, video?.frameRate ?? null);
  return {
    path,
    workFolder: join(folder, 'work'),
    resultPath: join(folder, 'result.mp4'),
    boundariesUs: boundariesUs!,
    startUs,
    video: video ? { trackIndex: video.index, output: COPY, language: null } : null,
    audio: media.audio.map(({ index }) => sound(index)),
    texts: [],
    chapters: [],
    title: null,
    year: null,
    hardware: null,
    maxBytes: 1e9,
    ...more,
  };
}

async function make(spec: DownloadSpec, onNews: (news: DownloadNews, maker: DownloadMaker) => void = () => undefined) {
  const news: DownloadNews[] = [];
  const { promise, resolve } = Promise.withResolvers<DownloadNews>();
  using maker = new DownloadMaker(spec, (one) => {
    news.push(one);
    onNews(one, maker);
    if (one.kind === 'finished' || one.kind === 'failed') resolve(one);
  });
  maker.start();
  return { end: await promise, news };
}

/** Names of the boxes at the top of the file. */
async function topBoxes(path: string): Promise<string[]> {
  const bytes = await readFile(path);
  const names: string[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    names.push(bytes.toString('latin1', at + 4, at + 8));
  }
  return names;
}

/** Decodes everything and fails where FFmpeg finds anything to complain about. */
async function decodes(path: string): Promise<void> {
  const { stderr } = await promisify(execFile)('ffmpeg', [
    '-v',
    'warning',
    '-xerror',
    '-i',
    path,
    '-map',
    '0:v?',
    '-map',
    '0:a?',
    '-f',
    'null',
    '-',
  ]);
  expect(stderr).toBe('');
}

const packetTimes = async (path: string, stream: string): Promise<number[]> => {
  const found = (await ffprobe(['-show_packets', '-select_streams', stream, path])) as {
    packets: readonly { pts_time: string; flags: string }[];
  };
  return found.packets.map(({ pts_time }) => Number(pts_time));
};

describe('a prepared MP4', () => {
  it('[DL20] has the tracks as they are, with the head before the samples', async () => {
    const spec = orderFor(await clips.h264Mkv(), { title: 'Heat', year: 1995 });
    const { end } = await make(spec);
    expect(end).toEqual({ kind: 'finished', sizeBytes: (await stat(spec.resultPath)).size });
    expect(await topBoxes(spec.resultPath)).toEqual(['ftyp', 'moov', 'mdat']);
    const { format, streams } = await probed(spec.resultPath);
    expect(format.tags).toMatchObject({ title: 'Heat', date: '1995' });
    expect(Number(format.duration)).toBeCloseTo(8, 1);
    expect(streams.map(({ codec_name, codec_tag_string }) => [codec_name, codec_tag_string])).toEqual([
      ['h264', 'avc1'],
      ['aac', 'mp4a'],
    ]);
    expect(streams.map(({ start_time }) => Math.abs(Number(start_time)) < 0.03)).toEqual([true, true]);
    expect(streams[0]).toMatchObject({ nb_frames: '192', width: 320, height: 180 });
    await decodes(spec.resultPath);
    const times = await packetTimes(spec.resultPath, 'v');
    const source = await packetTimes(spec.path, 'v');
    expect(times).toHaveLength(source.length);
    // The first picture is there from the beginning.
    expect(Math.abs(times[0]!)).toBeLessThan(0.003);
    for (const [index, time] of times.slice(1).entries()) {
      expect(Math.abs(time - source[index + 1]!)).toBeLessThan(0.003);
    }
  });

  it('[DL21] an encoded one is as large as was asked, with sound beside it in step', async () => {
    const spec = orderFor(await clips.h264Mkv(), {
      video: { trackIndex: 0, output: { ...H264, heightPx: 90 }, language: null },
      audio: [sound(1, { output: AAC })],
    });
    const { end, news } = await make(spec);
    expect(end.kind).toBe('finished');
    const { streams } = await probed(spec.resultPath);
    expect(streams[0]).toMatchObject({ codec_name: 'h264', width: 160, height: 90, nb_frames: '192' });
    expect(streams[1]).toMatchObject({ codec_name: 'aac' });
    expect(Number(streams[1]!.duration)).toBeCloseTo(8, 1);
    await decodes(spec.resultPath);
    const done = news.flatMap((one) => (one.kind === 'progress' ? [one.doneUs] : []));
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBe(spec.boundariesUs.at(-1));
  });

  it('[DL22] names languages, titles and what tracks are for; the first sound plays, the others can be chosen', async () => {
    const path = await clip({
      name: 'two-languages.mkv',
      args: [
        ...picture(6),
        ...tone(6),
        ...tone(6, 880),
        '-map',
        '0',
        '-map',
        '1',
        '-map',
        '2',
        ...h264(),
        '-c:a',
        'aac',
        '-b:a',
        '64k',
      ],
    });
    const spec = orderFor(path, {
      audio: [
        sound(2, { language: 'pt-BR', title: 'Português' }),
        sound(1, { language: 'en', title: 'Commentary', isDefault: false, roles: ['commentary'] }),
      ],
    });
    expect((await make(spec)).end.kind).toBe('finished');
    const { streams } = await probed(spec.resultPath);
    const [, first, second] = streams;
    expect(first).toMatchObject({ tags: { language: 'por' }, disposition: { default: 1, comment: 0 } });
    expect(second).toMatchObject({ tags: { language: 'eng' }, disposition: { default: 0, comment: 1 } });
    expect([first, second].map((one) => one?.tags?.['handler_name'])).toEqual(['Português', 'Commentary']);
  });

  it('[DL23] subtitles and chapters are in it, at their times', async () => {
    const vtt = await textFile(
      'words.vtt',
      'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:00:01.000 --> 00:00:03.000\nOne &amp; <i>two</i>\n\n00:00:02.000 --> 00:00:04.500 line:0\nThree &lt;b&gt;\n\n00:00:07.000 --> 00:00:20.000\nTo the end\n',
    );
    const chapters = [
      { startMs: 0, title: 'Beginning' },
      { startMs: 3_000, title: 'Middle – ü' },
    ];
    const spec = orderFor(await clips.h264Mkv(), {
      texts: [words(vtt, { language: 'de', title: 'Deutsch', isForced: true, roles: ['forced-subtitle'] })],
      chapters,
    });
    expect((await make(spec)).end.kind).toBe('finished');
    const found = await probed(spec.resultPath);
    const subtitle = found.streams.find(({ codec_type }) => codec_type === 'subtitle')!;
    expect(subtitle).toMatchObject({ codec_name: 'mov_text', codec_tag_string: 'tx3g', tags: { language: 'deu' } });
    expect(found.chapters.map(({ start_time, tags }) => [Number(start_time), tags.title])).toEqual([
      [0, 'Beginning'],
      [3, 'Middle – ü'],
    ]);
    const { stdout } = await promisify(execFile)('ffmpeg', [
      '-v',
      'error',
      '-i',
      spec.resultPath,
      '-map',
      '0:s',
      '-f',
      'srt',
      '-',
    ]);
    const lines = stdout
      .replaceAll('\r', '')
      .trim()
      .split('\n\n')
      .map((block) =>
        block
          .split('\n')
          .slice(1)
          .join('|')
          .replace(/<\/?font[^>]*>/g, ''),
      );
    expect(lines).toEqual([
      '00:00:01,000 --> 00:00:02,000|One & <i>two</i>',
      '00:00:02,000 --> 00:00:03,000|One & <i>two</i>|Three <b>',
      '00:00:03,000 --> 00:00:04,500|Three <b>',
      expect.stringMatching(/^00:00:07,000 --> 00:00:08,0\d\d\|To the end$/),
    ]);
  });

  it('[DL36] pictures of subtitles are burnt in, at their times; text beside them stays a track', async () => {
    const path = await clip({
      name: 'navy-sound.mkv',
      args: ['-f', 'lavfi', '-i', 'color=c=navy:size=320x180:rate=24:duration=8', ...tone(8), ...h264(), '-c:a', 'aac'],
    });
    const box = { x: 40, y: 20, width: 240, height: 140 };
    const palette = Uint8Array.from([255, 255, 255, 255]);
    const png = encodeIndexedPng({ ...box, palette, pixels: new Uint8Array(box.width * box.height) });
    const shown = { startMs: 2_000, endMs: 5_000, canvasWidth: 320, canvasHeight: 180, regions: [{ ...box, png }] };
    const stem = join(temporaryFolder(), 'burned');
    await writeFile(`${stem}.pics`, Buffer.concat([Buffer.from(PICTURE_STREAM_MAGIC), printStreamedPicture(shown)]));
    await writeFile(`${stem}.done`, '');
    const vtt = await textFile('beside-burnt.vtt', 'WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHere too\n');
    const burning = { trackIndex: 0, output: { ...H264, burnIn: 't2' }, language: null, burnInPath: `${stem}.pics` };
    const spec = orderFor(path, { video: burning, texts: [words(vtt)] });
    expect((await make(spec)).end).toMatchObject({ kind: 'finished' });
    const { streams } = await probed(spec.resultPath);
    expect(streams.map(({ codec_name: codec }) => codec)).toEqual(['h264', 'aac', 'mov_text']);
    // How bright the middle of each frame is, twice a second.
    const { stdout } = await promisify(execFile)(
      'ffmpeg',
      [
        ...['-v', 'error', '-i', spec.resultPath, '-vf', 'fps=2:round=down,crop=16:16:152:82,scale=1:1'],
        ...['-pix_fmt', 'gray', '-f', 'rawvideo', '-'],
      ],
      { encoding: 'buffer' },
    );
    const isLit = [...stdout].map((brightness) => brightness > 200);
    expect(isLit.slice(0, 4)).toEqual([false, false, false, false]);
    expect(isLit.slice(5, 9)).toEqual([true, true, true, true]);
    expect(isLit.slice(11, 15)).toEqual([false, false, false, false]);
  });

  it('[DL24] what an earlier process left is gone on with; a damaged segment is made again', async () => {
    const spec = orderFor(await clips.h264Mkv());
    expect((await make(spec)).end.kind).toBe('finished');
    const whole = await readFile(spec.resultPath);
    const folder = join(spec.workFolder, 'v');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.m4s'));
    expect(names.length).toBeGreaterThan(2);
    const kept = await stat(join(folder, '0.m4s'));
    await truncate(join(folder, '1.m4s'), 100);
    await rm(join(folder, '2.m4s'));
    await writeFile(spec.resultPath, 'half of it');
    expect((await make(spec)).end.kind).toBe('finished');
    expect((await stat(join(folder, '0.m4s'))).ino).toBe(kept.ino);
    expect((await readFile(spec.resultPath)).equals(whole)).toBe(true);
  });

  it('[DL25] rests while it is held, and goes on', async () => {
    const spec = orderFor(await clips.h264Mkv(), { video: { trackIndex: 0, output: H264, language: null } });
    let holds = 0;
    const { end } = await make(spec, (news, maker) => {
      if (news.kind !== 'progress' || news.doneUs === 0 || holds > 3) return;
      holds += 1;
      maker.hold();
      setImmediate(() => maker.goOn());
    });
    expect(end.kind).toBe('finished');
    expect(holds).toBeGreaterThan(0);
    await decodes(spec.resultPath);
  });

  it('[DL26] says why nothing came of it', async () => {
    const gone = orderFor(await clips.h264Mkv());
    expect((await make({ ...gone, path: '/nowhere.mkv' })).end).toMatchObject({
      kind: 'failed',
      trouble: 'sourceGone',
    });
    expect((await make({ ...orderFor(gone.path), maxBytes: 20_000 })).end).toMatchObject({ trouble: 'tooLarge' });
    const wrong = orderFor(gone.path, { boundariesUs: [0, 1_300_000, 1_600_000, 8_000_000] });
    expect((await make(wrong)).end).toMatchObject({ trouble: 'cannotCopy' });
  });

  it('[DL27] a file that is cut off near its end gives what there is of it', async () => {
    const path = await clip({
      name: 'forty.mkv',
      args: [...picture(40), ...tone(40), ...h264(), '-c:a', 'aac', '-b:a', '64k'],
    });
    const { size } = await stat(path);
    const cut = join(temporaryFolder(), 'cut.mkv');
    await writeFile(cut, (await readFile(path)).subarray(0, Math.round(size * 0.95)));
    const spec = { ...orderFor(path), path: cut };
    expect((await make(spec)).end.kind).toBe('finished');
    const { format } = await probed(spec.resultPath);
    expect(Number(format.duration)).toBeGreaterThan(34);
    await decodes(spec.resultPath);
  });

  it.each([
    ['hevcMkv', 'hvc1', 4],
    ['hdr10Mkv', 'hvc1', 3],
    ['vp9Webm', 'vp09', 4],
    ['h264Ts', 'avc1', 8],
    ['openGopMkv', 'avc1', 8],
    ['editListMp4', 'avc1', 5],
    ['startAt10HoursTs', 'avc1', 4],
    ['startAt1HourMkv', 'avc1', 4],
    ['vfrMkv', 'avc1', 6],
    ['anamorphicMkv', 'avc1', 3],
    ['audioLongerMp4', 'avc1', 6],
    ['irregularMp4', 'avc1', 8],
  ] as const)(
    '[DL20] %s becomes a file that decodes, of its length, with the sample entry %s',
    async (name, tag, seconds) => {
      const spec = orderFor(await clips[name](), { maxBytes: 1e9 });
      const isPlain = movie(spec.path).media.audio.every(({ codec }) => codec === 'aac');
      const audio = isPlain ? spec.audio : spec.audio.map((one) => ({ ...one, output: AAC }));
      expect((await make({ ...spec, audio })).end.kind).toBe('finished');
      const { format, streams } = await probed(spec.resultPath);
      expect(streams[0]!.codec_tag_string).toBe(tag);
      expect(Math.abs(Number(format.duration) - seconds)).toBeLessThan(0.6);
      for (const { start_time } of streams) expect(Math.abs(Number(start_time))).toBeLessThan(0.2);
      await decodes(spec.resultPath);
    },
  );

  it('[DL20] a turned picture stays turned, and one of wide pixels wide', async () => {
    const turned = orderFor(await clips.rotatedMp4());
    expect((await make(turned)).end.kind).toBe('finished');
    const [source, copy] = [await probed(turned.path), await probed(turned.resultPath)];
    const turn = ({ streams }: Probed) => streams[0]!.side_data_list?.map(({ rotation }) => rotation);
    expect(turn(copy)).toEqual(turn(source));
    const wide = orderFor(await clips.anamorphicMkv());
    expect((await make(wide)).end.kind).toBe('finished');
    expect((await probed(wide.resultPath)).streams[0]).toMatchObject({ sample_aspect_ratio: '64:45' });
  });
});
