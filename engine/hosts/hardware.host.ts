/** Child process that tries hardware. Its contract is hardware.port.ts. */
import { countSessions, tryOut } from '#engine/av/hardware-trial.ts';
import { serveHost } from '#engine/runtime/host-server.ts';
import { lookForHardware } from './hardware-look.ts';
import type { HardwareCalls } from './hardware.port.ts';

serveHost<HardwareCalls>({
  look: (wish) => lookForHardware(wish),
  tryOut: ({ kind, device, test, softwareMs }) => tryOut(kind, device, test, softwareMs),
  countSessions: ({ kind, device, way }) => countSessions(kind, device, way),
});
