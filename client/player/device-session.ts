/** The device around the player: its media keys and lock screen, and its habit of going to sleep. */

export interface MediaKeys {
  play(): void;
  pause(): void;
  seekBy(ms: number): void;
  seekTo(ms: number): void;
  /** `null` where nothing follows. */
  readonly next: (() => void) | null;
}

/** Shows the movie on the lock screen and listens to media keys until the returned function is called. */
export function offerMediaSession(title: string, artworkUrl: string | null, keys: MediaKeys): () => void {
  if (!('mediaSession' in navigator)) return () => undefined;
  const { mediaSession } = navigator;
  mediaSession.metadata = new MediaMetadata({
    title,
    artist: 'Matinee',
    artwork: artworkUrl === null ? [] : [{ src: artworkUrl }],
  });
  const handlers: readonly (readonly [MediaSessionAction, MediaSessionActionHandler | null])[] = [
    ['play', () => keys.play()],
    ['pause', () => keys.pause()],
    ['seekbackward', ({ seekOffset }) => keys.seekBy(-(seekOffset ?? 10) * 1_000)],
    ['seekforward', ({ seekOffset }) => keys.seekBy((seekOffset ?? 10) * 1_000)],
    ['nexttrack', keys.next],
    ['seekto', ({ seekTime }) => seekTime !== undefined && keys.seekTo(seekTime * 1_000)],
  ];
  const set = (action: MediaSessionAction, handler: MediaSessionActionHandler | null): void => {
    try {
      mediaSession.setActionHandler(action, handler);
    } catch {
      // A browser that does not know the action throws; the others still work.
    }
  };
  for (const [action, handler] of handlers) set(action, handler);
  return () => {
    for (const [action] of handlers) set(action, null);
    mediaSession.metadata = null;
    mediaSession.playbackState = 'none';
  };
}

export function tellMediaSession(isPlaying: boolean, positionMs: number, durationMs: number, rate: number): void {
  if (!('mediaSession' in navigator)) return;
  navigator.mediaSession.playbackState = isPlaying ? 'playing' : 'paused';
  if (durationMs > 0) {
    navigator.mediaSession.setPositionState({
      duration: durationMs / 1_000,
      position: Math.min(positionMs, durationMs) / 1_000,
      playbackRate: rate,
    });
  }
}

/** Keeps the screen on while wanted. A browser drops the lock when the page is hidden, so it is asked again when it returns. */
export class ScreenWake {
  #lock: WakeLockSentinel | null = null;
  #isWanted = false;
  readonly #onVisible = (): void => {
    if (document.visibilityState === 'visible') void this.#update();
  };

  constructor() {
    document.addEventListener('visibilitychange', this.#onVisible);
  }

  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    void this.#update();
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.want(false);
  }

  async #update(): Promise<void> {
    if (!('wakeLock' in navigator)) return;
    try {
      if (!this.#isWanted) {
        const lock = this.#lock;
        this.#lock = null;
        await lock?.release();
      } else if (this.#lock === null || this.#lock.released) {
        this.#lock = await navigator.wakeLock.request('screen');
        // Paused while the browser was deciding.
        if (!this.#isWanted) void this.#update();
      }
    } catch {
      // Low battery or no permission: the screen may go dark, the movie goes on.
    }
  }
}
