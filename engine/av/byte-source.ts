/** Reads small pieces of a file by position, within a budget: an index parser follows offsets that the file itself claims. */
import { closeSync, openSync, readSync } from 'node:fs';
import { MediaError } from '#engine/media/media-failure.ts';
import { failureOfErrno, regularFileSize } from './input.ts';

/** Read ahead by default: headers and their neighbours. */
const WINDOW_BYTES = 1 << 16;
/** Read ahead with `sparse`: the blocks of small files lie this close, and a page costs no more than a few bytes. */
const SPARSE_BYTES = 1 << 12;
const EMPTY = Buffer.alloc(0);

export interface ByteSourceOptions {
  /** Bytes that may be read before it throws `tooComplex`. */
  readonly budgetBytes: number;
}

export class ByteSource implements Disposable {
  readonly sizeBytes: number;
  readonly #file: number;
  readonly #near = new Window(WINDOW_BYTES);
  readonly #sparse = new Window(SPARSE_BYTES);
  #budgetBytes: number;

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
   * With `sparse`, little is read ahead: for many small reads far apart.
   */
  read(at: number, length: number, sparse = false): Buffer {
    if (!(at >= 0) || at >= this.sizeBytes) return EMPTY;
    const wanted = Math.min(length, this.sizeBytes - at);
    const held = this.#near.get(at, wanted) ?? this.#sparse.get(at, wanted);
    if (held !== null) return held;
    const window = sparse ? this.#sparse : this.#near;
    const fits = wanted <= window.capacity;
    const size = fits ? Math.min(window.capacity, this.sizeBytes - at) : wanted;
    this.#budgetBytes -= size;
    if (this.#budgetBytes < 0) throw new MediaError('tooComplex', 'index larger than the read budget');
    const buffer = fits ? window.reuse(at) : Buffer.allocUnsafe(size);
    let got: number;
    try {
      got = readSync(this.#file, buffer, 0, size, at);
    } catch (cause) {
      throw new MediaError(failureOfErrno(cause), 'read failed', { cause });
    }
    if (fits) window.length = got;
    return buffer.subarray(0, Math.min(wanted, got));
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** A piece of the file that was read last. Its memory is used again for the next piece. */
class Window {
  readonly capacity: number;
  /** Bytes of it that the file filled. */
  length = 0;
  #bytes: Buffer = EMPTY;
  #at = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get(at: number, length: number): Buffer | null {
    const offset = at - this.#at;
    return offset >= 0 && offset + length <= this.length ? this.#bytes.subarray(offset, offset + length) : null;
  }

  reuse(at: number): Buffer {
    if (this.#bytes.length === 0) this.#bytes = Buffer.allocUnsafeSlow(this.capacity);
    this.#at = at;
    this.length = 0;
    return this.#bytes;
  }
}
