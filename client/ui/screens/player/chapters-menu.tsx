import { ListVideo } from 'lucide-preact';
import { useEffect } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import type { Marker } from '#protocol/schema/moments.ts';
import type { PreviewSheets } from '#client/player/preview-sheets.ts';
import type { Player } from '#client/player/player.ts';
import type { SkipMarks } from '#client/player/skip-marks.ts';
import { classes } from '../../classes.ts';
import { MARKER_NAMES } from '../../marker-words.ts';
import { PopoverMenu } from '../../parts/popover-menu.tsx';
import menuStyles from '../../parts/popover-menu.module.css';
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
  const hasChapters = (player.playback.value?.chapters.length ?? 0) > 1;
  if (!hasChapters && marks.markers.length === 0 && onCorrect === null) return null;
  return (
    <PopoverMenu
      label={hasChapters ? 'Chapters' : 'Intro and credits'}
      menuLabel="Chapters"
      icon={<ListVideo aria-hidden="true" />}
      isWide
      isHeld={isHeld}
    >
      {/* A movie may have two thousand: they are drawn when somebody looks. */}
      {(menu) =>
        menu.isOpen && (
          <ChapterList player={player} sheets={sheets} marks={marks} onCorrect={onCorrect} close={menu.close} />
        )
      }
    </PopoverMenu>
  );
}

interface ListProps extends Omit<Props, 'isHeld'> {
  readonly close: () => void;
}

function ChapterList({ player, sheets, marks, onCorrect, close }: ListProps) {
  const playback = player.playback.value;
  const chapters = playback?.chapters ?? [];
  const { markers } = marks;

  // The sheets of the chapters, while somebody looks at them.
  const version = sheets.version.value;
  useEffect(() => {
    const { fileId, trickplay } = playback ?? {};
    if (fileId === undefined || trickplay == null) return;
    const missing = chapters.find(
      ({ startMs }) =>
        sheets.pictureAt(fileId, trickplay, startMs + INSIDE_MS) === null &&
        !sheets.hasFailed(fileId, trickplay, startMs + INSIDE_MS),
    );
    if (missing === undefined) return;
    const timer = setTimeout(() => sheets.want(fileId, trickplay, missing.startMs + INSIDE_MS), NEXT_SHEET_MS);
    return () => clearTimeout(timer);
  }, [version, playback]);

  const here = player.positionMs.value;
  const current = chapters.findLastIndex(({ startMs }) => startMs <= here + 100);
  const go = (ms: number): void => {
    player.seekTo(ms);
    close();
  };
  return (
    <>
      {chapters.length > 1 && (
        <p class={menuStyles.title} aria-hidden="true">
          Chapters
        </p>
      )}
      {chapters.length > 1 &&
        chapters.map(({ startMs, title }, i) => (
          <button
            key={startMs}
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={classes(menuStyles.item, styles.chapter)}
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
        <p class={menuStyles.title} aria-hidden="true">
          Intro and credits
        </p>
      )}
      {markers.map((marker) => (
        <button
          key={marker.kind}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={menuStyles.item}
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
          class={menuStyles.item}
          onClick={() => {
            close();
            onCorrect();
          }}
        >
          <span class={styles.chapterName}>
            {markers.length > 0 ? 'Correct these…' : 'Mark the intro or the credits…'}
          </span>
        </button>
      )}
    </>
  );
}

const markText = ({ kind, startMs, endMs }: Marker): string =>
  `${MARKER_NAMES[kind]} ${clockTime(startMs)} to ${clockTime(endMs)}`;
