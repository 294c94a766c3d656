import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { printReadSpans } from '#engine/media/read-spans.ts';
import type { ReadSpan } from '#engine/media/read-spans.ts';
import { PICTURE_STREAM_MAGIC, PictureStreamReader, printStreamedPicture } from '#protocol/schema/subtitle-pictures.ts';
import { PgsDecoder, supSegments } from '#engine/media/pgs.ts';
import { clip, h264 } from '#test/support/media.ts';
import { H264, movie, orderOf, temporaryFolder } from '#test/support/rendition.ts';
import { supFile } from '#test/support/subtitles.ts';
import { encodeIndexedPng } from './indexed-png.ts';
import { Rendition } from './rendition.ts';
import type { RenditionNews } from './rendition.ts';
import { pictureSink } from './subtitle-sink.ts';

const run = promisify(execFile);
/** Most of a canvas as large as the movie's picture. */
const BOX = { x: 40, y: 20, width: 240, height: 140 };
const CANVAS = { canvasWidth: 320, canvasHeight: 180 };

/** A white box from one time to another, as the file of a reading that found it. */
function boxes(...times: (readonly [startMs: number, endMs: number])[]): Buffer {
  const palette = Uint8Array.from([255, 255, 255, 255]);
  const png = encodeIndexedPng({ ...BOX, palette, pixels: new Uint8Array(BOX.width * BOX.height) });
  const pictures = times.map(([startMs, endMs]) =>
    printStreamedPicture({ startMs, endMs, ...CANVAS, regions: [{ ...BOX, png }] }),
  );
  return Buffer.concat([Buffer.from(PICTURE_STREAM_MAGIC), ...pictures]);
}

/** What a reading does, by hand. */
class ByHand {
  readonly stem = join(temporaryFolder(), 't1');

  begin(content: Buffer): void {
    for (const ending of ['done', 'read', 'pics']) rmSync(`${this.stem}.${ending}`, { force: true });
    writeFileSync(`${this.stem}.pics`, content);
  }

  tell(...spans: ReadSpan[]): void {
    writeFileSync(`${this.stem}.read.new`, printReadSpans(spans));
    renameSync(`${this.stem}.read.new`, `${this.stem}.read`);
  }
}

/** A rendition that burns in what is read by hand, and everything that it tells. */
async function burning(burnInOffsetMs?: number) {
  const path = await clip({
    name: 'navy.mkv',
    args: ['-f', 'lavfi', '-i', 'color=c=navy:size=320x180:rate=24:duration=8', ...h264()],
  });
  const reading = new ByHand();
  const outputDir = temporaryFolder();
  const order = orderOf(movie(path), 'video', {
    ...{ ...H264, burnIn: 't1' },
    ...(burnInOffsetMs !== undefined && { burnInOffsetMs }),
  });
  const news: RenditionNews[] = [];
  const waits: { matches: (one: RenditionNews) => boolean; resolve: () => void }[] = [];
  const rendition = new Rendition({ ...order, outputDir, burnInPath: `${reading.stem}.pics` }, (one) => {
    news.push(one);
    for (const wait of waits) if (wait.matches(one)) wait.resolve();
  });
  return {
    ...{ reading, rendition, outputDir, news, boundariesUs: order.boundariesUs },
    made: () => news.flatMap((one) => (one.kind === 'segment' ? [one.index] : [])),
    until(matches: (one: RenditionNews) => boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waits.push({ matches, resolve });
      if (news.some(matches)) resolve();
      return promise;
    },
    /** How bright the middle of each frame of a segment is, 0 to 255. */
    async brightness(index: number): Promise<number[]> {
      const file = join(outputDir, `${index}.mp4`);
      writeFileSync(
        file,
        Buffer.concat(['init.mp4', `${index}.m4s`].map((name) => readFileSync(join(outputDir, name)))),
      );
      const args = ['-vf', 'crop=16:16:152:82,scale=1:1', '-pix_fmt', 'gray', '-f', 'rawvideo', '-'];
      const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, ...args], { encoding: 'buffer' });
      return [...stdout];
    },
  };
}

describe('subtitles that become a part of the picture', () => {
  it('[PLAY59] a segment waits until the reading has passed its place', async () => {
    const stage = await burning();
    using rendition = stage.rendition;
    rendition.produce({ from: 0, until: 2 });
    await stage.until(({ kind }) => kind === 'waiting');
    expect(stage.made()).toEqual([]);
    // As far as the first segment goes, and not the second.
    const [, firstUs, secondUs] = stage.boundariesUs as [number, number, number];
    stage.reading.begin(boxes([0, firstUs / 1_000]));
    stage.reading.tell([0, secondUs / 1_000 - 500]);
    await stage.until((one) => one.kind === 'segment' && one.index === 0);
    expect(Math.min(...(await stage.brightness(0)))).toBeGreaterThan(200);
    // What comes late still comes in time.
    writeFileSync(`${stage.reading.stem}.pics`, boxes([firstUs / 1_000, 60_000]).subarray(4), { flag: 'a' });
    expect(stage.made()).toEqual([0]);
    stage.reading.tell([0, 60_000]);
    await stage.until(({ kind }) => kind === 'idle');
    expect(stage.made()).toEqual([0, 1, 2]);
    expect(Math.min(...(await stage.brightness(2)))).toBeGreaterThan(200);
  });

  it('[PLAY59] another reading that took the place of the first is followed, and the first is forgotten', async () => {
    const stage = await burning();
    using rendition = stage.rendition;
    // Somebody watched from the fifth second on: of what lies before nothing is known.
    stage.reading.begin(boxes([5_000, 60_000]));
    stage.reading.tell([5_000, 60_000]);
    rendition.produce({ from: 0, until: 0 });
    await stage.until(({ kind }) => kind === 'waiting');
    expect(stage.made()).toEqual([]);
    stage.reading.begin(boxes([0, 60_000]));
    writeFileSync(`${stage.reading.stem}.done`, '');
    await stage.until(({ kind }) => kind === 'idle');
    expect(Math.min(...(await stage.brightness(0)))).toBeGreaterThan(200);
  });

  it.each([
    ['later', 500],
    ['earlier', -500],
  ] as const)('[PLAY58] are shown %s as it was set, and waited for where they lie then', async (_how, offsetMs) => {
    const stage = await burning(offsetMs);
    using rendition = stage.rendition;
    const [untilMs, nextMs] = [stage.boundariesUs[1]! / 1_000, stage.boundariesUs[2]! / 1_000];
    // From half a second before the end of the first segment on.
    stage.reading.begin(boxes([untilMs - 500 - offsetMs, 60_000]));
    // An encoder looks some way ahead. What it waits for is told by the movie's clock, and lies elsewhere in the file.
    stage.reading.tell([0, nextMs - 100 - offsetMs]);
    rendition.produce({ from: 0, until: 1 });
    await stage.until((one) => one.kind === 'segment' && one.index === 0);
    const bright = (await stage.brightness(0)).map((level) => level > 128);
    const darkFrames = (untilMs - 500) / (1_000 / 24);
    expect(bright.indexOf(true)).toBe(Math.ceil(darkFrames));
    expect(bright.lastIndexOf(false)).toBe(Math.ceil(darkFrames) - 1);
    stage.reading.tell([0, 60_000]);
    await stage.until(({ kind }) => kind === 'idle');
    expect(stage.made()).toEqual([0, 1]);
  });

  it('[PLAY59] one that waits can be told to rest, and to go elsewhere', async () => {
    const stage = await burning();
    using rendition = stage.rendition;
    rendition.produce({ from: 0, until: 0 });
    await stage.until(({ kind }) => kind === 'waiting');
    rendition.pause();
    await stage.until(({ kind }) => kind === 'idle');
    const fromMs = stage.boundariesUs[2]! / 1_000;
    stage.reading.begin(boxes([fromMs, 60_000]));
    stage.reading.tell([fromMs, 60_000]);
    rendition.produce({ from: 2, until: 2 });
    await stage.until((one) => one.kind === 'segment');
    expect(stage.made()).toEqual([2]);
  });
});

describe('a file of pictures that grows', () => {
  const sup = supFile([
    { startMs: 1_000, endMs: 2_000, x: 0, y: 0, width: 64, height: 16 },
    { startMs: 3_000, endMs: 4_000, x: 0, y: 0, width: 64, height: 16 },
  ]);

  it('says how far it goes, and at last that it is whole', () => {
    const folder = temporaryFolder();
    const sink = pictureSink({ folder, id: 't1', codec: '', extradata: null }, new PgsDecoder());
    const packets = [...supSegments(sup)];
    for (const { packet, ptsUs } of packets) sink.take(packet, ptsUs, Number.NaN);
    sink.reached?.([0, 5_000]);
    expect(readFileSync(join(folder, 't1.read'), 'utf8')).toBe('[[0,5000]]');
    // What it speaks of is in the file.
    expect(new PictureStreamReader().take(readFileSync(join(folder, 't1.pics')))).toHaveLength(4);
    sink.finish();
    expect(existsSync(join(folder, 't1.done'))).toBe(true);
    expect(existsSync(join(folder, 't1.read'))).toBe(false);
  });

  it('says nothing of one that another reading put in its place', () => {
    const folder = temporaryFolder();
    const facts = { folder, id: 't1', codec: '', extradata: null };
    const first = pictureSink(facts, new PgsDecoder());
    const second = pictureSink(facts, new PgsDecoder());
    first.reached?.([0, 5_000]);
    first.finish();
    expect(existsSync(join(folder, 't1.read'))).toBe(false);
    expect(existsSync(join(folder, 't1.done'))).toBe(false);
    second.finish();
    expect(existsSync(join(folder, 't1.done'))).toBe(true);
  });
});
