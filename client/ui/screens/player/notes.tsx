import { useEffect, useState } from 'preact/hooks';
import type { Player } from '#client/player/player.ts';
import type { ScreenStore } from '#client/store/screens.ts';
import { useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { bitrate, clockTime } from '../../wording.ts';
import styles from './card.module.css';

/** Somebody who left a movie within its first minute wants no word about it. */
const WORTH_SAYING_MS = 60_000;
const SHOWN_MS = 9_000;

/** Where it went on, with the way to the beginning; leaves by itself. */
function ResumeNote({ player, isAsked }: { readonly player: Player; readonly isAsked: boolean }) {
  const playback = player.playback.value;
  const [isOver, setOver] = useState(!isAsked);
  const placeMs = (playback?.part?.offsetMs ?? 0) + (playback?.resumeMs ?? 0);
  // Of the first opening only: one after trouble goes on where it was, and nobody has to hear of it.
  const [firstMs, setFirst] = useState<number | null>(null);
  useEffect(() => {
    if (playback !== null && firstMs === null) setFirst(placeMs);
  }, [playback]);
  useEffect(() => {
    if (firstMs === null) return;
    const end = setTimeout(() => setOver(true), SHOWN_MS);
    return () => clearTimeout(end);
  }, [firstMs]);
  if (isOver || firstMs === null || firstMs < WORTH_SAYING_MS) return null;
  return (
    <div class={styles.note} data-controls data-spatial>
      <span role="status">Resumed at {clockTime(firstMs)}</span>
      <Button
        look="plain"
        onClick={() => {
          setOver(true);
          player.playFromBeginning();
        }}
      >
        From the beginning
      </Button>
    </div>
  );
}

/** The sound fades: one press, and the evening goes on. */
function SleepNote({ player }: { readonly player: Player }) {
  return (
    <div class={styles.note} data-controls data-spatial>
      <span role="status">Good night</span>
      <Button look="plain" onClick={() => player.sleep.choose(null)}>
        Keep watching
      </Button>
    </div>
  );
}

/** Why the picture is softer than it was; leaves by itself. */
function SoftNote({ player }: { readonly player: Player }) {
  const softenedBps = player.softenedBps.value;
  const [isSaid, setSaid] = useState(true);
  useEffect(() => {
    if (softenedBps === null) return;
    setSaid(false);
    const end = setTimeout(() => setSaid(true), SHOWN_MS);
    return () => clearTimeout(end);
  }, [softenedBps]);
  if (softenedBps === null || isSaid) return null;
  return (
    <div class={styles.note} role="status">
      <span>The line carries about {bitrate(softenedBps)}: the picture is softer now, and plays.</span>
    </div>
  );
}

/** Of a file that has gone while it plays: replaced by a better one, or on a disk that was unplugged. */
export const AWAITED_TEXT =
  'The movie’s file is not there, perhaps being replaced. It goes on here as soon as it is there.';

/** What the picture stands still for, as long as it does. */
function AwaitedNote() {
  return (
    <div class={styles.note} role="status">
      <span>{AWAITED_TEXT}</span>
    </div>
  );
}

/** Who else has a hand in what plays here, and how to stop that. */
function ControlNote({ name }: { readonly name: string }) {
  const { preferences } = useLobby();
  return (
    <div class={styles.note} data-controls data-spatial>
      <span role="status">Controlled from {name}</span>
      <Button
        look="plain"
        onClick={() => {
          preferences.isControllable.value = false;
        }}
      >
        Don’t allow
      </Button>
    </div>
  );
}

interface Props {
  readonly player: Player;
  readonly screens: ScreenStore;
  /** The person did not say where to begin. */
  readonly isResumeSaid: boolean;
}

/** One thing at a time, the most pressing. */
export function Notes({ player, screens, isResumeSaid }: Props) {
  const { preferences } = useLobby();
  const controller = preferences.isControllable.value ? screens.controller.value : null;
  const isFading = player.sleep.loudness.value < 1;
  const isSoft = player.softenedBps.value !== null;
  if (player.fileChange.value === 'awaited' && player.isBuffering.value) return <AwaitedNote />;
  if (controller !== null && !isFading) return <ControlNote name={controller} />;
  return (
    <>
      {isFading ? <SleepNote player={player} /> : <SoftNote player={player} />}
      {!isFading && !isSoft && <ResumeNote player={player} isAsked={isResumeSaid} />}
    </>
  );
}
