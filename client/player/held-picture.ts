/**
 * The picture that was on the screen, for as long as another source has none yet: an element that is given another source is black until
 * then. Owns the canvas it is drawn on.
 */

/** As many lines as a still needs that is looked at for a moment. */
const MOST_LINES = 1_080;

export class HeldPicture {
  readonly #video: HTMLVideoElement;
  #canvas: HTMLCanvasElement | null = null;
  #ending = new AbortController();

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  /** Draws what the element shows over it, until the first picture of the next source. Where it shows nothing, what was held stays. */
  hold(): void {
    const video = this.#video;
    const canvas = drawn(video);
    if (canvas === null) return;
    this.release();
    this.#canvas = canvas;
    this.#ending = new AbortController();
    const look = (): void => {
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.seeking) return;
      // What is decoded now is painted with the next frame of the page at the earliest.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          if (this.#canvas === canvas) this.release();
        }),
      );
    };
    for (const type of ['loadeddata', 'seeked', 'playing']) {
      video.addEventListener(type, look, { signal: this.#ending.signal });
    }
    video.insertAdjacentElement('afterend', canvas);
  }

  release(): void {
    this.#ending.abort();
    this.#canvas?.remove();
    this.#canvas = null;
  }
}

/** `null` where there is nothing to draw, or a browser that does not let a page read the picture. */
function drawn(video: HTMLVideoElement): HTMLCanvasElement | null {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0 || videoHeight === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
  const scale = Math.min(1, MOST_LINES / videoHeight);
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(videoWidth * scale);
  canvas.height = Math.round(videoHeight * scale);
  canvas.dataset['heldPicture'] = '';
  canvas.ariaHidden = 'true';
  const { style } = canvas;
  style.position = 'absolute';
  style.inset = '0';
  style.inlineSize = '100%';
  style.blockSize = '100%';
  style.objectFit = 'contain';
  style.pointerEvents = 'none';
  style.filter = video.style.filter;
  const pen = canvas.getContext('2d');
  if (pen === null) return null;
  try {
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
  } catch {
    return null;
  }
  return canvas;
}
