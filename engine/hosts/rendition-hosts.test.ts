import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MediaHostsReport } from './media-supervisor.port.ts';
import { Quarantine } from './quarantine.ts';
import { RenditionHosts } from './rendition-hosts.ts';
import type { RenditionHostsOptions } from './rendition-hosts.ts';
import type { RenditionEvent, RenditionSpec, SegmentRange } from './rendition.port.ts';

const entry = new URL('../../test/support/hosts/unruly-rendition.host.ts', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'matinee-rendition-hosts-'));
afterAll(() => rmSync(folder, { recursive: true }));

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

function startHosts(options: Partial<RenditionHostsOptions> = {}) {
  const reports: MediaHostsReport[] = [];
  const events: [id: number, event: RenditionEvent][] = [];
  const quarantine = new Quarantine([], () => undefined);
  let wake = Promise.withResolvers<void>();
  const hosts = stack.use(
    new RenditionHosts({
      entry,
      maxTranscodes: 2,
      spares: 0,
      quarantine,
      onEvent: (...event) => {
        events.push(event);
        wake.resolve();
        wake = Promise.withResolvers();
      },
      onReport: (report) => reports.push(report),
      ...options,
    }),
  );
  const eventsOf = (id: number) => events.flatMap(([each, event]) => (each === id ? [event] : []));
  /** Produces, and waits for the end of the range. */
  const produce = async (id: number, range: SegmentRange): Promise<string[]> => {
    const before = eventsOf(id).length;
    await hosts.produce(id, range);
    while (!eventsOf(id).slice(before).some(isEnd)) await wake.promise;
    return eventsOf(id).slice(before).map(toText);
  };
  return { hosts, quarantine, reports, eventsOf, produce };
}

const isEnd = ({ kind }: RenditionEvent): boolean => kind === 'idle' || kind === 'failed';

function toText(event: RenditionEvent): string {
  if (event.kind === 'init') return 'init';
  if (event.kind === 'segment') return `segment ${event.index}`;
  if (event.kind === 'hardwareFailed') return `${event.hardware} ${event.verdict} at ${event.index}`;
  if (event.kind === 'failed') return `failed ${event.failure} at ${event.index}`;
  return event.kind === 'idle' ? `idle ${event.next}` : `waiting at ${event.index}`;
}

function specOf(name: string, method: 'copy' | 'h264' = 'copy'): RenditionSpec {
  const path = join(folder, name);
  writeFileSync(path, name);
  const h264 = {
    method: 'h264',
    encoder: 'software',
    heightPx: 480,
    level: 30,
    crf: 23,
    maxBitrateBps: 1e6,
    preset: 'veryfast',
  } as const;
  return {
    path,
    trackIndex: 0,
    kind: 'video',
    outputDir: folder,
    boundariesUs: [0, 1e6, 2e6],
    startUs: 0,
    output: method === 'copy' ? { method } : { ...h264, toneMap: false, deinterlace: false },
  };
}

const initPid = (events: RenditionEvent[]): number | undefined =>
  events.find((event) => event.kind === 'init')?.sizeBytes;

describe('RenditionHosts', () => {
  it('[REND3] makes ranges in order, in one host, with one init', async () => {
    const { hosts, produce } = startHosts();
    expect(hosts.open(1, specOf('movie'))).toBeNull();
    await expect(produce(1, { from: 0, until: 2 })).resolves.toEqual([
      'init',
      'segment 0',
      'segment 1',
      'segment 2',
      'idle 3',
    ]);
    await expect(produce(1, { from: 7, until: 8 })).resolves.toEqual(['segment 7', 'segment 8', 'idle 9']);
  });

  it('[REND9] makes pictures of one track in one host where they are near, and dies with all of them', async () => {
    const { hosts, eventsOf, produce, reports } = startHosts({ maxTranscodes: 4 });
    const boundariesUs = Array.from({ length: 100 }, (_, index) => index * 30e6);
    const rung = (name: string, heightPx: number): RenditionSpec => {
      const spec = specOf(name, 'h264');
      return { ...spec, boundariesUs, output: { ...spec.output, heightPx } as RenditionSpec['output'] };
    };
    hosts.open(1, rung('crash-once-at-3', 720));
    hosts.open(2, rung('crash-once-at-3', 480));
    hosts.open(3, rung('crash-once-at-3', 360));
    await Promise.all([produce(1, { from: 0, until: 0 }), produce(2, { from: 1, until: 1 })]);
    await produce(3, { from: 50, until: 50 });
    const pids = [1, 2, 3].map((id) => initPid(eventsOf(id)));
    expect(pids[0]).toBe(pids[1]);
    expect(pids[2]).not.toBe(pids[0]);
    expect(hosts.hostCount).toBe(2);
    const [one, two] = await Promise.all([produce(1, { from: 2, until: 4 }), produce(2, { from: 10, until: 60 })]);
    expect([one.at(-1), two.at(-1)]).toEqual(['idle 5', 'idle 61']);
    expect(reports.map(({ kind }) => kind)).toEqual(['hostEnded']);
    await hosts.close(1);
    await expect(produce(2, { from: 70, until: 70 })).resolves.toEqual(['segment 70', 'idle 71']);
  });

  it('[REND4] ends a host that takes too much memory, and goes on with the segment it had in hand', async () => {
    const { hosts, produce, reports } = startHosts({ limits: { memoryLimitBytes: 300 << 20 } });
    hosts.open(1, specOf('grow-once-at-3'));
    const told = await produce(1, { from: 0, until: 4 });
    expect(told).toEqual(['init', ...[0, 1, 2, 3, 4].map((index) => `segment ${index}`), 'idle 5']);
    expect(reports).toMatchObject([{ kind: 'hostEnded', reason: 'memoryLimit' }]);
  });

  it('[REND3] drops the end of a range that a newer one has replaced', async () => {
    const { hosts, eventsOf, produce } = startHosts();
    hosts.open(1, specOf('movie'));
    void hosts.produce(1, { from: 0, until: 0 });
    void hosts.produce(1, { from: 5, until: 5 });
    await produce(1, { from: 9, until: 9 });
    expect(eventsOf(1).filter(isEnd).map(toText)).toEqual(['idle 10']);
  });

  it('[REND1] takes a warm spare, and brings up another later', async () => {
    const { hosts, eventsOf, produce } = startHosts({ spares: 1, spareDelayMs: 0 });
    await expect.poll(() => hosts.spareCount).toBe(1);
    hosts.open(1, specOf('movie'));
    expect(hosts.spareCount).toBe(0);
    await expect.poll(() => hosts.spareCount).toBe(1);
    hosts.open(2, specOf('movie'));
    await Promise.all([produce(1, { from: 0, until: 0 }), produce(2, { from: 0, until: 0 })]);
    expect(initPid(eventsOf(1))).not.toBe(initPid(eventsOf(2)));
  });

  it('[REND2] caps the transcodes that are open, and only those', async () => {
    const { hosts } = startHosts({ maxTranscodes: 1 });
    expect(hosts.open(1, specOf('movie', 'h264'))).toBeNull();
    expect(hosts.open(2, specOf('movie', 'h264'))).toEqual({ refusal: 'atCapacity' });
    expect(hosts.open(3, specOf('movie', 'copy'))).toBeNull();
    await hosts.close(1);
    expect(hosts.open(4, specOf('movie', 'h264'))).toBeNull();
    expect([hosts.count, hosts.transcodeCount]).toEqual([2, 1]);
  });

  it('[REND4] replaces a host that died at work, and goes on where it stood', async () => {
    const { hosts, produce, quarantine, reports } = startHosts();
    hosts.open(1, specOf('crash-once-at-2'));
    const all = ['init', 'segment 0', 'segment 1', 'segment 2', 'segment 3', 'idle 4'];
    await expect(produce(1, { from: 0, until: 3 })).resolves.toEqual(all);
    expect(reports).toMatchObject([{ kind: 'hostEnded', reason: 'crashed' }]);
    expect(quarantine.list()).toEqual([]);
  });

  it('[REND4] fails the range at the second death, and quarantines the file', async () => {
    const { hosts, produce, quarantine } = startHosts();
    const spec = specOf('crash-at-1');
    hosts.open(1, spec);
    await expect(produce(1, { from: 0, until: 3 })).resolves.toEqual(['init', 'segment 0', 'failed quarantined at 1']);
    expect(quarantine.list()).toMatchObject([{ path: spec.path }]);
    await expect(produce(1, { from: 2, until: 3 })).resolves.toEqual(['failed quarantined at 2']);
    quarantine.release(spec.path);
    await expect(produce(1, { from: 2, until: 3 })).resolves.toEqual(['segment 2', 'segment 3', 'idle 4']);
  });

  it('[REND5] kills a host that computes without coming up for air', async () => {
    const { hosts, produce, reports } = startHosts({ hangLimitMs: 50, watchMs: 20 });
    hosts.open(1, specOf('hang-at-1'));
    await expect(produce(1, { from: 0, until: 3 })).resolves.toEqual(['init', 'segment 0', 'failed quarantined at 1']);
    expect(reports).toMatchObject([{ reason: 'timeLimit' }, { reason: 'timeLimit' }]);
  });

  it('[REND5] kills a host that waits for a disk, and does not blame the file', async () => {
    const { hosts, produce, quarantine } = startHosts({ hangLimitMs: 50, watchMs: 20 });
    hosts.open(1, specOf('wait-at-1'));
    await expect(produce(1, { from: 0, until: 3 })).resolves.toEqual(['init', 'segment 0', 'failed timeout at 1']);
    expect(quarantine.list()).toEqual([]);
    await expect(produce(1, { from: 2, until: 2 })).resolves.toEqual(['segment 2', 'idle 3']);
  });

  it('[REND5] kills a host that makes nothing', async () => {
    const { hosts, produce } = startHosts({ stallLimitMs: 500, watchMs: 50 });
    hosts.open(1, specOf('stall-at-1'));
    await expect(produce(1, { from: 0, until: 3 })).resolves.toEqual(['init', 'segment 0', 'failed quarantined at 1']);
  });

  it('[REND8] goes on without hardware after a death at work, and does not blame the file', async () => {
    const { hosts, produce, quarantine } = startHosts();
    const hardware = { kind: 'vaapi', device: null, ways: {} } as const;
    hosts.open(1, { ...specOf('crash-once-at-2-on-chip', 'h264'), hardware });
    await expect(produce(1, { from: 0, until: 3 })).resolves.toEqual([
      'init',
      'segment 0',
      'segment 1',
      'vaapi crashed at 2',
      'segment 2',
      'segment 3',
      'idle 4',
    ]);
    expect(quarantine.list()).toEqual([]);
    hosts.open(2, { ...specOf('crash-at-1-on-chip', 'h264'), hardware });
    await expect(produce(2, { from: 0, until: 3 })).resolves.toEqual([
      'init',
      'segment 0',
      'vaapi crashed at 1',
      'failed quarantined at 1',
    ]);
  });

  it('[REND6] replaces a host that ended at rest with the next range', async () => {
    const { hosts, eventsOf, produce, quarantine, reports } = startHosts();
    hosts.open(1, specOf('movie'));
    await produce(1, { from: 0, until: 0 });
    process.kill(initPid(eventsOf(1))!, 'SIGKILL');
    await expect.poll(() => reports.length).toBe(1);
    await expect(produce(1, { from: 1, until: 1 })).resolves.toEqual(['segment 1', 'idle 2']);
    expect(quarantine.list()).toEqual([]);
  });

  it('[REND4] fails without blame when hosts do not start', async () => {
    const { hosts, produce, quarantine } = startHosts({ entry: new URL('./no-such.host.ts', import.meta.url) });
    hosts.open(1, specOf('movie'));
    await expect(produce(1, { from: 0, until: 0 })).resolves.toEqual(['failed internal at 0']);
    expect(quarantine.list()).toEqual([]);
  });

  it('comes to rest when paused, and goes on from there', async () => {
    const { hosts, eventsOf, produce } = startHosts();
    hosts.open(1, specOf('movie'));
    void produce(1, { from: 0, until: 1_000_000 });
    await expect.poll(() => eventsOf(1).length).toBeGreaterThan(2);
    hosts.pause(1);
    await expect.poll(() => eventsOf(1).some(isEnd)).toBe(true);
    const [idle] = eventsOf(1).filter((event) => event.kind === 'idle');
    await expect(produce(1, { from: idle!.next, until: idle!.next })).resolves.toHaveLength(2);
  });

  it('[REND7] closing ends the host, and disposal all of them', async () => {
    const { hosts, eventsOf, produce, reports } = startHosts();
    for (const id of [1, 2]) hosts.open(id, specOf('movie'));
    await Promise.all([1, 2].map((id) => produce(id, { from: 0, until: 0 })));
    await hosts.close(1);
    expect(() => process.kill(initPid(eventsOf(1))!, 0)).toThrow('ESRCH');
    await hosts.produce(1, { from: 5, until: 5 });
    await hosts[Symbol.asyncDispose]();
    expect(() => process.kill(initPid(eventsOf(2))!, 0)).toThrow('ESRCH');
    expect(hosts.open(3, specOf('movie'))).toEqual({ refusal: 'stopped' });
    expect(reports).toEqual([]);
  });
});
