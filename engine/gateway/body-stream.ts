/**
 * The body of a request as it comes, for routes that keep none of it in memory. Owns what has come and was not taken yet: when that is
 * more than a little, the client is told to wait.
 */

/** Beyond it the connection is paused. */
const MAX_HELD_BYTES = 1 << 20;

/** Why a body ended before its end. `tooLarge` and `late` are answered; who is `gone` hears nothing more. */
export type BodyFault = 'tooLarge' | 'late' | 'gone';

export class BodyError extends Error {
  readonly fault: BodyFault;

  constructor(fault: BodyFault) {
    super(`the body of a request ended: ${fault}`);
    this.fault = fault;
  }
}

export interface BodyFlow {
  pause(): void;
  resume(): void;
}

export class BodyStream {
  readonly #limitBytes: number;
  readonly #flow: BodyFlow;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #sizeBytes = 0;
  #isPaused = false;
  #isWhole = false;
  #error: BodyError | null = null;
  #wake: (() => void) | null = null;

  constructor(limitBytes: number, flow: BodyFlow) {
    this.#limitBytes = limitBytes;
    this.#flow = flow;
  }

  /** Bytes that have come. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** It has come as a whole, or ended otherwise. */
  get isOver(): boolean {
    return this.#isWhole || this.#error !== null;
  }

  /** `chunk` is the caller's again afterwards. */
  push(chunk: Uint8Array, isLast: boolean): void {
    if (this.isOver) return;
    this.#sizeBytes += chunk.byteLength;
    if (this.#sizeBytes > this.#limitBytes) return this.fail('tooLarge');
    if (chunk.byteLength > 0) {
      this.#held.push(new Uint8Array(chunk));
      this.#heldBytes += chunk.byteLength;
    }
    this.#isWhole = isLast;
    if (!isLast && this.#heldBytes > MAX_HELD_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#flow.pause();
    }
    this.#wake?.();
  }

  fail(fault: BodyFault): void {
    if (this.isOver) return;
    this.#error = new BodyError(fault);
    this.#held = [];
    this.#heldBytes = 0;
    this.#wake?.();
  }

  /** To be gone through once. Throws a `BodyError` where the body ends before its end. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#error) throw this.#error;
      const chunk = this.#held.shift();
      if (chunk) {
        this.#heldBytes -= chunk.byteLength;
        yield chunk;
      } else if (this.#isWhole) return;
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        if (this.#isPaused) {
          this.#isPaused = false;
          this.#flow.resume();
        }
        await promise;
        this.#wake = null;
      }
    }
  }
}
