/**
 * Which devices answer questions about an open file at once, because no network and no other program lies between: there
 * the inode is in memory, and asking takes a microsecond. Elsewhere it may take as long as a server at the other end likes.
 */
import fs from 'node:fs';

/** `f_type` of statfs(2), by the kernel's magic.h and the projects' own headers. What is not listed counts as far away. */
const LOCAL_TYPES: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x2fc12fc1, // ZFS
  0xca451a4e, // bcachefs
  0xf2f52010, // F2FS
  0x2011bab0, // exFAT
  0x4d44, // FAT
  0x7366746e, // NTFS, in the kernel
  0x01021994, // tmpfs
]);

/** A device number may come to mean another file system when one is mounted. */
const KEEP_MS = 60_000;
/** More than anyone mounts; numbers that no longer exist fall out. */
const MAX_DEVICES = 256;

interface Device {
  isLocal: boolean;
  askedAtMs: number;
}

export class LocalDisks {
  readonly #devices = new Map<number, Device>();
  readonly #nowMs: () => number;

  /** `nowMs` is monotonic. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Whether a device is known to be local. Never waits: it asks on the side, and says `false` until the answer has come. */
  isLocal(device: number, pathOnIt: string): boolean {
    const known = this.#devices.get(device);
    const nowMs = this.#nowMs();
    if (known && nowMs - known.askedAtMs < KEEP_MS) return known.isLocal;
    const asked: Device = { isLocal: known?.isLocal ?? false, askedAtMs: nowMs };
    this.#devices.delete(device);
    this.#devices.set(device, asked);
    if (this.#devices.size > MAX_DEVICES) this.#devices.delete(this.#devices.keys().next().value!);
    fs.statfs(pathOnIt, (error, stats) => {
      // Without an answer there are no stats, whatever the types say.
      asked.isLocal = !error && LOCAL_TYPES.has(stats.type);
    });
    return asked.isLocal;
  }
}
