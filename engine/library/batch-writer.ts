import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { FileWrite, ScanStore } from './ports.ts';

const WRITE_SIZE = 64;
const WRITE_EVERY_MS = 100;

interface BatchWriterPorts {
  readonly store: Pick<ScanStore, 'write'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Collects what is to be written. At most `WRITE_SIZE` at a time, at the latest `WRITE_EVERY_MS` after it came, one transaction after the other. */
export class BatchWriter {
  readonly #ports: BatchWriterPorts;
  readonly #libraryId: string;
  readonly #onRefused: (path: string) => void;
  readonly #waiting: FileWrite[] = [];
  #current: Promise<void> | undefined;
  #timer: Timer | undefined;
  #failure: Error | undefined;

  constructor(ports: BatchWriterPorts, libraryId: string, onRefused: (path: string) => void) {
    this.#ports = ports;
    this.#libraryId = libraryId;
    this.#onRefused = onRefused;
  }

  /** Resolves when there is room for more. */
  async add(write: FileWrite): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#waiting.push(write);
    if (this.#waiting.length >= WRITE_SIZE) void this.#flush();
    else this.#timer ??= this.#ports.clock.after(WRITE_EVERY_MS, () => void this.#flush());
    while (this.#waiting.length >= 2 * WRITE_SIZE && this.#current) await this.#current;
  }

  /** Resolves when all that was added so far is written. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#current) await this.#flush();
    if (this.#failure) throw this.#failure;
  }

  async close(): Promise<void> {
    await this.#flush();
    if (this.#failure) throw this.#failure;
  }

  #flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#current ??= this.#drain().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#failure) {
      const batch = this.#waiting.splice(0, WRITE_SIZE);
      try {
        for (const refused of await this.#ports.store.write(this.#libraryId, batch)) await this.#rescue(refused);
      } catch (error) {
        this.#failure = toError(error);
      }
    }
  }

  /** A file of which the database does not take what the probe read: shown as unplayable, without that [SCAN14]. */
  async #rescue(refused: FileWrite): Promise<void> {
    const { path } = refused.file;
    this.#ports.log.error('what a probe read could not be stored', { path });
    if (refused.kind === 'probed') {
      const bare: FileWrite = { ...refused, outcome: { failure: 'internal' } };
      if ((await this.#ports.store.write(this.#libraryId, [bare])).length === 0) return;
    }
    this.#onRefused(path);
  }
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
