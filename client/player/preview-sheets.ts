/**
 * Sheets of previews as they come into the page. Owns: which are here, which are on their way, which will not come. A sheet that is
 * wished for while another is on its way takes its place after a moment: whoever sweeps over the bar loads what they stop at.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Trickplay } from '#protocol/schema/moments.ts';

/** One picture on a loaded sheet. */
export interface PreviewPicture {
  readonly url: string;
  readonly x: number;
  readonly y: number;
}

/** A hand on the move passes sheets that nobody wants to see. */
const SETTLE_MS = 60;
/** What did not come is asked for again after so long. */
const FORGIVE_MS = 30_000;
const MAX_SHEETS = 200;

/** Loads a picture; rejects where it does not come. `abort` gives it up. */
export type LoadSheet = (url: string) => { readonly loaded: Promise<unknown>; readonly abort: () => void };

export class PreviewSheets {
  readonly #load: LoadSheet;
  /** Address of a loaded sheet, by file and number: an address that was given out anew need not be loaded anew. */
  readonly #urls = new Map<string, string>();
  readonly #failedAtMs = new Map<string, number>();
  /** Grows with every sheet that comes or fails. */
  readonly #version = signal(0);
  #onItsWay: { readonly key: string; abort(): void } | null = null;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(load: LoadSheet = loadImage) {
    this.#load = load;
  }

  /** Changes whenever `pictureAt` may answer otherwise. */
  get version(): ReadonlySignal<number> {
    return this.#version;
  }

  /** Somebody looks at a place whose picture is still on its way. */
  get isAwaited(): boolean {
    return this.#onItsWay !== null;
  }

  /** The picture for a time, if its sheet is here. */
  pictureAt(fileId: string, trickplay: Trickplay, ms: number): PreviewPicture | null {
    const { sheet, place } = placeOf(trickplay, ms);
    const url = this.#urls.get(`${fileId} ${sheet}`);
    if (url === undefined) return null;
    const { columns, widthPx, heightPx } = trickplay;
    return { url, x: (place % columns) * widthPx, y: Math.floor(place / columns) * heightPx };
  }

  /** Whether the sheet for a time did not come, so that no place need be kept for its picture. */
  hasFailed(fileId: string, trickplay: Trickplay, ms: number): boolean {
    const atMs = this.#failedAtMs.get(`${fileId} ${placeOf(trickplay, ms).sheet}`);
    return atMs !== undefined && Date.now() - atMs < FORGIVE_MS;
  }

  /** The person is looking there. */
  want(fileId: string, trickplay: Trickplay, ms: number): void {
    const { sheet } = placeOf(trickplay, ms);
    const key = `${fileId} ${sheet}`;
    if (this.#urls.has(key) || this.#onItsWay?.key === key || this.hasFailed(fileId, trickplay, ms)) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#begin(key, trickplay.sheetUrl.replace('{n}', String(sheet))), SETTLE_MS);
  }

  dispose(): void {
    clearTimeout(this.#settling);
    this.#onItsWay?.abort();
    this.#onItsWay = null;
  }

  #begin(key: string, url: string): void {
    this.#onItsWay?.abort();
    const { loaded, abort } = this.#load(url);
    const way = { key, abort };
    this.#onItsWay = way;
    const end = (): boolean => {
      if (this.#onItsWay !== way) return false;
      this.#onItsWay = null;
      return true;
    };
    loaded.then(
      () => {
        end();
        if (this.#urls.size >= MAX_SHEETS) this.#urls.clear();
        this.#urls.set(key, url);
        this.#version.value += 1;
      },
      () => {
        // Given up by ourselves: nothing is wrong with it.
        if (!end()) return;
        this.#failedAtMs.set(key, Date.now());
        this.#version.value += 1;
      },
    );
  }
}

function placeOf({ intervalMs, count, columns, rows }: Trickplay, ms: number): { sheet: number; place: number } {
  const index = Math.min(count - 1, Math.max(0, Math.floor(ms / intervalMs)));
  const perSheet = columns * rows;
  return { sheet: Math.floor(index / perSheet), place: index % perSheet };
}

function loadImage(url: string): ReturnType<LoadSheet> {
  const image = new Image();
  image.decoding = 'async';
  image.src = url;
  return {
    loaded: image.decode(),
    abort: () => {
      image.src = '';
    },
  };
}
