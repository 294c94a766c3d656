/**
 * Subtitles over the picture. Owns what shows them: lines of text that the page places, a script that JASSUB draws, or pictures on a
 * canvas, and what of them has been loaded.
 *
 * - Text is kept in a text track of the element: the browser keeps time and parses what is in the cues, the page places the lines, so
 *   that they can be sized, lifted above the controls, and be the same everywhere. Where the page draws nothing (picture in
 *   picture, a phone's own full screen), the browser draws them itself; styled subtitles become text there.
 * - What the server is still reading comes as a reply that goes on, and shows as it comes.
 */
import { batch, signal as signalOf } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { EXPIRED_STATUS } from './source.ts';
import type { SubtitleOption } from './player-state.ts';
import { VttReader } from './vtt-reader.ts';
import type { VttCue } from './vtt-reader.ts';

export interface CaptionLine {
  readonly key: number;
  /** Parsed by the browser from WebVTT: text, bold, italics, ruby. Never markup of the file's own. */
  readonly content: DocumentFragment;
  /** At the upper edge, to leave room for what is written below in the picture. */
  readonly isTop: boolean;
}

/** What draws something other than text. */
export interface CaptionDrawing {
  /** How much later than their file says. */
  setOffset(offsetMs: number): void;
  close(): void;
}

/** `expired`: its address is used up. `broken`: it can't be shown here. `undrawable`: it has come, and this device does not draw it. */
export type CaptionProblem = 'expired' | 'broken' | 'undrawable';

export type DrawingEvents = (problem: CaptionProblem) => void;

/** More than this at once is no talk, and nobody could read it. */
const MAX_LINES = 12;
const RETRIES = 2;
const RETRY_MS = 1_000;

export class Captions {
  readonly #video: HTMLVideoElement;
  readonly #lines = signalOf<readonly CaptionLine[]>([]);
  readonly #isLoading = signalOf(false);
  readonly #onProblem: (problem: CaptionProblem) => void;
  /** Made once: a text track can't be taken away from its element again. */
  #track: TextTrack | null = null;
  #cues: readonly VttCue[] = [];
  #shown: SubtitleOption | null = null;
  #offsetMs = 0;
  #isNative = false;
  #prefersText = false;
  #drawing: CaptionDrawing | null = null;
  #load: AbortController | null = null;
  #nextKey = 1;

  constructor(video: HTMLVideoElement, onProblem: (problem: CaptionProblem) => void) {
    this.#video = video;
    this.#onProblem = onProblem;
  }

  /** What is to be read now. */
  get lines(): ReadonlySignal<readonly CaptionLine[]> {
    return this.#lines;
  }

  /** Nothing of them has come yet. */
  get isLoading(): ReadonlySignal<boolean> {
    return this.#isLoading;
  }

  show(option: SubtitleOption): void {
    this.hide();
    this.#shown = option;
    this.#offsetMs = option.offsetMs;
    this.#begin();
  }

  hide(): void {
    this.#load?.abort();
    this.#load = null;
    this.#drawing?.close();
    this.#drawing = null;
    this.#shown = null;
    this.#clearTrack();
    batch(() => {
      this.#lines.value = [];
      this.#isLoading.value = false;
    });
  }

  /** Later than their file says; negative for earlier. */
  setOffset(offsetMs: number): void {
    if (offsetMs === this.#offsetMs) return;
    this.#offsetMs = offsetMs;
    this.#drawing?.setOffset(offsetMs);
    if (this.#cues.length === 0) return;
    const cues = this.#cues;
    this.#clearTrack();
    this.#add(cues);
  }

  get prefersText(): boolean {
    return this.#prefersText;
  }

  /** Styled subtitles as text, for people who want to read them in their own style. */
  preferText(prefersText: boolean): void {
    if (prefersText === this.#prefersText) return;
    this.#prefersText = prefersText;
    if (this.#shown?.format === 'styled') this.#restart();
  }

  /** True: the browser draws (picture-in-picture, a phone's own full screen). False: the page does. */
  drawNatively(isNative: boolean): void {
    this.#isNative = isNative;
    if (this.#shown?.format === 'styled' && !this.#prefersText) this.#restart();
    else if (this.#track !== null) this.#track.mode = isNative ? 'showing' : 'hidden';
  }

  #restart(): void {
    const option = this.#shown;
    const offsetMs = this.#offsetMs;
    if (option === null) return;
    this.hide();
    this.#shown = option;
    this.#offsetMs = offsetMs;
    this.#begin();
  }

  #begin(): void {
    const option = this.#shown!;
    const load = new AbortController();
    this.#load = load;
    this.#isLoading.value = true;
    const draw = async (): Promise<void> => {
      const onProblem = this.#listener(load);
      if (option.format === 'pictures') {
        const { PictureCaptions } = await import('./picture-captions.ts');
        if (load.signal.aborted) return;
        this.#drawing = drawnBy(() => new PictureCaptions(this.#video, option, this.#offsetMs, onProblem), onProblem);
      } else if (option.format === 'styled' && !this.#prefersText && !this.#isNative) {
        const { StyledCaptions } = await import('./styled-captions.ts');
        if (load.signal.aborted) return;
        this.#drawing = drawnBy(() => new StyledCaptions(this.#video, option, this.#offsetMs, onProblem), onProblem);
      } else return await this.#readText(option, load.signal, 0);
      this.#isLoading.value = false;
    };
    // A part of the player that could not be fetched.
    draw().catch(() => this.#listener(load)('broken'));
  }

  #listener(load: AbortController): DrawingEvents {
    return (problem) => {
      if (load.signal.aborted) return;
      if (problem === 'broken' && this.#shown?.format === 'styled') this.#fallBack(load);
      else this.#onProblem(problem);
    };
  }

  /** Styled subtitles that can't be drawn here are read as text. */
  #fallBack(load: AbortController): void {
    this.#drawing?.close();
    this.#drawing = null;
    const option = this.#shown;
    if (option !== null) void this.#readText(option, load.signal, 0);
  }

  async #readText(option: SubtitleOption, signal: AbortSignal, attempt: number): Promise<void> {
    try {
      const response = await fetch(addressFrom(option.url!, this.#video), { signal });
      if (!response.ok || response.body === null) {
        return this.#onProblem(EXPIRED_STATUS.has(response.status) ? 'expired' : 'broken');
      }
      const reader = new VttReader();
      const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await pieces.read();
        if (signal.aborted) return;
        this.#add(done ? reader.end() : reader.take(value));
        this.#isLoading.value = false;
        if (done) return;
      }
    } catch {
      if (signal.aborted) return;
      if (attempt >= RETRIES) return this.#onProblem('broken');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      if (signal.aborted) return;
      this.#clearTrack();
      await this.#readText(option, signal, attempt + 1);
    }
  }

  #add(cues: readonly VttCue[]): void {
    if (cues.length === 0) return;
    if (this.#track === null) {
      this.#track = this.#video.addTextTrack('subtitles');
      this.#track.addEventListener('cuechange', () => this.#read());
    }
    this.#track.mode = this.#isNative ? 'showing' : 'hidden';
    for (const { startMs, endMs, text, isTop } of cues) {
      const [start, end] = [startMs + this.#offsetMs, endMs + this.#offsetMs];
      if (end <= 0) continue;
      const cue = new VTTCue(Math.max(0, start) / 1_000, end / 1_000, text);
      if (isTop) cue.line = 0;
      this.#track.addCue(cue);
    }
    this.#cues = this.#cues.length === 0 ? cues : [...this.#cues, ...cues];
    // What shows already may be among them.
    this.#read();
  }

  #clearTrack(): void {
    this.#cues = [];
    const track = this.#track;
    if (track === null) return;
    // A disabled track has no cues that could be taken out.
    track.mode = 'hidden';
    for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
    track.mode = 'disabled';
    this.#lines.value = [];
  }

  #read(): void {
    if (this.#shown === null || this.#drawing !== null) return;
    const active = Array.from(this.#track?.activeCues ?? []).slice(0, MAX_LINES) as VTTCue[];
    this.#lines.value = active.map((cue) => ({
      key: this.#nextKey++,
      content: cue.getCueAsHTML(),
      isTop: cue.line === 0,
    }));
  }
}

/** What draws; `null`, and told, where this device refuses what it needs. */
function drawnBy(make: () => CaptionDrawing, onProblem: DrawingEvents): CaptionDrawing | null {
  try {
    return make();
  } catch {
    // Not from within: whoever hears of it closes what is only being made.
    queueMicrotask(() => onProblem('undrawable'));
    return null;
  }
}

/** The address, with the place where somebody watches: what the server has to read first it begins there. */
export function addressFrom(address: string, video: HTMLVideoElement): string {
  const url = new URL(address, location.href);
  const atMs = Math.round(video.currentTime * 1_000);
  if (atMs > 0) url.searchParams.set('from', String(atMs));
  return url.href;
}
