/** What a key means while a movie plays: the family of keys that YouTube taught everyone. */

export type PlayerCommand =
  | { readonly kind: 'togglePlay' }
  | { readonly kind: 'play' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'seekBy'; readonly ms: number }
  /** 0 is the beginning, 1 the end. */
  | { readonly kind: 'seekToShare'; readonly share: number }
  | { readonly kind: 'chapterBy'; readonly steps: number }
  /** The next part of a movie that is cut into several files, else what is played after the movie. */
  | { readonly kind: 'next' }
  /** The intro, recap or credits that one is in. */
  | { readonly kind: 'skipMark' }
  | { readonly kind: 'frameBy'; readonly steps: number }
  | { readonly kind: 'volumeBy'; readonly share: number }
  | { readonly kind: 'speedBy'; readonly steps: number }
  | { readonly kind: 'toggleMute' }
  | { readonly kind: 'toggleFullScreen' }
  | { readonly kind: 'toggleCaptions' }
  /** Subtitles later; negative for earlier. */
  | { readonly kind: 'shiftCaptions'; readonly ms: number }
  | { readonly kind: 'nextAudio' }
  /** The beginning of a part to repeat, then its end, then off. */
  | { readonly kind: 'markLoop' }
  | { readonly kind: 'togglePictureInPicture' }
  | { readonly kind: 'toggleFacts' }
  | { readonly kind: 'showKeys' }
  /** Brings the controls up and the focus into them: the middle button of a remote control. */
  | { readonly kind: 'showControls' }
  | { readonly kind: 'leave' };

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

const COMMANDS: ReadonlyMap<string, PlayerCommand> = new Map<string, PlayerCommand>([
  [' ', { kind: 'togglePlay' }],
  ['k', { kind: 'togglePlay' }],
  ['MediaPlayPause', { kind: 'togglePlay' }],
  ['MediaPlay', { kind: 'play' }],
  ['MediaPause', { kind: 'pause' }],
  ['MediaStop', { kind: 'leave' }],
  ['j', { kind: 'seekBy', ms: -10_000 }],
  ['l', { kind: 'seekBy', ms: 10_000 }],
  ['ArrowLeft', { kind: 'seekBy', ms: -5_000 }],
  ['ArrowRight', { kind: 'seekBy', ms: 5_000 }],
  ['MediaRewind', { kind: 'seekBy', ms: -10_000 }],
  ['MediaFastForward', { kind: 'seekBy', ms: 10_000 }],
  ['ArrowUp', { kind: 'volumeBy', share: 0.05 }],
  ['ArrowDown', { kind: 'volumeBy', share: -0.05 }],
  ['m', { kind: 'toggleMute' }],
  ['f', { kind: 'toggleFullScreen' }],
  ['c', { kind: 'toggleCaptions' }],
  ['g', { kind: 'shiftCaptions', ms: -50 }],
  ['h', { kind: 'shiftCaptions', ms: 50 }],
  ['p', { kind: 'togglePictureInPicture' }],
  ['i', { kind: 'toggleFacts' }],
  ['?', { kind: 'showKeys' }],
  ['>', { kind: 'speedBy', steps: 1 }],
  ['<', { kind: 'speedBy', steps: -1 }],
  ['.', { kind: 'frameBy', steps: 1 }],
  [',', { kind: 'frameBy', steps: -1 }],
  ['Home', { kind: 'seekToShare', share: 0 }],
  ['End', { kind: 'seekToShare', share: 1 }],
  ['PageUp', { kind: 'chapterBy', steps: 1 }],
  ['PageDown', { kind: 'chapterBy', steps: -1 }],
  ['a', { kind: 'nextAudio' }],
  ['b', { kind: 'markLoop' }],
  ['s', { kind: 'skipMark' }],
  ['n', { kind: 'next' }],
  ['MediaTrackNext', { kind: 'next' }],
  ['MediaTrackPrevious', { kind: 'chapterBy', steps: -1 }],
  ['Enter', { kind: 'showControls' }],
  ['Escape', { kind: 'leave' }],
  // The back key of remote controls: Android and webOS, Tizen.
  ['GoBack', { kind: 'leave' }],
  ['BrowserBack', { kind: 'leave' }],
  ['XF86Back', { kind: 'leave' }],
  ...Array.from({ length: 10 }, (_, digit) => [String(digit), { kind: 'seekToShare', share: digit / 10 }] as const),
]);

/**
 * `null` for keys that are not the player's, and for anything held with Ctrl, Alt or Meta: those are the browser's. With a remote
 * control (`isRemote`) there is no other way to the buttons than up and down, and the television has keys for its own volume.
 */
export function keyToCommand({ key, ctrlKey, altKey, metaKey }: KeyPress, isRemote = false): PlayerCommand | null {
  if (ctrlKey || altKey || metaKey) return null;
  if (isRemote && (key === 'ArrowUp' || key === 'ArrowDown')) return { kind: 'showControls' };
  return COMMANDS.get(key.length === 1 ? key.toLowerCase() : key) ?? null;
}

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const;

/** The next speed in a direction, the same at the end of the row. A speed that is not in the row counts as its nearest. */
export function speedAfter(speed: number, steps: number): number {
  const nearest = SPEEDS.reduce<number>((best, candidate) => {
    return Math.abs(candidate - speed) < Math.abs(best - speed) ? candidate : best;
  }, 1);
  const index = SPEEDS.findIndex((candidate) => candidate === nearest) + steps;
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index))]!;
}
