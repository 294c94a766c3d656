import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { Player } from '#client/player/player.ts';
import type { FileChange } from '#client/player/player-state.ts';
import { keyToCommand, speedAfter } from '#client/player/key-map.ts';
import type { PlayerCommand } from '#client/player/key-map.ts';
import { MovieStore } from '#client/store/movie.ts';
import type { Route } from '#client/store/navigation.ts';
import { extraName } from '../../extra-words.ts';
import { useCinema, useLobby } from '../../house.ts';
import { MoviePicture } from '../../parts/picture.tsx';
import { clockTime, spokenDuration } from '../../wording.ts';
import { CaptionLayer } from './caption-layer.tsx';
import { Controls } from './controls.tsx';
import { FactsPanel } from './facts-panel.tsx';
import { Gestures } from './gestures.tsx';
import { KeyHelp } from './key-help.tsx';
import { PlayerTrouble } from './trouble.tsx';
import styles from './player.module.css';

/** Controls leave this long after the last movement. */
const IDLE_MS = 2_800;
const FLASH_MS = 650;

const FILE_CHANGE_TEXTS: Readonly<Record<FileChange, string>> = {
  awaited: 'The movie’s file is being replaced. It goes on here as soon as the new one is there.',
  replaced: 'The movie has a new file. It goes on where you were.',
};

/** What was just done by key or tap, shown large for a moment and read out. */
export interface Flash {
  readonly id: number;
  readonly text: string;
  readonly side: 'start' | 'middle' | 'end';
}

type PlayRoute = Extract<Route, { screen: 'play' }>;

export function PlayerScreen({ route }: { readonly route: PlayRoute }) {
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  return (
    <main class={styles.player}>
      {/* Outside of what depends on the player, so that the element itself stays. */}
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- subtitles are tracks that the player adds and draws itself */}
      <video ref={setVideo} class={styles.video} playsInline preload="auto" aria-label="Movie" tabIndex={-1} />
      {video !== null && <Screening key={`${route.movieId}/${route.fileId ?? ''}`} route={route} video={video} />}
    </main>
  );
}

function Screening({ route, video }: { readonly route: PlayRoute; readonly video: HTMLVideoElement }) {
  const cinema = useCinema();
  const { navigation, preferences, notices } = useLobby();
  const movieStore = useMemo(() => new MovieStore(cinema.server, cinema.link, route.movieId), []);
  const player = useMemo(() => new Player(cinema.server, cinema.link, cinema.progress, preferences, video, route), []);
  const isAwake = useSignal(true);
  const isHelpOpen = useSignal(false);
  const areFactsOpen = useSignal(false);
  const flash = useSignal<Flash | null>(null);
  /** Menus and dialogs keep the controls on. */
  const isHeld = useSignal(false);
  const sleep = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const flashEnd = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const flashes = useRef(0);
  const movie = movieStore.movie.value;
  const extra = movie?.files.find(({ id }) => id === route.fileId)?.extra ?? null;
  const title = movie === null ? '' : extra === null ? movie.title : `${movie.title} – ${extraName(extra)}`;

  useEffect(
    () => () => {
      player.dispose();
      movieStore.dispose();
      clearTimeout(sleep.current);
      clearTimeout(flashEnd.current);
      if (document.fullscreenElement !== null) void document.exitFullscreen();
    },
    [],
  );

  const nextFileId = player.playback.value?.part?.nextFileId ?? null;
  useEffect(() => {
    if (movie === null) return;
    document.title = `${title} · Matinee`;
    player.introduce(title, movie.picture?.url ?? null);
  }, [title, movie?.picture?.url, nextFileId]);

  const fileChange = player.fileChange.value;
  useEffect(() => {
    if (fileChange !== null) notices.show(FILE_CHANGE_TEXTS[fileChange]);
  }, [fileChange]);

  const wake = (): void => {
    isAwake.value = true;
    clearTimeout(sleep.current);
    sleep.current = setTimeout(() => {
      const isBusy = isHeld.peek() || isHelpOpen.peek() || !player.isPlaying.peek();
      const isUsed =
        document.activeElement?.closest('[data-controls]')?.matches(':focus-within:has(:focus-visible)') ?? false;
      if (!isBusy && !isUsed) isAwake.value = false;
      else if (!isBusy) wake();
    }, IDLE_MS);
  };

  const say = (text: string, side: Flash['side'] = 'middle'): void => {
    flashes.current += 1;
    flash.value = { id: flashes.current, text, side };
    clearTimeout(flashEnd.current);
    flashEnd.current = setTimeout(() => {
      flash.value = null;
    }, FLASH_MS);
  };

  const leave = (): void => navigation.back({ screen: 'movie', movieId: route.movieId });

  const toggleFullScreen = (): void => {
    const frame = video.parentElement;
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else if (frame !== null && document.fullscreenEnabled) void frame.requestFullscreen();
    // An iPhone only lets the video itself fill the screen.
    else (video as { webkitEnterFullscreen?: () => void }).webkitEnterFullscreen?.();
  };

  const obey = (command: PlayerCommand): void => {
    wake();
    switch (command.kind) {
      case 'togglePlay':
        say(player.isPlaying.peek() ? 'Pause' : 'Play');
        player.togglePlay();
        break;
      case 'seekBy':
        player.seekBy(command.ms);
        say(`${command.ms > 0 ? '+' : '−'}${Math.abs(command.ms) / 1_000} s`, command.ms > 0 ? 'end' : 'start');
        break;
      case 'seekToShare':
        player.seekTo(player.durationMs.peek() * command.share);
        say(clockTime(player.positionMs.peek()));
        break;
      case 'chapterBy':
        player.chapterBy(command.steps);
        say(clockTime(player.positionMs.peek()));
        break;
      case 'nextPart':
        if (player.nextPart()) say('Next part', 'end');
        break;
      case 'frameBy':
        player.frameBy(command.steps);
        break;
      case 'volumeBy': {
        const volume = Math.min(1, Math.max(0, Math.round((preferences.volume.peek() + command.share) * 100) / 100));
        preferences.volume.value = volume;
        preferences.isMuted.value = false;
        say(`Volume ${Math.round(volume * 100)} %`);
        break;
      }
      case 'speedBy': {
        const rate = speedAfter(player.rate.peek(), command.steps);
        player.setRate(rate);
        say(`${rate}×`);
        break;
      }
      case 'toggleMute':
        preferences.isMuted.value = !preferences.isMuted.peek();
        say(preferences.isMuted.peek() ? 'Muted' : 'Sound on');
        break;
      case 'toggleFullScreen':
        toggleFullScreen();
        break;
      case 'toggleCaptions':
        player.tracks.toggleCaptions();
        say(
          player.tracks.captionTrack.peek() === null
            ? player.tracks.showableCaptions().length === 0
              ? 'No subtitles'
              : 'Subtitles off'
            : 'Subtitles on',
        );
        break;
      case 'togglePictureInPicture':
        void player.togglePictureInPicture();
        break;
      case 'toggleFacts':
        areFactsOpen.value = !areFactsOpen.peek();
        break;
      case 'showKeys':
        isHelpOpen.value = true;
        break;
      case 'leave':
        // Escape leaves full screen first, which the browser does by itself.
        if (areFactsOpen.peek()) areFactsOpen.value = false;
        else if (document.fullscreenElement === null) leave();
        break;
    }
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      // Asked of the document: a dialog that was just closed tells so a moment later, and the next key is ours already.
      if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
      const target = event.target instanceof Element ? event.target : null;
      if (target?.closest('[popover]') != null) return;
      wake();
      // A focused button or slider keeps the keys that work it.
      if (target?.matches('button, a') === true && (event.key === ' ' || event.key === 'Enter')) return;
      if (target?.matches('input') === true && /^(Arrow|Home|End|Page)/.test(event.key)) return;
      const command = keyToCommand(event);
      if (command === null) return;
      event.preventDefault();
      obey(command);
    };
    document.addEventListener('keydown', onKey);
    wake();
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  const phase = player.phase.value;
  const playback = player.playback.value;
  const isBuffering = player.isBuffering.value && phase !== 'failed';
  const isShown = isAwake.value || !player.isPlaying.value || isHeld.value;
  const hasPicture = playback !== null && player.positionMs.value > 0;

  return (
    <div
      class={styles.screening}
      data-awake={isShown}
      onPointerMove={(event) => {
        if (event.pointerType !== 'touch') wake();
      }}
    >
      <h1 class="unseen">{title}</h1>
      {!hasPicture && movie !== null && phase !== 'failed' && (
        <div class={styles.still} aria-hidden="true">
          <MoviePicture movie={movie} isEager isBackdrop />
        </div>
      )}
      <CaptionLayer captions={player.captions} size={preferences.captionSize.value} isLifted={isShown} />
      <Gestures
        isAwake={isShown}
        onTap={() => {
          if (isAwake.peek() && player.isPlaying.peek()) isAwake.value = false;
          else wake();
        }}
        onClick={() => obey({ kind: 'togglePlay' })}
        onDoubleClick={toggleFullScreen}
        onSeek={(ms) => obey({ kind: 'seekBy', ms })}
      />
      {isBuffering && (
        <div class={styles.spinner} role="status">
          <span class="unseen">{phase === 'opening' ? 'Opening the movie' : 'Loading'}</span>
        </div>
      )}
      {flash.value !== null && (
        <div key={flash.value.id} class={styles.flash} data-side={flash.value.side} aria-hidden="true">
          {flash.value.text}
        </div>
      )}
      <div class="unseen" role="status">
        {flash.value?.text}
      </div>
      {phase === 'failed' ? (
        <PlayerTrouble player={player} title={title} onLeave={leave} />
      ) : (
        <Controls
          player={player}
          title={title}
          preferences={preferences}
          isHeld={isHeld}
          areFactsOpen={areFactsOpen}
          obey={obey}
          onLeave={leave}
          onHelp={() => {
            isHelpOpen.value = true;
          }}
        />
      )}
      {areFactsOpen.value && playback !== null && (
        <FactsPanel
          player={player}
          playback={playback}
          onClose={() => {
            areFactsOpen.value = false;
          }}
        />
      )}
      {isHelpOpen.value && (
        <KeyHelp
          onClose={() => {
            isHelpOpen.value = false;
          }}
        />
      )}
      <div class="unseen" role="status">
        {phase === 'ended' && `The movie has ended after ${spokenDuration(player.durationMs.value)}.`}
      </div>
    </div>
  );
}
