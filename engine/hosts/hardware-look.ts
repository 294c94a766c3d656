/** Which hardware is there at all, as files tell it: devices, permissions, drivers. Opens nothing that a driver answers. */
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { arch, platform, release } from 'node:os';
import { basename, join } from 'node:path';
import type { HardwareWish } from '#engine/media/hardware-plan.ts';
import { HARDWARE_KINDS } from '#protocol/schema/hardware.ts';
import type { HardwareKind, HardwareVerdict } from '#protocol/schema/hardware.ts';

/** Raised when what is tried, or how it is judged, changes: results of before do not count then. */
const TRIAL_VERSION = 1;

export interface HardwareCandidate {
  readonly kind: HardwareKind;
  readonly device: string | null;
  /** Vendor and driver, in words. */
  readonly deviceName: string | null;
  /** `works`: worth trying. */
  readonly verdict: HardwareVerdict;
  /** What the verdict is about: a group, a package, a library. */
  readonly detail: string | null;
}

export interface HardwareLook {
  readonly candidates: readonly HardwareCandidate[];
  /** Changes with the devices, their drivers, the system and the setting. */
  readonly fingerprint: string;
}

export interface LookOptions {
  /** Another root of the file system, for tests. */
  readonly root?: string;
  readonly platform?: NodeJS.Platform;
  /** Whether this process may read and write a device. */
  readonly mayOpen?: (path: string) => boolean;
}

interface RenderNode {
  /** As it is named in settings, without the other root. */
  readonly path: string;
  readonly vendor: string;
  readonly driver: string;
  readonly mayOpen: boolean;
  readonly group: string;
}

const VENDORS: Readonly<Record<string, string>> = { '0x8086': 'Intel', '0x1002': 'AMD', '0x10de': 'NVIDIA' };
const LIBRARY_FOLDERS = [
  '/usr/lib/x86_64-linux-gnu',
  '/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
  '/usr/local/nvidia/lib64',
  '/usr/lib/wsl/lib',
];

export function lookForHardware(wish: HardwareWish, options: LookOptions = {}): HardwareLook {
  const system = options.platform ?? platform();
  const files = new Files(options.root ?? '/', options.mayOpen ?? mayReadAndWrite);
  const candidates = HARDWARE_KINDS.map((kind) => {
    const named = wish.kind === kind ? wish.device : null;
    return { kind, device: null, deviceName: null, detail: null, ...look(kind, named, wish, system, files) };
  });
  const facts = [TRIAL_VERSION, system, arch(), release(), wish, candidates, files.seen()];
  return { candidates, fingerprint: createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32) };
}

type Found = Partial<HardwareCandidate> & Pick<HardwareCandidate, 'verdict'>;

function look(
  kind: HardwareKind,
  named: string | null,
  wish: HardwareWish,
  system: NodeJS.Platform,
  files: Files,
): Found {
  if (wish.kind === 'off') return { verdict: 'notTried' };
  if (wish.kind !== 'auto' && wish.kind !== kind) return { verdict: 'notTried' };
  if (system === 'darwin') {
    return kind === 'videotoolbox' ? { verdict: 'works', deviceName: 'Apple' } : { verdict: 'notThisSystem' };
  }
  if (system !== 'linux' || kind === 'videotoolbox') return { verdict: 'notThisSystem' };
  switch (kind) {
    case 'nvenc':
      return lookForNvidia(named, files);
    case 'vaapi':
      return lookForRenderNode(files, named, ['Intel', 'AMD'], () => vaapiDriver);
    case 'qsv':
      return lookForRenderNode(files, named, ['Intel'], () => quickSyncDriver);
    case 'vulkan':
      return lookForVulkan(files, named, wish.kind === 'vulkan');
  }
}

type DriverLook = (node: RenderNode, files: Files) => Found | null;

function lookForRenderNode(
  files: Files,
  named: string | null,
  vendors: readonly string[],
  driverLook: () => DriverLook,
): Found {
  const nodes = files.renderNodes();
  const suiting = nodes.filter(({ path, vendor }) => (named === null ? vendors.includes(vendor) : path === named));
  // One that may be opened before one that may not: the other may belong to somebody else's virtual machine.
  const node = suiting.find(({ mayOpen }) => mayOpen) ?? suiting[0];
  if (!node) return { verdict: 'noDevice', device: named, detail: named ?? '/dev/dri/renderD128' };
  const about = { device: node.path, deviceName: `${node.vendor} (${node.driver})` };
  if (!node.mayOpen) return { ...about, verdict: 'permissionDenied', detail: `${node.path}: ${node.group}` };
  return { ...about, ...(driverLook()(node, files) ?? { verdict: 'works' }) };
}

const vaapiDriver: DriverLook = ({ vendor }, files) => {
  const libva = files.library('libva.so.2');
  if (libva === null || files.library('libva-drm.so.2') === null) {
    return { verdict: 'driverMissing', detail: 'libva2 libva-drm2' };
  }
  // Asked of the library itself: FFmpeg ends the process where libva lacks this function, which came with 2.20.
  if (!files.contains(libva, 'vaMapBuffer2')) return { verdict: 'driverTooOld', detail: basename(libva) };
  const drivers: readonly string[] = { Intel: ['iHD', 'i965'], AMD: ['radeonsi', 'r600'] }[vendor] ?? [];
  const isThere = drivers.length === 0 || drivers.some((name) => files.vaDriver(`${name}_drv_video.so`) !== null);
  if (isThere) return null;
  return {
    verdict: 'driverMissing',
    detail: vendor === 'Intel' ? 'intel-media-va-driver-non-free' : 'mesa-va-drivers',
  };
};

const quickSyncDriver: DriverLook = (node, files) => {
  const missing = vaapiDriver(node, files);
  if (missing) return missing;
  const isThere = ['libmfx-gen.so.1.2', 'libmfxhw64.so.1'].some((name) => files.library(name) !== null);
  return isThere ? null : { verdict: 'driverMissing', detail: 'libmfx-gen1.2' };
};

function lookForNvidia(named: string | null, files: Files): Found {
  const numbers = files.names('/dev').flatMap((name) => /^nvidia(\d+)$/.exec(name)?.[1] ?? []);
  const hasWindowsBridge = files.exists('/dev/dxg');
  if (numbers.length === 0 && !hasWindowsBridge) {
    const node = files.renderNodes().find(({ vendor }) => vendor === 'NVIDIA');
    if (!node) return { verdict: 'noDevice', detail: '/dev/nvidia0' };
    return { verdict: 'driverMissing', deviceName: `NVIDIA (${node.driver})`, detail: 'NVIDIA driver' };
  }
  const device = named ?? numbers[0] ?? '0';
  const about = { device, deviceName: files.nvidiaVersion() };
  const nodes = hasWindowsBridge ? ['/dev/dxg'] : ['/dev/nvidiactl', `/dev/nvidia${device}`];
  const closed = nodes.find((path) => !files.mayOpen(path));
  if (closed !== undefined) {
    const verdict = files.exists(closed) ? 'permissionDenied' : 'noDevice';
    return { ...about, verdict, detail: verdict === 'noDevice' ? closed : `${closed}: ${files.groupOf(closed)}` };
  }
  const missing = ['libcuda.so.1', 'libnvidia-encode.so.1', 'libnvcuvid.so.1'].find(
    (name) => files.library(name) === null,
  );
  return missing === undefined
    ? { ...about, verdict: 'works' }
    : { ...about, verdict: 'driverMissing', detail: missing };
}

/** Not without a chip: programs that imitate one are slower than doing the work at once. Who names it gets it tried all the same. */
function lookForVulkan(files: Files, named: string | null, isNamed: boolean): Found {
  const node = files.renderNodes().find(({ mayOpen }) => mayOpen);
  const hasChip = node !== undefined || files.names('/dev').some((name) => /^nvidia\d+$/.test(name));
  if (!hasChip && !isNamed) return { verdict: 'noDevice', detail: '/dev/dri/renderD128' };
  if (files.library('libvulkan.so.1') === null) return { verdict: 'driverMissing', detail: 'libvulkan1' };
  if (files.vulkanDrivers().length === 0) return { verdict: 'driverMissing', detail: 'mesa-vulkan-drivers' };
  return { verdict: 'works', device: named, deviceName: node ? `${node.vendor} (${node.driver})` : null };
}

/** The files that tell it, and a note of all that were looked at. */
class Files {
  readonly #root: string;
  readonly #mayOpen: (path: string) => boolean;
  readonly #seen = new Map<string, unknown>();

  constructor(root: string, mayOpen: (path: string) => boolean) {
    this.#root = root;
    this.#mayOpen = mayOpen;
  }

  seen(): unknown {
    return [...this.#seen].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  renderNodes(): RenderNode[] {
    return this.names('/dev/dri')
      .filter((name) => /^renderD\d+$/.test(name))
      .toSorted()
      .map((name) => {
        const path = `/dev/dri/${name}`;
        const about = `/sys/class/drm/${name}/device`;
        const id = this.#text(`${about}/vendor`);
        return {
          path,
          vendor: VENDORS[id] ?? (id === '' ? 'unknown' : id),
          driver: `${this.#link(`${about}/driver`)} ${this.#text(`${about}/device`)}`.trim(),
          mayOpen: this.mayOpen(path),
          group: this.groupOf(path),
        };
      });
  }

  mayOpen(path: string): boolean {
    const may = this.exists(path) && this.#mayOpen(join(this.#root, path));
    this.#seen.set(path, may);
    return may;
  }

  /** The group that a device belongs to, by its name, or by its number where it has none here: in a container, mostly. */
  groupOf(path: string): string {
    try {
      const { gid } = statSync(join(this.#root, path));
      const line = this.#text('/etc/group')
        .split('\n')
        .find((each) => each.split(':')[2] === String(gid));
      return line?.split(':')[0] ?? String(gid);
    } catch {
      return '';
    }
  }

  exists(path: string): boolean {
    return this.#stat(path) !== null;
  }

  names(folder: string): string[] {
    try {
      return readdirSync(join(this.#root, folder));
    } catch {
      return [];
    }
  }

  /** Real path of a library, by which its version can be seen; `null` where it is not installed. */
  library(name: string): string | null {
    const extra = (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '');
    return this.#find([...extra, ...LIBRARY_FOLDERS, ...this.#configuredFolders()], name);
  }

  vaDriver(name: string): string | null {
    const extra = (process.env['LIBVA_DRIVERS_PATH'] ?? '').split(':').filter((folder) => folder !== '');
    return this.#find([...extra, ...LIBRARY_FOLDERS.map((folder) => `${folder}/dri`)], name);
  }

  vulkanDrivers(): string[] {
    const named = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES'];
    const found =
      named === undefined
        ? ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'].flatMap((folder) =>
            this.names(folder),
          )
        : named.split(':');
    this.#seen.set('vulkan drivers', found);
    return found.filter((name) => name.endsWith('.json'));
  }

  contains(path: string, text: string): boolean {
    try {
      return readFileSync(join(this.#root, path)).includes(text);
    } catch {
      return false;
    }
  }

  nvidiaVersion(): string | null {
    const version = /Kernel Module\S*\s+(?:for \S+\s+)?([\d.]+)/.exec(this.#text('/proc/driver/nvidia/version'))?.[1];
    return version === undefined ? 'NVIDIA' : `NVIDIA (driver ${version})`;
  }

  #configuredFolders(): string[] {
    return this.names('/etc/ld.so.conf.d').flatMap((name) =>
      this.#text(`/etc/ld.so.conf.d/${name}`)
        .split('\n')
        .filter((line) => line.startsWith('/')),
    );
  }

  #find(folders: readonly string[], name: string): string | null {
    for (const folder of folders) {
      const stat = this.#stat(`${folder}/${name}`);
      if (stat === null) continue;
      const real = realpathSync(join(this.#root, folder, name));
      // Without the other root: what is shown, and what can be looked into again.
      const path = this.#root === '/' ? real : real.slice(realpathSync(this.#root).length);
      this.#seen.set(name, [path, stat.size, stat.mtimeMs]);
      return path;
    }
    this.#seen.set(name, null);
    return null;
  }

  #stat(path: string): { readonly size: number; readonly mtimeMs: number } | null {
    try {
      return statSync(join(this.#root, path));
    } catch {
      return null;
    }
  }

  #text(path: string): string {
    try {
      const text = readFileSync(join(this.#root, path), 'utf8').trim();
      if (!path.startsWith('/etc')) this.#seen.set(path, text);
      return text;
    } catch {
      return '';
    }
  }

  #link(path: string): string {
    try {
      return basename(readlinkSync(join(this.#root, path)));
    } catch {
      return '';
    }
  }
}

function mayReadAndWrite(path: string): boolean {
  try {
    // oxlint-disable-next-line no-bitwise -- access(2) takes its modes that way
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
