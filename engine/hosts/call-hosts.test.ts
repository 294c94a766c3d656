import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallHosts } from './call-hosts.ts';
import type { CallHostsOptions, CallOptions } from './call-hosts.ts';
import type { MediaHostsReport } from './media-supervisor.port.ts';
import type { ProbePort } from './probe.port.ts';
import { Quarantine } from './quarantine.ts';

const probeEntry = new URL('../../test/support/hosts/unruly-probe.host.ts', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'matinee-call-hosts-'));
afterAll(() => rmSync(folder, { recursive: true }));

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

function startHosts(options: Partial<CallHostsOptions> = {}) {
  const reports: MediaHostsReport[] = [];
  const quarantine = new Quarantine([], () => undefined);
  const hosts = stack.use(
    new CallHosts<ProbePort>({
      name: 'test host',
      entry: probeEntry,
      count: 1,
      quarantine,
      onReport: (report) => reports.push(report),
      ...options,
    }),
  );
  const probe = (name: string, call: Partial<CallOptions> = {}) => {
    const path = join(folder, name);
    appendFileSync(path, ''); // the same file when asked for again
    return hosts.run('probe', [path], { path, level: 1, timeLimitMs: 60_000, isHeavy: false, ...call });
  };
  return { hosts, probe, quarantine, reports };
}

/** The process that answered; the fixture puts it where a size would be. */
const pidOf = (outcome: unknown): number => (outcome as { readonly sizeBytes: number }).sizeBytes;

const FINE = { ok: true, sizeBytes: expect.any(Number) };
const QUARANTINED = { ok: false, failure: 'quarantined' };

describe('CallHosts', () => {
  it('[CALL1] starts hosts when work waits, no more than allowed, and keeps them for the next', async () => {
    const { hosts, probe } = startHosts({ count: 2 });
    expect(hosts.hostCount).toBe(0);
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, index) => probe(`movie-${index}`)));
    expect(outcomes).toEqual(outcomes.map(() => FINE));
    expect(new Set(outcomes.map(pidOf)).size).toBe(2);
    expect(outcomes.map(pidOf)).toContain(pidOf(await probe('one-more')));
    expect([hosts.hostCount, hosts.callCount]).toEqual([2, 0]);
  });

  it('[CALL1] ends hosts that rest', async () => {
    const { hosts, probe } = startHosts({ idleMs: 1 });
    const first = pidOf(await probe('movie'));
    await expect.poll(() => hosts.hostCount).toBe(0);
    expect(pidOf(await probe('movie'))).not.toBe(first);
  });

  it('[CALL2] lets interactive calls go first, and refuses when the queue is full', async () => {
    const { probe } = startHosts({ capacity: 6 });
    const order: string[] = [];
    const note = (name: string, level: 0 | 1) => probe(name, { level }).then(() => order.push(name));
    const background = Array.from({ length: 10 }, (_, index) => note(`background-${index}`, 1)); // 4 in the pipe, 6 waiting
    const interactive = note('interactive', 0);
    await expect(probe('one-too-many')).resolves.toEqual({ refusal: 'overloaded' });
    await Promise.all([...background, interactive]);
    expect(order.indexOf('interactive')).toBe(4);
  });

  it('[CALL3] quarantines the file that kills its hosts, and answers all the others', async () => {
    const { probe, quarantine, reports } = startHosts();
    const names = ['a', 'b', 'crash', 'c', 'd', 'e', 'f', 'g'];
    const outcomes = await Promise.all(names.map((name) => probe(name)));
    expect(outcomes).toEqual(names.map((name) => (name === 'crash' ? QUARANTINED : FINE)));
    expect(quarantine.list()).toMatchObject([{ path: join(folder, 'crash'), reason: 'crashed' }]);
    expect(reports).toMatchObject([
      { kind: 'hostEnded', reason: 'crashed', path: join(folder, 'crash') },
      { kind: 'hostEnded', reason: 'crashed', path: join(folder, 'crash') },
    ]);
    await expect(probe('crash')).resolves.toEqual(QUARANTINED);
    expect(reports).toHaveLength(2);
  });

  it('[CALL3] survives a folder full of such files', async () => {
    const { probe, quarantine, reports } = startHosts({ count: 2 });
    const expected = { fine: FINE, crash: QUARANTINED, 'crash-once': FINE, fault: { ok: false, failure: 'internal' } };
    const kinds = Object.keys(expected) as (keyof typeof expected)[];
    const files = Array.from({ length: 16 }, (_, index) => kinds[(index * 7) % kinds.length]!);
    const outcomes = await Promise.all(files.map((kind, index) => probe(`${kind}-folder-${index}`)));
    expect(outcomes).toEqual(files.map((kind) => expected[kind]));
    expect(quarantine.list()).toHaveLength(4);
    expect(reports.filter(({ kind }) => kind === 'hostsUnavailable')).toEqual([]);
  });

  it('[CALL3] forgives one crash', async () => {
    const { probe, quarantine } = startHosts();
    await expect(probe('crash-once')).resolves.toEqual(FINE);
    expect(quarantine.list()).toEqual([]);
  });

  it('[QUAR1] [CALL3] forgives one crash of each work about a file', async () => {
    const { hosts, probe, quarantine } = startHosts({ count: 2 });
    const path = join(folder, 'crash-once-each');
    const about = { path, level: 1, timeLimitMs: 60_000, isHeavy: true } as const;
    const outcomes = [probe('crash-once-each', about), hosts.run('keyframes', [path, 0], about)];
    await expect(Promise.all(outcomes)).resolves.toEqual([FINE, FINE]);
    expect(quarantine.list()).toEqual([]);
  });

  it('[CALL3] quarantines a file whose host computes past the time limit', async () => {
    const { probe, quarantine } = startHosts();
    await expect(probe('hang', { timeLimitMs: 50 })).resolves.toEqual(QUARANTINED);
    expect(quarantine.list()).toMatchObject([{ reason: 'timeLimit' }]);
  });

  it('[CALL4] a host that waits for a disk is late without blame', async () => {
    const { probe, quarantine } = startHosts();
    await expect(probe('wait', { timeLimitMs: 50 })).resolves.toEqual({ ok: false, failure: 'timeout' });
    expect(quarantine.list()).toEqual([]);
    await expect(probe('after')).resolves.toEqual(FINE);
  });

  it('[CALL5] reports a fault in the host, and keeps the host', async () => {
    const { probe, reports } = startHosts();
    const before = pidOf(await probe('before'));
    await expect(probe('fault')).resolves.toEqual({ ok: false, failure: 'internal' });
    expect(reports).toMatchObject([
      { kind: 'hostFault', call: 'probe', error: expect.stringContaining('a fault in the host') },
    ]);
    expect(pidOf(await probe('after'))).toBe(before);
  });

  it('[CALL6] refuses when hosts do not start, and tries again for later calls', async () => {
    const { probe, reports } = startHosts({ entry: new URL('./no-such.host.ts', import.meta.url) });
    await expect(Promise.all([probe('a'), probe('b')])).resolves.toEqual([
      { refusal: 'unavailable' },
      { refusal: 'unavailable' },
    ]);
    const ended = () => reports.filter(({ kind }) => kind === 'hostEnded').length;
    expect(reports.at(-1)).toMatchObject({ kind: 'hostsUnavailable' });
    const before = ended();
    await expect(probe('c')).resolves.toEqual({ refusal: 'unavailable' });
    expect(ended()).toBe(before + 1);
  });

  it('[CALL7] withdraws a call that waits', async () => {
    const { hosts, probe } = startHosts();
    const abort = new AbortController();
    const heavy = probe('first', { isHeavy: true });
    const waiting = probe('second', { signal: abort.signal });
    await Promise.resolve();
    abort.abort();
    await expect(waiting).resolves.toEqual({ refusal: 'stopped' });
    await expect(heavy).resolves.toEqual(FINE);
    expect(hosts.callCount).toBe(0);
  });

  it('[CALL7] ends the host of a withdrawn call that has it to itself, without blame', async () => {
    const { hosts, probe, quarantine, reports } = startHosts();
    const abort = new AbortController();
    const endless = probe('hang', { isHeavy: true, signal: abort.signal });
    const next = probe('next');
    await expect.poll(() => hosts.hostCount).toBe(1);
    abort.abort();
    await expect(Promise.all([endless, next])).resolves.toEqual([{ refusal: 'stopped' }, FINE]);
    expect([quarantine.list(), reports]).toEqual([[], []]);
  });

  it('[CALL7] disposal refuses everything, also what hangs', async () => {
    const { hosts, probe, quarantine } = startHosts();
    const outcomes = Promise.all(['hang', 'second', 'third'].map((name) => probe(name, { isHeavy: true })));
    await expect.poll(() => hosts.hostCount).toBe(1);
    await hosts[Symbol.asyncDispose]();
    await expect(outcomes).resolves.toEqual([{ refusal: 'stopped' }, { refusal: 'stopped' }, { refusal: 'stopped' }]);
    expect(quarantine.list()).toEqual([]);
    await expect(probe('late')).resolves.toEqual({ refusal: 'stopped' });
  });
});
