/** The real host, on a machine without a chip: the processor proves the trials, and Vulkan's imitation the path over a device. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HARDWARE_TESTS } from '#protocol/schema/hardware.ts';
import type { HardwareKind, HardwareTest } from '#protocol/schema/hardware.ts';
import { HardwareHosts } from './hardware-hosts.ts';

const entry = new URL('./hardware.host.ts', import.meta.url);
let hosts: HardwareHosts;
beforeAll(() => void (hosts = new HardwareHosts({ entry, onReport: () => undefined, trialLimitMs: 100_000 })));
afterAll(() => hosts.end());

const tryOut = (kind: HardwareKind | null, test: HardwareTest) =>
  hosts.tryOut({ kind, device: null, test, softwareMs: null });

/** Mesa’s imitation of a graphics chip, by the processor. */
const hasVulkan = ['x86_64', 'aarch64'].some((name) => existsSync(`/usr/share/vulkan/icd.d/lvp_icd.${name}.json`));

describe('the hardware host', () => {
  it.each(HARDWARE_TESTS.filter((test) => test !== 'decode-vc1'))(
    '[PLAY72] proves that the processor does %s',
    async (test) => {
      const row = await tryOut(null, test);
      expect(row).toMatchObject({ verdict: 'works', detail: null });
      expect(row.msPerFrame).toBeGreaterThan(0);
    },
  );

  it('[PLAY72] says where it has nothing to try with', async () => {
    await expect(tryOut(null, 'decode-vc1')).resolves.toMatchObject({ verdict: 'noSample' });
  });

  it.skipIf(existsSync('/dev/nvidiactl'))('[PLAY72] has a reason for each no: no driver of NVIDIA', async () => {
    await expect(tryOut('nvenc', 'encode-h264')).resolves.toMatchObject({
      verdict: 'driverMissing',
      detail: 'libcuda.so.1',
      msPerFrame: null,
    });
    await expect(hosts.countSessions({ kind: 'nvenc', device: null, way: 'vbr' })).resolves.toBe(1);
  });

  it.skipIf(existsSync('/dev/dri'))('[PLAY72] has a reason for each no: no render node', async () => {
    for (const kind of ['vaapi', 'qsv'] as const) {
      await expect(tryOut(kind, 'scale')).resolves.toMatchObject({ verdict: 'deviceFailed' });
    }
  });

  it.runIf(hasVulkan)('[PLAY72] takes pictures to a device, scales and tone-maps them there, and back', async () => {
    await expect(tryOut('vulkan', 'scale')).resolves.toMatchObject({ verdict: 'works' });
    await expect(tryOut('vulkan', 'toneMap')).resolves.toMatchObject({ verdict: 'works', variant: 'placebo' });
  });

  it.runIf(hasVulkan)('[PLAY72] leaves out what the device cannot', async () => {
    await expect(tryOut('vulkan', 'deinterlace')).resolves.toMatchObject({ verdict: 'notThisSystem' });
  });
});
