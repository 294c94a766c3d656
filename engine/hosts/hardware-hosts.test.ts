import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HardwareTest } from '#protocol/schema/hardware.ts';
import { HardwareHosts } from './hardware-hosts.ts';
import type { MediaHostsReport } from './media-supervisor.port.ts';

const entry = new URL('../../test/support/hosts/unruly-hardware.host.ts', import.meta.url);

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

function startHosts(given: { readonly entry?: URL; readonly trialLimitMs?: number } = {}) {
  const reports: MediaHostsReport[] = [];
  const hosts = stack.use(new HardwareHosts({ entry, onReport: (report) => reports.push(report), ...given }));
  const tryOut = (test: HardwareTest, device: string | null = null) =>
    hosts.tryOut({ kind: 'vaapi', device, test, softwareMs: null });
  return { hosts, reports, tryOut };
}

describe('HardwareHosts', () => {
  it('[HARD1] tries one kind in one process', async () => {
    const { hosts, tryOut } = startHosts();
    const [first, second] = [await tryOut('scale'), await tryOut('toneMap')];
    expect(first.msPerFrame).toBe(second.msPerFrame);
    const other = await hosts.tryOut({ kind: 'nvenc', device: null, test: 'scale', softwareMs: null });
    expect(other.msPerFrame).not.toBe(first.msPerFrame);
  });

  it('[HARD2] loses the row in which a driver ends the process, and no other', async () => {
    const { tryOut, reports } = startHosts();
    const device = 'crash-at-toneMap';
    await expect(tryOut('scale', device)).resolves.toMatchObject({ verdict: 'works' });
    await expect(tryOut('toneMap', device)).resolves.toMatchObject({ verdict: 'crashed', detail: 'SIGABRT' });
    await expect(tryOut('whole', device)).resolves.toMatchObject({ verdict: 'works' });
    expect(reports).toMatchObject([{ kind: 'hostEnded', reason: 'crashed', path: null }]);
  });

  it('[HARD3] ends a driver that does not answer', async () => {
    const { tryOut, reports } = startHosts({ trialLimitMs: 100 });
    await expect(tryOut('scale', 'hang-at-scale')).resolves.toMatchObject({ verdict: 'timedOut' });
    await expect(tryOut('toneMap', 'hang-at-scale')).resolves.toMatchObject({ verdict: 'works' });
    expect(reports).toMatchObject([{ reason: 'timeLimit' }]);
  });

  it('[HARD4] says so when nothing can be tried at all', async () => {
    const { hosts, tryOut } = startHosts({ entry: new URL('./no-such.host.ts', import.meta.url) });
    await expect(hosts.look({ kind: 'auto', device: null })).resolves.toBeNull();
    await expect(tryOut('scale')).resolves.toMatchObject({ verdict: 'crashed' });
    await expect(hosts.countSessions({ kind: 'nvenc', device: null, way: 'vbr' })).resolves.toBe(1);
  });

  it('[HARD1] ends its processes, and starts others when it is asked again', async () => {
    const { hosts, tryOut } = startHosts();
    const { msPerFrame: pid } = await tryOut('scale');
    await hosts.end();
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
    await expect(tryOut('scale')).resolves.toMatchObject({ verdict: 'works' });
  });
});
