/**
 * Buffers for reading files, used again: a fresh megabyte for each read costs more than the read. Bounded: what comes
 * back beyond `keep` is left to the garbage collector.
 */
export class BufferPool {
  readonly sizeBytes: number;
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  constructor(sizeBytes: number, keep: number) {
    this.sizeBytes = sizeBytes;
    this.#keep = keep;
  }

  take(): Buffer {
    // Slow: not cut from Node's shared pool, which would keep 8 KiB slabs alive for it.
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.sizeBytes);
  }

  /** Nobody may read or write the buffer any more, the kernel included. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#keep) this.#free.push(buffer);
  }
}
