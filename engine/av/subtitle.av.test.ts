import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaError } from '#engine/media/media-failure.ts';
import { PictureStreamReader } from '#protocol/schema/subtitle-pictures.ts';
import type { StreamedPicture } from '#protocol/schema/subtitle-pictures.ts';
import { changedClip, clip, clips, h264, picture, textFile } from '#test/support/media.ts';
import { supFile } from '#test/support/subtitles.ts';
import { teletextPacket, teletextStream } from '#test/support/teletext.ts';
import { decodeIndexedPng } from './indexed-png.ts';
import { probe } from './probe.ts';
import { readSubtitleFile } from './subtitle-file.ts';
import { extractSubtitles } from './subtitle.ts';

let base: string;
beforeAll(async () => void (base = await mkdtemp(join(tmpdir(), 'matinee-subtitles-'))));
afterAll(() => rm(base, { recursive: true, force: true }));

interface Read {
  readonly folder: string;
  readonly made: readonly number[];
  readonly way: 'index' | 'pass';
}

async function extract(
  path: string,
  wanted: number[],
  { startMs = 0, fromMs = 0, timeLimitMs = 60_000 } = {},
): Promise<Read> {
  const folder = await mkdtemp(join(base, 'read-'));
  return { folder, ...extractSubtitles(path, { folder, wanted, startMs, fromMs, timeLimitMs }) };
}

const textOf = async ({ folder }: Pick<Read, 'folder'>, name: string): Promise<string[]> =>
  (await readFile(join(folder, name), 'utf8')).split('\n\n');
const picturesOf = async ({ folder }: Pick<Read, 'folder'>, name: string): Promise<StreamedPicture[]> =>
  new PictureStreamReader().take(await readFile(join(folder, name)));

const HEAD = 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000';
const HELLO = '00:00:00.500 --> 00:00:01.500\nHello <b>there</b>';
const LAST = '00:00:02.000 --> 00:00:03.000\nSecond &amp; last\n';

const lines = (): Promise<string> =>
  textFile(
    'two-lines.srt',
    '1\n00:00:00,500 --> 00:00:01,500\nHello <b>there</b>\n\n2\n00:00:02,000 --> 00:00:03,000\nSecond & last\n',
  );
// Without sound: the AAC encoder's delay would move everything else by 23 ms.
const inContainer = async (name: string, codec: string): Promise<string> =>
  clip({ name, args: [...picture(4), '-i', await lines(), '-map', '0', '-map', '1', ...h264(), '-c:s', codec] });

describe('a track of text', () => {
  it.each([
    ['SubRip in Matroska', 'subrip.mkv', 'srt', 'index'],
    ['ASS in Matroska', 'ass.mkv', 'ass', 'index'],
    ['WebVTT in Matroska', 'web-vtt.mkv', 'webvtt', 'pass'],
  ])('[PLAY21] comes from %s', async (_what, name, codec, way) => {
    const read = await extract(await inContainer(name, codec), [1]);
    expect(read).toMatchObject({ made: [1], way });
    expect(await textOf(read, 't1.vtt')).toEqual([HEAD, HELLO, LAST]);
    expect(await readdir(read.folder)).toContain('t1.done');
  });

  it('[PLAY21] comes from timed text in MP4, whose styles are left out', async () => {
    const read = await extract(await inContainer('timed-text.mp4', 'mov_text'), [1]);
    expect(await textOf(read, 't1.vtt')).toEqual([HEAD, HELLO.replaceAll(/<\/?b>/g, ''), LAST]);
  });

  it('[PLAY50] comes from teletext, in the letters of its language', async () => {
    const page = (rows: Readonly<Record<number, string>>): Buffer =>
      teletextPacket({ number: 0x888, national: 4, rows });
    const stream = teletextStream([
      [0, page({})],
      ...[[500, page({ 20: 'Guten Abend,', 22: 'meine Gr}~e' })] as const, [1_500, page({})] as const],
      ...[[2_000, page({ 22: 'Zuletzt' })] as const, [3_000, page({})] as const, [3_500, page({})] as const],
    ]);
    const teletext = await changedClip('teletext.ts', 'two pages after a second', () => Promise.resolve(stream));
    const path = await clip({
      name: 'with-teletext.ts',
      args: [
        ...[...picture(4), '-i', teletext, '-map', '0:v', '-map', '1:0', ...h264()],
        ...['-c:s', 'copy', '-metadata:s:s:0', 'language=deu'],
      ],
    });
    const { startMs, subtitles } = probe(path).media;
    expect(subtitles).toMatchObject([{ codec: 'dvb_teletext', language: 'de' }]);
    const cues = await textOf(await extract(path, [1], { startMs }), 't1.vtt');
    expect(cues.slice(1).map((cue) => cue.trim().split('\n').slice(1).join('\n'))).toEqual([
      'Guten Abend,\nmeine Grüße',
      'Zuletzt',
    ]);
    // The muxer lays the picture's delay before everything.
    const [beganS, endedS] = /:(\d\d\.\d+) --> .*:(\d\d\.\d+)/.exec(cues[1]!)!.slice(1).map(Number);
    expect(endedS! - beganS!).toBeCloseTo(1, 2);
    expect(beganS).toBeGreaterThan(0.3);
    expect(beganS).toBeLessThan(0.7);
  });

  it('[PLAY21] is on the movie’s own time where the file’s begins elsewhere', async () => {
    const shifted = await clip({
      name: 'shifted-subtitles.mkv',
      args: ['-i', await inContainer('subrip.mkv', 'srt'), '-map', '0', '-c', 'copy', '-output_ts_offset', '3600'],
    });
    expect(await textOf(await extract(shifted, [1], { startMs: 3_600_000 }), 't1.vtt')).toEqual([HEAD, HELLO, LAST]);
  });

  it('[PLAY21] gives what there is of a file that is cut off', async () => {
    const whole = await inContainer('subrip.mkv', 'srt');
    const cut = await changedClip('cut-subtitles.mkv', 'two fifths of subrip.mkv', async () => {
      const bytes = await readFile(whole);
      return bytes.subarray(0, (bytes.length * 2) / 5);
    });
    const read = await extract(cut, [1]);
    expect(read.way).toBe('pass');
    expect(await textOf(read, 't1.vtt')).toEqual([HEAD, `${HELLO}\n`]);
  });

  it('[PLAY55] keeps the script of ASS for who draws it, and the fonts that are fonts', async () => {
    const script = await textFile(
      'styled.ass',
      '[Script Info]\nScriptType: v4.00+\nPlayResX: 320\nPlayResY: 180\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, Alignment\nStyle: Sign,Rare Font,20,&H000000FF,7\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: 3,0:00:01.00,0:00:02.00,Sign,,0,0,0,,{\\pos(10,20)}Here, there\n',
    );
    const [font, noFont] = [
      await textFile('real.ttf', '\u0000\u0001\u0000\u0000 the beginning of one'),
      await textFile('fake.ttf', '<script>alert(1)</script>'),
    ];
    const attach = (path: string, at: number): string[] => [
      ...['-attach', path, `-metadata:s:t:${at}`, 'mimetype=font/ttf', `-metadata:s:t:${at}`, `filename=${at}.ttf`],
    ];
    const path = await clip({
      name: 'styled.mkv',
      args: [
        ...picture(3),
        '-i',
        script,
        '-map',
        '0',
        '-map',
        '1',
        ...attach(font, 0),
        ...attach(noFont, 1),
        ...h264(),
        '-c:s',
        'copy',
      ],
    });
    const read = await extract(path, [1]);
    const styled = await readFile(join(read.folder, 't1.ass'), 'utf8');
    expect(styled).toContain('PlayResX: 320');
    expect(styled).toContain('Style: Sign,Rare Font,20,&H000000FF,7');
    expect(styled).toContain('Dialogue: 3,0:00:01.00,0:00:02.00,Sign,,0,0,0,,{\\pos(10,20)}Here, there');
    expect((await readdir(read.folder)).filter((name) => name.startsWith('f'))).toEqual(['f2']);
  });

  it('[PLAY53] is read from where somebody watches, and has everything in the end', async () => {
    const many = await textFile(
      'many-lines.srt',
      Array.from(
        { length: 40 },
        (_, at) =>
          `${at + 1}\n00:00:${String(at).padStart(2, '0')},000 --> 00:00:${String(at).padStart(2, '0')},900\nLine ${at}\n`,
      ).join('\n'),
    );
    const args = [...picture(40, '64x36', '10'), '-i', many, '-map', '0', '-map', '1', ...h264(10), '-c:s', 'srt'];
    const path = await clip({ name: 'many-lines.mkv', args });
    const noIndex = await changedClip('no-index.mkv', 'many-lines.mkv without cues', async () => {
      const bytes = await readFile(path);
      const at = bytes.lastIndexOf(Buffer.from([0x1c, 0x53, 0xbb, 0x6b]));
      return bytes.subarray(0, at);
    });
    for (const [file, way] of [
      [path, 'index'],
      [noIndex, 'pass'],
    ] as const) {
      const read = await extract(file, [1], { fromMs: 30_000 });
      expect(read.way).toBe(way);
      const cues = (await textOf(read, 't1.vtt')).slice(1).map((cue) => cue.split('\n')[1]);
      expect(cues).toEqual(Array.from({ length: 40 }, (_, at) => `Line ${at}`));
    }
  });

  it.each<[string, number]>([
    ['a picture', 0],
    ['sound', 1],
    ['nothing', 99],
  ])('[PLAY21] is refused for a track that is %s', async (_what, track) => {
    const path = await clips.subtitlesMkv();
    await expect(extract(path, [track])).rejects.toMatchObject({ failure: 'unsupported' });
  });

  it('[PLAY21] stops at its time limit', async () => {
    const path = await clips.subtitlesMkv();
    await expect(extract(path, [2], { timeLimitMs: -1 })).rejects.toMatchObject({ failure: 'timeout' });
  });

  it('[PLAY56] never fails in any other way, whatever has become of the file', async () => {
    const whole = await readFile(await clips.subtitlesMkv());
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    for (let round = 0; round < 20; round++) {
      const path = await changedClip(`mutated-${round}.mkv`, `seed 7, round ${round}`, () => {
        const bytes = Buffer.from(whole);
        for (let count = 0; count < 40; count++) bytes[random(bytes.length)] = random(256);
        return Promise.resolve(bytes);
      });
      await extract(path, [2, 3]).catch((error: unknown) => {
        if (!(error instanceof MediaError)) throw error;
        expect(['unsupported', 'notMedia', 'truncated', 'tooComplex', 'noTracks']).toContain(error.failure);
      });
    }
  });
});

const DISC = [
  { startMs: 0, endMs: 1_500, x: 400, y: 600, width: 480, height: 60 },
  { startMs: 2_000, endMs: 3_000, x: 100, y: 40, width: 300, height: 40 },
];
const sup = (): Promise<string> => changedClip('boxes.sup', JSON.stringify(DISC), () => Promise.resolve(supFile(DISC)));
const withPictures = async (name: string, codec: string): Promise<string> =>
  clip({
    name,
    args: [...picture(4, '1280x720'), '-i', await sup(), '-map', '0', '-map', '1', ...h264(), '-c:s', codec],
  });

/** What is seen: times, and where the white box with its black frame lies. */
async function boxesOf(read: Pick<Read, 'folder'>, name: string): Promise<unknown[]> {
  const pictures = (await picturesOf(read, name)).toSorted((a, b) => a.startMs - b.startMs);
  return pictures.flatMap(({ startMs, endMs, canvasWidth, regions }, at) => {
    if (regions.length === 0) return [];
    const [{ x, y, width, height, png }] = regions as [StreamedPicture['regions'][number]];
    const { pixels, palette } = decodeIndexedPng(png);
    const colourAt = (column: number, row: number): number[] => {
      const index = pixels[row * width + column]!;
      return [...palette.subarray(index * 4, index * 4 + 4)].map((value) => Math.round(value / 32));
    };
    const until = endMs === null || endMs > 20_000 ? (pictures[at + 1]?.startMs ?? null) : endMs;
    return [
      {
        startMs,
        endMs: until,
        canvasWidth,
        box: [x, y, width, height],
        edge: colourAt(1, 1),
        middle: colourAt(width >> 1, height >> 1),
      },
    ];
  });
}

const SEEN = DISC.map(({ startMs, endMs, x, y, width, height }) => ({
  startMs,
  endMs,
  canvasWidth: 1_280,
  box: [x, y, width, height],
  edge: [0, 0, 0, 8],
  middle: [8, 8, 8, 8],
}));

describe('a track of pictures', () => {
  it('[PLAY54] PGS in Matroska', async () => {
    const read = await extract(await withPictures('pgs.mkv', 'copy'), [1]);
    expect(read.way).toBe('index');
    expect(await boxesOf(read, 't1.pics')).toEqual(SEEN);
  });

  it('[PLAY54] VobSub in Matroska', async () => {
    const read = await extract(await withPictures('vobsub.mkv', 'dvdsub'), [1]);
    const boxes = (await boxesOf(read, 't1.pics')) as (typeof SEEN)[number][];
    // Four colours for each picture, from a palette that FFmpeg has made: their places count.
    expect(boxes.map(({ box, canvasWidth }) => ({ box, canvasWidth }))).toEqual(
      SEEN.map(({ box, canvasWidth }) => ({ box, canvasWidth })),
    );
    expect(boxes.map(({ startMs }) => Math.round(startMs / 20))).toEqual(SEEN.map(({ startMs }) => startMs / 20));
    expect(boxes[0]!.middle.slice(0, 3)).not.toEqual(boxes[0]!.edge.slice(0, 3));
  });

  it.each([
    ['dvb.ts', 1_400],
    ['dvb.mkv', 0],
  ] as const)('[PLAY54] DVB in %s', async (name, startMs) => {
    const read = await extract(await withPictures(name, 'dvbsub'), [1], { startMs });
    const boxes = (await boxesOf(read, 't1.pics')) as (typeof SEEN)[number][];
    expect(boxes.map(({ box, middle }) => ({ box, middle }))).toEqual(SEEN.map(({ box, middle }) => ({ box, middle })));
  });

  it('[PLAY56] broken packets are left out, and nothing ends the reading', async () => {
    for (const name of ['pgs.mkv', 'vobsub.mkv', 'dvb.mkv']) {
      const codec = { 'pgs.mkv': 'copy', 'vobsub.mkv': 'dvdsub', 'dvb.mkv': 'dvbsub' }[name]!;
      const whole = await readFile(await withPictures(name, codec));
      let seed = 11;
      const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
      for (let round = 0; round < 6; round++) {
        const path = await changedClip(`broken-${round}-${name}`, `seed 11, round ${round}`, () => {
          const bytes = Buffer.from(whole);
          for (let count = 0; count < 400; count++) bytes[500 + random(bytes.length - 500)] = random(256);
          return Promise.resolve(bytes);
        });
        await extract(path, [1]).catch((error: unknown) => expect(error).toBeInstanceOf(MediaError));
      }
    }
  });
});

describe('a file of subtitles', () => {
  const readFileAt = async (
    path: string,
    more: { language?: string | null; indexPath?: string | null; timeLimitMs?: number } = {},
  ) => {
    const folder = await mkdtemp(join(base, 'file-'));
    const options = {
      ...{ folder, id: 's1', indexPath: null, language: null, frameRate: 25, timeLimitMs: 60_000 },
      ...more,
    };
    return { folder, ...readSubtitleFile(path, options) };
  };

  it('[PLAY50] of text becomes WebVTT, whatever its name', async () => {
    const read = await readFileAt(await lines());
    expect(read).toMatchObject({ kind: 'srt', count: 2 });
    expect(await textOf(read, 's1.vtt')).toEqual([HEAD, HELLO, LAST]);
  });

  it('[PLAY54] `.sup`', async () => {
    const read = await readFileAt(await sup());
    expect(read).toMatchObject({ kind: 'sup', count: 2 });
    expect(await boxesOf(read, 's1.pics')).toEqual(SEEN);
  });

  it('[PLAY57] of pictures ends where it takes too long', async () => {
    await expect(readFileAt(await sup(), { timeLimitMs: -1 })).rejects.toMatchObject({ failure: 'timeout' });
  });

  it('[PLAY54] VobSub: an index beside its pictures, or both as they are handed in, a picture in two packets', async () => {
    // Eight pixels of the second colour in each of two rows, from (16, 8) on, for about a second.
    const rows = [0x21, 0x00]; // a run of 8, filled up to a whole byte
    const control = 4 + rows.length * 2;
    const end = control + 24;
    const unit = Buffer.from([
      ...[0, end + 6, 0, control, ...rows, ...rows],
      ...[
        0,
        0,
        0,
        end,
        0x03,
        0x00,
        0x10,
        0x04,
        0x00,
        0xf0,
        0x05,
        0x01,
        0x00,
        0x17,
        0x00,
        0x80,
        0x09,
        0x06,
        0,
        4,
        0,
        6,
        0x01,
        0xff,
      ],
      ...[0, 88, 0, end, 0x02, 0xff],
    ]);
    const pack = Buffer.from([0, 0, 1, 0xba, 0x44, 0, 4, 0, 4, 1, 1, 0x89, 0xc3, 0xf8]);
    const pes = (payload: Buffer): Buffer =>
      Buffer.concat([
        Buffer.from([0, 0, 1, 0xbd, 0, payload.length + 9, 0x81, 0x80, 5, 0x21, 0, 1, 0, 1, 0x20]),
        payload,
      ]);
    const sub = Buffer.concat([pack, pes(unit.subarray(0, 7)), pack, pes(unit.subarray(7))]);
    const idx = Buffer.from(
      'size: 720x576\npalette: 000000, ff0000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000, 000000\nid: en, index: 0\ntimestamp: 00:00:02:000, filepos: 000000000\n',
    );
    const subPath = await changedClip('own.sub', 'two packets', () => Promise.resolve(sub));
    const idxPath = await changedClip('own.idx', 'one picture', () => Promise.resolve(idx));
    const head = Buffer.concat([Buffer.from('VOBSUB01'), Buffer.alloc(4)]);
    head.writeUInt32BE(idx.length, 8);
    const both = await changedClip('both.sub', 'index and pictures', () =>
      Promise.resolve(Buffer.concat([head, idx, sub])),
    );
    for (const [path, indexPath] of [
      [subPath, idxPath],
      [both, null],
    ] as const) {
      const read = await readFileAt(path, { indexPath });
      expect(read).toMatchObject({ kind: 'vobsub', count: 1 });
      const [shown] = await picturesOf(read, 's1.pics');
      expect(shown).toMatchObject({
        startMs: 2_000,
        endMs: 3_001,
        canvasWidth: 720,
        regions: [{ x: 16, y: 8, width: 8, height: 2 }],
      });
      const { pixels, palette } = decodeIndexedPng(shown!.regions[0]!.png);
      expect([...palette.subarray(pixels[0]! * 4, pixels[0]! * 4 + 4)]).toEqual([255, 0, 0, 255]);
    }
  });

  it.each<[string, string | Buffer]>([
    ['a page', '<html><script>alert(1)</script></html>'],
    ['nothing but zeros', Buffer.alloc(10_000)],
    ['a program', Buffer.from('7f454c4602010100', 'hex')],
    ['a `.sup` without pictures', Buffer.from('PG\u0000\u0000', 'latin1')],
    ['VobSub without an index', Buffer.from('000001ba4400', 'hex')],
    ['a list of videos', '#EXTM3U\nhttp://127.0.0.1/x\n'],
  ])('[PLAY57] is refused where it is %s', async (name, content) => {
    const path = await changedClip(`refused ${name}.srt`.replaceAll(/[^\w.]+/g, '-'), name, () =>
      Promise.resolve(Buffer.from(content as string)),
    );
    await expect(readFileAt(path)).rejects.toMatchObject({ failure: 'unsupported' });
  });

  it('[PLAY57] is refused where it ends within the length of its index', async () => {
    const path = await changedClip('refused-index.sub', 'magic', () => Promise.resolve(Buffer.from('VOBSUB01\0')));
    await expect(readFileAt(path)).rejects.toMatchObject({ failure: 'truncated' });
  });
});
