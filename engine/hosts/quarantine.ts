import { stat } from 'node:fs/promises';
import type { HostEnd } from '#engine/runtime/process-host.ts';
import type { QuarantinedFile } from './media-supervisor.port.ts';

/** Deaths that a file may cause before it is left alone: the first may be chance. */
const MAX_DEATHS = 2;
const MAX_RECORDS = 10_000;

/**
 * Remembers which files ended their media hosts. A file is known by path, size and modification time, so that one that was
 * replaced or repaired starts afresh. Its rules are QUAR1 to QUAR4 of SPEC.md.
 */
export class Quarantine {
  readonly #onChange: (files: readonly QuarantinedFile[]) => void;
  /** Oldest first. */
  readonly #records = new Map<string, DeathRecord>();

  constructor(known: readonly QuarantinedFile[], onChange: (files: readonly QuarantinedFile[]) => void) {
    this.#onChange = onChange;
    for (const file of known) this.#records.set(file.path, { ...file, deaths: MAX_DEATHS });
  }

  list(): readonly QuarantinedFile[] {
    return [...this.#records.values()]
      .filter(({ deaths }) => deaths >= MAX_DEATHS)
      .map(({ deaths: _deaths, ...file }) => file);
  }

  /** Whether to leave the file alone. Looks at the disk only for files with a record. */
  async has(path: string): Promise<boolean> {
    const record = this.#records.get(path);
    if (!record) return false;
    const present = await fingerprint(path);
    if (present.sizeBytes === record.sizeBytes && present.modifiedMs === record.modifiedMs) {
      return record.deaths >= MAX_DEATHS;
    }
    this.release(path);
    return false;
  }

  /** Notes that a host died of this file. `true` when that was once too often. */
  async blame(path: string, reason: HostEnd): Promise<boolean> {
    await this.has(path); // forgets the deaths of a file that was replaced
    const present = await fingerprint(path);
    const deaths = (this.#records.get(path)?.deaths ?? 0) + 1;
    this.#records.delete(path);
    this.#records.set(path, { path, ...present, reason, deaths });
    if (this.#records.size > MAX_RECORDS) this.#forgetOldest();
    if (deaths < MAX_DEATHS) return false;
    this.#onChange(this.list());
    return true;
  }

  /** Forgets a death after the same work went well. A file that is quarantined stays so. */
  clear(path: string): void {
    const record = this.#records.get(path);
    if (record && record.deaths < MAX_DEATHS) this.#records.delete(path);
  }

  /** Gives a file another chance. `false` when it was not quarantined. */
  release(path: string): boolean {
    const record = this.#records.get(path);
    this.#records.delete(path);
    if (!record || record.deaths < MAX_DEATHS) return false;
    this.#onChange(this.list());
    return true;
  }

  #forgetOldest(): void {
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }
}

interface DeathRecord extends QuarantinedFile {
  readonly deaths: number;
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
