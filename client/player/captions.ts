/**
 * Subtitles drawn by the page. The browser parses WebVTT and keeps time; the page places the text, so that it can be sized, lifted
 * above the controls, and be the same everywhere. In picture-in-picture, where the page draws nothing, the browser's own drawing takes over.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

export interface CaptionLine {
  readonly key: number;
  /** Parsed by the browser from WebVTT: text, bold, italics, ruby. Never markup of the file's own. */
  readonly content: DocumentFragment;
}

export class Captions {
  readonly #video: HTMLVideoElement;
  readonly #lines = signal<readonly CaptionLine[]>([]);
  readonly #onFailure: () => void;
  #element: HTMLTrackElement | null = null;
  #nextKey = 1;

  constructor(video: HTMLVideoElement, onFailure: () => void) {
    this.#video = video;
    this.#onFailure = onFailure;
  }

  /** What is to be read now. */
  get lines(): ReadonlySignal<readonly CaptionLine[]> {
    return this.#lines;
  }

  show(url: string, language: string | null, label: string): void {
    this.hide();
    const element = document.createElement('track');
    element.kind = 'subtitles';
    element.src = url;
    element.label = label;
    if (language !== null) element.srclang = language;
    element.addEventListener('error', this.#onFailure);
    this.#video.append(element);
    this.#element = element;
    const { track } = element;
    track.mode = this.#video.ownerDocument.pictureInPictureElement === this.#video ? 'showing' : 'hidden';
    track.addEventListener('cuechange', () => this.#read(track));
  }

  hide(): void {
    if (this.#element !== null) {
      this.#element.track.mode = 'disabled';
      this.#element.removeEventListener('error', this.#onFailure);
      this.#element.remove();
      this.#element = null;
    }
    this.#lines.value = [];
  }

  /** True: the browser draws (picture-in-picture, a phone's own full screen). False: the page does. */
  drawNatively(isNative: boolean): void {
    if (this.#element !== null) this.#element.track.mode = isNative ? 'showing' : 'hidden';
  }

  #read(track: TextTrack): void {
    if (track !== this.#element?.track) return;
    this.#lines.value = Array.from(track.activeCues ?? [], (cue) => ({
      key: this.#nextKey++,
      content: (cue as VTTCue).getCueAsHTML(),
    }));
  }
}
