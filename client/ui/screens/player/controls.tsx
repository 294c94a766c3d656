import {
  ArrowLeft,
  Cast,
  Info,
  Keyboard,
  Maximize,
  Minimize,
  Pause,
  PictureInPicture2,
  Play,
  RotateCcw,
  RotateCw,
  SkipForward,
  AudioLines,
  Volume1,
  Volume2,
  VolumeX,
} from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import type { PlayerCommand } from '#client/player/key-map.ts';
import type { Player } from '#client/player/player.ts';
import type { PreviewSheets } from '#client/player/preview-sheets.ts';
import type { SkipMarks } from '#client/player/skip-marks.ts';
import type { Preferences } from '#client/store/preferences.ts';
import { keyboardHere, withKey } from '../../key-hints.ts';
import { IconButton } from '../../parts/button.tsx';
import { ChoiceMenu } from '../../parts/choice-menu.tsx';
import { clockTime, timeOfDay, trackLabel } from '../../wording.ts';
import { ChaptersMenu } from './chapters-menu.tsx';
import { SettingsMenu } from './settings-menu.tsx';
import { SeekBar } from './seek-bar.tsx';
import { SubtitleMenu } from './subtitle-menu.tsx';
import styles from './player.module.css';

interface Props {
  readonly player: Player;
  readonly sheets: PreviewSheets;
  readonly marks: SkipMarks;
  /** `null` for people who may not correct marks. */
  readonly onCorrectMarks: (() => void) | null;
  readonly title: string;
  readonly preferences: Preferences;
  readonly isHeld: Signal<boolean>;
  readonly areFactsOpen: Signal<boolean>;
  readonly obey: (command: PlayerCommand) => void;
  readonly onLeave: () => void;
  readonly onHelp: () => void;
  readonly onScreens: () => void;
  readonly onSubtitleSettings: () => void;
}

function useFullScreen(): boolean {
  const [isFull, setFull] = useState(document.fullscreenElement !== null);
  useEffect(() => {
    const onChange = (): void => setFull(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', onChange);
    return () => document.removeEventListener('fullscreenchange', onChange);
  }, []);
  return isFull;
}

function Volume({ preferences, obey }: Pick<Props, 'preferences' | 'obey'>) {
  const volume = preferences.isMuted.value ? 0 : preferences.volume.value;
  return (
    <span class={styles.volume}>
      <IconButton
        label={withKey(preferences.isMuted.value ? 'Sound on' : 'Mute', 'M')}
        onClick={() => obey({ kind: 'toggleMute' })}
      >
        {volume === 0 ? (
          <VolumeX aria-hidden="true" />
        ) : volume < 0.5 ? (
          <Volume1 aria-hidden="true" />
        ) : (
          <Volume2 aria-hidden="true" />
        )}
      </IconButton>
      <input
        type="range"
        class={styles.slider}
        min={0}
        max={100}
        step={5}
        value={Math.round(volume * 100)}
        aria-label="Volume"
        aria-valuetext={`${Math.round(volume * 100)} %`}
        style={{ '--share': `${volume * 100}%` }}
        onInput={(event) => {
          preferences.volume.value = event.currentTarget.valueAsNumber / 100;
          preferences.isMuted.value = false;
        }}
      />
    </span>
  );
}

function Clock({ player, preferences }: Pick<Props, 'player' | 'preferences'>) {
  const position = player.positionMs.value;
  const duration = player.durationMs.value;
  const showsLeft = preferences.showsTimeLeft.value;
  return (
    <button
      type="button"
      class={styles.clock}
      title={showsLeft ? 'Show the length' : 'Show the time left'}
      onClick={() => {
        preferences.showsTimeLeft.value = !showsLeft;
      }}
    >
      <span>{clockTime(position)}</span>
      <span class={styles.clockTotal}>
        {' / '}
        {showsLeft ? `−${clockTime(duration - position)}` : clockTime(duration)}
      </span>
    </button>
  );
}

export function Controls({
  player,
  title,
  preferences,
  isHeld,
  areFactsOpen,
  obey,
  onLeave,
  onHelp,
  onScreens,
  onSubtitleSettings,
  sheets,
  marks,
  onCorrectMarks,
}: Props) {
  const isFull = useFullScreen();
  const playback = player.playback.value;
  const isPlaying = player.isPlaying.value;
  const audio = playback?.audioTracks ?? [];
  const rate = player.rate.value;
  const part = playback?.part ?? null;
  const leftMs = (part?.movieDurationMs ?? player.durationMs.value) - (part?.offsetMs ?? 0) - player.positionMs.value;
  const endsAt = Date.now() + leftMs / rate;

  // Arrow keys move between the buttons for somebody who works them by keys; one who clicked a button goes on seeking with them.
  const [isKeyed, setKeyed] = useState(false);

  return (
    <div
      class={styles.controls}
      data-controls
      data-spatial={isKeyed ? '' : undefined}
      onFocusIn={(event) => setKeyed(event.target instanceof Element && event.target.matches(':focus-visible'))}
      onFocusOut={() => setKeyed(false)}
    >
      <header class={styles.topBar}>
        <IconButton label={withKey('Back', 'Esc')} onClick={onLeave}>
          <ArrowLeft aria-hidden="true" />
        </IconButton>
        <p class={styles.title} dir="auto">
          {title}
        </p>
        {part !== null && (
          <p class={styles.part}>
            Part {part.number} of {part.count}
          </p>
        )}
        {player.durationMs.value > 0 && <p class={styles.endsAt}>Ends at {timeOfDay(endsAt)}</p>}
      </header>
      <div class={styles.bottomBar}>
        <SeekBar player={player} sheets={sheets} marks={marks} isHeld={isHeld} />
        <div class={styles.buttons}>
          <IconButton
            label={withKey(isPlaying ? 'Pause' : 'Play', 'K')}
            class={styles.playButton}
            data-first=""
            onClick={() => {
              if (isPlaying) player.pause();
              else player.play();
            }}
          >
            {isPlaying ? (
              <Pause aria-hidden="true" fill="currentColor" />
            ) : (
              <Play aria-hidden="true" fill="currentColor" />
            )}
          </IconButton>
          <IconButton
            label={withKey('10 seconds back', 'J')}
            class={styles.skip}
            onClick={() => obey({ kind: 'seekBy', ms: -10_000 })}
          >
            <RotateCcw aria-hidden="true" />
          </IconButton>
          <IconButton
            label={withKey('10 seconds forward', 'L')}
            class={styles.skip}
            onClick={() => obey({ kind: 'seekBy', ms: 10_000 })}
          >
            <RotateCw aria-hidden="true" />
          </IconButton>
          {(part?.nextFileId != null || playback?.next != null) && (
            <IconButton
              label={withKey(part?.nextFileId != null ? 'Next part' : `Next: ${playback?.next?.title ?? ''}`, 'N')}
              class={styles.skip}
              onClick={() => obey({ kind: 'next' })}
            >
              <SkipForward aria-hidden="true" />
            </IconButton>
          )}
          <Volume preferences={preferences} obey={obey} />
          <Clock player={player} preferences={preferences} />
          <span class={styles.gap} />
          <ChaptersMenu player={player} sheets={sheets} marks={marks} isHeld={isHeld} onCorrect={onCorrectMarks} />
          {audio.length > 0 && (
            <ChoiceMenu
              label="Sound"
              icon={<AudioLines aria-hidden="true" />}
              isOn={preferences.isNightSound.value}
              isHeld={isHeld}
              groups={
                audio.length < 2
                  ? []
                  : [
                      {
                        title: 'Sound',
                        value: String(player.tracks.audioTrack.value),
                        options: audio.map((track) => [String(track.trackIndex), trackLabel(track)] as const),
                        onValue: (value) => player.tracks.chooseAudio(Number(value)),
                      },
                    ]
              }
              switches={[
                {
                  text: 'Night sound',
                  note: 'Quieter effects, clear voices',
                  isOn: preferences.isNightSound.value,
                  onSwitch: (isOn) => {
                    preferences.isNightSound.value = isOn;
                  },
                },
              ]}
            />
          )}
          {playback !== null && <SubtitleMenu player={player} isHeld={isHeld} onSettings={onSubtitleSettings} />}
          <SettingsMenu
            player={player}
            isHeld={isHeld}
            obey={obey}
            actions={[
              { text: 'Play on another screen', onDo: onScreens },
              { text: withKey('About this stream', 'I'), onDo: () => obey({ kind: 'toggleFacts' }) },
              ...(keyboardHere().value ? [{ text: withKey('Keys', '?'), onDo: onHelp }] : []),
            ]}
          />
          {player.remote.isAvailable.value && (
            <IconButton
              label="Play on another screen"
              aria-pressed={player.remote.isConnected.value}
              onClick={() => void player.remote.choose()}
            >
              <Cast aria-hidden="true" />
            </IconButton>
          )}
          {/* Who has no keyboard has little room: these are in the settings' menu. */}
          {keyboardHere().value && (
            <>
              <IconButton
                label={withKey('About this stream', 'I')}
                class={styles.keysOnly}
                aria-pressed={areFactsOpen.value}
                onClick={() => obey({ kind: 'toggleFacts' })}
              >
                <Info aria-hidden="true" />
              </IconButton>
              <IconButton label={withKey('Keys', '?')} class={styles.keysOnly} onClick={onHelp}>
                <Keyboard aria-hidden="true" />
              </IconButton>
            </>
          )}
          {document.pictureInPictureEnabled && (
            <IconButton
              label={withKey('Picture in picture', 'P')}
              class={styles.pictureOnly}
              aria-pressed={player.isInPicture.value}
              onClick={() => obey({ kind: 'togglePictureInPicture' })}
            >
              <PictureInPicture2 aria-hidden="true" />
            </IconButton>
          )}
          <IconButton
            label={withKey(isFull ? 'Leave full screen' : 'Full screen', 'F')}
            onClick={() => obey({ kind: 'toggleFullScreen' })}
          >
            {isFull ? <Minimize aria-hidden="true" /> : <Maximize aria-hidden="true" />}
          </IconButton>
        </div>
      </div>
      {(player.isBlocked.value || player.phase.value === 'ended') && (
        <button
          type="button"
          class={styles.bigPlay}
          aria-label={player.phase.value === 'ended' ? 'Watch again' : 'Play'}
          onClick={(event) => {
            player.play();
            // This button goes away: whoever worked it by keys goes on at the other one.
            event.currentTarget.closest('[data-controls]')?.querySelector<HTMLElement>('[data-first]')?.focus();
          }}
        >
          {player.phase.value === 'ended' ? (
            <RotateCcw aria-hidden="true" />
          ) : (
            <Play aria-hidden="true" fill="currentColor" />
          )}
        </button>
      )}
    </div>
  );
}
