import { useRef, useState } from 'preact/hooks';
import type { Player } from '#client/player/player.ts';
import { clockTime, spokenDuration } from '../../wording.ts';
import styles from './player.module.css';

interface Preview {
  /** 0 to 1 along the bar. */
  readonly share: number;
  readonly ms: number;
}

/** Where the movie is, what is loaded, where its chapters begin; the time under the pointer before it is let go. */
export function SeekBar({ player }: { readonly player: Player }) {
  const bar = useRef<HTMLDivElement>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [isDragging, setDragging] = useState(false);
  const durationMs = player.durationMs.value;
  const positionMs = isDragging && preview !== null ? preview.ms : player.positionMs.value;
  const chapters = player.playback.value?.chapters ?? [];
  const share = (ms: number): number => (durationMs === 0 ? 0 : Math.min(1, Math.max(0, ms / durationMs)));
  const percent = (ms: number): string => `${(share(ms) * 100).toFixed(3)}%`;
  const loop = player.loop.marks.value;
  const chapterAt = (ms: number): string | null => chapters.findLast(({ startMs }) => startMs <= ms)?.title ?? null;

  const read = (event: PointerEvent): Preview => {
    const box = bar.current!.getBoundingClientRect();
    const along = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const isRtl = getComputedStyle(bar.current!).direction === 'rtl';
    const ratio = isRtl ? 1 - along : along;
    return { share: ratio, ms: ratio * durationMs };
  };

  const chapterTitle = preview === null ? null : chapterAt(preview.ms);
  return (
    <div
      ref={bar}
      class={styles.seekBar}
      data-dragging={isDragging}
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs / 1_000)}
      aria-valuenow={Math.round(positionMs / 1_000)}
      aria-valuetext={`${spokenDuration(positionMs)} of ${spokenDuration(durationMs)}${chapterAt(positionMs) === null ? '' : `, ${chapterAt(positionMs)!}`}`}
      onPointerDown={(event) => {
        if (event.button !== 0 || durationMs === 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDragging(true);
        setPreview(read(event));
      }}
      onPointerMove={(event) => setPreview(read(event))}
      onPointerUp={(event) => {
        if (!isDragging) return;
        setDragging(false);
        player.seekTo(read(event).ms);
        if (event.pointerType === 'touch') setPreview(null);
      }}
      onPointerCancel={() => {
        setDragging(false);
        setPreview(null);
      }}
      onPointerLeave={() => {
        if (!isDragging) setPreview(null);
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
        {preview !== null && !isDragging && <span class={styles.hovered} style={{ inlineSize: percent(preview.ms) }} />}
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
        {chapters.slice(1).map(({ startMs }) => (
          <span key={startMs} class={styles.tick} style={{ insetInlineStart: percent(startMs) }} />
        ))}
      </div>
      <span class={styles.knob} style={{ insetInlineStart: percent(positionMs) }} />
      {preview !== null && durationMs > 0 && (
        <span class={styles.preview} style={{ '--at': String(preview.share) }} aria-hidden="true">
          {chapterTitle !== null && <span dir="auto">{chapterTitle}</span>}
          <b>{clockTime(preview.ms)}</b>
        </span>
      )}
    </div>
  );
}
