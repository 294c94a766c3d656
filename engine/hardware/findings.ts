/** What the person who runs the server should know of the hardware, and do about it. */
import type { HardwareWish, ProvenHardware } from '#engine/media/hardware-plan.ts';
import type { HardwareCard, HardwareKind } from '#protocol/schema/hardware.ts';
import type { HealthItem } from '#protocol/schema/health.ts';

type Finding = Omit<HealthItem, 'since'>;

export const HARDWARE_NAMES: Readonly<Record<HardwareKind, string>> = {
  nvenc: 'NVIDIA',
  qsv: 'Quick Sync',
  vaapi: 'VA-API',
  videotoolbox: 'VideoToolbox',
  vulkan: 'Vulkan',
};

/** A chip that is there and cannot be used for want of something that can be mended. `null` where there is nothing to mend. */
export function deviceFinding({ kind, verdict, detail, device }: HardwareCard): Finding | null {
  const id = `hardwareDevice/${kind}`;
  const name = HARDWARE_NAMES[kind];
  switch (verdict) {
    case 'permissionDenied': {
      const [path = device ?? '', group = ''] = (detail ?? '').split(': ');
      return {
        id,
        severity: 'warning',
        title: `${path} is there, but this server may not open it.`,
        action:
          `Put its user into the group ${group} and start it again: sudo usermod -aG ${group} USER. In a container: --device /dev/dri ` +
          `--group-add with the number of that group on the host.`,
      };
    }
    case 'driverTooOld':
      return {
        id,
        severity: 'warning',
        title: `${name} cannot be used: ${detail ?? 'its driver'} is too old.`,
        action:
          kind === 'nvenc'
            ? 'Install a newer NVIDIA driver: 570 or later.'
            : 'Use Debian 13, Ubuntu 24.04 or later, also as the base of a container: libva 2.20 or later is needed.',
      };
    case 'driverMissing':
      // Quick Sync and Vulkan are other ways to a chip that VA-API reaches as well: no reason to trouble anybody.
      if (kind === 'qsv' || kind === 'vulkan') return null;
      return {
        id,
        severity: 'info',
        title: `There is a graphics chip, but ${name} lacks a part of its driver: ${detail ?? ''}.`,
        action:
          kind === 'nvenc'
            ? 'Install the NVIDIA driver. In a container: --gpus all and NVIDIA_DRIVER_CAPABILITIES=all (docs/hardware.md).'
            : `Install it: apt install ${detail ?? ''} (docs/hardware.md).`,
      };
    default:
      return null;
  }
}

export function failureFinding({ kind, failures }: HardwareCard): Finding {
  return {
    id: `hardwareFailed/${kind}`,
    severity: 'warning',
    title: `${HARDWARE_NAMES[kind]} failed in ${failures} playbacks and is not used any more. They went on with the processor.`,
    action: 'Look into the log, mend or update the driver, then test the hardware again in Settings → Hardware.',
  };
}

/** A kind that somebody named and that does not work. */
export function settingFinding(wish: HardwareWish, setting: string, chosen: ProvenHardware | null): Finding[] | null {
  if (wish.kind === 'auto' || wish.kind === 'off' || chosen !== null) return null;
  return [
    {
      id: 'hardwareSetting',
      severity: 'error',
      title: `The setting “hardware” says ${setting}, but nothing of it works here. The processor does everything.`,
      action: 'See Settings → Hardware for the reason, or set it to auto.',
    },
  ];
}
