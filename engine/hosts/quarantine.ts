import { stat } from 'node:fs/promises';
import type { HostEnd } from '#engine/runtime/process-host.ts';
import type { QuarantinedFile } from './media-supervisor.port.ts';

/**
 * Deaths in a row that one piece of work about a file may cause: the first may be chance. Counted by whoever repeats the work and not by
 * file, because several hosts may be at one file when something from outside ends them all.
 */
export const MAX_DEATHS = 2;
const MAX_FILES = 10_000;

/**
 * Remembers which files are left alone because they ended their media hosts. A file is known by path, size and modification time, so
 * that one that was replaced or repaired starts afresh. Its rules are QUAR1 to QUAR4 of SPEC.md.
 */
export class Quarantine {
  readonly #onChange: (files: readonly QuarantinedFile[]) => void;
  /** Oldest first. */
  readonly #files = new Map<string, QuarantinedFile>();

  constructor(known: readonly QuarantinedFile[], onChange: (files: readonly QuarantinedFile[]) => void) {
    this.#onChange = onChange;
    for (const file of known) this.#files.set(file.path, file);
  }

  list(): readonly QuarantinedFile[] {
    return [...this.#files.values()];
  }

  /** Whether to leave the file alone. Looks at the disk only for files that are known. */
  async has(path: string): Promise<boolean> {
    const known = this.#files.get(path);
    if (!known) return false;
    const present = await fingerprint(path);
    if (present.sizeBytes === known.sizeBytes && present.modifiedMs === known.modifiedMs) return true;
    this.release(path);
    return false;
  }

  /** Leaves a file alone from now on; `reason` is how the last host at it ended. */
  async add(path: string, reason: HostEnd): Promise<void> {
    const present = await fingerprint(path);
    this.#files.delete(path);
    this.#files.set(path, { path, ...present, reason });
    const [oldest] = this.#files.keys();
    if (this.#files.size > MAX_FILES && oldest !== undefined) this.#files.delete(oldest);
    this.#onChange(this.list());
  }

  /** Gives a file another chance. `false` when it was not quarantined. */
  release(path: string): boolean {
    const wasKnown = this.#files.delete(path);
    if (wasKnown) this.#onChange(this.list());
    return wasKnown;
  }
}

/** Zeros where the file is gone: what cannot be seen must not be tried for ever either. */
async function fingerprint(path: string): Promise<Pick<QuarantinedFile, 'sizeBytes' | 'modifiedMs'>> {
  try {
    const stats = await stat(path);
    return { sizeBytes: stats.size, modifiedMs: Math.trunc(stats.mtimeMs) };
  } catch {
    return { sizeBytes: 0, modifiedMs: 0 };
  }
}
