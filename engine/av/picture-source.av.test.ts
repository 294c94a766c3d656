import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { rm } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SegmentRange, VideoOutput } from '#engine/media/rendition-spec.ts';
import { planTranscode } from '#engine/media/segment-plan.ts';
import { readInit, readSegment } from '#test/support/fragment.ts';
import { clips } from '#test/support/media.ts';
import { H264, movie, orderOf } from '#test/support/rendition.ts';
import { DecodeSharing } from './picture-source.ts';
import { Rendition } from './rendition.ts';
import type { RenditionNews } from './rendition.ts';

/** A rung of a process: what it makes, and its end. */
class Rung {
  readonly outputDir = mkdtempSync(join(tmpdir(), 'matinee-rung-'));
  readonly made: number[] = [];
  readonly rendition: Rendition;
  #whenIdle = Promise.withResolvers<RenditionNews>();

  constructor(path: string, output: VideoOutput, sharing: DecodeSharing) {
    const file = movie(path);
    const plan = [...planTranscode(file.keyframesUs, file.durationUs, file.media.video[0]?.frameRate ?? null)];
    const spec = { ...orderOf(file, 'video', output, plan), outputDir: this.outputDir };
    this.rendition = new Rendition(spec, (news) => this.#hear(news), sharing);
    onTestFinished(() => {
      this.rendition[Symbol.dispose]();
      return rm(this.outputDir, { recursive: true, force: true });
    });
  }

  async make(range: SegmentRange): Promise<RenditionNews> {
    this.#whenIdle = Promise.withResolvers<RenditionNews>();
    this.rendition.produce(range);
    return await this.#whenIdle.promise;
  }

  times(): number[][] {
    const init = readInit(readFileSync(join(this.outputDir, 'init.mp4')));
    return [...new Set(this.made)]
      .toSorted((a, b) => a - b)
      .map((index) => readSegment(readFileSync(join(this.outputDir, `${index}.m4s`)), init).map(({ ptsUs }) => ptsUs));
  }

  #hear(news: RenditionNews): void {
    if (news.kind === 'segment') this.made.push(news.index);
    if (news.kind === 'idle' || news.kind === 'failed') this.#whenIdle.resolve(news);
  }
}

const low: VideoOutput = { ...H264, heightPx: 90 };

describe('rungs of one track in one process', () => {
  it('[SHARE1] are made of one decoded picture where they begin at the same place, and are what they are alone', async () => {
    const path = await clips.h264Mkv();
    const sharing = new DecodeSharing();
    const [one, two] = [new Rung(path, H264, sharing), new Rung(path, low, sharing)];
    const both = Promise.all([one.make({ from: 1, until: 3 }), two.make({ from: 1, until: 4 })]);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, sharing.count)), 1);
    expect((await both).map(({ kind }) => kind)).toEqual(['idle', 'idle']);
    clearInterval(watch);
    expect(most).toBe(1);
    expect([one.made, two.made]).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4],
    ]);
    const alone = new Rung(path, H264, new DecodeSharing());
    await alone.make({ from: 1, until: 3 });
    expect(one.times()).toEqual(alone.times());
  });

  it('[SHARE2] go apart when one of them is wanted elsewhere, and neither waits for the other', async () => {
    const path = await clips.h264Mkv();
    const sharing = new DecodeSharing();
    const [one, two] = [new Rung(path, H264, sharing), new Rung(path, low, sharing)];
    await Promise.all([one.make({ from: 0, until: 1 }), two.make({ from: 0, until: 1 })]);
    await Promise.all([one.make({ from: 2, until: 4 }), two.make({ from: 0, until: 0 })]);
    await two.make({ from: 1, until: 4 });
    const alone = new Rung(path, low, new DecodeSharing());
    await alone.make({ from: 0, until: 4 });
    expect(two.times()).toEqual(alone.times());
    expect(one.made).toEqual([0, 1, 2, 3, 4]);
  });

  it('[SHARE3] join others that will be there soon', async () => {
    const path = await clips.h264Mkv();
    const sharing = new DecodeSharing();
    const [one, two] = [new Rung(path, H264, sharing), new Rung(path, low, sharing)];
    const first = one.make({ from: 0, until: 4 });
    const second = two.make({ from: 2, until: 4 });
    await first;
    expect((await second).kind).toBe('idle');
    expect(two.made).toEqual([2, 3, 4]);
    expect(sharing.count).toBe(1);
    const alone = new Rung(path, low, new DecodeSharing());
    await alone.make({ from: 2, until: 4 });
    expect(two.times()).toEqual(alone.times());
  });
});
