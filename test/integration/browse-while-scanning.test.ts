/** Three hundred files arrive, and nobody who browses or plays meanwhile has to wait for them. */
import { readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { jobs, libraries, movies, playback, progress, server } from '#protocol/index.ts';
import { clip, clips, h264, picture } from '#test/support/media.ts';
import { movieNames, putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const COUNT = 300;
/** Of the engine's own computing for anything that is not the question: what is measured on a quiet machine is a few milliseconds. */
const BLOCKED_MS = 1_000;

let base = '';
let engine: RunningEngine;
let ada: Person;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee browse ')));
  await putMovie(join(base, 'Films/Already There (1999).mp4'), await clips.h264Mp4());
  const size = [...picture(1, '160x90'), ...h264()];
  const sources = await Promise.all([
    clip({ name: 'tiny.mp4', args: [...size, '-movflags', '+faststart'] }),
    clip({ name: 'tiny.mkv', args: size }),
    clip({ name: 'tiny.avi', args: size }),
  ]);
  const names = movieNames(COUNT, '');
  for (const [index, name] of names.entries()) {
    const source = sources[index % sources.length]!;
    await putMovie(join(base, `Arriving/${index % 7}`, `${name}${source.slice(-4)}`), source);
  }
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    libraries: [join(base, 'Films')],
    environment: adminEnvironment,
  });
  ada = await Person.signIn(engine.url);
  await ada.scan();
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

/** Milliseconds that the engine's main thread has computed (proc(5): schedstat): whatever else the machine does takes none of them. */
const computedMs = (): number =>
  Number(readFileSync(`/proc/${engine.pid}/task/${engine.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;

/** Asks again and again until told to stop; how long the engine computed while each question waited. */
async function ask(isOver: () => boolean, question: () => Promise<unknown>): Promise<number[]> {
  const waits: number[] = [];
  while (!isOver()) {
    const before = computedMs();
    await question();
    waits.push(computedMs() - before);
  }
  return waits;
}

describe('while 300 files are scanned', () => {
  it('everything is answered, the loop is never blocked, and the movies appear as they are found', async () => {
    using library = ada.follow(libraryFeed);
    await library.until(() => library.snapshots.length > 0, 'a snapshot');
    const there = await ada.movie('Already There');
    let isOver = false;
    const over = (): boolean => isOver;
    const totals = new Set<number>();
    let offset = 0;
    const asking = Promise.all([
      // The loop itself: nothing is looked up for this.
      ask(over, async () => expect((await fetch(`${engine.url}/healthz`)).status).toBe(200)),
      ask(over, () => ada.call(server.info, {})),
      // Browsing.
      ask(over, async () => {
        const page = await ada.call(movies.list, { offset, limit: 60, sort: 'added' });
        totals.add(page.total);
        offset = (offset + 60) % Math.max(60, page.total);
      }),
      ask(over, async () => {
        await ada.call(movies.list, { search: 'movie 1', sort: 'year' });
        await ada.call(movies.home, {});
        await ada.call(jobs.list, {});
      }),
      // Playing.
      ask(over, async () => {
        const { url } = await ada.call(playback.open, { movieId: there.id });
        const response = await fetch(engine.url + url, { headers: { range: 'bytes=1000-200000' } });
        expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([206, 199_001]);
        await ada.call(progress.report, { movieId: there.id, positionMs: 1_000 + (offset % 5_000) });
      }),
    ]);
    await ada.call(libraries.add, { path: join(base, 'Arriving') });
    // What runs already is answered with its job.
    const ended = await ada.scan();
    isOver = true;
    const waits = await asking;

    expect(ended.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    expect(await ada.movies()).toHaveLength(COUNT + 1);
    expect((await ada.call(libraries.issues, {})).total).toBe(0);
    for (const of of waits) expect(of.length).toBeGreaterThan(5);
    expect(Math.max(...waits[0])).toBeLessThan(BLOCKED_MS);
    expect(Math.max(...waits[1])).toBeLessThan(BLOCKED_MS);
    // They came by and by, for who asked and for who only watched.
    expect([...totals].filter((total) => total > 1 && total < COUNT + 1).length).toBeGreaterThan(2);
    const shown = new Set(
      library.entries.flatMap((entry) => (entry.kind === 'movie' && entry.movie ? [entry.id] : [])),
    );
    await library.until(() => {
      for (const entry of library.entries) if (entry.kind === 'movie' && entry.movie) shown.add(entry.id);
      return shown.size > COUNT - 1;
    }, 'all movies');
    expect(library.snapshots).toHaveLength(1);
    expect(ada.states.map(({ name }) => name)).toEqual(['connecting', 'live']);
  });
});
