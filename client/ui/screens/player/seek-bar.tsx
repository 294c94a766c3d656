import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import type { PreviewSheets } from '#client/player/preview-sheets.ts';
import type { Player } from '#client/player/player.ts';
import type { SkipMarks } from '#client/player/skip-marks.ts';
import { clockTime, spokenDuration } from '../../wording.ts';
import { PreviewPicture, previewWidth } from './preview-picture.tsx';
import moments from './moments.module.css';
import styles from './player.module.css';

interface Place {
  /** 0 to 1 along the bar. */
  readonly share: number;
  readonly ms: number;
}

/** How a place was pointed at: the movie goes there when a hand lets go, and a moment after the last key. */
type Hand = 'hovering' | 'dragging' | 'keys';

const KEY_STEP_MS = 5_000;
const BIG_STEP_MS = 60_000;
/** So that holding a key down looks through the pictures, and does not open the movie at every step. */
const SETTLE_MS = 450;
/** The picture stays for whoever wants to press once more. */
const LINGER_MS = 1_200;

/** Where the movie is, what is loaded, its chapters and marks; the picture and the time of the place that is pointed at. */
export function SeekBar({
  player,
  sheets,
  marks,
  isHeld,
}: {
  readonly player: Player;
  readonly sheets: PreviewSheets;
  readonly marks: SkipMarks;
  /** Told as long as a hand has it: a finger that rests on it is no reason to take it away. */
  readonly isHeld: Signal<boolean>;
}) {
  const bar = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const [hand, setHand] = useState<Hand>('hovering');
  const settle = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const linger = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  /** Where the keys have come to and the movie has not gone yet. */
  const wanted = useRef<number | null>(null);
  const playback = player.playback.value;
  const trickplay = playback?.trickplay ?? null;
  const durationMs = player.durationMs.value;
  const isMoving = place !== null && hand !== 'hovering';
  const positionMs = isMoving ? place.ms : player.positionMs.value;
  const chapters = playback?.chapters ?? [];
  const share = (ms: number): number => (durationMs === 0 ? 0 : Math.min(1, Math.max(0, ms / durationMs)));
  const percent = (ms: number): string => `${(share(ms) * 100).toFixed(3)}%`;
  const loop = player.loop.marks.value;
  // Drawn once, and not with every step of the movie: there may be two thousand.
  const ticks = useMemo(
    () =>
      chapters
        .slice(1)
        .map(({ startMs }) => (
          <span key={startMs} class={styles.tick} style={{ insetInlineStart: percent(startMs) }} />
        )),
    [playback, durationMs],
  );
  const chapterAt = (ms: number): string | null => chapters.findLast(({ startMs }) => startMs <= ms)?.title ?? null;

  useEffect(
    () => () => {
      clearTimeout(settle.current);
      clearTimeout(linger.current);
    },
    [],
  );

  const point = (next: Place | null, by: Hand = 'hovering'): void => {
    setPlace(next);
    setHand(by);
    if (next !== null && playback !== null && trickplay !== null) sheets.want(playback.fileId, trickplay, next.ms);
  };

  const read = (event: PointerEvent): Place => {
    const box = bar.current!.getBoundingClientRect();
    const along = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const isRtl = getComputedStyle(bar.current!).direction === 'rtl';
    const ratio = isRtl ? 1 - along : along;
    return { share: ratio, ms: ratio * durationMs };
  };

  /** The movie goes where the keys have come to. */
  const arrive = (): void => {
    clearTimeout(settle.current);
    if (wanted.current !== null) player.seekTo(wanted.current);
    wanted.current = null;
    clearTimeout(linger.current);
    linger.current = setTimeout(() => point(null), LINGER_MS);
  };

  const leaveKeys = (): void => {
    clearTimeout(settle.current);
    clearTimeout(linger.current);
    wanted.current = null;
    if (hand === 'keys') point(null);
  };

  /** The hand takes itself back: the movie stays where it is. */
  const letGo = (): void => {
    if (hand === 'dragging') isHeld.value = false;
    point(null);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (durationMs === 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const from = wanted.current ?? player.positionMs.peek();
    const forward = getComputedStyle(event.currentTarget as Element).direction === 'rtl' ? -1 : 1;
    const step = event.shiftKey ? BIG_STEP_MS : KEY_STEP_MS;
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: from + forward * step,
      ArrowLeft: from - forward * step,
      Home: 0,
      End: durationMs,
    };
    const next = steps[event.key];
    if (next === undefined) {
      if (hand === 'dragging' && event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        letGo();
        return;
      }
      if (wanted.current === null || (event.key !== 'Enter' && event.key !== 'Escape')) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === 'Enter') arrive();
      else leaveKeys();
      return;
    }
    // The same keys mean a jump everywhere else in the player.
    event.preventDefault();
    event.stopPropagation();
    const ms = Math.min(durationMs, Math.max(0, next));
    wanted.current = ms;
    clearTimeout(linger.current);
    clearTimeout(settle.current);
    settle.current = setTimeout(arrive, SETTLE_MS);
    point({ share: share(ms), ms }, 'keys');
  };

  const chapterTitle = place === null ? null : chapterAt(place.ms);
  const halfPx = trickplay === null ? 48 : Math.max(48, previewWidth(trickplay) / 2 + 6);
  return (
    <div
      ref={bar}
      class={styles.seekBar}
      data-dragging={isMoving}
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs / 1_000)}
      aria-valuenow={Math.round(positionMs / 1_000)}
      aria-valuetext={`${spokenDuration(positionMs)} of ${spokenDuration(durationMs)}${chapterAt(positionMs) === null ? '' : `, ${chapterAt(positionMs)!}`}`}
      onKeyDown={onKeyDown}
      onBlur={leaveKeys}
      onPointerDown={(event) => {
        if (event.button !== 0 || durationMs === 0) return;
        leaveKeys();
        event.currentTarget.setPointerCapture(event.pointerId);
        isHeld.value = true;
        point(read(event), 'dragging');
      }}
      onPointerMove={(event) => {
        // A finger points at something only while it is down.
        if (event.pointerType === 'touch' && hand !== 'dragging') return;
        point(read(event), hand === 'dragging' ? 'dragging' : 'hovering');
      }}
      onPointerUp={(event) => {
        if (hand !== 'dragging') return;
        isHeld.value = false;
        const there = read(event);
        player.seekTo(there.ms);
        point(event.pointerType === 'touch' ? null : there);
      }}
      onPointerCancel={letGo}
      onPointerLeave={() => {
        if (hand === 'hovering') point(null);
      }}
    >
      <div class={styles.track}>
        {player.buffered.value.map(({ startMs, endMs }) => (
          <span
            key={startMs}
            class={styles.loaded}
            style={{ insetInlineStart: percent(startMs), inlineSize: percent(endMs - startMs) }}
          />
        ))}
        {marks.markers.map(({ kind, startMs, endMs }) => (
          <span
            key={kind}
            class={moments.stretch}
            data-kind={kind}
            style={{ insetInlineStart: percent(startMs), inlineSize: percent(endMs - startMs) }}
          />
        ))}
        {place !== null && !isMoving && <span class={styles.hovered} style={{ inlineSize: percent(place.ms) }} />}
        <span class={styles.seen} style={{ inlineSize: percent(positionMs) }} />
        {loop !== null && (
          <span
            class={styles.loop}
            style={{
              insetInlineStart: percent(loop.startMs),
              inlineSize: loop.endMs === null ? '0.2rem' : percent(loop.endMs - loop.startMs),
            }}
          />
        )}
        {ticks}
      </div>
      <span class={styles.knob} style={{ insetInlineStart: percent(positionMs) }} />
      {place !== null && durationMs > 0 && (
        <span
          class={moments.preview}
          style={{ '--at': String(place.share), '--half': `${halfPx}px` }}
          aria-hidden="true"
        >
          {playback !== null && trickplay !== null && (
            <PreviewPicture sheets={sheets} fileId={playback.fileId} trickplay={trickplay} ms={place.ms} />
          )}
          <span class={moments.caption}>
            {chapterTitle !== null && <span dir="auto">{chapterTitle}</span>}
            <b>{clockTime(place.ms)}</b>
          </span>
        </span>
      )}
    </div>
  );
}
