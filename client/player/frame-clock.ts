/**
 * Which frame is on the screen and how long one lasts, from what the browser says of each frame that it shows
 * (`requestVideoFrameCallback`). Where it says nothing, `timeupdate` tells the place a few times a second and 24 frames are assumed.
 */

const ASSUMED_FRAME_MS = 1_000 / 24;
/** A rate outside of these is a measuring error: a hole in the picture, or two frames at one time. */
const SHORTEST_FRAME_MS = 1_000 / 125;
const LONGEST_FRAME_MS = 200;
/** Enough for a median that one late frame does not move. */
const SAMPLES = 15;

export class FrameLength {
  readonly #samplesMs: number[] = [];
  #last: { readonly mediaMs: number; readonly presented: number } | null = null;

  /** A frame was shown. `presented` counts the frames that were, so that those the page slept through are told apart. */
  add(mediaMs: number, presented: number): void {
    const last = this.#last;
    this.#last = { mediaMs, presented };
    if (last === null || presented <= last.presented) return;
    const lengthMs = (mediaMs - last.mediaMs) / (presented - last.presented);
    if (lengthMs < SHORTEST_FRAME_MS || lengthMs > LONGEST_FRAME_MS) return;
    this.#samplesMs.push(lengthMs);
    if (this.#samplesMs.length > SAMPLES) this.#samplesMs.shift();
  }

  /** The median of the last frames. */
  get lengthMs(): number {
    const sorted = this.#samplesMs.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? ASSUMED_FRAME_MS;
  }
}

/**
 * Where to seek for a frame that lies `steps` away: into the middle of it, since at its very beginning rounding decides which one
 * is shown. `fromMs` is the beginning of the frame on the screen, or a place inside of one when `isInside`.
 */
export function frameTarget(fromMs: number, isInside: boolean, steps: number, lengthMs: number): number {
  return fromMs + steps * lengthMs + (isInside ? 0 : lengthMs / 2);
}

export class FrameClock {
  readonly #video: HTMLVideoElement;
  readonly #length = new FrameLength();
  readonly #listeners = new Set<(ms: number) => void>();
  #shownMs: number | null = null;
  #handle: number | null = null;
  readonly #onTime = (): void => this.#tell(this.#video.currentTime * 1_000);

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    if ('requestVideoFrameCallback' in video) this.#ask();
    else (video as HTMLVideoElement).addEventListener('timeupdate', this.#onTime);
  }

  /** Where the frame on the screen begins; `null` before the first. */
  get shownMs(): number | null {
    return this.#shownMs;
  }

  get frameMs(): number {
    return this.#length.lengthMs;
  }

  /** With every frame that is shown. */
  onFrame(listener: (ms: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    if (this.#handle !== null) this.#video.cancelVideoFrameCallback(this.#handle);
    this.#video.removeEventListener('timeupdate', this.#onTime);
    this.#listeners.clear();
  }

  #ask(): void {
    this.#handle = this.#video.requestVideoFrameCallback((_, { mediaTime, presentedFrames }) => {
      this.#length.add(mediaTime * 1_000, presentedFrames);
      this.#tell(mediaTime * 1_000);
      this.#ask();
    });
  }

  #tell(ms: number): void {
    this.#shownMs = ms;
    for (const listener of this.#listeners) listener(ms);
  }
}
