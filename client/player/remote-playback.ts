/** The movie on another screen by the browser's own means: AirPlay in Safari, Remote Playback (Cast) where a browser has it. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

/** Safari's own, older than the standard. */
interface AirPlayVideo extends HTMLVideoElement {
  webkitShowPlaybackTargetPicker(): void;
  readonly webkitCurrentPlaybackTargetIsWireless: boolean;
}

const hasAirPlay = (video: HTMLVideoElement): video is AirPlayVideo => 'webkitShowPlaybackTargetPicker' in video;

export class RemotePlayback {
  readonly #video: HTMLVideoElement;
  readonly #isAvailable = signal(false);
  readonly #isConnected = signal(false);
  readonly #ending = new AbortController();

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    const { signal: end } = this.#ending;
    if (hasAirPlay(video)) {
      const onAvailability = (event: Event): void => {
        this.#isAvailable.value = (event as Event & { readonly availability?: string }).availability === 'available';
      };
      const onTarget = (): void => {
        this.#isConnected.value = video.webkitCurrentPlaybackTargetIsWireless;
      };
      video.addEventListener('webkitplaybacktargetavailabilitychanged', onAvailability, { signal: end });
      video.addEventListener('webkitcurrentplaybacktargetiswirelesschanged', onTarget, { signal: end });
      return;
    }
    if (!('remote' in video)) return;
    const { remote } = video;
    const onState = (): void => {
      this.#isConnected.value = remote.state === 'connected';
    };
    remote.addEventListener('connect', onState, { signal: end });
    remote.addEventListener('disconnect', onState, { signal: end });
    remote
      .watchAvailability((isAvailable) => {
        this.#isAvailable.value = isAvailable;
      })
      // Where the browser can't look by itself there is no button: pressing one that finds nothing is worse.
      .catch(() => undefined);
  }

  /** There is a screen to send the movie to. */
  get isAvailable(): ReadonlySignal<boolean> {
    return this.#isAvailable;
  }

  get isConnected(): ReadonlySignal<boolean> {
    return this.#isConnected;
  }

  /** Lets the person choose a screen, or come back from it. */
  async choose(): Promise<void> {
    if (hasAirPlay(this.#video)) this.#video.webkitShowPlaybackTargetPicker();
    else {
      try {
        await this.#video.remote.prompt();
      } catch {
        // Closed without choosing, or the screen has gone.
      }
    }
  }

  dispose(): void {
    this.#ending.abort();
  }
}
