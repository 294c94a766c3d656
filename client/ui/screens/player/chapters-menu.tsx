import { ListVideo } from 'lucide-preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import type { Marker } from '#protocol/schema/moments.ts';
import type { PreviewSheets } from '#client/player/preview-sheets.ts';
import type { Player } from '#client/player/player.ts';
import type { SkipMarks } from '#client/player/skip-marks.ts';
import { MARKER_NAMES } from '../../marker-words.ts';
import { IconButton } from '../../parts/button.tsx';
import { clockTime } from '../../wording.ts';
import { PreviewPicture } from './preview-picture.tsx';
import styles from './moments.module.css';

interface Props {
  readonly player: Player;
  readonly sheets: PreviewSheets;
  readonly marks: SkipMarks;
  readonly isHeld: Signal<boolean>;
  /** `null` for people who may not correct marks. */
  readonly onCorrect: (() => void) | null;
}

/** Just inside a chapter, so that its picture is not the last of the one before. */
const INSIDE_MS = 1_000;
/** Each waits for its sheet: one after the other, the first ones first. */
const NEXT_SHEET_MS = 250;

/** Chapters with their pictures, and the marks. Nothing where there is nothing to choose from. */
export function ChaptersMenu({ player, sheets, marks, isHeld, onCorrect }: Props) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const place = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);
  const playback = player.playback.value;
  const chapters = playback?.chapters ?? [];
  const markers = marks.markers;
  const hasContent = chapters.length > 1 || markers.length > 0 || onCorrect !== null;

  useEffect(() => {
    const element = popover.current;
    if (element === null) return;
    const onToggle = (event: Event): void => {
      const opened = (event as ToggleEvent).newState === 'open';
      setOpen(opened);
      isHeld.value = opened;
    };
    element.addEventListener('toggle', onToggle);
    return () => {
      element.removeEventListener('toggle', onToggle);
      isHeld.value = false;
    };
  }, [hasContent]);

  // A movie may have two thousand: they are drawn when somebody looks.
  useEffect(() => {
    const element = popover.current;
    if (!isOpen || element === null) return;
    const current = element.querySelector<HTMLElement>('[aria-current=true]');
    current?.scrollIntoView({ block: 'center' });
    (current ?? element.querySelector<HTMLElement>('[role=menuitem]'))?.focus();
  }, [isOpen]);

  // The sheets of the chapters, while somebody looks at them.
  const version = sheets.version.value;
  useEffect(() => {
    const { fileId, trickplay } = playback ?? {};
    if (!isOpen || fileId === undefined || trickplay == null) return;
    const missing = chapters.find(
      ({ startMs }) =>
        sheets.pictureAt(fileId, trickplay, startMs + INSIDE_MS) === null &&
        !sheets.hasFailed(fileId, trickplay, startMs + INSIDE_MS),
    );
    if (missing === undefined) return;
    const timer = setTimeout(() => sheets.want(fileId, trickplay, missing.startMs + INSIDE_MS), NEXT_SHEET_MS);
    return () => clearTimeout(timer);
  }, [isOpen, version, playback]);

  if (!hasContent) return null;
  const here = player.positionMs.value;
  const current = chapters.findLastIndex(({ startMs }) => startMs <= here + 100);

  const go = (ms: number): void => {
    player.seekTo(ms);
    popover.current?.hidePopover();
  };
  const move = (event: KeyboardEvent): void => {
    const items = [...(popover.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: items.length - 1,
    };
    const next = steps[event.key];
    if (event.key === 'Tab') popover.current?.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length]?.focus();
  };
  const markText = ({ kind, startMs, endMs }: Marker): string =>
    `${MARKER_NAMES[kind]} ${clockTime(startMs)} to ${clockTime(endMs)}`;

  return (
    <span ref={place}>
      <IconButton
        label={chapters.length > 1 ? 'Chapters' : 'Intro and credits'}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => {
          const element = popover.current;
          const box = place.current?.getBoundingClientRect();
          if (element === null || box === undefined) return;
          element.style.setProperty('--bottom', `${innerHeight - box.top + 8}px`);
          element.style.setProperty('--end', `${Math.max(8, innerWidth - box.right)}px`);
          element.togglePopover();
          // Of a button further left the menu would begin outside of a narrow window.
          const outside = 8 - element.getBoundingClientRect().left;
          if (outside > 0) element.style.setProperty('--end', `${Math.max(8, innerWidth - box.right - outside)}px`);
        }}
      >
        <ListVideo aria-hidden="true" />
      </IconButton>
      <div
        ref={popover}
        id={id}
        popover="auto"
        class={styles.chapters}
        role="menu"
        tabIndex={-1}
        aria-label="Chapters"
        onKeyDown={move}
      >
        {chapters.length > 1 && (
          <p class={styles.heading} aria-hidden="true">
            Chapters
          </p>
        )}
        {isOpen &&
          chapters.length > 1 &&
          chapters.map(({ startMs, title }, i) => (
            <button
              key={startMs}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={styles.chapter}
              aria-current={i === current}
              onClick={() => go(startMs)}
            >
              {playback?.trickplay != null && (
                <PreviewPicture
                  sheets={sheets}
                  fileId={playback.fileId}
                  trickplay={playback.trickplay}
                  ms={startMs + INSIDE_MS}
                  share={0.45}
                />
              )}
              <span class={styles.chapterName} dir="auto">
                {title ?? clockTime(startMs)}
                {title !== null && <small>{clockTime(startMs)}</small>}
              </span>
            </button>
          ))}
        {(markers.length > 0 || onCorrect !== null) && (
          <p class={styles.heading} aria-hidden="true">
            Intro and credits
          </p>
        )}
        {markers.map((marker) => (
          <button
            key={marker.kind}
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={styles.chapter}
            onClick={() => go(marker.startMs)}
          >
            <span class={styles.chapterName}>{markText(marker)}</span>
          </button>
        ))}
        {onCorrect !== null && (
          <button
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={styles.chapter}
            onClick={() => {
              popover.current?.hidePopover();
              onCorrect();
            }}
          >
            <span class={styles.chapterName}>
              {markers.length > 0 ? 'Correct these…' : 'Mark the intro or the credits…'}
            </span>
          </button>
        )}
      </div>
    </span>
  );
}
