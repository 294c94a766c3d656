import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clip, clips, h264, picture, tone } from '#test/support/media.ts';
import { AAC, COPY, H264, countOf, make, makeAll, movie, orderOf, temporaryFolder } from '#test/support/rendition.ts';
import type { RenditionOutput, RenditionSpec } from '#engine/media/rendition-spec.ts';
import { readInit, readSegment } from '#test/support/fragment.ts';
import { Rendition } from './rendition.ts';
import type { RenditionNews } from './rendition.ts';

/** A rendition at work, and a way to wait for what it tells. */
class Listened {
  readonly rendition: Rendition;
  readonly news: RenditionNews[] = [];
  #awaited: { matches: (news: RenditionNews) => boolean; resolve: (news: RenditionNews) => void } | null = null;

  constructor(spec: RenditionSpec) {
    this.rendition = new Rendition(spec, (news) => {
      this.news.push(news);
      if (this.#awaited?.matches(news)) this.#awaited.resolve(news);
    });
  }

  next(matches: (news: RenditionNews) => boolean): Promise<RenditionNews> {
    const { promise, resolve } = Promise.withResolvers<RenditionNews>();
    this.#awaited = { matches, resolve };
    return promise;
  }

  end(): Promise<RenditionNews> {
    return this.next(({ kind }) => kind === 'idle' || kind === 'failed');
  }

  get made(): number[] {
    return this.news.flatMap((news) => (news.kind === 'segment' ? [news.index] : []));
  }
}

async function order(output: RenditionOutput, kind: 'video' | 'audio' = 'video'): Promise<RenditionSpec> {
  const path = await clip({ name: 'demand.mkv', args: [...picture(20), ...tone(20), ...h264(), '-c:a', 'aac'] });
  return { ...orderOf(movie(path), kind, output), outputDir: temporaryFolder() };
}

const METHODS = [
  ['copied video', COPY, 'video'],
  ['copied sound', COPY, 'audio'],
  ['encoded video', H264, 'video'],
  ['encoded sound', AAC, 'audio'],
] as const;

describe('a rendition on demand', () => {
  it.each(METHODS)('%s: makes a range in order, init first, then rests [DEMAND1] [SEG6]', async (_, output, kind) => {
    const spec = await order(output, kind);
    const listened = new Listened(spec);
    using rendition = listened.rendition;
    rendition.produce({ from: 1, until: 3 });
    await listened.end();
    expect(listened.news.map(({ kind: what }) => what)).toEqual(['init', 'segment', 'segment', 'segment', 'idle']);
    expect(listened.made).toEqual([1, 2, 3]);
    expect(listened.news.at(-1)).toEqual({ kind: 'idle', next: 4 });
    expect(readdirSync(spec.outputDir).toSorted()).toEqual(['1.m4s', '2.m4s', '3.m4s', 'init.mp4']);
    for (const news of listened.news) {
      const name = news.kind === 'segment' ? `${news.index}.m4s` : 'init.mp4';
      if ('sizeBytes' in news) expect(readFileSync(join(spec.outputDir, name)).length).toBe(news.sizeBytes);
    }
  });

  it.each(METHODS)('%s: goes on where it stands, and elsewhere when asked [DEMAND1]', async (_, output, kind) => {
    const spec = await order(output, kind);
    const listened = new Listened(spec);
    using rendition = listened.rendition;
    for (const [from, until] of [
      [0, 1],
      [2, 2],
      [4, 4],
      [1, 2],
      [3, 3],
    ] as const) {
      const end = listened.end();
      rendition.produce({ from, until });
      expect(await end).toEqual({ kind: 'idle', next: until + 1 });
    }
    expect(listened.made).toEqual([0, 1, 2, 4, 1, 2, 3]);
    // All the same as in one go [SEG1].
    const init = readInit(readFileSync(join(spec.outputDir, 'init.mp4')));
    const whole = await makeAll(spec);
    for (const index of [0, 1, 2, 3, 4]) {
      const times = readSegment(readFileSync(join(spec.outputDir, `${index}.m4s`)), init).map(
        ({ ptsUs }) => ptsUs - 10e6,
      );
      expect(times.toSorted((a, b) => a - b)).toEqual(
        whole
          .samples(index)
          .map(({ ptsUs }) => ptsUs)
          .toSorted((a, b) => a - b),
      );
    }
  });

  it('takes up a new range in the middle of one [DEMAND2]', async () => {
    const spec = await order(H264);
    const last = countOf(spec) - 1;
    const listened = new Listened(spec);
    using rendition = listened.rendition;
    rendition.produce({ from: 0, until: last });
    await listened.next((news) => news.kind === 'segment' && news.index === 1);
    const end = listened.end();
    rendition.produce({ from: last, until: last });
    expect(await end).toEqual({ kind: 'idle', next: last + 1 });
    expect(listened.made[0]).toBe(0);
    expect(listened.made.at(-1)).toBe(last);
    expect(listened.made.length).toBeLessThan(last);
    expect(listened.news.filter(({ kind }) => kind === 'idle')).toHaveLength(1);
  });

  it('makes a range longer or shorter without a seek [DEMAND2]', async () => {
    const listened = new Listened(await order(H264));
    using rendition = listened.rendition;
    rendition.produce({ from: 0, until: 1 });
    await listened.next((news) => news.kind === 'segment' && news.index === 0);
    rendition.produce({ from: 1, until: 3 });
    expect(await listened.end()).toEqual({ kind: 'idle', next: 4 });
    expect(listened.made).toEqual([0, 1, 2, 3]);
  });

  it('comes to rest when paused, at work and at rest [DEMAND2]', async () => {
    const spec = await order(H264);
    const listened = new Listened(spec);
    using rendition = listened.rendition;
    rendition.produce({ from: 0, until: countOf(spec) - 1 });
    await listened.next(({ kind }) => kind === 'segment');
    const end = listened.end();
    rendition.pause();
    const idle = await end;
    expect(idle).toEqual({ kind: 'idle', next: listened.made.length });
    expect(listened.made.length).toBeLessThan(countOf(spec));
    const again = listened.end();
    rendition.pause();
    expect(await again).toEqual(idle);
    // And goes on from there.
    const done = listened.end();
    rendition.produce({ from: listened.made.length, until: listened.made.length });
    expect(await done).toMatchObject({ kind: 'idle' });
  });

  it('lets messages in while it works [DEMAND2]', async () => {
    const listened = new Listened(await order(H264));
    using rendition = listened.rendition;
    let turns = 0;
    const count = (): void => {
      turns++;
      if (listened.news.at(-1)?.kind !== 'idle') setImmediate(count);
    };
    setImmediate(count);
    rendition.produce({ from: 0, until: 5 });
    await listened.end();
    expect(turns).toBeGreaterThan(listened.made.length);
  });

  it('refuses ranges that are not in its plan', async () => {
    const spec = await order(COPY);
    const { rendition } = new Listened(spec);
    for (const range of [
      { from: -1, until: 0 },
      { from: 2, until: 1 },
      { from: 0, until: countOf(spec) },
      { from: 0.5, until: 1 },
    ]) {
      expect(() => rendition.produce(range)).toThrow(RangeError);
    }
    rendition[Symbol.dispose]();
  });

  it('can be ended at work, at rest and twice', async () => {
    const spec = await order(H264);
    const listened = new Listened(spec);
    listened.rendition.produce({ from: 0, until: countOf(spec) - 1 });
    await listened.next(({ kind }) => kind === 'segment');
    listened.rendition[Symbol.dispose]();
    listened.rendition[Symbol.dispose]();
    const heard = listened.news.length;
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(listened.news.length).toBe(heard);
    expect(readdirSync(spec.outputDir).every((name) => !name.startsWith('.'))).toBe(true);
  });

  it('shows no file before it is whole [SEG6]', async () => {
    const spec = await order(COPY);
    const seen = new Set<string>();
    const watcher = watch(spec.outputDir, (_, name) => {
      if (name === null || seen.has(name) || name.startsWith('.') || !existsSync(join(spec.outputDir, name))) return;
      seen.add(name);
      const bytes = readFileSync(join(spec.outputDir, name));
      if (name === 'init.mp4') return;
      const init = readInit(readFileSync(join(spec.outputDir, 'init.mp4')));
      expect(readSegment(bytes, init).length).toBeGreaterThan(0);
    });
    const listened = new Listened(spec);
    using rendition = listened.rendition;
    rendition.produce({ from: 0, until: countOf(spec) - 1 });
    await listened.end();
    await new Promise((resolve) => setTimeout(resolve, 0));
    watcher.close();
    expect(listened.made).toHaveLength(countOf(spec));
  });
});

describe('what cannot be made', () => {
  const of = (path: string, change: Partial<RenditionSpec> = {}): Omit<RenditionSpec, 'outputDir'> => ({
    ...{ path, trackIndex: 0, kind: 'video', boundariesUs: [0, 1e6, 2e6], startUs: 0, output: COPY },
    ...change,
  });
  const ask = (spec: Omit<RenditionSpec, 'outputDir'>) => make(spec, [{ from: 0, until: 0 }]);

  it('fails with the reason and the segment [DEMAND3]', async () => {
    const text = join(temporaryFolder(), 'text.mkv');
    writeFileSync(text, 'nothing but text\n'.repeat(100));
    const empty = join(temporaryFolder(), 'empty.mkv');
    writeFileSync(empty, '');
    const mkv = await clips.h264Mkv();
    for (const [spec, failure] of [
      [of('/nowhere/movie.mkv'), 'notFound'],
      [of(text), 'notMedia'],
      [of(empty), 'empty'],
      [of(mkv, { trackIndex: 7 }), 'unsupported'],
      [of(mkv, { trackIndex: 1 }), 'unsupported'],
      [of(mkv, { kind: 'audio', output: AAC }), 'unsupported'],
      [of(mkv, { boundariesUs: [0, 0] }), 'internal'],
    ] as const) {
      expect((await ask(spec)).news, failure).toMatchObject([{ kind: 'failed', failure, index: 0 }]);
    }
  });

  it.each(METHODS)('%s: is not led astray by a time stamp of a day', async (_, output, kind) => {
    // From the third second on, each time stamp is a day too late.
    const late = ['-bsf', "setts=ts='if(gte(PTS*TB,3),PTS+86400/TB,PTS)'"];
    const whole = await clip({ name: 'whole.mkv', args: [...picture(8), ...tone(8), ...h264(), '-c:a', 'aac'] });
    const path = await clip({ name: 'a-day-late.mkv', args: ['-i', whole, '-c', 'copy', ...late] });
    const spec = { ...orderOf(movie(whole), kind, output), path };
    const made = await makeAll(spec);
    // What has sane time stamps is made; what has not counts as the end.
    expect(made.news[0]).toMatchObject({ kind: 'init' });
    expect(made.news.length).toBeGreaterThan(3);
    expect(made.failures.every((news) => news.kind === 'failed' && news.failure === 'truncated')).toBe(true);
  });

  it('is tried afresh by the next range [DEMAND3]', async () => {
    const spec = await order(H264);
    rmSync(spec.outputDir, { recursive: true });
    const listened = new Listened(spec);
    using rendition = listened.rendition;
    rendition.produce({ from: 2, until: 2 });
    expect(await listened.end()).toMatchObject({ kind: 'failed', failure: 'internal', index: 2 });
    mkdirSync(spec.outputDir);
    const end = listened.end();
    rendition.produce({ from: 2, until: 2 });
    expect(await end).toEqual({ kind: 'idle', next: 3 });
  });
});
