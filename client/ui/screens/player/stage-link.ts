/** The player as a screen that the person's other devices see and ask things of. */
import { computed } from '@preact/signals';
import type { Player } from '#client/player/player.ts';
import type { Preferences } from '#client/store/preferences.ts';
import type { Stage } from '#client/store/screens.ts';
import type { ScreenPlay } from '#protocol/schema/screen.ts';
import { trackLabel } from '../../wording.ts';

export interface StageScene {
  readonly player: Player;
  readonly preferences: Preferences;
  readonly movieId: string;
  readonly fileId: string | null;
  readonly title: () => string;
  readonly leave: () => void;
}

/** A place that has moved on by itself is no news; one that jumped is. */
const STEP_MS = 10_000;

export function stageOf({ player, preferences, movieId, fileId, title, leave }: StageScene): Stage {
  const { tracks } = player;
  // The place changes many times a second; it is told when something else does, and every few seconds.
  let told: { readonly atMs: number; readonly placeMs: number } = { atMs: 0, placeMs: 0 };
  const jumps = computed(() => {
    const place = (player.playback.value?.part?.offsetMs ?? 0) + player.positionMs.value;
    const expected =
      told.placeMs + (player.isPlaying.peek() ? (performance.now() - told.atMs) * player.rate.peek() : 0);
    if (Math.abs(place - expected) > 1_500 || Math.abs(place - told.placeMs) > STEP_MS) {
      told = { atMs: performance.now(), placeMs: place };
    }
    return told;
  });
  const lengthMs = (): number => Math.round(player.playback.peek()?.part?.movieDurationMs ?? player.durationMs.peek());
  const placeMs = (): number =>
    Math.round(Math.min(lengthMs(), (player.playback.peek()?.part?.offsetMs ?? 0) + player.positionMs.peek()));
  const playing = computed<ScreenPlay | null>(() => {
    const playback = player.playback.value;
    // Read so that a jump is told, and a length that was not known.
    void [jumps.value, player.durationMs.value];
    if (playback === null) return null;
    return {
      movieId,
      title: title().slice(0, 500),
      positionMs: placeMs(),
      durationMs: lengthMs(),
      isPlaying: player.isPlaying.value,
      rate: player.rate.value,
      tracks: {
        audio: playback.audioTracks
          .slice(0, 64)
          .map((track) => ({ trackIndex: track.trackIndex, label: trackLabel(track) })),
        audioTrack: tracks.audioTrack.value,
        subtitles: playback.subtitleTracks.slice(0, 64).map((track) => ({ id: track.id, label: trackLabel(track) })),
        subtitle: tracks.captionTrack.value,
      },
    };
  });
  return {
    playing,
    placeMs,
    obey(action) {
      switch (action.kind) {
        case 'resume':
          player.play();
          return true;
        case 'pause':
          player.pause();
          return true;
        case 'stop':
          leave();
          return true;
        case 'seek':
          player.seekToPlace(action.positionMs);
          return true;
        case 'volume':
          preferences.volume.value = action.share;
          preferences.isMuted.value = false;
          return true;
        case 'mute':
          preferences.isMuted.value = action.isMuted;
          return true;
        case 'audio':
          return tracks.chooseAudio(action.trackIndex) !== null;
        case 'subtitle': {
          const isKnown =
            action.id === null || player.playback.peek()?.subtitleTracks.some(({ id }) => id === action.id) === true;
          if (isKnown) tracks.chooseCaptions(action.id);
          return isKnown;
        }
      }
    },
    playFrom(action) {
      if (action.movieId !== movieId || (action.fileId !== null && action.fileId !== fileId)) return false;
      player.seekToPlace(action.positionMs);
      player.play();
      return true;
    },
  };
}
