/** Reads small pieces of a file by position, within a budget: an index parser follows offsets that the file itself claims. */
import { closeSync, openSync, readSync } from 'node:fs';
import { MediaError } from '../media/media-failure.ts';
import { failureOfErrno, regularFileSize } from './input.ts';

const WINDOW_BYTES = 1 << 16;
const EMPTY = Buffer.alloc(0);

export interface ByteSourceOptions {
  /** Bytes that may be read before it throws `tooComplex`. */
  readonly budgetBytes: number;
}

export class ByteSource implements Disposable {
  readonly sizeBytes: number;
  readonly #file: number;
  #budgetBytes: number;
  #window: Buffer = EMPTY;
  #windowAt = 0;

  constructor(path: string, options: ByteSourceOptions) {
    this.sizeBytes = regularFileSize(path);
    this.#budgetBytes = options.budgetBytes;
    try {
      this.#file = openSync(path, 'r');
    } catch (cause) {
      throw new MediaError(failureOfErrno(cause), 'open failed', { cause });
    }
  }

  /**
   * The bytes from `at` on: `length` of them, fewer at the end of the file. Valid until the next read.
   * With `exact`, nothing beyond them is read ahead: for many small reads far apart.
   */
  read(at: number, length: number, exact = false): Buffer {
    if (!(at >= 0) || at >= this.sizeBytes) return EMPTY;
    const wanted = Math.min(length, this.sizeBytes - at);
    const offset = at - this.#windowAt;
    if (offset >= 0 && offset + wanted <= this.#window.length) return this.#window.subarray(offset, offset + wanted);
    const size = Math.min(exact ? wanted : Math.max(wanted, WINDOW_BYTES), this.sizeBytes - at);
    this.#budgetBytes -= size;
    if (this.#budgetBytes < 0) throw new MediaError('tooComplex', 'index larger than the read budget');
    const buffer = Buffer.allocUnsafe(size);
    let got: number;
    try {
      got = readSync(this.#file, buffer, 0, size, at);
    } catch (cause) {
      throw new MediaError(failureOfErrno(cause), 'read failed', { cause });
    }
    const bytes = buffer.subarray(0, got);
    if (!exact) {
      this.#window = bytes;
      this.#windowAt = at;
    }
    return bytes.subarray(0, Math.min(wanted, got));
  }

  [Symbol.dispose](): void {
    this.#window = EMPTY;
    closeSync(this.#file);
  }
}
