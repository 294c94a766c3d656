import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { printReadSpans } from '#engine/media/read-spans.ts';
import type { ReadSpan } from '#engine/media/read-spans.ts';
import type { VideoOutput } from '#engine/media/rendition-spec.ts';
import { clip, h264 } from '#test/support/media.ts';
import { H264, movie, orderOf, temporaryFolder } from '#test/support/rendition.ts';
import { announceFonts } from './script-fonts.ts';
import { textSink } from './subtitle-sink.ts';
import { extractSubtitles } from './subtitle.ts';
import { Rendition } from './rendition.ts';
import type { RenditionNews } from './rendition.ts';

const run = promisify(execFile);
/** What is known of this machine's fonts, and ours. */
const FONTS = join(import.meta.dirname, '../../test/.media/script-fonts');

/** A square of a colour, `&HBBGGRR&`, of a tenth of the canvas, its upper left corner at a place. */
const square = (x: number, y: number, color: string): string =>
  `{\\an7\\pos(${x},${y})\\bord0\\shad0\\1c${color}\\p1}m 0 0 l 64 0 64 36 0 36{\\p0}`;
const RED = '&H0000FF&';
const GREEN = '&H00FF00&';

interface Line {
  readonly from: string;
  readonly until: string;
  readonly text: string;
}

/** A script of a canvas of 640 × 360, as the file of a reading that found it. */
function script(lines: readonly Line[], { facts = '', font = 'No Such Font' } = {}): string {
  return [
    '[Script Info]',
    'ScriptType: v4.00+',
    'PlayResX: 640',
    'PlayResY: 360',
    ...(facts === '' ? [] : [facts]),
    '[V4+ Styles]',
    'Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding',
    `Style: Default,${font},120,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,-1,0,0,0,100,100,0,0,1,0,0,5,0,0,0,1`,
    '[Events]',
    'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text',
    ...lines.map(({ from, until, text }) => `Dialogue: 0,${from},${until},Default,,0,0,0,,${text}`),
    '',
  ].join('\n');
}

/** What a reading does, by hand. */
class ByHand {
  readonly stem = join(temporaryFolder(), 't1');

  begin(content: string): void {
    for (const ending of ['done', 'read', 'ass']) rmSync(`${this.stem}.${ending}`, { force: true });
    writeFileSync(`${this.stem}.ass`, content);
  }

  tell(...spans: ReadSpan[]): void {
    writeFileSync(`${this.stem}.read.new`, printReadSpans(spans));
    renameSync(`${this.stem}.read.new`, `${this.stem}.read`);
  }

  finish(content: string): void {
    this.begin(content);
    writeFileSync(`${this.stem}.done`, '');
  }
}

interface Burning {
  readonly source?: string;
  readonly output?: Partial<VideoOutput>;
  readonly burnInPath?: string;
  readonly fontsPath?: string;
}

/** Eight seconds of navy blue, of which a navy that stays below 40 in red and green is left. */
const NAVY = ['-f', 'lavfi', '-i', 'color=c=navy:size=640x360:rate=24:duration=8', ...h264()];

async function burning({ source, output = {}, burnInPath, fontsPath = FONTS }: Burning = {}) {
  const path = source ?? (await clip({ name: 'navy-360.mkv', args: NAVY }));
  const reading = new ByHand();
  const outputDir = temporaryFolder();
  mkdirSync(fontsPath, { recursive: true });
  const order = orderOf(movie(path), 'video', { ...H264, heightPx: 360, burnIn: 't1', ...output });
  const news: RenditionNews[] = [];
  const waits: { matches: (one: RenditionNews) => boolean; resolve: () => void }[] = [];
  const spec = { ...order, outputDir, burnInPath: burnInPath ?? `${reading.stem}.ass`, fontsPath };
  const rendition = new Rendition(spec, (one) => {
    news.push(one);
    for (const wait of waits) if (wait.matches(one)) wait.resolve();
  });
  onTestFinished(() => rendition[Symbol.dispose]());
  return {
    ...{ reading, rendition, outputDir, news, boundariesUs: order.boundariesUs },
    made: () => news.flatMap((one) => (one.kind === 'segment' ? [one.index] : [])),
    until(matches: (one: RenditionNews) => boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waits.push({ matches, resolve });
      if (news.some(matches)) resolve();
      return promise;
    },
    /** Makes segments, and resolves when they are there. */
    async make(from: number, until: number): Promise<void> {
      rendition.produce({ from, until });
      await this.until(({ kind }) => kind === 'idle' || kind === 'failed');
      expect(news.filter(({ kind }) => kind === 'failed')).toEqual([]);
    },
    /** Red, green and blue of each frame of a segment, as the mean of 8 × 8 points around a place of 640 × 360. */
    async colours(index: number, x: number, y: number, size = 8): Promise<number[][]> {
      const file = join(outputDir, `${index}.mp4`);
      writeFileSync(
        file,
        Buffer.concat(['init.mp4', `${index}.m4s`].map((name) => readFileSync(join(outputDir, name)))),
      );
      const half = size / 2;
      const filter = `scale=640:360,crop=${size}:${size}:${x - half}:${y - half},scale=1:1:flags=area`;
      const args = ['-vf', filter, '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'];
      const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, ...args], { encoding: 'buffer' });
      return Array.from({ length: stdout.length / 3 }, (_, at) => [...stdout.subarray(at * 3, at * 3 + 3)]);
    },
  };
}

const isRed = ([red, green, blue]: readonly number[]): boolean => red! > 200 && green! < 60 && blue! < 60;
const isGreen = ([red, green, blue]: readonly number[]): boolean => red! < 60 && green! > 200 && blue! < 60;
const isNavy = ([red, green]: readonly number[]): boolean => red! < 40 && green! < 40;

describe('a script with styles that becomes a part of the picture', () => {
  it('[PLAY59] its colours, at its places, for its times, to the frame', async () => {
    const stage = await burning();
    stage.reading.finish(
      script([
        { from: '0:00:00.50', until: '0:00:01.00', text: square(64, 36, RED) },
        { from: '0:00:00.50', until: '0:00:08.00', text: square(448, 252, GREEN) },
      ]),
    );
    await stage.make(0, 0);
    const [, untilUs] = stage.boundariesUs as [number, number];
    const frames = Math.round((untilUs / 1e6) * 24);
    const upper = await stage.colours(0, 96, 54);
    expect(upper).toHaveLength(frames);
    expect(upper.map(isRed)).toEqual(upper.map((_, at) => at >= 12 && at < 24));
    const lower = await stage.colours(0, 480, 270);
    expect(lower.map(isGreen)).toEqual(lower.map((_, at) => at >= 12));
    // Where neither is, nothing has changed.
    expect((await stage.colours(0, 320, 180)).every(isNavy)).toBe(true);
  });

  it('[PLAY59] the same from the middle of the movie on, at every size', async () => {
    for (const heightPx of [360, 144]) {
      const stage = await burning({ output: { heightPx } });
      const fromUs = stage.boundariesUs[2]!;
      const at = (ms: number): string => `0:00:0${(ms / 1_000).toFixed(2)}`;
      stage.reading.finish(
        script([{ from: at(fromUs / 1_000 + 250), until: '0:00:08.00', text: square(448, 252, GREEN) }]),
      );
      await stage.make(2, 2);
      const found = await stage.colours(2, 480, 270);
      expect(found.map(isGreen)).toEqual(found.map((_, frame) => frame >= 6));
      const inside = await stage.colours(2, 455, 259, 2);
      const outside = await stage.colours(2, 438, 244, 2);
      expect(isGreen(inside.at(-1)!)).toBe(true);
      expect(isNavy(outside.at(-1)!)).toBe(true);
    }
  });

  it.each([
    ['later', 500],
    ['earlier', -500],
  ] as const)('[PLAY58] is shown %s as it was set, and waited for where it lies then', async (_how, burnInOffsetMs) => {
    const stage = await burning({ output: { burnInOffsetMs } });
    const [untilMs, nextMs] = [stage.boundariesUs[1]! / 1_000, stage.boundariesUs[2]! / 1_000];
    const shownMs = untilMs - 500;
    const time = `0:00:0${((shownMs - burnInOffsetMs) / 1_000).toFixed(2)}`;
    stage.reading.begin(script([{ from: time, until: '0:00:09.00', text: square(64, 36, RED) }]));
    stage.reading.tell([0, nextMs - 100 - burnInOffsetMs]);
    stage.rendition.produce({ from: 0, until: 1 });
    await stage.until((one) => one.kind === 'segment' && one.index === 0);
    const found = (await stage.colours(0, 96, 54)).map(isRed);
    expect(found).toEqual(found.map((_, at) => at >= Math.round((shownMs / 1_000) * 24)));
    stage.reading.tell([0, 60_000]);
    await stage.until(({ kind }) => kind === 'idle');
    expect(stage.made()).toEqual([0, 1]);
  });

  it('[PLAY59] a segment waits until the reading has passed its place; what came meanwhile is in it', async () => {
    const stage = await burning();
    const first = script([{ from: '0:00:00.00', until: '0:00:08.00', text: square(64, 36, RED) }]);
    stage.rendition.produce({ from: 0, until: 2 });
    await stage.until(({ kind }) => kind === 'waiting');
    expect(stage.made()).toEqual([]);
    stage.reading.begin(first);
    stage.reading.tell([0, stage.boundariesUs[2]! / 1_000 - 500]);
    await stage.until((one) => one.kind === 'segment' && one.index === 0);
    expect((await stage.colours(0, 96, 54)).every(isRed)).toBe(true);
    expect(stage.made()).toEqual([0]);
    // Half a line of it is there already, as one finds a file that is being written.
    const second = `Dialogue: 0,0:00:00.00,0:00:08.00,Default,,0,0,0,,${square(448, 252, GREEN)}\n`;
    writeFileSync(`${stage.reading.stem}.ass`, `${second}Dialogue: 0,0:00:00.00,0:0`, { flag: 'a' });
    stage.reading.tell([0, 60_000]);
    await stage.until(({ kind }) => kind === 'idle');
    expect((await stage.colours(2, 96, 54)).every(isRed)).toBe(true);
    expect((await stage.colours(2, 480, 270)).every(isGreen)).toBe(true);
  });

  it('[PLAY59] another reading that took the place of the first is followed, and the first is forgotten', async () => {
    const stage = await burning();
    stage.reading.begin(script([{ from: '0:00:00.00', until: '0:00:08.00', text: square(64, 36, RED) }]));
    stage.reading.tell([5_000, 60_000]);
    stage.rendition.produce({ from: 0, until: 0 });
    await stage.until(({ kind }) => kind === 'waiting');
    expect(stage.made()).toEqual([]);
    stage.reading.finish(script([{ from: '0:00:00.00', until: '0:00:08.00', text: square(448, 252, GREEN) }]));
    await stage.until(({ kind }) => kind === 'idle');
    expect((await stage.colours(0, 96, 54)).every(isNavy)).toBe(true);
    expect((await stage.colours(0, 480, 270)).every(isGreen)).toBe(true);
  });

  it('[PLAY59] over a picture whose points are not square, or in HDR', async () => {
    const sar = await clip({
      name: 'navy-anamorphic.mkv',
      args: [...['-f', 'lavfi', '-i', 'color=c=navy:size=360x288:rate=24:duration=3,setsar=64/45'], ...h264()],
    });
    const hdr = await clip({
      name: 'navy-pq.mkv',
      args: [
        ...['-f', 'lavfi', '-i', 'color=c=navy:size=640x360:rate=24:duration=3', '-c:v', 'libx265'],
        ...['-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', '-x265-params'],
        'log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc',
      ],
    });
    const sources = [
      { source: sar, output: { heightPx: 288 } },
      { source: hdr, output: { toneMap: true } },
    ] as const;
    for (const one of sources) {
      const stage = await burning(one);
      stage.reading.finish(script([{ from: '0:00:00.00', until: '0:00:08.00', text: square(448, 252, GREEN) }]));
      await stage.make(0, 0);
      const [middle] = await stage.colours(0, 480, 270);
      expect(isGreen(middle!)).toBe(true);
      // Light of a screen and not of a film in HDR: full green stays full green.
      expect(middle![1]).toBeGreaterThan(235);
      const [beside] = await stage.colours(0, 320, 180);
      expect(isGreen(beside!)).toBe(false);
    }
  });

  it('[PLAY59] colours that were mixed for another matrix come out as they were meant', async () => {
    // 360 lines of BT.709; what is mixed for 601 and read as 709 shifts as it does in the players that these are made with.
    const path = await clip({
      name: 'navy-709.mkv',
      args: [
        ...['-f', 'lavfi', '-i', 'color=c=navy:size=640x360:rate=24:duration=2', '-colorspace', 'bt709'],
        ...['-vf', 'scale=out_color_matrix=bt709,format=yuv420p', ...h264()],
      ],
    });
    const seen: number[][] = [];
    for (const facts of ['YCbCr Matrix: TV.709', 'YCbCr Matrix: TV.601']) {
      const stage = await burning({ source: path });
      stage.reading.finish(
        script([{ from: '0:00:00.00', until: '0:00:08.00', text: square(64, 36, '&H20C020&') }], { facts }),
      );
      await stage.make(0, 0);
      seen.push((await stage.colours(0, 96, 54))[0]!);
    }
    const [as709, as601] = seen as [number[], number[]];
    expect(Math.abs(as709[1]! - 0xc0)).toBeLessThan(6);
    expect(Math.abs(as601[1]! - as709[1]!)).toBeGreaterThan(8);
  });
});

/** How much of the picture's middle is lit, by thresholds that letters of 120 points pass by far. */
async function lit(stage: Awaited<ReturnType<typeof burning>>, index = 0): Promise<number> {
  const [[red]] = (await stage.colours(index, 320, 180, 160)) as [number[]];
  return red!;
}

describe('fonts of a script that becomes a part of the picture', () => {
  it('[PLAY59] those that the file brings, where nothing else could draw it', async () => {
    const { resolve } = createRequire(import.meta.url);
    const font = resolve('@fontsource/noto-sans-thai/files/noto-sans-thai-thai-700-normal.woff');
    const ass = join(temporaryFolder(), 'thai.ass');
    writeFileSync(ass, script([{ from: '0:00:00.00', until: '0:00:08.00', text: 'กกก' }], { font: 'Noto Sans Thai' }));
    const path = await clip({
      name: 'with-font.mkv',
      args: [
        ...['-f', 'lavfi', '-i', 'color=c=navy:size=640x360:rate=24:duration=3', '-i', ass],
        ...['-map', '0', '-map', '1', ...h264(), '-c:s', 'copy'],
        ...['-attach', font, '-metadata:s:t', 'mimetype=font/woff', '-metadata:s:t', 'filename=thai.woff'],
      ],
    });
    const bare = noFonts();
    for (const isGiven of [true, false]) {
      const folder = temporaryFolder();
      extractSubtitles(path, { folder, wanted: [1], startMs: 0, fromMs: 0, timeLimitMs: 60_000 });
      for (const name of isGiven ? [] : readdirSync(folder).filter((one) => /^f\d/.test(one))) {
        rmSync(join(folder, name));
      }
      const stage = await burning({ source: path, burnInPath: join(folder, 't1.ass'), fontsPath: bare });
      await stage.make(0, 0);
      const light = await lit(stage);
      if (isGiven) expect(light).toBeGreaterThan(15);
      else expect(light).toBeLessThan(5);
    }
  });

  it.each([
    ['Latin', 'HHH'],
    ['Greek', 'ΩΩΩ'],
    ['Cyrillic', 'ЖЖЖ'],
    ['Hebrew', 'שששש'],
    ['Arabic', 'صصصص'],
    ['Thai', 'กกกก'],
    ['Devanagari', 'ककक'],
  ])('[PLAY59] a machine that has none draws %s with ours', async (_name, text) => {
    const stage = await burning({ fontsPath: ourFonts() });
    stage.reading.finish(script([{ from: '0:00:00.00', until: '0:00:08.00', text }]));
    await stage.make(0, 0);
    expect(await lit(stage)).toBeGreaterThan(15);
  });
});

/** As on a machine without any: what fontconfig is told names no system folder. */
function withoutSystem(own: string): string {
  const folder = temporaryFolder();
  mkdirSync(FONTS, { recursive: true });
  writeFileSync(
    join(folder, 'fonts.conf'),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${own}<cachedir>${folder}/found</cachedir></fontconfig>`,
  );
  // As announced already, and so not written anew.
  process.env['FONTCONFIG_FILE'] = join(folder, 'fonts.conf');
  return folder;
}
const noFonts = (): string => withoutSystem('');

/** The file that is written, less the folders of the system. */
function ourFonts(): string {
  announceFonts(FONTS);
  return withoutSystem(`<dir>${join(FONTS, 'own')}</dir>`);
}

describe('a script that grows', () => {
  const facts = (folder: string) => ({
    ...{ folder, id: 't1', codec: 'ass' },
    extradata: Buffer.from(script([], {})),
  });
  const payload = (order: number, text: string): Buffer => Buffer.from(`${order},0,Default,,0,0,0,,${text}`);

  it('[PLAY59] says how far it goes, and at last that it is whole', () => {
    const folder = temporaryFolder();
    const sink = textSink(facts(folder));
    sink.take(payload(0, 'one'), 1e6, 2e6);
    sink.reached?.([0, 5_000]);
    expect(readFileSync(join(folder, 't1.read'), 'utf8')).toBe('[[0,5000]]');
    // What it speaks of is in the file.
    expect(readFileSync(join(folder, 't1.ass'), 'utf8')).toContain(',one\n');
    sink.finish();
    expect(readdirSync(folder).toSorted()).toEqual(['t1.ass', 't1.done', 't1.vtt']);
  });

  it('[PLAY59] says nothing of one that another reading put in its place', () => {
    const folder = temporaryFolder();
    const first = textSink(facts(folder));
    const second = textSink(facts(folder));
    first.reached?.([0, 5_000]);
    first.finish();
    expect(readdirSync(folder).toSorted()).toEqual(['t1.ass', 't1.vtt']);
    second.finish();
    expect(readdirSync(folder)).toContain('t1.done');
  });
});

describe('a hostile script', () => {
  it('[PLAY56] that can’t be drawn in any time fails, and is not the host’s end', async () => {
    const stage = await burning({ output: { heightPx: 360 } });
    const heavy = `{\\an5\\pos(320,180)\\blur40\\bord20\\fscx300\\fscy300\\t(\\frz3600)}${'W'.repeat(10)}`;
    const lines = Array.from({ length: 4_000 }, () => ({ from: '0:00:00.00', until: '0:00:08.00', text: heavy }));
    stage.reading.finish(script(lines));
    stage.rendition.produce({ from: 0, until: 3 });
    await stage.until(({ kind }) => kind === 'idle' || kind === 'failed');
    expect(stage.news.at(-1)).toMatchObject({ kind: 'failed', failure: 'tooComplex' });
  });
});
