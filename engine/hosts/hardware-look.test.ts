import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HardwareWish } from '#engine/media/hardware-plan.ts';
import type { HardwareKind } from '#protocol/schema/hardware.ts';
import { lookForHardware } from './hardware-look.ts';
import type { LookOptions } from './hardware-look.ts';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const auto: HardwareWish = { kind: 'auto', device: null };

/** A machine made of files. */
let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), 'matinee-hardware-'))));
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, content = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function putRenderNode(number: number, vendor: string, driver: string): void {
  put(`/dev/dri/renderD${number}`);
  put(`/sys/class/drm/renderD${number}/device/vendor`, `${vendor}\n`);
  put(`/sys/class/drm/renderD${number}/device/device`, '0x4680\n');
  mkdirSync(join(root, `/drivers/${driver}`), { recursive: true });
  symlinkSync(`../../../../../drivers/${driver}`, join(root, `/sys/class/drm/renderD${number}/device/driver`));
}

function putLibva(version: string, content: string): void {
  put(`${LIBRARIES}/libva.so.${version}`, content);
  symlinkSync(`libva.so.${version}`, join(root, `${LIBRARIES}/libva.so.2`));
  put(`${LIBRARIES}/libva-drm.so.2`);
}

function look(kind: HardwareKind, wish: HardwareWish = auto, options: LookOptions = {}) {
  const { candidates } = lookForHardware(wish, { root, platform: 'linux', mayOpen: () => true, ...options });
  return candidates.find((one) => one.kind === kind);
}

describe('lookForHardware', () => {
  it('[PLAY70] finds nothing on a machine without a chip', () => {
    expect(look('vaapi')).toMatchObject({ verdict: 'noDevice', detail: '/dev/dri/renderD128' });
    expect(look('qsv')).toMatchObject({ verdict: 'noDevice' });
    expect(look('nvenc')).toMatchObject({ verdict: 'noDevice', detail: '/dev/nvidia0' });
    expect(look('vulkan')).toMatchObject({ verdict: 'noDevice' });
    expect(look('videotoolbox')).toMatchObject({ verdict: 'notThisSystem' });
  });

  it('[PLAY70] knows what exists on a Mac', () => {
    expect(look('videotoolbox', auto, { platform: 'darwin' })).toMatchObject({ verdict: 'works' });
    expect(look('vaapi', auto, { platform: 'darwin' })).toMatchObject({ verdict: 'notThisSystem' });
  });

  it('[PLAY70] names the group of a device that may not be opened', () => {
    putRenderNode(128, '0x8086', 'i915');
    put('/etc/group', `other:x:99999:\nrender:x:${process.getgid!()}:\n`);
    expect(look('vaapi', auto, { mayOpen: () => false })).toMatchObject({
      verdict: 'permissionDenied',
      device: '/dev/dri/renderD128',
      deviceName: 'Intel (i915 0x4680)',
      detail: '/dev/dri/renderD128: render',
    });
    rmSync(join(root, '/etc/group'));
    expect(look('vaapi', auto, { mayOpen: () => false })?.detail).toBe(`/dev/dri/renderD128: ${process.getgid!()}`);
  });

  it('[PLAY70] takes the device that may be opened, or the one that was named', () => {
    putRenderNode(128, '0x8086', 'i915');
    putRenderNode(129, '0x1002', 'amdgpu');
    const mayOpen = (path: string) => path.endsWith('129');
    expect(look('vaapi', auto, { mayOpen })?.device).toBe('/dev/dri/renderD129');
    const named = (device: string): HardwareWish => ({ kind: 'vaapi', device });
    expect(look('vaapi', named('/dev/dri/renderD128'), { mayOpen })).toMatchObject({ verdict: 'permissionDenied' });
    expect(look('vaapi', named('/dev/dri/renderD130'))).toMatchObject({
      verdict: 'noDevice',
      detail: '/dev/dri/renderD130',
    });
  });

  it('[PLAY70] wants libva, new enough, and a driver for the vendor', () => {
    putRenderNode(128, '0x8086', 'i915');
    expect(look('vaapi')).toMatchObject({ verdict: 'driverMissing', detail: 'libva2 libva-drm2' });
    putLibva('2.1700.0', 'vaMapBuffer');
    expect(look('vaapi')).toMatchObject({ verdict: 'driverTooOld', detail: 'libva.so.2.1700.0' });
    writeFileSync(join(root, `${LIBRARIES}/libva.so.2.1700.0`), 'vaMapBuffer vaMapBuffer2');
    expect(look('vaapi')).toMatchObject({ verdict: 'driverMissing', detail: 'intel-media-va-driver-non-free' });
    put(`${LIBRARIES}/dri/iHD_drv_video.so`);
    expect(look('vaapi')).toMatchObject({ verdict: 'works', device: '/dev/dri/renderD128' });
    expect(look('qsv')).toMatchObject({ verdict: 'driverMissing', detail: 'libmfx-gen1.2' });
    put(`${LIBRARIES}/libmfx-gen.so.1.2`);
    expect(look('qsv')).toMatchObject({ verdict: 'works' });
  });

  it('[PLAY70] has no Quick Sync on a chip of another vendor', () => {
    putRenderNode(128, '0x1002', 'amdgpu');
    putLibva('2.2200.0', 'vaMapBuffer2');
    put(`${LIBRARIES}/dri/radeonsi_drv_video.so`);
    expect(look('vaapi')).toMatchObject({ verdict: 'works', deviceName: 'AMD (amdgpu 0x4680)' });
    expect(look('qsv')).toMatchObject({ verdict: 'noDevice' });
  });

  it('[PLAY70] wants the encoder library of NVIDIA, which a container has to be given', () => {
    putRenderNode(128, '0x10de', 'nouveau');
    expect(look('nvenc')).toMatchObject({ verdict: 'driverMissing', detail: 'NVIDIA driver' });
    expect(look('vaapi')).toMatchObject({ verdict: 'noDevice' });
    for (const name of ['nvidiactl', 'nvidia0']) put(`/dev/${name}`);
    put('/proc/driver/nvidia/version', 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\n');
    expect(look('nvenc', auto, { mayOpen: (path) => !path.endsWith('ctl') })?.verdict).toBe('permissionDenied');
    expect(look('nvenc')).toMatchObject({ verdict: 'driverMissing', detail: 'libcuda.so.1', device: '0' });
    put('/opt/nvidia/lib/libcuda.so.1');
    put('/etc/ld.so.conf.d/nvidia.conf', '/opt/nvidia/lib\n');
    expect(look('nvenc')).toMatchObject({ verdict: 'driverMissing', detail: 'libnvidia-encode.so.1' });
    put(`${LIBRARIES}/libnvidia-encode.so.1`);
    put(`${LIBRARIES}/libnvcuvid.so.1`);
    expect(look('nvenc')).toMatchObject({ verdict: 'works', device: '0', deviceName: 'NVIDIA (driver 550.54.14)' });
  });

  it('[PLAY70] tries Vulkan without a chip only where it was named', () => {
    put(`${LIBRARIES}/libvulkan.so.1`);
    put('/usr/share/vulkan/icd.d/lvp_icd.json');
    expect(look('vulkan')).toMatchObject({ verdict: 'noDevice' });
    expect(look('vulkan', { kind: 'vulkan', device: null })).toMatchObject({ verdict: 'works' });
    rmSync(join(root, '/usr/share/vulkan'), { recursive: true });
    expect(look('vulkan', { kind: 'vulkan', device: null })).toMatchObject({ verdict: 'driverMissing' });
  });

  it('[PLAY70] tries nothing that the setting rules out', () => {
    putRenderNode(128, '0x8086', 'i915');
    expect(look('vaapi', { kind: 'off', device: null })).toMatchObject({ verdict: 'notTried' });
    expect(look('vaapi', { kind: 'nvenc', device: null })).toMatchObject({ verdict: 'notTried' });
  });

  it('[PLAY71] changes its fingerprint with the driver, the device, the permission and the setting', () => {
    const print = (wish = auto, mayOpen = () => true) =>
      lookForHardware(wish, { root, platform: 'linux', mayOpen }).fingerprint;
    const seen = [print()];
    putRenderNode(128, '0x8086', 'i915');
    seen.push(print());
    seen.push(print(auto, () => false));
    putLibva('2.2000.0', 'vaMapBuffer2');
    seen.push(print());
    put(`${LIBRARIES}/dri/iHD_drv_video.so`, 'old');
    seen.push(print());
    expect(print()).toBe(seen.at(-1));
    put(`${LIBRARIES}/dri/iHD_drv_video.so`, 'newer');
    seen.push(print());
    seen.push(print({ kind: 'vaapi', device: null }));
    expect(new Set(seen).size).toBe(seen.length);
  });
});
