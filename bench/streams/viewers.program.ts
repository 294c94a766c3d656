/**
 * Viewers of the `streams` bench. Each does what a player does: it keeps twelve seconds ahead, plays in real time from the first segment
 * on, and has stalled when it has nothing left to play. What comes is counted and thrown away.
 */
import { existsSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { answerWith } from '../program.ts';

/** What a viewer asks for, one after the other. */
export interface Piece {
  readonly url: string;
  /** Bytes of a file, `100-199`. */
  readonly range?: string;
  /** A file that appears instead, for peers that write to a folder. */
  readonly file?: string;
  readonly lengthMs: number;
}

export interface Step {
  /** One list for each viewer. */
  readonly viewers: readonly (readonly Piece[])[];
  readonly forMs: number;
}

export interface StepResult {
  /** Viewers that ran dry, or were refused. */
  readonly stalled: number;
  /** Why the first of those that were refused was. */
  readonly problem: string | null;
  /** How long each piece took. */
  readonly pieceMs: readonly number[];
  /** How long each viewer waited for its first. */
  readonly startMs: readonly number[];
}

const AHEAD_MS = 12_000;
/** All do not press play in the same millisecond. */
const ARRIVAL_MS = 1_500;
const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

function fetchPiece({ url, range }: Piece, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = range === undefined ? {} : { range: `bytes=${range}` };
    const request = get(url, { agent, headers, signal }, (response) => {
      const status = response.statusCode ?? 0;
      response.on('error', reject);
      response.resume().on('end', () => {
        if (status >= 200 && status < 300) resolve();
        else reject(new Error(`${status} for ${new URL(url).pathname.slice(-20)}`));
      });
    });
    request.on('error', reject);
  });
}

async function appear(file: string, signal: AbortSignal): Promise<void> {
  while (!existsSync(file)) await wait(10, undefined, { signal });
}

class Viewer {
  readonly #pieces: readonly Piece[];
  readonly #signal: AbortSignal;
  readonly pieceMs: number[] = [];
  startMs: number | null = null;
  hasStalled = false;
  problem: string | null = null;

  constructor(pieces: readonly Piece[], signal: AbortSignal) {
    this.#pieces = pieces;
    this.#signal = signal;
  }

  async watch(): Promise<void> {
    const pressedMs = performance.now();
    let playsSinceMs: number | null = null;
    let loadedMs = 0;
    for (const piece of this.#pieces) {
      const beganMs = performance.now();
      // What is left when nothing comes in time: the stall is noticed when the piece is there, or the step is over.
      const dryAtMs = playsSinceMs === null ? Infinity : playsSinceMs + loadedMs;
      try {
        await (piece.file === undefined ? fetchPiece(piece, this.#signal) : appear(piece.file, this.#signal));
      } catch (error) {
        if (!this.#signal.aborted) this.problem = error instanceof Error ? error.message : String(error);
        this.hasStalled ||= !this.#signal.aborted || performance.now() > dryAtMs;
        return;
      }
      const nowMs = performance.now();
      this.pieceMs.push(nowMs - beganMs);
      if (nowMs > dryAtMs) this.hasStalled = true;
      if (playsSinceMs === null) {
        playsSinceMs = nowMs;
        this.startMs = nowMs - pressedMs;
      }
      loadedMs += piece.lengthMs;
      const tooMuchMs = playsSinceMs + loadedMs - nowMs - AHEAD_MS;
      if (tooMuchMs > 0) await wait(tooMuchMs, undefined, { signal: this.#signal }).catch(() => undefined);
      if (this.#signal.aborted) return;
    }
  }
}

async function step({ viewers, forMs }: Step): Promise<StepResult> {
  const over = new AbortController();
  const crowd = viewers.map((pieces) => new Viewer(pieces, over.signal));
  const watched = crowd.map(async (viewer, index) => {
    await wait((ARRIVAL_MS * index) / crowd.length);
    await viewer.watch();
  });
  await Promise.race([wait(forMs), Promise.all(watched)]);
  over.abort();
  await Promise.all(watched);
  return {
    // Who has not begun by the end waits as well.
    stalled: crowd.filter(({ hasStalled, startMs }) => hasStalled || startMs === null).length,
    problem: crowd.find(({ problem }) => problem !== null)?.problem ?? null,
    pieceMs: crowd.flatMap(({ pieceMs }) => pieceMs),
    startMs: crowd.flatMap(({ startMs }) => startMs ?? []),
  };
}

const answers = { step };
export type ViewersProgram = typeof answers;
answerWith(answers);
