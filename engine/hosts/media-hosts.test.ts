import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '#engine/base/log.ts';
import { MediaHosts } from './media-hosts.ts';
import type { MediaHostsOptions } from './media-hosts.ts';
import { MediaHostsError } from './media-supervisor.port.ts';
import type { RenditionEvent, RenditionSpec } from './rendition.port.ts';

const support = new URL('../../test/support/hosts/', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'matinee-media-hosts-'));
afterAll(() => rmSync(folder, { recursive: true }));

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

function startHosts(options: Partial<MediaHostsOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({ level: 'info', write: (line) => lines.push(line) });
  const hosts = stack.use(
    new MediaHosts({
      log,
      probeEntry: new URL('unruly-probe.host.ts', support),
      renditionEntry: new URL('unruly-rendition.host.ts', support),
      studyEntry: new URL('unruly-probe.host.ts', support),
      probeHosts: 1,
      spareHosts: 0,
      maxTranscodes: 1,
      ...options,
    }),
  );
  return { hosts, lines };
}

/** A file that the fixtures act upon by its name. */
function pathOf(name: string): string {
  const path = join(folder, name);
  appendFileSync(path, '');
  return path;
}

function specOf(name: string): RenditionSpec {
  return {
    path: pathOf(name),
    trackIndex: 0,
    kind: 'audio',
    outputDir: folder,
    boundariesUs: new Float64Array([0, 1e6]),
    startUs: 0,
    output: { method: 'copy' },
  };
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'answered',
    (error: unknown) => (error instanceof MediaHostsError ? error.code : error),
  );

const isAlive = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

describe('MediaHosts', () => {
  it('[MEDIA1] carries outcomes from the host processes, through the thread, to the caller', async () => {
    const { hosts } = startHosts();
    await expect(hosts.probe(pathOf('movie'))).resolves.toMatchObject({ ok: true });
    await expect(hosts.keyframes(pathOf('movie'), 0)).resolves.toMatchObject({ ok: true });
    await expect(hosts.picture(pathOf('movie'), { widthPx: 320, atFraction: 0.1 })).resolves.toMatchObject({
      ok: true,
    });
    await expect(
      hosts.subtitle(pathOf('movie'), { kind: 'tracks', folder: '/nowhere', wanted: [2], startMs: 0, fromMs: 0 }),
    ).resolves.toMatchObject({ ok: true });
    await expect(hosts.probe(pathOf('fault'), { priority: 'background' })).resolves.toEqual({
      ok: false,
      failure: 'internal',
    });
    await expect(hosts.status()).resolves.toMatchObject({ probeHosts: 3, calls: 0, renditions: 0, maxTranscodes: 1 });
  });

  it('[MEDIA1] quarantines a file that kills its hosts, tells it, and releases it', async () => {
    const onQuarantine = vi.fn();
    const { hosts, lines } = startHosts({ onQuarantine });
    const path = pathOf('crash');
    await expect(hosts.probe(path)).resolves.toEqual({ ok: false, failure: 'quarantined' });
    await expect.poll(() => onQuarantine.mock.calls.length).toBe(1); // reports come by a port of their own
    expect(onQuarantine).toHaveBeenCalledExactlyOnceWith([expect.objectContaining({ path, reason: 'crashed' })]);
    expect(lines.join('')).toContain('a media host ended');
    await expect(hosts.quarantined()).resolves.toHaveLength(1);
    await expect(hosts.release(path)).resolves.toBe(true);
    await expect(hosts.quarantined()).resolves.toEqual([]);
  });

  it('[MEDIA5] leaves a file alone whose study kills its hosts, and plays it', async () => {
    const { hosts } = startHosts();
    const path = pathOf('crash-study');
    const print = { scratchFolder: folder, trackIndex: 0, startMs: 0, fromMs: 0, untilMs: 1 };
    await expect(hosts.soundPrint(path, print)).resolves.toEqual({ ok: false, failure: 'quarantined' });
    await expect(hosts.quarantined()).resolves.toEqual([]);
    await expect(hosts.soundPrint(pathOf('fine-study'), print)).resolves.toMatchObject({ ok: true });
  });

  it('[MEDIA1] begins with the quarantine of an earlier run', async () => {
    const first = startHosts();
    await first.hosts.probe(pathOf('crash-earlier'));
    const quarantined = await first.hosts.quarantined();
    const { hosts } = startHosts({ quarantined });
    await expect(hosts.probe(pathOf('crash-earlier'))).resolves.toEqual({ ok: false, failure: 'quarantined' });
    await expect(hosts.status()).resolves.toMatchObject({ probeHosts: 0, quarantinedFiles: 1 });
  });

  it('[MEDIA1] opens renditions, hears their events, and refuses beyond capacity', async () => {
    const { hosts } = startHosts();
    const events: RenditionEvent[] = [];
    const idle = Promise.withResolvers<void>();
    const rendition = await hosts.openRendition(specOf('movie'), (event) => {
      events.push(event);
      if (event.kind === 'idle') idle.resolve();
    });
    rendition.produce({ from: 3, until: 4 });
    await idle.promise;
    expect(events.map(({ kind }) => kind)).toEqual(['init', 'segment', 'segment', 'idle']);
    const h264 = {
      method: 'h264',
      encoder: 'software',
      heightPx: 1,
      level: 30,
      crf: 1,
      maxBitrateBps: 1,
      preset: 'fast',
      toneMap: false,
      deinterlace: false,
    } as const;
    const transcode = { ...specOf('movie'), kind: 'video', output: h264 } as const;
    const first = await hosts.openRendition(transcode, () => undefined);
    await expect(codeOf(hosts.openRendition(transcode, () => undefined))).resolves.toBe('atCapacity');
    await Promise.all([first.close(), first.close(), rendition.close()]);
    await expect(hosts.status()).resolves.toMatchObject({ renditions: 0, transcodes: 0 });
  });

  it('[MEDIA2] rejects an aborted call at once, whatever its host does', async () => {
    const { hosts } = startHosts();
    const abort = new AbortController();
    const call = hosts.probe(pathOf('hang'), { signal: abort.signal }).catch((error: unknown) => error);
    const waiting = hosts.probe(pathOf('movie'), { signal: abort.signal }).catch((error: unknown) => error);
    await expect.poll(async () => (await hosts.status()).calls).toBe(2);
    abort.abort('enough');
    await expect(Promise.all([call, waiting])).resolves.toEqual(['enough', 'enough']);
    await expect(hosts.probe(pathOf('movie'), { signal: abort.signal })).rejects.toBe('enough');
  });

  it('[MEDIA2] rejects an aborted call that writes files when its host has ended', async () => {
    const { hosts } = startHosts();
    const request = { kind: 'tracks', folder, wanted: [2], startMs: 0, fromMs: 0 } as const;
    const { sizeBytes: pid } = (await hosts.subtitle(pathOf('movie'), request)) as unknown as { sizeBytes: number };
    const abort = new AbortController();
    const call = hosts.subtitle(pathOf('hang'), request, { signal: abort.signal });
    await expect.poll(async () => (await hosts.status()).calls).toBe(1);
    expect(isAlive(pid)).toBe(true);
    abort.abort('enough');
    await expect(call).rejects.toBe('enough');
    expect(isAlive(pid)).toBe(false);
  });

  it('[MEDIA3] starts the supervisor thread again, refuses what was in flight, and keeps the quarantine', async () => {
    const { hosts, lines } = startHosts({ supervisorEntry: new URL('fragile-supervisor.worker.ts', support) });
    await hosts.probe(pathOf('crash-3'));
    const { sizeBytes: pid } = (await hosts.probe(pathOf('movie'))) as unknown as { sizeBytes: number };
    const failed = Promise.withResolvers<RenditionEvent>();
    const rendition = await hosts.openRendition(specOf('movie'), failed.resolve);
    const inFlight = codeOf(hosts.probe(pathOf('hang')));
    await expect.poll(async () => (await hosts.status()).calls).toBe(1);
    using channel = {
      string: new BroadcastChannel('fragile supervisor'),
      [Symbol.dispose]: () => channel.string.close(),
    };
    channel.string.postMessage('pull');
    await expect(inFlight).resolves.toBe('unavailable');
    await expect(failed.promise).resolves.toMatchObject({ kind: 'failed', failure: 'internal' });
    await expect.poll(() => isAlive(pid)).toBe(false); // although it was stuck in a call
    await expect(hosts.probe(pathOf('crash-3'))).resolves.toEqual({ ok: false, failure: 'quarantined' });
    await expect(hosts.probe(pathOf('movie'))).resolves.toMatchObject({ ok: true });
    expect(lines.join('')).toContain('the string was pulled');
    rendition.produce({ from: 0, until: 0 });
    await rendition.close();
  });

  it('[MEDIA3] a listener that throws costs nobody anything', async () => {
    const { hosts, lines } = startHosts();
    const rendition = await hosts.openRendition(specOf('movie'), () => {
      throw new Error('careless');
    });
    rendition.produce({ from: 0, until: 0 });
    await expect.poll(() => lines.join('')).toContain('careless');
    await expect(hosts.probe(pathOf('movie'))).resolves.toMatchObject({ ok: true });
  });

  it('[MEDIA4] disposal ends everything, also what hangs', async () => {
    const { hosts } = startHosts();
    const { sizeBytes: pid } = (await hosts.probe(pathOf('movie'))) as unknown as { sizeBytes: number };
    const inFlight = codeOf(hosts.probe(pathOf('hang')));
    await expect.poll(async () => (await hosts.status()).calls).toBe(1);
    await hosts[Symbol.asyncDispose]();
    await expect(inFlight).resolves.toBe('stopped');
    expect(isAlive(pid)).toBe(false);
    await expect(codeOf(hosts.probe(pathOf('movie')))).resolves.toBe('stopped');
    await hosts[Symbol.asyncDispose]();
  });
});
