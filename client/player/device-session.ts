/** The device around the player: its media keys and lock screen, and its habit of going to sleep. */

export interface MediaKeys {
  play(): void;
  pause(): void;
  stop(): void;
  seekBy(ms: number): void;
  seekTo(ms: number): void;
  /** `null` where nothing follows. */
  readonly next: (() => void) | null;
  /** Back by a chapter; `null` without chapters. */
  readonly previous: (() => void) | null;
  togglePictureInPicture(): void;
}

export interface Billing {
  readonly title: string;
  /** Of one picture in several widths, or none. */
  readonly artwork: readonly MediaImage[];
}

/** Newer than the types: browsers that do not know it refuse it. */
type SessionAction = MediaSessionAction | 'enterpictureinpicture';

/** Shows the movie on the lock screen and listens to media keys until the returned function is called. */
export function offerMediaSession({ title, artwork }: Billing, keys: MediaKeys): () => void {
  if (!('mediaSession' in navigator)) return () => undefined;
  const { mediaSession } = navigator;
  mediaSession.metadata = new MediaMetadata({ title, artist: 'Matinee', artwork: [...artwork] });
  const handlers: readonly (readonly [SessionAction, MediaSessionActionHandler | null])[] = [
    ['play', () => keys.play()],
    ['pause', () => keys.pause()],
    ['stop', () => keys.stop()],
    ['seekbackward', ({ seekOffset }) => keys.seekBy(-(seekOffset ?? 10) * 1_000)],
    ['seekforward', ({ seekOffset }) => keys.seekBy((seekOffset ?? 10) * 1_000)],
    ['previoustrack', keys.previous],
    ['nexttrack', keys.next],
    ['seekto', ({ seekTime }) => seekTime !== undefined && keys.seekTo(seekTime * 1_000)],
    ['enterpictureinpicture', () => keys.togglePictureInPicture()],
  ];
  const set = (action: SessionAction, handler: MediaSessionActionHandler | null): void => {
    try {
      mediaSession.setActionHandler(action as MediaSessionAction, handler);
    } catch {
      // A browser that does not know the action throws; the others still work.
    }
  };
  for (const [action, handler] of handlers) set(action, handler);
  return () => {
    for (const [action] of handlers) set(action, null);
    mediaSession.metadata = null;
    mediaSession.playbackState = 'none';
    // What is played next must not begin at the place and with the length of this.
    mediaSession.setPositionState();
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

/** A phone that is held upright shows a movie across; left again with the full screen, by the browser itself. */
export async function turnSideways(): Promise<void> {
  const { orientation } = screen as Screen & {
    readonly orientation?: ScreenOrientation & { lock?(to: 'landscape'): Promise<void> };
  };
  try {
    await orientation?.lock?.('landscape');
  } catch {
    // Computers and iPhones do not turn.
  }
}

/** A television or a box beside one: there is a remote control and nothing to point with. */
export function hasRemoteControl(agent: string, hasPointer: boolean): boolean {
  return (
    !hasPointer ||
    /Tizen|Web0S|webOS|SMART-?TV|SmartTV|\bAFT[A-Z]|Google ?TV|Android TV|BRAVIA|HbbTV|CrKey/i.test(agent)
  );
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
