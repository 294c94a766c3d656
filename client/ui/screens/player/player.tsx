import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { signal, useSignal } from '@preact/signals';
import { deviceProfile, mediaSource } from '#client/player/browser-media.ts';
import { hasRemoteControl } from '#client/player/device-session.ts';
import { Player } from '#client/player/player.ts';
import type { FileChange } from '#client/player/player-state.ts';
import { PreviewSheets } from '#client/player/preview-sheets.ts';
import { SkipMarks } from '#client/player/skip-marks.ts';
import { keyToCommand } from '#client/player/key-map.ts';
import type { PlayerCommand } from '#client/player/key-map.ts';
import { NextUp, Streak } from '#client/player/next-up.ts';
import type { NextMovie } from '#client/player/next-up.ts';
import { MovieStore } from '#client/store/movie.ts';
import type { Route } from '#client/store/navigation.ts';
import { wishesOf } from '#client/store/wishes.ts';
import { extraName } from '../../extra-words.ts';
import { screensOf } from '../../screens-here.ts';
import { useCinema, useLobby } from '../../house.ts';
import { lazyScreen } from '../../lazy.tsx';
import { MoviePicture } from '../../parts/picture.tsx';
import { spokenDuration } from '../../wording.ts';
import { CaptionLayer } from './caption-layer.tsx';
import { obeyCommand, toggleFullScreen } from './commands.ts';
import { Controls } from './controls.tsx';
import { FactsPanel } from './facts-panel.tsx';
import { FlashBoard } from './flash-board.ts';
import { Gestures } from './gestures.tsx';
import { KeyHelp } from './key-help.tsx';
import { NextCard } from './next-card.tsx';
import { MarksPanel } from './marks-panel.tsx';
import { AWAITED_TEXT, Notes } from './notes.tsx';
import { SkipOffer } from './skip-offer.tsx';
import { OtherScreens } from './other-screens.tsx';
import { stageOf } from './stage-link.ts';
import { PlayerTrouble } from './trouble.tsx';
import { PlayerWaiting } from './waiting.tsx';
import { Wakefulness } from './wakefulness.ts';
import styles from './player.module.css';

const FILE_CHANGE_TEXTS: Readonly<Record<FileChange, string>> = {
  awaited: AWAITED_TEXT,
  replaced: 'The movie has a new file. It goes on where you were.',
};

const subtitlePanel = lazyScreen(() => import('./subtitle-panel.tsx').then(({ SubtitlePanel }) => SubtitlePanel), {
  isQuiet: true,
});

/** How fast it plays while a finger rests on the picture. */
const HELD_RATE = 2;
/** The picture gets no darker than this by swiping: one would not find the way back. */
const DARKEST = 0.2;

type PlayRoute = Extract<Route, { screen: 'play' }>;

/** What takes a moment and can be there before anybody presses play: what this device plays, and the part that plays HLS. */
export function prepare(): void {
  void deviceProfile();
  // Most movies need it, and one that does not has it for the next. Where it does not come it is asked for again when it is needed.
  if (mediaSource() !== null) import('#client/player/hls-source.ts').catch(() => undefined);
}

export function PlayerScreen({ route }: { readonly route: PlayRoute }) {
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  /** Of the evening: it outlives each movie of it. */
  const streak = useMemo(() => new Streak(), []);
  return (
    <main class={styles.player}>
      {/* Outside of what depends on the player, so that the element itself stays. */}
      <div class={styles.picture}>
        {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- subtitles are tracks that the player adds and draws itself */}
        <video ref={setVideo} class={styles.video} playsInline preload="auto" aria-label="Movie" tabIndex={-1} />
      </div>
      {video !== null && (
        <Screening key={`${route.movieId}/${route.fileId ?? ''}`} route={route} video={video} streak={streak} />
      )}
    </main>
  );
}

/** What goes with one movie on the screen, made once and thrown away with it. */
function useStage(route: PlayRoute, video: HTMLVideoElement, streak: Streak) {
  const cinema = useCinema();
  const { navigation, preferences } = useLobby();
  const stage = useMemo(() => {
    const screens = screensOf(cinema, { navigation, preferences });
    const startMs = screens.takeStart(route.movieId);
    const wishes = wishesOf(cinema).preferences;
    const { isRevisit } = navigation;
    const player = new Player(cinema.server, cinema.link, cinema.progress, preferences, video, {
      ...{ ...route, startMs, isFileStale: isRevisit },
      isFromStart: route.isFromStart && !isRevisit,
    });
    const isHelpOpen = signal(false);
    /** A menu is open or a hand on the bar, which keeps the controls on. */
    const isHeld = signal(false);
    /** Something stands beside the picture, by which one sees what it does there. */
    const isDocked = signal(false);
    const sheets = new PreviewSheets();
    return {
      player,
      screens,
      movieStore: new MovieStore(cinema.server, cinema.link, route.movieId),
      board: new FlashBoard(),
      nextUp: new NextUp<NextMovie>(streak, ({ movieId }) =>
        navigation.go({ screen: 'play', movieId, fileId: null, isFromStart: false }, { replace: true }),
      ),
      sheets,
      marks: new SkipMarks(cinema.server, player, route.movieId, wishes),
      isHelpOpen,
      isHeld,
      isDocked,
      isRemote: hasRemoteControl(navigator.userAgent, matchMedia('(any-pointer: fine), (any-pointer: coarse)').matches),
      controls: new Wakefulness({
        isBusy: () => isHeld.peek() || isHelpOpen.peek() || (!player.isPlaying.peek() && !isDocked.peek()),
        isUsed: () =>
          sheets.isAwaited ||
          // One that was clicked looks the same from the next key on, and is not meant by it: arrows do not move among its like.
          document.activeElement?.closest('[data-controls][data-spatial]')?.matches(':has(:focus-visible)') === true,
      }),
    };
  }, []);
  useEffect(
    () => () => {
      stage.marks.dispose();
      stage.sheets.dispose();
      stage.player.dispose();
      stage.movieStore.dispose();
      stage.board.dispose();
      stage.nextUp.dispose();
      stage.controls.dispose();
      video.style.filter = '';
      if (document.fullscreenElement !== null) void document.exitFullscreen();
    },
    [],
  );
  return stage;
}

interface ScreeningProps {
  readonly route: PlayRoute;
  readonly video: HTMLVideoElement;
  readonly streak: Streak;
}

function Screening({ route, video, streak }: ScreeningProps) {
  const { navigation, preferences, notices } = useLobby();
  const stage = useStage(route, video, streak);
  const {
    player,
    screens,
    movieStore,
    sheets,
    marks,
    board,
    nextUp,
    controls,
    isHelpOpen,
    isHeld,
    isDocked,
    isRemote,
  } = stage;
  const areFactsOpen = useSignal(false);
  const areScreensOpen = useSignal(false);
  const areMarksOpen = useSignal(false);
  const cinema = useCinema();
  const mayEdit = cinema.viewer.permissions.includes('movies:edit');
  const brightness = useSignal(1);
  const movie = movieStore.movie.value;
  const extra = movie?.files.find(({ id }) => id === route.fileId)?.extra ?? null;
  const title = movie === null ? '' : extra === null ? movie.title : `${movie.title} – ${extraName(extra)}`;

  const leave = (): void => navigation.back({ screen: 'movie', movieId: route.movieId });

  const nextMovie = player.playback.value?.next ?? null;
  const goToNext = (): boolean => {
    if (player.nextPart()) return true;
    if (nextMovie === null) return false;
    streak.touched();
    navigation.go({ screen: 'play', movieId: nextMovie.movieId, fileId: null, isFromStart: false }, { replace: true });
    return true;
  };

  useEffect(() => {
    if (movie === null) return;
    document.title = `${title} · Matinee`;
    const picture = movie.picture?.url ?? null;
    player.introduce({ title, artwork: picture === null ? [] : [{ src: picture }] }, nextMovie && goToNext, leave);
  }, [title, movie?.picture?.url, player.playback.value]);

  const fileChange = player.fileChange.value;
  useEffect(() => {
    // Where nothing is left to be shown meanwhile, a note says it for as long as that is so.
    const isNoted = fileChange === 'awaited' && player.isBuffering.peek();
    if (fileChange !== null && !isNoted) notices.show(FILE_CHANGE_TEXTS[fileChange]);
  }, [fileChange]);

  const phase = player.phase.value;
  const isPlaying = player.isPlaying.value;
  useEffect(() => {
    // It began or stopped by itself, by a media key, by another device: the controls show it, and leave again.
    controls.wake();
    // What had the focus may have gone with what it belonged to: keys go on working from the picture.
    if (document.activeElement === null || document.activeElement === document.body) video.focus();
  }, [phase, isPlaying]);

  useEffect(() => {
    // What kept them on has ended, and from now on they have their time.
    if (!isHeld.value && !isHelpOpen.value) controls.wake();
  }, [isHeld.value, isHelpOpen.value]);

  const titleNow = useRef(title);
  titleNow.current = title;
  useEffect(
    () =>
      screens.takeStage(
        stageOf({
          ...{ player, preferences, leave, movieId: route.movieId, fileId: route.fileId },
          title: () => titleNow.current,
        }),
      ),
    [],
  );

  // The credits are the end for whoever has seen the movie: what follows is offered while they roll.
  const isOver = phase === 'ended' || (marks.isRollingOut && player.playback.value?.part?.nextFileId == null);
  const isNextOffered = ['counting', 'asking'].includes(nextUp.state.value.kind);
  useEffect(() => {
    // Who wanted to sleep at the end of the movie wants nothing after it.
    const { playsNext } = wishesOf(cinema).preferences.peek();
    const isWanted = playsNext && player.sleep.choice.peek()?.kind !== 'end';
    if (isOver && isWanted && nextMovie !== null) nextUp.offer(nextMovie);
    else if (!isOver) nextUp.withdraw();
  }, [isOver]);
  useEffect(() => {
    // Any sign of a person.
    const touched = (): void => streak.touched();
    for (const type of ['pointerdown', 'keydown'] as const) document.addEventListener(type, touched);
    return () => {
      for (const type of ['pointerdown', 'keydown'] as const) document.removeEventListener(type, touched);
    };
  }, []);

  const showControls = (): void => {
    controls.wake();
    document.querySelector<HTMLElement>('[data-controls] [data-first]')?.focus();
  };

  /** `isFromAfar`: asked for from a sofa, where the only way to put the buttons away is the key that leads back. */
  const obey = (command: PlayerCommand, isFromAfar = isRemote): void => {
    controls.wake();
    obeyCommand(command, {
      ...{ player, preferences, video, board, showControls },
      skipMark: () => marks.skip(),
      toggleFacts: () => {
        areFactsOpen.value = !areFactsOpen.peek();
      },
      showKeys: () => {
        isHelpOpen.value = true;
      },
      leave: () => {
        // Escape leaves full screen first, which the browser does by itself.
        if (['counting', 'asking'].includes(nextUp.state.peek().kind)) {
          nextUp.decline();
          video.focus();
        } else if (isDocked.peek()) isDocked.value = false;
        else if (areMarksOpen.peek()) areMarksOpen.value = false;
        else if (areFactsOpen.peek()) areFactsOpen.value = false;
        else if (isFromAfar && document.activeElement?.closest('[data-controls]') != null) {
          video.focus();
          controls.rest();
        } else if (document.fullscreenElement === null) leave();
        else if (isRemote) void document.exitFullscreen();
      },
      next: goToNext,
    });
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      // Asked of the document: what was just closed tells so a moment later, and the focus comes to a menu a moment after it opened.
      if (event.defaultPrevented || document.querySelector('dialog[open], [popover]:popover-open') !== null) return;
      const target = event.target instanceof Element ? event.target : null;
      controls.wake();
      // A focused button or slider keeps the keys that work it.
      if (target?.matches('button, a') === true && (event.key === ' ' || event.key === 'Enter')) return;
      if (target?.matches('input') === true && /^(Arrow|Home|End|Page| )/.test(event.key)) return;
      // A list goes to the entry that begins with what is typed.
      if (target?.matches('select') === true && event.key !== 'Escape') return;
      // Keys that a gamepad was turned into come from no hand on a keyboard.
      const isFromAfar = isRemote || !event.isTrusted;
      const command = keyToCommand(event, isFromAfar);
      if (command === null) return;
      event.preventDefault();
      obey(command, isFromAfar);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  const rateBefore = useSignal<number | null>(null);
  const onHold = (isDown: boolean): void => {
    if (isDown && player.isPlaying.peek()) {
      rateBefore.value = player.rate.peek();
      player.setRate(HELD_RATE);
      board.say(`${HELD_RATE}×`);
    } else if (!isDown && rateBefore.peek() !== null) {
      player.setRate(rateBefore.peek()!);
      rateBefore.value = null;
    }
  };
  const onSwipe = (side: 'start' | 'end', share: number): void => {
    if (side === 'end') {
      preferences.volume.value = Math.min(1, Math.max(0, preferences.volume.peek() + share));
      preferences.isMuted.value = false;
      board.say(`Volume ${Math.round(preferences.volume.peek() * 100)} %`);
      return;
    }
    brightness.value = Math.min(1, Math.max(DARKEST, brightness.peek() + share));
    video.style.filter = brightness.peek() === 1 ? '' : `brightness(${brightness.peek()})`;
    board.say(`Brightness ${Math.round(brightness.peek() * 100)} %`);
  };

  const captionStyle = wishesOf(cinema).preferences.value.subtitleStyle;
  useEffect(() => player.captions.preferText(captionStyle.overridesStyled), [captionStyle.overridesStyled]);

  const playback = player.playback.value;
  const isBuffering = player.isBuffering.value && phase !== 'failed';
  const isShown = controls.isAwake.value || (!isPlaying && !isDocked.value) || isHeld.value;
  const flash = board.flash.value;
  const hasPicture = playback !== null && player.positionMs.value > 0;

  return (
    <div
      class={styles.screening}
      data-awake={isShown}
      onPointerMove={(event) => {
        if (event.pointerType !== 'touch') controls.wake();
      }}
      onPointerLeave={(event) => {
        if (event.pointerType === 'mouse') controls.rest();
      }}
    >
      <h1 class="unseen">{title}</h1>
      {!hasPicture && movie !== null && phase !== 'failed' && (
        <div class={styles.still} aria-hidden="true">
          <MoviePicture movie={movie} isEager isBackdrop />
        </div>
      )}
      {phase !== 'failed' && <CaptionLayer captions={player.captions} style={captionStyle} isLifted={isShown} />}
      <Gestures
        isAwake={isShown}
        onTap={() => {
          if (controls.isAwake.peek()) controls.rest();
          else controls.wake();
        }}
        onClick={() => obey({ kind: 'togglePlay' })}
        onDoubleClick={() => toggleFullScreen(video)}
        onSeek={(ms) => obey({ kind: 'seekBy', ms })}
        onHold={onHold}
        onSwipe={onSwipe}
      />
      {isBuffering && player.queuePlace.value === null && (
        <div class={styles.spinner} role="status">
          <span class="unseen">{phase === 'opening' ? 'Opening the movie' : 'Loading'}</span>
        </div>
      )}
      {flash !== null && (
        <div key={flash.id} class={styles.flash} data-side={flash.side} aria-hidden="true">
          {flash.text}
        </div>
      )}
      <div class="unseen" role="status">
        {flash?.text}
      </div>
      <Notes player={player} screens={screens} isResumeSaid={!route.isFromStart && route.fileId === null} />
      {phase !== 'failed' && (
        <SkipOffer marks={marks} board={board} areControlsUp={isShown} isNextOffered={isNextOffered} />
      )}
      {phase === 'failed' ? (
        <PlayerTrouble player={player} title={title} onLeave={leave} />
      ) : player.queuePlace.value !== null ? (
        <PlayerWaiting player={player} title={title} onLeave={leave} />
      ) : (
        <Controls
          player={player}
          sheets={sheets}
          marks={marks}
          onCorrectMarks={
            mayEdit && playback !== null && !playback.isExtra
              ? () => {
                  areMarksOpen.value = true;
                }
              : null
          }
          title={title}
          preferences={preferences}
          isHeld={isHeld}
          areFactsOpen={areFactsOpen}
          obey={obey}
          onLeave={leave}
          onHelp={() => {
            isHelpOpen.value = true;
          }}
          onScreens={() => {
            areScreensOpen.value = true;
          }}
          onSubtitleSettings={() => {
            isDocked.value = true;
            // What is set is to be seen, and the controls would stand in it.
            controls.rest();
          }}
        />
      )}
      <NextCard nextUp={nextUp} />
      {areScreensOpen.value && (
        <OtherScreens
          screens={screens}
          onSend={async (screen) => {
            const here = player.playback.peek();
            await screens.order(screen.id, {
              kind: 'play',
              movieId: route.movieId,
              fileId: route.fileId,
              positionMs: Math.round((here?.part?.offsetMs ?? 0) + player.positionMs.peek()),
            });
            screens.control(screen.id);
            leave();
          }}
          onClose={() => {
            areScreensOpen.value = false;
          }}
        />
      )}
      {areFactsOpen.value && playback !== null && (
        <FactsPanel
          player={player}
          playback={playback}
          title={title}
          onClose={() => {
            areFactsOpen.value = false;
          }}
        />
      )}
      {areMarksOpen.value && playback !== null && (
        <MarksPanel
          player={player}
          marks={marks}
          onClose={() => {
            areMarksOpen.value = false;
          }}
        />
      )}
      {isDocked.value && (
        <subtitlePanel.Screen
          player={player}
          onClose={() => {
            isDocked.value = false;
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
