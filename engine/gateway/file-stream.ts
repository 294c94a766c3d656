/**
 * Sends the bytes of one open file to one client. Owns the file descriptor and two buffers: the chunk that is being sent
 * and the one that is read ahead of it.
 *
 * Reads are asynchronous, because a slow disk must not hold up everyone else; they are large, because each costs a trip
 * through the thread pool: 256 KiB first, for a quick first byte, then 1 MiB. States: reading ⇄ sending ⇄ stalled → over.
 */
import fs from 'node:fs';
import type { HttpResponse as UwsResponse } from 'uWebSockets.js';
import type { Clock } from '#engine/base/clock.ts';
import { BufferPool } from './buffer-pool.ts';
import { pieceBytes, type Piece } from './file-plan.ts';

const FIRST_BYTES = 256 << 10;
const LATER_BYTES = 1 << 20;
/** What a stalled stream keeps in memory, so that a thousand paused players cost 16 MiB and not 2 GiB. */
const STALLED_BYTES = 16 << 10;

const firstBuffers = new BufferPool(FIRST_BYTES, 64);
const laterBuffers = new BufferPool(LATER_BYTES, 64);

interface Chunk {
  readonly buffer: Uint8Array;
  /** Bytes of the buffer that count. */
  readonly length: number;
  /** Place of its first byte in the body. */
  readonly start: number;
  readonly pool: BufferPool | null;
}

/** An open file as it was when its reply was planned. */
export interface OpenFile {
  readonly fd: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** On a disk of which the open file can be asked without waiting. */
  readonly isLocal: boolean;
}

/** How the sending ended: all sent; the client gone; the file no longer what its headers say; the client stalled beyond the limit. */
export type StreamEnd = 'sent' | 'gone' | 'changed' | 'stalled';

export class FileStream {
  readonly #res: UwsResponse;
  readonly #file: OpenFile;
  readonly #pieces: readonly Piece[];
  readonly #totalBytes: number;
  readonly #stalls: StallWatch;
  readonly #ended = Promise.withResolvers<StreamEnd>();
  /** Writes status and headers: with the first chunk, so that both leave in one packet. */
  #writeHead: (() => void) | null;
  #current: Chunk | null = null;
  #ahead: Chunk | null = null;
  #isReading = false;
  /** Place in the body where the next read begins. */
  #readAt = 0;
  #end: StreamEnd | null = null;
  #stalledSinceMs: number | null = null;
  /** Bytes of the body that had been sent when the stall was last looked at. */
  #stalledAt = -1;

  constructor(
    res: UwsResponse,
    file: OpenFile,
    body: { readonly pieces: readonly Piece[]; readonly totalBytes: number },
    writeHead: () => void,
    stalls: StallWatch,
  ) {
    this.#res = res;
    this.#file = file;
    this.#pieces = body.pieces;
    this.#totalBytes = body.totalBytes;
    this.#writeHead = writeHead;
    this.#stalls = stalls;
  }

  /** Sends everything. Never rejects. */
  run(): Promise<StreamEnd> {
    this.#res.onWritable(() => this.#pump());
    this.#readAhead();
    return this.#ended.promise;
  }

  /** The connection is gone: nothing may touch it any more. */
  abort(): void {
    this.#finish('gone');
  }

  /**
   * Called every few seconds while the client does not read. uWebSockets.js cuts such a connection after 30 to 40 s, and a
   * browser with a full buffer does pause that long; another attempt to send starts that time anew.
   */
  retryStalled(nowMs: number, limitMs: number): void {
    if (this.#end !== null || this.#stalledSinceMs === null) return;
    if (nowMs - this.#stalledSinceMs > limitMs) {
      this.#break('stalled');
      return;
    }
    const offset = this.#res.getWriteOffset();
    if (offset === this.#stalledAt) {
      this.#shrink();
      this.#pump();
    } else {
      // Slow, but reading.
      this.#stalledAt = offset;
      this.#stalledSinceMs = nowMs;
    }
  }

  #readAhead(): void {
    if (this.#isReading || this.#ahead || this.#end !== null || this.#readAt >= this.#totalBytes) return;
    const { piece, offset } = this.#pieceAt(this.#readAt);
    if (piece instanceof Uint8Array) {
      const buffer = piece.subarray(offset);
      this.#ahead = { buffer, length: buffer.length, start: this.#readAt, pool: null };
      this.#readAt += buffer.length;
      if (!this.#current) this.#pump();
      return;
    }
    const pool = this.#readAt === 0 ? firstBuffers : laterBuffers;
    const buffer = pool.take();
    const wantedBytes = Math.min(pool.sizeBytes, pieceBytes(piece) - offset);
    this.#isReading = true;
    fs.read(this.#file.fd, buffer, 0, wantedBytes, piece.start + offset, (error, readBytes) => {
      if (error || readBytes === 0 || this.#end !== null) {
        this.#isReading = false;
        pool.give(buffer);
        if (this.#end === null) this.#break('changed');
        else this.#closeFile();
        return;
      }
      const chunk: Chunk = { buffer, length: readBytes, start: this.#readAt, pool };
      // What one read brings is of one moment. Of more, each is held against the file as it was at the beginning.
      if (readBytes === this.#totalBytes) this.#take(chunk);
      else if (this.#file.isLocal) this.#take(chunk, statNow(this.#file.fd));
      else fs.fstat(this.#file.fd, (statError, stat) => this.#take(chunk, statError ? null : stat));
    });
  }

  #take(chunk: Chunk, stat?: fs.Stats | null): void {
    this.#isReading = false;
    const isChanged =
      stat === null || (stat && (stat.size !== this.#file.sizeBytes || stat.mtimeMs !== this.#file.modifiedMs));
    if (this.#end !== null || isChanged) {
      this.#release(chunk);
      if (this.#end === null) this.#break('changed');
      else this.#closeFile();
      return;
    }
    this.#ahead = chunk;
    this.#readAt = chunk.start + chunk.length;
    if (!this.#current) this.#pump();
  }

  /** Sends until the socket is full or nothing is read. `false` when it is full. */
  #pump(): boolean {
    while (this.#end === null) {
      if (!this.#current) {
        if (!this.#ahead) {
          this.#readAhead();
          return true;
        }
        this.#current = this.#ahead;
        this.#ahead = null;
        this.#readAhead();
      }
      const chunk = this.#current;
      let isTaken = false;
      let isDone = false;
      this.#res.cork(() => {
        this.#writeHead?.();
        this.#writeHead = null;
        const sentBytes = this.#res.getWriteOffset() - chunk.start;
        [isTaken, isDone] = this.#res.tryEnd(chunk.buffer.subarray(sentBytes, chunk.length), this.#totalBytes);
      });
      if (isDone) {
        this.#finish('sent');
        return true;
      }
      if (!isTaken) {
        this.#stalledSinceMs ??= this.#stalls.add(this);
        return false;
      }
      this.#endStall();
      // Only now: until all of it was taken, the socket asks for the rest of this very chunk.
      this.#release(chunk);
      this.#current = null;
    }
    return true;
  }

  /** Gives the buffers of a stalled stream back, but for the next few bytes; the rest is read again when it goes on. */
  #shrink(): void {
    const chunk = this.#current;
    if (!chunk || this.#isReading) return;
    const start = this.#res.getWriteOffset();
    const rest = chunk.buffer.subarray(start - chunk.start, chunk.length);
    if (chunk.pool === null && !this.#ahead) return;
    const buffer = Uint8Array.from(rest.subarray(0, STALLED_BYTES));
    if (this.#ahead) this.#release(this.#ahead);
    this.#release(chunk);
    this.#ahead = null;
    this.#current = { buffer, length: buffer.length, start, pool: null };
    this.#readAt = start + buffer.length;
  }

  #pieceAt(place: number): { piece: Piece; offset: number } {
    let offset = place;
    for (const piece of this.#pieces) {
      if (offset < pieceBytes(piece)) return { piece, offset };
      offset -= pieceBytes(piece);
    }
    throw new RangeError(`no piece of the body at ${place}`);
  }

  /** Ends the connection in the middle of the body: the only honest end once the length has been announced. */
  #break(end: StreamEnd): void {
    this.#finish(end);
    this.#res.close();
  }

  #finish(end: StreamEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#endStall();
    if (this.#current) this.#release(this.#current);
    if (this.#ahead) this.#release(this.#ahead);
    this.#current = this.#ahead = null;
    if (!this.#isReading) this.#closeFile();
    this.#ended.resolve(end);
  }

  #endStall(): void {
    if (this.#stalledSinceMs === null) return;
    this.#stalledSinceMs = null;
    this.#stalls.remove(this);
  }

  #release(chunk: Chunk): void {
    if (chunk.pool) chunk.pool.give(chunk.buffer as Buffer);
  }

  #closeFile(): void {
    fs.close(this.#file.fd, () => undefined);
  }
}

/** A microsecond instead of another trip through the thread pool. */
function statNow(fd: number): fs.Stats | null {
  try {
    return fs.fstatSync(fd);
  } catch {
    return null;
  }
}

const RETRY_MS = 4_000;

/** The streams whose client does not read now. Runs a timer only while there are any. */
export class StallWatch {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #streams = new Set<FileStream>();
  #timer: Disposable | null = null;

  /** `limitMs`: how long a client may read nothing before it is cut off. */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Returns the time from which the stall counts. */
  add(stream: FileStream): number {
    this.#streams.add(stream);
    this.#timer ??= this.#clock.every(RETRY_MS, () => this.#retry()).unref();
    return this.#clock.monotonicMs();
  }

  remove(stream: FileStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }

  #retry(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const stream of [...this.#streams]) stream.retryStalled(nowMs, this.#limitMs);
  }
}
