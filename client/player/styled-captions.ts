/**
 * Subtitles with styles of their own (ASS, SSA), drawn by JASSUB: libass as WebAssembly in a worker, on a canvas over the picture. Owns
 * the worker and its memory, and watches over it: a script may ask for more than any machine can draw.
 */
import JASSUB from 'jassub';
import plainFont from 'jassub/dist/default.woff2?url';
// oxlint-disable-next-line import/default -- Vite's: the address of what it builds of the file
import workerUrl from './styled-worker.ts?worker&url';
import { addressFrom } from './captions.ts';
import type { CaptionDrawing, DrawingEvents } from './captions.ts';
import { needsOtherFonts } from './script-letters.ts';
import { EXPIRED_STATUS } from './source.ts';
import type { SubtitleOption } from './player-state.ts';

/** The part of JASSUB’s worker that is called from here; its own types lie in files that are not published. */
interface ScriptTaker {
  setTrack(script: string): Promise<void>;
}

/** Megabytes that libass may keep of drawn letters, and how many outlines: of an hour of heavy signs. */
const BITMAP_CACHE_MB = 128;
const GLYPHS = 20_000;
/** Sharper than this, nobody sees it; every line costs. */
const MAX_HEIGHT_PX = 1_440;
/** A picture that takes longer than this is not drawn at all. */
const STUCK_MS = 8_000;
/** Until the worker is there: two megabytes over a weak line, which a busy device then compiles. */
const STARTING_MS = 30_000;
const LOOK_EVERY_MS = 1_000;
/** What is still being read is taken over this often. */
const RENEW_EVERY_MS = 1_500;
const MAX_SCRIPT_LENGTH = 32 << 20;

export class StyledCaptions implements CaptionDrawing {
  readonly #video: HTMLVideoElement;
  readonly #onProblem: DrawingEvents;
  readonly #load = new AbortController();
  readonly #watch: ReturnType<typeof setInterval>;
  #renderer: JASSUB | null = null;
  #offsetMs: number;
  #isReady = false;
  #busySinceMs = 0;
  #isClosed = false;

  constructor(video: HTMLVideoElement, option: SubtitleOption, offsetMs: number, onProblem: DrawingEvents) {
    this.#video = video;
    this.#onProblem = onProblem;
    this.#offsetMs = offsetMs;
    this.#watch = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#read(option).catch((error: unknown) => {
      if (this.#isClosed) return;
      this.#onProblem(error instanceof Undrawable ? 'undrawable' : 'broken');
    });
  }

  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    if (this.#renderer === null) return;
    this.#renderer.timeOffset = -offsetMs / 1_000;
    void this.#redraw();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#load.abort();
    void this.#renderer?.destroy().catch(() => undefined);
    this.#renderer = null;
  }

  async #read(option: SubtitleOption): Promise<void> {
    const response = await fetch(addressFrom(option.styledUrl!, this.#video), { signal: this.#load.signal });
    if (!response.ok || response.body === null) {
      return this.#onProblem(EXPIRED_STATUS.has(response.status) ? 'expired' : 'broken');
    }
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    let shownLength = 0;
    let shownMs = 0;
    for (;;) {
      const { done, value = '' } = await pieces.read();
      if (this.#isClosed) return;
      text += value;
      if (text.length > MAX_SCRIPT_LENGTH) throw new RangeError('a script larger than any');
      const isDue = performance.now() - shownMs >= RENEW_EVERY_MS;
      // Half a line would be an event of its own.
      const whole = done ? text : text.slice(0, text.lastIndexOf('\n') + 1);
      if (whole.includes('\nDialogue:') && whole.length > shownLength && (done || isDue)) {
        await this.#show(whole, option);
        shownLength = whole.length;
        shownMs = performance.now();
      }
      if (done) return;
    }
  }

  async #show(script: string, { fontUrls }: SubtitleOption): Promise<void> {
    // The browser has the letters; what is drawn here has those of the file's fonts and of the plain one.
    if (fontUrls.length === 0 && needsOtherFonts(script)) throw new Error('a script in letters that no font here has');
    if (this.#renderer === null) {
      // It would ask by compiling, which the page's content policy allows to the worker alone.
      JASSUB._supportsSIMD = hasRelaxedSimd();
      const renderer = started({
        workerUrl,
        video: this.#video,
        subContent: script,
        // The plain one first: it stands in for every font that the movie names and does not bring, from the first picture on.
        fonts: [plainFont, ...fontUrls].map((url) => new URL(url, location.href).href),
        queryFonts: false,
        timeOffset: -this.#offsetMs / 1_000,
        libassMemoryLimit: BITMAP_CACHE_MB,
        libassGlyphLimit: GLYPHS,
        maxRenderHeight: MAX_HEIGHT_PX,
      });
      this.#renderer = renderer;
      renderer._canvas.dataset['captions'] = 'styled';
      const { promise: hasFailed, reject } = Promise.withResolvers<never>();
      // One that can't be loaded or is refused says so here, and never answers.
      renderer._worker.addEventListener('error', () => reject(new Undrawable('its worker was refused')), {
        once: true,
      });
      try {
        await Promise.race([renderer.ready, hasFailed]);
      } catch (error) {
        this.#abandon();
        throw error instanceof Undrawable ? error : new Undrawable('it did not start', { cause: error });
      }
      if (this.#isClosed) return;
      if (renderer.renderer === undefined) {
        // A worker that failed to start answers with nothing.
        this.#abandon();
        throw new Undrawable('it did not start');
      }
      this.#isReady = true;
      this.#busySinceMs = 0;
    } else await (this.#renderer.renderer as ScriptTaker).setTrack(script);
    await this.#redraw();
  }

  /** Draws at once what is due, also while the movie stands still. */
  async #redraw(): Promise<void> {
    const renderer = this.#renderer;
    if (renderer === null || !this.#isReady || this.#isClosed) return;
    const { videoWidth, videoHeight, currentTime } = this.#video;
    if (videoWidth === 0) return;
    await renderer.manualRender(
      { expectedDisplayTime: performance.now(), width: videoWidth, height: videoHeight, mediaTime: currentTime },
      true,
    );
  }

  #look(): void {
    const isBusy = this.#renderer !== null && (this.#renderer.busy || !this.#isReady);
    if (!isBusy) this.#busySinceMs = 0;
    else if (this.#busySinceMs === 0) this.#busySinceMs = performance.now();
    else if (performance.now() - this.#busySinceMs > (this.#isReady ? STUCK_MS : STARTING_MS)) {
      this.#busySinceMs = 0;
      this.#abandon();
      this.#onProblem('broken');
    }
  }

  /** It does not answer: its worker is ended without being asked. */
  #abandon(): void {
    const renderer = this.#renderer;
    this.#renderer = null;
    if (renderer === null) return;
    renderer._worker.terminate();
    renderer._canvas.remove();
    renderer._removeListeners();
    renderer._destroyed = true;
  }
}

/** This device refuses what drawing needs: a worker, WebAssembly, a canvas that a worker draws on. */
class Undrawable extends Error {}

function started(options: ConstructorParameters<typeof JASSUB>[0]): JASSUB {
  try {
    return new JASSUB(options);
  } catch (cause) {
    throw new Undrawable('this device refuses what it needs', { cause });
  }
}

/** Whether WebAssembly has relaxed SIMD: a module of one `i8x16.relaxed_swizzle`. */
function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(
    Uint8Array.of(
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02],
      ...[0x01, 0x00, 0x0a, 0x2b, 0x01, 0x29, 0x00, 0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0x80, 0x02, 0x0b],
    ),
  );
}
