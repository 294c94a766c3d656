/** What the video element tells, as the player's state. */
import { batch } from '@preact/signals';
import type { PlayerState } from './player-state.ts';

export interface ElementEvents {
  /** The picture moves. */
  onPlaying(): void;
  /** A place worth keeping was reached: paused, sought, ended. */
  onMilestone(): void;
  /** Played to the end of the file. Whether something follows by itself. */
  onEnded(): boolean;
  /** Position, speed or play state changed by more than time passing. */
  onMoved(): void;
  /** True: the page can't draw over the picture (picture-in-picture, a phone's own full screen). */
  onNativeDrawing(isNative: boolean): void;
}

/** Distances below this are the same place: a decoder lands on a frame, not on a number. */
const ARRIVED_MS = 1_500;

export function watchElement(video: HTMLVideoElement, state: PlayerState, events: ElementEvents): () => void {
  const ending = new AbortController();
  /** The place that the element was sent to a second time. */
  let insistedMs: number | null = null;
  const on = (type: string, listener: () => void): void => {
    video.addEventListener(type, listener, { signal: ending.signal });
  };
  on('playing', () => {
    state.hasPlayed = true;
    batch(() => {
      state.isPlaying.value = true;
      state.isBuffering.value = false;
      state.isBlocked.value = false;
    });
    events.onPlaying();
    events.onMoved();
  });
  on('pause', () => {
    state.isPlaying.value = false;
    events.onMoved();
    if (!video.ended) events.onMilestone();
  });
  on('waiting', () => {
    // Not what a seek, a start, or another source has to wait for.
    if (state.isPlaying.peek() && state.seekTargetMs === null && state.phase.peek() === 'ready' && !video.seeking) {
      state.stalls.value += 1;
    }
    state.isBuffering.value = state.wantsPlaying || state.seekTargetMs !== null;
  });
  on('canplay', () => {
    state.isBuffering.value = false;
  });
  on('timeupdate', () => {
    // Without a source the element has gone back to the beginning.
    if (state.seekTargetMs !== null || state.phase.peek() === 'failed' || video.readyState < 1) return;
    state.positionMs.value = video.currentTime * 1_000;
  });
  on('seeked', () => {
    const target = state.seekTargetMs;
    if (target !== null && Math.abs(video.currentTime * 1_000 - target) > ARRIVED_MS) {
      if (video.seeking) return; // a newer seek is on its way already
      // A source that has just begun went to its own beginning first. Who comes elsewhere once more has nothing to show there, as in a
      // gap that a player of segments leaps over: it would be sent back for ever.
      if (insistedMs !== target) {
        insistedMs = target;
        video.currentTime = target / 1_000;
        return;
      }
    }
    insistedMs = null;
    state.seekTargetMs = null;
    state.positionMs.value = video.currentTime * 1_000;
    state.isBuffering.value = false;
    events.onMoved();
    events.onMilestone();
  });
  on('durationchange', () => {
    if (Number.isFinite(video.duration) && video.duration > 0) state.durationMs.value = video.duration * 1_000;
  });
  on('loadedmetadata', () => {
    // Sought before there was anything to seek in.
    if (state.seekTargetMs !== null) video.currentTime = state.seekTargetMs / 1_000;
  });
  on('progress', () => {
    state.buffered.value = Array.from({ length: video.buffered.length }, (_, index) => ({
      startMs: video.buffered.start(index) * 1_000,
      endMs: video.buffered.end(index) * 1_000,
    }));
  });
  on('ratechange', () => {
    state.rate.value = video.playbackRate;
    events.onMoved();
  });
  on('ended', () => {
    batch(() => {
      state.phase.value = 'ended';
      state.isPlaying.value = false;
      state.positionMs.value = state.durationMs.peek();
    });
    events.onMilestone();
    if (!events.onEnded()) state.wantsPlaying = false;
  });
  on('enterpictureinpicture', () => {
    state.isInPicture.value = true;
    events.onNativeDrawing(true);
  });
  on('leavepictureinpicture', () => {
    state.isInPicture.value = false;
    events.onNativeDrawing(false);
  });
  // An iPhone plays full screen in its own player, which the page can't draw over.
  on('webkitbeginfullscreen', () => events.onNativeDrawing(true));
  on('webkitendfullscreen', () => events.onNativeDrawing(false));
  return () => ending.abort();
}
