import { AudioLines, MonitorPlay, Pause, Play, RotateCcw, RotateCw, Square, Volume2, VolumeX, X } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Screen, ScreenAction, ScreenPlay } from '#protocol/schema/screen.ts';
import { placeNow } from '#client/store/screens.ts';
import { useAttempt, useCinema, useLobby } from '../house.ts';
import { screensOf } from '../screens-here.ts';
import { clockTime, spokenDuration } from '../wording.ts';
import { IconButton } from './button.tsx';
import { ChoiceMenu } from './choice-menu.tsx';
import type { Group } from './choice-menu.tsx';
import styles from './remote-bar.module.css';

const TICK_MS = 500;
const JUMP_MS = 10_000;

/** What is heard and read there, as that screen tells it; where there is but one sound and no subtitles, nothing. */
function trackGroups({ tracks }: ScreenPlay, order: (action: ScreenAction) => void): Group[] {
  const sound: Group = {
    title: 'Sound',
    value: String(tracks.audioTrack),
    options: tracks.audio.map(({ trackIndex, label }) => [String(trackIndex), label] as const),
    onValue: (value) => order({ kind: 'audio', trackIndex: Number(value) }),
  };
  const subtitles: Group = {
    title: 'Subtitles',
    // No id is empty.
    value: tracks.subtitle ?? '',
    options: [['', 'Off'], ...tracks.subtitles.map(({ id, label }) => [id, label] as const)],
    onValue: (value) => order({ kind: 'subtitle', id: value || null }),
  };
  return [...(tracks.audio.length > 1 ? [sound] : []), ...(tracks.subtitles.length > 0 ? [subtitles] : [])];
}

/**
 * What plays on another screen of this person, with its most needed buttons, below every screen but the player. It shows for the
 * screen that this one controls, and for one that plays something by itself until it is put away.
 */
export function RemoteBar() {
  const cinema = useCinema();
  const lobby = useLobby();
  const attempt = useAttempt();
  const screens = useMemo(() => screensOf(cinema, lobby), [cinema]);
  const [, setNow] = useState(0);
  const [awayIds, setAwayIds] = useState<ReadonlySet<string>>(new Set());
  const [dragMs, setDragMs] = useState<number | null>(null);
  const playing = screens.others.value.find((screen) => screen.playing !== null && !awayIds.has(screen.id));
  const screen: Screen | undefined = screens.controlled.value ?? playing;
  const play = screen?.playing ?? null;
  const isHidden = lobby.navigation.route.value.screen === 'play' || screen === undefined || play === null;

  useEffect(() => {
    if (isHidden || !play.isPlaying) return;
    const clock = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(clock);
  }, [isHidden, play?.isPlaying]);

  if (isHidden) return null;
  const order = (action: ScreenAction): void => void attempt(() => screens.order(screen.id, action));
  const groups = trackGroups(play, order);
  const placeMs = dragMs ?? placeNow(screen, cinema.server.now());
  return (
    <section class={styles.bar} aria-label={`On ${screen.name}`} data-spatial>
      <MonitorPlay aria-hidden="true" />
      <p class={styles.what}>
        <strong dir="auto">{play.title}</strong>
        <span dir="auto">on {screen.name}</span>
      </p>
      <div class={styles.buttons}>
        <IconButton
          label="10 seconds back"
          onClick={() => order({ kind: 'seek', positionMs: Math.round(Math.max(0, placeMs - JUMP_MS)) })}
        >
          <RotateCcw aria-hidden="true" />
        </IconButton>
        <IconButton
          label={play.isPlaying ? 'Pause' : 'Play'}
          onClick={() => order({ kind: play.isPlaying ? 'pause' : 'resume' })}
        >
          {play.isPlaying ? (
            <Pause aria-hidden="true" fill="currentColor" />
          ) : (
            <Play aria-hidden="true" fill="currentColor" />
          )}
        </IconButton>
        <IconButton
          label="10 seconds forward"
          onClick={() => order({ kind: 'seek', positionMs: Math.round(Math.min(play.durationMs, placeMs + JUMP_MS)) })}
        >
          <RotateCw aria-hidden="true" />
        </IconButton>
      </div>
      <span class={styles.time}>{clockTime(placeMs)}</span>
      <input
        type="range"
        class={styles.place}
        min={0}
        max={Math.max(1, play.durationMs)}
        step={1_000}
        value={Math.round(placeMs)}
        aria-label="Position"
        aria-valuetext={`${spokenDuration(placeMs)} of ${spokenDuration(play.durationMs)}`}
        onInput={(event) => setDragMs(event.currentTarget.valueAsNumber)}
        onChange={(event) => {
          setDragMs(null);
          order({ kind: 'seek', positionMs: Math.round(event.currentTarget.valueAsNumber) });
        }}
      />
      <span class={styles.time}>{clockTime(play.durationMs)}</span>
      <div class={styles.buttons}>
        {groups.length > 0 && (
          <ChoiceMenu label="Sound and subtitles" icon={<AudioLines aria-hidden="true" />} groups={groups} />
        )}
        <IconButton
          label={screen.isMuted ? 'Sound on' : 'Mute'}
          onClick={() => order({ kind: 'mute', isMuted: !screen.isMuted })}
        >
          {screen.isMuted ? <VolumeX aria-hidden="true" /> : <Volume2 aria-hidden="true" />}
        </IconButton>
        <input
          type="range"
          class={styles.volume}
          min={0}
          max={100}
          step={5}
          value={Math.round((screen.isMuted ? 0 : screen.volume) * 100)}
          aria-label="Volume"
          onChange={(event) => order({ kind: 'volume', share: event.currentTarget.valueAsNumber / 100 })}
        />
        <IconButton label={`Stop on ${screen.name}`} onClick={() => order({ kind: 'stop' })}>
          <Square aria-hidden="true" />
        </IconButton>
        <IconButton
          label="Put this bar away"
          onClick={() => {
            screens.control(null);
            setAwayIds(new Set([...awayIds, screen.id]));
          }}
        >
          <X aria-hidden="true" />
        </IconButton>
      </div>
    </section>
  );
}
