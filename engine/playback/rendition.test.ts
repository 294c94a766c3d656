import { describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { FakeHosts, MemoryScratch } from '#test/support/playback.ts';
import { RenditionError } from './rendition-error.ts';
import { RenditionPool } from './rendition-pool.ts';
import type { RenditionOrder } from './rendition-pool.ts';
import { BROKEN_MS, HOST_IDLE_MS, LIVE_MS } from './rendition-state.ts';
import type { Part } from './rendition-state.ts';
import { PART_DEADLINE_MS } from './rendition.ts';
import type { Rendition } from './rendition.ts';
import { TURN } from './steering.ts';

const S = 1_000_000;
/** 100 segments of two seconds. A lead of 40 s is 20 segments (encoding), of 30 s 15 (copying). */
const plan = Float64Array.from({ length: 101 }, (_, index) => index * 2 * S);

function order(key: string, method: 'copy' | 'h264' = 'copy'): RenditionOrder {
  const output =
    method === 'copy'
      ? { method }
      : {
          method,
          encoder: 'software' as const,
          heightPx: 720,
          level: 31,
          crf: 23,
          maxBitrateBps: 1,
          preset: 'veryfast' as const,
          toneMap: false,
          deinterlace: false,
        };
  return {
    key,
    plan,
    spec: { path: `/movies/${key}.mkv`, trackIndex: 0, kind: 'video', boundariesUs: plan, startUs: 0, output },
  };
}

class Stage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly hosts = new FakeHosts();
  readonly scratch = new MemoryScratch();
  readonly pool: RenditionPool;

  constructor(options: { quotaBytes?: number; maxTranscodes?: number } = {}) {
    const { quotaBytes = 1e9, maxTranscodes = 1 } = options;
    const { clock, hosts, scratch } = this;
    this.pool = new RenditionPool({ clock, hosts, scratch, log: silentLog, quotaBytes, maxTranscodes });
  }

  async rendition(key = 'a', method: 'copy' | 'h264' = 'copy'): Promise<Rendition> {
    const rendition = await this.pool.get(order(key, method));
    if (!rendition) throw new Error('the pool is closed');
    return rendition;
  }

  /** Lets the newest host make everything that it is told to, one segment after the other. */
  async finish(): Promise<void> {
    for (const host = this.hosts.last; host.range; await this.settle()) host.make();
  }

  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]();
    expect(this.hosts.open).toEqual([]);
    expect(this.clock.pendingCount).toBe(0);
  }
}

/** A request whose fate can be looked at. */
function ask(rendition: Rendition, part: Part, viewer = 'ada', isSourceGone = false) {
  const abort = new AbortController();
  const request = { state: 'waiting' as string, abort: () => abort.abort(new Error('gone')) };
  rendition.part(viewer, part, abort.signal, isSourceGone).then(
    (path) => (request.state = path),
    (error: unknown) => (request.state = error instanceof RenditionError ? error.message : (error as Error).message),
  );
  return request;
}

describe('a rendition', () => {
  it('[PLAY8] makes what is asked for, and hands it out when it is there', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    const [init, first] = [ask(rendition, 'init'), ask(rendition, 0)];
    await stage.settle();
    expect(stage.hosts.hosts.map(({ commands }) => commands)).toEqual([['0-15']]);
    expect(stage.hosts.last.spec).toMatchObject({ path: '/movies/a.mkv', outputDir: '/scratch/a' });
    expect([init.state, first.state]).toEqual(['waiting', 'waiting']);
    stage.hosts.last.make();
    await stage.settle();
    expect([init.state, first.state]).toEqual(['/scratch/a/init.mp4', '/scratch/a/0.m4s']);
  });

  it('[PLAY96] tells how fast it is made, at rest too, and when its hardware is lost', async () => {
    await using stage = new Stage();
    const chip = order('a', 'h264');
    const output = { ...chip.spec.output, encoder: 'vaapi' } as typeof chip.spec.output;
    const rendition = (await stage.pool.get({ ...chip, spec: { ...chip.spec, output } }))!;
    stage.pool.watch('ada', 'a');
    expect(stage.pool.workFor('ada')).toMatchObject({ isAtRest: true, paceFactor: null, hardware: 'vaapi' });
    ask(rendition, 0);
    await stage.settle();
    expect(rendition.work).toMatchObject({ isAtRest: false, paceFactor: null });
    for (let made = 0; made < 2; made++) {
      await stage.clock.advance(500);
      stage.hosts.last.make();
      await stage.settle();
    }
    // Segments of two seconds, in half a second each.
    expect(rendition.work.paceFactor).toBe(4);
    const failed = { kind: 'hardwareFailed', hardware: 'vaapi', verdict: 'crashed', detail: null, index: 2 } as const;
    stage.hosts.last.emit(failed);
    await stage.clock.advance(4_000);
    stage.hosts.last.make();
    await stage.settle();
    expect(rendition.work).toMatchObject({ paceFactor: 1.2, hardware: null });
    // A minute in which nothing was asked for is none in which it was slow.
    while (stage.hosts.last.range) {
      await stage.clock.advance(500);
      stage.hosts.last.make();
      await stage.settle();
    }
    await stage.clock.advance(LIVE_MS);
    expect(rendition.work).toMatchObject({ isAtRest: true, paceFactor: 4 });
    expect(stage.pool.workFor('bob')).toBeNull();
  });

  it('[PLAY8] hands out at once what is there', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    await stage.finish();
    const again = [ask(rendition, 0, 'bob'), ask(rendition, 'init', 'bob'), ask(rendition, 9, 'bob')];
    await stage.settle();
    expect(again.map(({ state }) => state)).toEqual(['/scratch/a/0.m4s', '/scratch/a/init.mp4', '/scratch/a/9.m4s']);
  });

  it('[PLAY23] goes on with the host that holds a file that was taken away, and opens none on it', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    stage.hosts.last.make();
    const onward = [ask(rendition, 0, 'ada', true), ask(rendition, 1, 'ada', true), ask(rendition, 50, 'bob', true)];
    await stage.settle();
    await stage.finish();
    expect(onward.map(({ state }) => state)).toEqual(['/scratch/a/0.m4s', '/scratch/a/1.m4s', '/scratch/a/50.m4s']);
    expect(stage.hosts.hosts).toHaveLength(1);
    // The host rests until it is closed, and with it the file.
    await stage.clock.advance(HOST_IDLE_MS + LIVE_MS);
    expect(stage.hosts.open).toEqual([]);
    const after = [ask(rendition, 0, 'ada', true), ask(rendition, 90, 'ada', true), ask(rendition, 91, 'bob', true)];
    await stage.clock.advance(LIVE_MS + 1);
    expect(after.map(({ state }) => state)).toEqual(['/scratch/a/0.m4s', 'failed: notFound', 'failed: notFound']);
    expect(stage.hosts.hosts).toHaveLength(1);
    // The same file, there again.
    const back = ask(rendition, 90);
    await stage.settle();
    await stage.finish();
    expect(back.state).toBe('/scratch/a/90.m4s');
  });

  it('[PLAY8] is warm before the player asks', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    rendition.warm('ada', 40);
    await stage.settle();
    expect(stage.hosts.last.commands).toEqual(['40-55']);
    stage.hosts.last.make();
    const init = ask(rendition, 'init');
    const segment = ask(rendition, 40);
    await stage.settle();
    expect([init.state, segment.state]).toEqual(['/scratch/a/init.mp4', '/scratch/a/40.m4s']);
    expect(stage.hosts.last.commands).toEqual(['40-55']);
  });

  it('[PLAY7] has one host, however many watch', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    const requests = Array.from({ length: 30 }, (_, index) => ask(rendition, index % 5, `viewer ${index}`));
    await stage.settle();
    await stage.finish();
    expect(requests.every(({ state }) => state.startsWith('/scratch/'))).toBe(true);
    expect(stage.hosts.hosts.length).toBe(1);
  });

  it('[PLAY9] waits for a host that is nearly there, and moves one that is not', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    stage.hosts.last.make(4);
    await stage.settle();
    ask(rendition, 6);
    await stage.settle();
    expect(stage.hosts.last.commands).toEqual(['0-15']);
    const far = ask(rendition, 60);
    await stage.settle();
    expect(stage.hosts.last.commands).toEqual(['0-15', '60-75']);
    stage.hosts.last.make();
    await stage.settle();
    expect(far.state).toBe('/scratch/a/60.m4s');
  });

  it('[PLAY10] a storm of seeks ends at the last', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    const storm = [90, 10, 70, 30, 50, 20].map((index) => ask(rendition, index));
    await stage.settle();
    expect(stage.hosts.last.commands.at(-1)).toBe('20-35');
    stage.hosts.last.make();
    await stage.settle();
    expect(storm.map(({ state }) => state)).toEqual([...Array(5).fill('superseded'), '/scratch/a/20.m4s']);
    expect(stage.hosts.last.commands.at(-1)).toBe('20-35');
  });

  it('[PLAY10] works for nobody who has gone', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    const first = ask(rendition, 50);
    await stage.settle();
    first.abort();
    const second = ask(rendition, 3);
    await stage.settle();
    expect([first.state, stage.hosts.last.commands.at(-1)]).toEqual(['gone', '3-18']);
    second.abort();
    await stage.settle();
    expect(second.state).toBe('gone');
    // Who seeks is back at once; who is not back after a while has left, and the host is told to stop.
    await stage.clock.advance(6_000);
    stage.hosts.last.make();
    await stage.settle();
    expect(stage.hosts.last.commands.at(-1)).toBe('pause');
  });

  it('[PLAY10] goes on with a segment that its viewer gave up and asks for again', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 49);
    await stage.settle();
    await stage.finish();
    // As a player does that judges the line to be slow, or is told so by a fault of its own.
    for (const _ of [1, 2, 3]) {
      const request = ask(rendition, 80);
      await stage.settle();
      request.abort();
      await stage.settle();
    }
    expect(stage.hosts.last.commands.slice(1)).toEqual(['80-95']);
    stage.hosts.last.make();
    await stage.settle();
    const again = ask(rendition, 80);
    await stage.settle();
    expect(again.state).toBe('/scratch/a/80.m4s');
  });

  it('[PLAY10] takes turns between viewers who are far apart', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    let [ada, bob] = [ask(rendition, 10, 'ada'), ask(rendition, 70, 'bob')];
    let [adaAt, bobAt] = [10, 70];
    await stage.settle();
    // Both watch: each asks for the next segment as soon as it has one. Nobody gets far ahead of the other.
    for (let round = 0; round < 40; round++) {
      stage.hosts.last.make();
      await stage.settle();
      if (ada.state !== 'waiting') ada = ask(rendition, ++adaAt, 'ada');
      if (bob.state !== 'waiting') bob = ask(rendition, ++bobAt, 'bob');
      await stage.settle();
      expect(Math.abs(adaAt - 10 - (bobAt - 70))).toBeLessThanOrEqual(2 * TURN);
    }
    expect(Math.min(adaAt - 10, bobAt - 70)).toBeGreaterThan(15);
    // Moving costs: it happens once in a turn, not for each segment.
    expect(stage.hosts.last.commands.length).toBeLessThan(20);
  });

  it('[PLAY11] rests at the high mark and goes on at the low one', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    for (let index = 0; index <= 20; index++) {
      const request = ask(rendition, index);
      await stage.settle();
      await stage.finish();
      expect(request.state).toBe(`/scratch/a/${index}.m4s`);
    }
    // 15 segments are 30 s. After each run the next one begins when less than 15 s are left.
    expect(stage.hosts.last.commands).toEqual(['0-15', '16-24', '25-33']);
  });

  it('[PLAY11] closes a host that has had nothing to do for a while, and opens one again when it is needed', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    await stage.finish();
    await stage.clock.advance(HOST_IDLE_MS);
    expect(stage.hosts.last.commands.at(-1)).toBe('close');
    const kept = ask(rendition, 12);
    await stage.settle();
    expect([kept.state, stage.hosts.hosts.length]).toEqual(['/scratch/a/12.m4s', 2]);
    expect(stage.hosts.last.commands).toEqual(['16-28']);
    expect(stage.scratch.folders.has('a')).toBe(true);
  });

  it('[PLAY11] makes no lead for a viewer who asks for nothing any more', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    stage.hosts.last.make(2);
    await stage.clock.advance(LIVE_MS + 1);
    stage.hosts.last.make();
    await stage.settle();
    expect(stage.hosts.last.commands).toEqual(['0-15', 'pause']);
  });

  it('[PLAY12] with a full scratch space makes only what is waited for', async () => {
    await using stage = new Stage({ quotaBytes: 4_500 });
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    await stage.finish();
    // The fifth segment fills the space; all of them are about to be watched.
    expect(stage.hosts.last.commands).toEqual(['0-15', 'pause']);
    expect(stage.pool.sizeBytes).toBe(5_000);
    const fifth = ask(rendition, 5, 'bob');
    await stage.settle();
    await stage.finish();
    expect(fifth.state).toBe('/scratch/a/5.m4s');
    expect(stage.hosts.last.commands).toEqual(['0-15', 'pause', '5-5']);
    // Once she has gone on, what lies behind her makes room.
    ask(rendition, 4);
    await stage.settle();
    expect(stage.scratch.removed).toContain('a/0.m4s');
  });

  it('[PLAY16] makes room with what others have watched, and makes it again when asked', async () => {
    await using stage = new Stage({ quotaBytes: 20_000 });
    const old = await stage.rendition('old');
    ask(old, 0);
    await stage.settle();
    await stage.finish();
    await stage.clock.advance(LIVE_MS + 1);
    const fresh = await stage.rendition('fresh');
    ask(fresh, 0);
    await stage.settle();
    await stage.finish();
    expect(stage.pool.sizeBytes).toBeLessThanOrEqual(20_000);
    expect(stage.scratch.removed).toContain('old/0.m4s');
    const again = ask(old, 0);
    await stage.settle();
    stage.hosts.last.make();
    await stage.settle();
    expect(again.state).toBe('/scratch/old/0.m4s');
  });

  it.each<MediaFailure>(['truncated', 'timeout', 'crashed', 'internal', 'notReadable'])(
    '[PLAY15] tries a segment that failed with %s once more, then says so',
    async (failure) => {
      await using stage = new Stage();
      const rendition = await stage.rendition();
      const request = ask(rendition, 7);
      await stage.settle();
      stage.hosts.last.fail(failure);
      await stage.settle();
      expect(request.state).toBe('waiting');
      expect(stage.hosts.last.commands.at(-1)).toBe('7-22');
      stage.hosts.last.fail(failure);
      await stage.settle();
      expect(request.state).toBe(`failed: ${failure}`);
      // Asked again at once it is not tried again; other segments are.
      const [again, other] = [ask(rendition, 7), ask(rendition, 8)];
      await stage.settle();
      stage.hosts.last.make();
      await stage.settle();
      expect([again.state, other.state]).toEqual([`failed: ${failure}`, '/scratch/a/8.m4s']);
      await stage.clock.advance(BROKEN_MS);
      const later = ask(rendition, 7);
      await stage.settle();
      stage.hosts.last.make();
      await stage.settle();
      expect(later.state).toBe('/scratch/a/7.m4s');
    },
  );

  it.each<MediaFailure>(['notFound', 'quarantined', 'unsupported'])(
    '[PLAY15] does not try again after %s, which is about the whole file',
    async (failure) => {
      await using stage = new Stage();
      const rendition = await stage.rendition();
      const requests = [ask(rendition, 'init'), ask(rendition, 7), ask(rendition, 60, 'bob')];
      await stage.settle();
      stage.hosts.last.fail(failure);
      await stage.settle();
      expect(requests.map(({ state }) => state)).toEqual(Array(3).fill(`failed: ${failure}`));
      const more = ask(rendition, 30);
      await stage.settle();
      expect([more.state, stage.hosts.open.length]).toEqual([`failed: ${failure}`, 0]);
    },
  );

  it('[PLAY15] a segment that was made after a failure counts as sound again', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    for (let round = 0; round < 5; round++) {
      const request = ask(rendition, round * 20);
      await stage.settle();
      stage.hosts.last.fail('truncated');
      await stage.settle();
      stage.hosts.last.make();
      await stage.settle();
      expect(request.state).toBe(`/scratch/a/${round * 20}.m4s`);
    }
  });

  it('[PLAY15] does not go round in circles with a host that makes nothing', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    const request = ask(rendition, 5);
    await stage.settle();
    for (let round = 0; round < 10 && request.state === 'waiting'; round++) {
      const host = stage.hosts.last;
      host.emit({ kind: 'idle', next: 5 });
      await stage.settle();
    }
    expect(request.state).toBe('failed: internal');
  });

  it('what crossed a newer order on its way changes nothing but what is there', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    const request = ask(rendition, 50);
    await stage.settle();
    stage.hosts.last.emit({ kind: 'segment', index: 2, sizeBytes: 10 });
    stage.hosts.last.emit({ kind: 'idle', next: 3 });
    const crossed = ask(rendition, 2, 'bob');
    await stage.settle();
    expect([crossed.state, stage.hosts.last.commands]).toEqual(['/scratch/a/2.m4s', ['0-15', '50-65']]);
    stage.hosts.last.make();
    await stage.settle();
    expect(request.state).toBe('/scratch/a/50.m4s');
  });

  it('answers after its deadline that it is late, and forgets who asked', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    const request = ask(rendition, 0);
    await stage.clock.advance(PART_DEADLINE_MS);
    expect(request.state).toBe('late');
  });

  it('refuses when no host can be had, and works again when one can', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    stage.hosts.refusal = new Error('no processes left');
    const refused = ask(rendition, 0);
    await stage.settle();
    expect(refused.state).toBe('failed: internal');
    const served = ask(rendition, 0);
    await stage.settle();
    stage.hosts.last.make();
    await stage.settle();
    expect(served.state).toBe('/scratch/a/0.m4s');
  });

  it('begins afresh when its files are gone', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    await stage.finish();
    rendition.reportLost();
    const requests = [ask(rendition, 'init'), ask(rendition, 0)];
    await stage.settle();
    expect(requests.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
    stage.hosts.last.make();
    await stage.settle();
    expect(requests.map(({ state }) => state)).toEqual(['/scratch/a/init.mp4', '/scratch/a/0.m4s']);
    expect(stage.hosts.hosts.length).toBe(2);
  });
});

describe('slots for encoding', () => {
  it('[PLAY13] are held while a host is open, and copies need none', async () => {
    await using stage = new Stage({ maxTranscodes: 1 });
    const encoded = await stage.rendition('encoded', 'h264');
    ask(encoded, 0);
    ask(await stage.rendition('copied'), 0);
    await stage.settle();
    expect([stage.hosts.open.length, stage.pool.slots.running]).toEqual([2, 1]);
    expect([stage.pool.hasRoomFor('encoded'), stage.pool.hasRoomFor('another')]).toEqual([true, false]);
  });

  it('[PLAY13] are free again when a host has rested for a while', async () => {
    await using stage = new Stage({ maxTranscodes: 1 });
    const encoded = await stage.rendition('encoded', 'h264');
    ask(encoded, 0);
    await stage.settle();
    await stage.finish();
    await stage.clock.advance(HOST_IDLE_MS);
    expect([stage.pool.slots.running, stage.pool.hasRoomFor('another')]).toEqual([0, true]);
  });

  it('[PLAY13] have room for others when their host rests, or its viewer watches something else', async () => {
    await using stage = new Stage({ maxTranscodes: 1 });
    const encoded = await stage.rendition('encoded', 'h264');
    ask(encoded, 0, 'ada');
    await stage.settle();
    expect(stage.pool.hasRoomFor('another')).toBe(false);
    await stage.pool.away('ada');
    expect(stage.pool.hasRoomFor('another')).toBe(true);
    ask(encoded, 1, 'ada');
    await stage.settle();
    expect(stage.pool.hasRoomFor('another')).toBe(false);
    await stage.finish();
    expect(stage.pool.hasRoomFor('another')).toBe(true);
  });

  it('[PLAY14] go by turns when more are wanted than there are', async () => {
    await using stage = new Stage({ maxTranscodes: 1 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    ask(one, 0, 'ada');
    await stage.settle();
    const [host] = stage.hosts.hosts;
    host!.make(2);
    await stage.settle();
    const waiting = ask(two, 0, 'bob');
    await stage.settle();
    // The first has all that it was asked for: its lead has to wait, and its slot goes over.
    expect(host!.commands).toEqual(['0-20', 'pause', 'close']);
    expect(stage.hosts.last.spec.path).toBe('/movies/two.mkv');
    stage.hosts.last.make();
    await stage.settle();
    expect(waiting.state).toBe('/scratch/two/0.m4s');
  });

  it('[PLAY14] are not taken from a host that somebody waits for', async () => {
    await using stage = new Stage({ maxTranscodes: 1 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    const first = ask(one, 0, 'ada');
    await stage.settle();
    const second = ask(two, 0, 'bob');
    await stage.settle();
    expect(stage.hosts.open.map(({ spec }) => spec.path)).toEqual(['/movies/one.mkv']);
    stage.hosts.last.make();
    await stage.settle();
    expect(first.state).toBe('/scratch/one/0.m4s');
    stage.hosts.last.make();
    await stage.settle();
    expect(second.state).toBe('/scratch/two/0.m4s');
  });

  it('[PLAY14] are refused when nothing has become free for too long', async () => {
    await using stage = new Stage({ maxTranscodes: 1 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    ask(one, 0, 'ada');
    await stage.settle();
    const second = ask(two, 0, 'bob');
    await stage.clock.advance(15_000);
    expect(second.state).toBe('busy');
  });

  it('[PLAY36] a host that is well ahead rests while another viewer has nothing, and goes on when they have some', async () => {
    await using stage = new Stage({ maxTranscodes: 2 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    ask(one, 0, 'ada');
    await stage.settle();
    const first = stage.hosts.last;
    // Eight seconds beyond the segment that she has.
    first.make(5);
    await stage.settle();
    const waiting = ask(two, 0, 'bob');
    await stage.settle();
    const second = stage.hosts.last;
    expect([first.commands, second.commands]).toEqual([['0-20', 'pause'], ['0-20']]);
    // It has a slot and something to make: nobody else is let in for that.
    expect([one.isAtRest, stage.pool.hasRoomFor('another')]).toEqual([false, false]);
    second.make(3);
    await stage.settle();
    expect(waiting.state).toBe('/scratch/two/0.m4s');
    expect(first.commands).toEqual(['0-20', 'pause', '5-21']);
    // Neither takes anything from the other from here on.
    first.make(3);
    second.make(3);
    await stage.settle();
    expect([first.range, second.range]).toEqual([
      { from: 5, until: 21 },
      { from: 0, until: 20 },
    ]);
  });

  it('[PLAY36] who rests for another goes on when what its viewers have is played', async () => {
    await using stage = new Stage({ maxTranscodes: 2 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    // Ten seconds to play.
    for (let part = 0; part < 6; part++) {
      ask(one, part, 'ada');
      await stage.settle();
      stage.hosts.last.make();
      await stage.settle();
    }
    const first = stage.hosts.last;
    // Waited for, which is no reason by itself.
    ask(one, 6, 'ada');
    ask(two, 0, 'bob');
    await stage.settle();
    expect(first.commands.slice(1)).toEqual(['pause']);
    await stage.clock.advance(3_500);
    expect(first.commands.slice(1)).toEqual(['pause']);
    // The other one gets nowhere: that does not take from her what she needs.
    await stage.clock.advance(1_000);
    expect(first.commands.slice(1)).toEqual(['pause', '6-26']);
  });

  it('[PLAY36] who rests for another goes on when that one has gone', async () => {
    await using stage = new Stage({ maxTranscodes: 2 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    ask(one, 0, 'ada');
    await stage.settle();
    const first = stage.hosts.last;
    first.make(5);
    const waiting = ask(two, 0, 'bob');
    await stage.settle();
    expect(first.commands).toEqual(['0-20', 'pause']);
    waiting.abort();
    await stage.pool.away('bob');
    await stage.settle();
    expect(first.commands).toEqual(['0-20', 'pause', '5-21']);
  });

  it('[PLAY36] a host goes where a viewer seeks also while it rests for another, as soon as it may', async () => {
    await using stage = new Stage({ maxTranscodes: 2 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    ask(one, 0, 'ada');
    await stage.settle();
    const first = stage.hosts.last;
    first.make(5);
    ask(two, 0, 'bob');
    await stage.settle();
    expect(first.commands).toEqual(['0-20', 'pause']);
    // At another place she has as little as he has.
    ask(one, 50, 'ada');
    await stage.settle();
    expect(first.commands).toEqual(['0-20', 'pause', '50-70']);
  });

  it('[PLAY36] nobody rests for a host that makes nothing for long', async () => {
    await using stage = new Stage({ maxTranscodes: 2 });
    const [one, two] = [await stage.rendition('one', 'h264'), await stage.rendition('two', 'h264')];
    ask(one, 0, 'ada');
    await stage.settle();
    const first = stage.hosts.last;
    first.make(6);
    ask(two, 0, 'bob');
    await stage.settle();
    expect(first.commands).toEqual(['0-20', 'pause']);
    await stage.clock.advance(9_000);
    expect(first.commands).toEqual(['0-20', 'pause']);
    await stage.clock.advance(1_500);
    expect(first.commands).toEqual(['0-20', 'pause', '6-21']);
    // It gets on again: what it lacks counts again.
    stage.hosts.last.make();
    await stage.settle();
    expect(first.commands).toEqual(['0-20', 'pause', '6-21', 'pause']);
  });

  it('[PLAY36] pictures of one file never rest for each other', async () => {
    await using stage = new Stage({ maxTranscodes: 2 });
    const large = order('one', 'h264');
    const one = (await stage.pool.get(large))!;
    const two = (await stage.pool.get({ ...large, key: 'softer' }))!;
    ask(one, 0, 'ada');
    await stage.settle();
    const first = stage.hosts.last;
    first.make(5);
    ask(two, 0, 'bob');
    await stage.settle();
    expect(first.commands).toEqual(['0-20']);
  });

  it('[PLAY13] are not there at all where the server encodes nothing', async () => {
    await using stage = new Stage({ maxTranscodes: 0 });
    const request = ask(await stage.rendition('one', 'h264'), 0);
    await stage.settle();
    expect([request.state, stage.pool.hasRoomFor('one')]).toEqual(['busy', false]);
  });

  it('[PLAY13] are refused by the hosts themselves in the same words', async () => {
    await using stage = new Stage();
    stage.hosts.refusal = Object.assign(new Error('full'), { code: 'atCapacity' });
    const request = ask(await stage.rendition('one', 'h264'), 0);
    await stage.settle();
    expect([request.state, stage.pool.slots.running]).toEqual(['busy', 0]);
  });
});

describe('the pool', () => {
  it('[PLAY7] gives everyone the same rendition of one key', async () => {
    await using stage = new Stage();
    expect(await stage.rendition()).toBe(await stage.rendition());
  });

  it('[PLAY17] puts away what nobody has asked for in a quarter of an hour, with its files', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    ask(rendition, 0);
    await stage.settle();
    await stage.finish();
    await stage.clock.advance(16 * 60_000);
    expect([stage.pool.size, stage.pool.sizeBytes, stage.scratch.folders.size]).toEqual([0, 0, 0]);
    const again = ask(await stage.rendition(), 0);
    await stage.settle();
    stage.hosts.last.make();
    await stage.settle();
    expect(again.state).toBe('/scratch/a/0.m4s');
  });

  it('[PLAY17] closes every host and hands out nothing when it is closed', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    const request = ask(rendition, 0);
    await stage.settle();
    await stage.pool[Symbol.asyncDispose]();
    expect([request.state, stage.hosts.open.length]).toEqual(['closed', 0]);
    expect(await stage.pool.get(order('a'))).toBeNull();
  });

  it('[PLAY17] closes a host that comes up after its rendition was put away', async () => {
    await using stage = new Stage();
    const rendition = await stage.rendition();
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const openRendition = stage.hosts.openRendition.bind(stage.hosts);
    stage.hosts.openRendition = async (...args) => {
      await opened;
      return openRendition(...args);
    };
    ask(rendition, 0);
    await stage.settle();
    const closing = stage.pool[Symbol.asyncDispose]();
    open();
    await closing;
    await stage.settle();
    expect(stage.hosts.hosts.map(({ isOpen }) => isOpen)).toEqual([false]);
  });
});
