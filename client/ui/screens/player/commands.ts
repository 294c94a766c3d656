/** What keys, gestures, remote controls and other devices ask of the player, done and said. */
import { turnSideways } from '#client/player/device-session.ts';
import { speedAfter } from '#client/player/key-map.ts';
import type { PlayerCommand } from '#client/player/key-map.ts';
import type { Player } from '#client/player/player.ts';
import type { Preferences } from '#client/store/preferences.ts';
import { clockTime, trackLabel } from '../../wording.ts';
import type { FlashBoard } from './flash-board.ts';
import { offsetText } from './subtitle-words.ts';

export interface CommandScene {
  readonly player: Player;
  readonly preferences: Preferences;
  readonly video: HTMLVideoElement;
  readonly board: FlashBoard;
  readonly toggleFacts: () => void;
  readonly showKeys: () => void;
  /** Controls up, focus into them. */
  readonly showControls: () => void;
  /** Escape and the back key: closes what is open, else leaves the movie. */
  readonly leave: () => void;
  /** Whether the movie was in something to skip. */
  readonly skipMark: () => boolean;
  /** Whether there was something to go on to. */
  readonly next: () => boolean;
}

export function toggleFullScreen(video: HTMLVideoElement): void {
  const frame = video.closest('main');
  if (document.fullscreenElement !== null) void document.exitFullscreen();
  else if (frame !== null && document.fullscreenEnabled) void frame.requestFullscreen().then(turnSideways);
  // An iPhone only lets the video itself fill the screen.
  else (video as { webkitEnterFullscreen?: () => void }).webkitEnterFullscreen?.();
}

export function obeyCommand(command: PlayerCommand, scene: CommandScene): void {
  const { player, preferences, board } = scene;
  switch (command.kind) {
    case 'togglePlay':
      board.say(player.isPlaying.peek() ? 'Pause' : 'Play');
      player.togglePlay();
      break;
    case 'play':
      player.play();
      break;
    case 'pause':
      player.pause();
      break;
    case 'seekBy':
      player.seekBy(command.ms);
      board.sayJump(command.ms);
      break;
    case 'seekToShare':
      player.seekTo(player.durationMs.peek() * command.share);
      board.say(clockTime(player.positionMs.peek()));
      break;
    case 'chapterBy': {
      player.chapterBy(command.steps);
      const here = player.positionMs.peek();
      const chapter = player.playback.peek()?.chapters.findLast(({ startMs }) => startMs <= here + 100);
      board.say(chapter?.title ?? clockTime(here));
      break;
    }
    case 'next':
      if (scene.next()) board.say('Next', 'end');
      break;
    case 'skipMark':
      if (scene.skipMark()) board.say('Skipped', 'end');
      break;
    case 'frameBy':
      player.frameBy(command.steps);
      break;
    case 'markLoop': {
      player.markLoop();
      const marks = player.loop.marks.peek();
      board.say(
        marks === null
          ? 'Repeat off'
          : marks.endMs === null
            ? `Repeat from ${clockTime(marks.startMs)}`
            : `Repeat ${clockTime(marks.startMs)} to ${clockTime(marks.endMs)}`,
      );
      break;
    }
    case 'volumeBy': {
      const volume = Math.min(1, Math.max(0, Math.round((preferences.volume.peek() + command.share) * 100) / 100));
      preferences.volume.value = volume;
      preferences.isMuted.value = false;
      board.say(`Volume ${Math.round(volume * 100)} %`);
      break;
    }
    case 'speedBy': {
      const rate = speedAfter(player.rate.peek(), command.steps);
      player.setRate(rate);
      board.say(`${rate}×`);
      break;
    }
    case 'toggleMute':
      preferences.isMuted.value = !preferences.isMuted.peek();
      board.say(preferences.isMuted.peek() ? 'Muted' : 'Sound on');
      break;
    case 'toggleFullScreen':
      toggleFullScreen(scene.video);
      break;
    case 'toggleCaptions':
      player.tracks.toggleCaptions();
      board.say(
        player.tracks.captionTrack.peek() === null
          ? player.tracks.showableCaptions().length === 0
            ? 'No subtitles'
            : 'Subtitles off'
          : 'Subtitles on',
      );
      break;
    case 'shiftCaptions': {
      if (player.tracks.captionOption === null) board.say('No subtitles');
      else board.say(`Subtitles ${offsetText(player.tracks.shiftCaptions(command.ms))}`);
      break;
    }
    case 'nextAudio': {
      const track = player.tracks.nextAudio();
      board.say(track === null ? 'There is but one audio track' : trackLabel(track));
      break;
    }
    case 'togglePictureInPicture':
      void player.togglePictureInPicture();
      break;
    case 'toggleFacts':
      scene.toggleFacts();
      break;
    case 'showKeys':
      scene.showKeys();
      break;
    case 'showControls':
      scene.showControls();
      break;
    case 'leave':
      scene.leave();
      break;
  }
}
