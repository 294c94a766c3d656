import { describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import type { PictureResult } from '#engine/hosts/probe.port.ts';
import { Frames } from './frames.ts';

const FRAME: PictureResult = {
  ok: true,
  bytes: new Uint8Array([1]),
  mimeType: 'image/webp',
  widthPx: 640,
  heightPx: 360,
};

/** Movies without pictures, newest first, and everything around them in memory. */
function open(movieIds: readonly string[], frame: (path: string) => PictureResult = () => FRAME) {
  const clock = new FakeClock();
  const made: string[] = [];
  const urgent: string[] = [];
  const jobs: { state: string; done: number }[] = [];
  const missing = new Set(movieIds);
  let isScanning = false;
  const abort = new AbortController();
  const pictures = new Frames({
    clock,
    log: silentLog,
    isScanning: () => isScanning,
    store: {
      pictureless: async (limit, { among, except }) =>
        [...missing]
          .filter((id) => (among?.includes(id) ?? true) && !except.includes(id))
          .slice(0, limit)
          .map((movieId) => ({ movieId, fileId: `file of ${movieId}`, path: `/${movieId}` })),
      picturelessCount: async () => missing.size,
      setFrame: async (movieId, _fileId, picture) => {
        missing.delete(movieId);
        if (picture) made.push(movieId);
      },
    },
    media: {
      picture: async (path, _request, options) => {
        if (options?.priority === 'interactive') urgent.push(path.slice(1));
        return frame(path);
      },
    },
    cache: { put: async () => undefined },
    jobs: {
      run: async (_spec, work) => {
        const job = { id: 'job', state: 'running', done: 0 };
        jobs.push(job);
        const ended = work({
          signal: abort.signal,
          progress: ({ done }) => {
            job.done = done ?? 0;
          },
        }).then(
          () => ({ state: (job.state = 'succeeded') }),
          () => ({ state: (job.state = 'cancelled') }),
        );
        return { job, ended };
      },
    },
  });
  const settle = async () => {
    for (let turn = 0; turn < 30; turn++) await clock.advance(0);
  };
  return { pictures, clock, made, urgent, jobs, abort, settle, setScanning: (value: boolean) => (isScanning = value) };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

describe('frames of movies', () => {
  it('[PIC1] makes all that are missing, in one job, and no job for nothing', async () => {
    const world = open(names(40));
    world.pictures.wake();
    world.pictures.wake();
    await world.settle();
    expect(world.made.toSorted()).toEqual(names(40).toSorted());
    expect(world.jobs).toEqual([{ id: 'job', state: 'succeeded', done: 40 }]);
    world.pictures.wake();
    await world.settle();
    expect(world.jobs).toHaveLength(1);
  });

  it('[PIC2] what is on a screen comes first, and urgently', async () => {
    const world = open(names(40));
    world.pictures.want(['m30', 'm31']);
    await world.settle();
    expect(new Set(world.made.slice(0, 2))).toEqual(new Set(['m30', 'm31']));
    expect(world.urgent.toSorted()).toEqual(['m30', 'm31']);
    expect(world.made).toHaveLength(40);
  });

  it('[PIC2] while a scan runs only those are made, and the rest after it', async () => {
    const world = open(names(5));
    world.setScanning(true);
    world.pictures.wake();
    await world.settle();
    expect(world.jobs).toEqual([]);
    world.pictures.want(['m3']);
    await world.settle();
    expect(world.made).toEqual(['m3']);
    world.setScanning(false);
    await world.clock.advance(500);
    await world.settle();
    expect(world.made).toHaveLength(5);
    expect(world.jobs).toHaveLength(1);
  });

  it('[PIC8] one that fails costs no other, and is not tried again and again', async () => {
    let tries = 0;
    const world = open(names(20), (path) => {
      if (path !== '/m3' && path !== '/m4') return FRAME;
      tries++;
      return { ok: false, failure: path === '/m3' ? 'timeout' : 'unsupported' };
    });
    world.pictures.wake();
    await world.settle();
    world.pictures.want(['m3', 'm4']);
    await world.settle();
    expect(world.made).toHaveLength(18);
    expect(tries).toBe(2);
  });

  it('[PIC1] can be cancelled, and goes on when it is woken again', async () => {
    const world = open(names(40), () => {
      if (world.made.length === 10) world.abort.abort(new Error('cancelled'));
      return FRAME;
    });
    world.pictures.wake();
    await world.settle();
    expect(world.jobs[0]!.state).toBe('cancelled');
    expect(world.made.length).toBeLessThan(14);
    await world.pictures.stop();
    world.pictures.wake();
    await world.settle();
    expect(world.jobs).toHaveLength(1);
  });
});
