/** A hardware host without hardware. The device says what happens at which test: `crash-at-toneMap`, `hang-at-scale`. */
import type { HardwareCalls } from '#engine/hosts/hardware.port.ts';
import { serveHost } from '#engine/runtime/host-server.ts';
import { HARDWARE_KINDS } from '#protocol/schema/hardware.ts';

serveHost<HardwareCalls>({
  look(wish) {
    const device = wish.device ?? '';
    const [present = '', fingerprint = 'print'] = device.split('/');
    return {
      fingerprint,
      candidates: HARDWARE_KINDS.map((kind) => ({
        kind,
        device: present,
        deviceName: null,
        verdict: wish.kind === kind ? 'works' : 'noDevice',
        detail: null,
      })),
    };
  },
  tryOut({ device, test }) {
    const [, act, at] = /^(crash|hang|wrong)-at-(.*)$/.exec(device ?? '') ?? [];
    if (at === test || at === 'all') {
      if (act === 'crash') process.abort();
      if (act === 'hang') for (;;);
      return { test, verdict: 'wrongPicture', msPerFrame: null, variant: null, detail: '3 dB' };
    }
    return { test, verdict: 'works', msPerFrame: process.pid, variant: null, detail: null };
  },
  countSessions: () => 3,
});
