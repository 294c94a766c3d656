import { Check, Star, X } from 'lucide-preact';
import type { Tile } from '#client/store/movie-list.ts';
import { classes } from '../classes.ts';
import { useAttempt, useCinema } from '../house.ts';
import { choosePicture } from '../transition.ts';
import { counted, hdrName, movieLength, resolutionName, spokenDuration } from '../wording.ts';
import { Link } from './link.tsx';
import { MoviePicture, Poster } from './picture.tsx';
import styles from './tile.module.css';

/** In a grid where several movies are chosen at once. */
export interface Choosing {
  readonly isChosen: boolean;
  /** `isRange`: everything from the last one chosen to this. */
  readonly onToggle: (isRange: boolean) => void;
}

interface Props {
  readonly tile: Tile;
  readonly isEager?: boolean;
  /** In “continue watching”: plays at once, tells what is left, can be taken off the row, and shows a frame instead of the poster. */
  readonly isContinuing?: boolean;
  readonly isStart?: boolean;
  readonly choosing?: Choosing | null;
  /** Under the title, in place of year and quality: what a person did in it. */
  readonly note?: string;
}

/** Share of the movie that was seen, `null` where there is nothing to go on with. */
export function seenShare(progress: Tile['progress']): number | null {
  if (progress === null || progress.positionMs === 0 || progress.durationMs === 0) return null;
  return Math.min(1, progress.positionMs / progress.durationMs);
}

export function MovieTile({
  tile,
  isEager = false,
  isContinuing = false,
  isStart = false,
  choosing = null,
  note,
}: Props) {
  const cinema = useCinema();
  const attempt = useAttempt();
  const progress = cinema.progress.of(tile.id, tile.progress);
  const share = seenShare(progress);
  const isWatched = progress?.isWatched === true && share === null;
  const leftMs = share === null || progress === null ? null : progress.durationMs - progress.positionMs;
  const meta = isContinuing
    ? [leftMs === null ? null : `${movieLength(leftMs)} left`]
    : note === undefined
      ? [
          tile.year,
          (tile.resolution ?? 0) >= 2_160 ? resolutionName(tile.resolution) : null,
          tile.hdr === null ? null : hdrName(tile.hdr),
        ]
      : [note];

  const inside = (
    <>
      <span
        class={classes(styles.frame, !isContinuing && styles.upright)}
        data-movie={tile.id}
        data-playable={tile.isPlayable}
      >
        {isContinuing ? <MoviePicture movie={tile} isEager={isEager} /> : <Poster movie={tile} isEager={isEager} />}
        {choosing !== null && (
          <span class={styles.choice} data-on={choosing.isChosen}>
            <Check aria-hidden="true" />
          </span>
        )}
        {choosing === null && isWatched && (
          <span class={styles.watched}>
            <Check aria-hidden="true" />
          </span>
        )}
        {tile.rating !== null && tile.rating > 0 && !isContinuing && (
          <span class={styles.rating} aria-hidden="true">
            <Star fill="currentColor" />
            {tile.rating.toFixed(1)}
          </span>
        )}
        {share !== null && (
          <span class={styles.progress}>
            <span style={{ inlineSize: `${(share * 100).toFixed(1)}%` }} />
          </span>
        )}
      </span>
      <span class={styles.caption}>
        <span class={styles.title} dir="auto">
          {isContinuing && <span class="unseen">Go on with </span>}
          {tile.title}
        </span>
        <span class={styles.meta}>
          {tile.isPlayable ? (
            meta.filter((part) => part !== null).map((part) => <span key={part}>{part}</span>)
          ) : (
            <span class={styles.trouble}>Can’t be played</span>
          )}
        </span>
        {tile.rating !== null && tile.rating > 0 && !isContinuing && (
          <span class="unseen">, rated {tile.rating.toFixed(1)}</span>
        )}
        {isWatched && <span class="unseen">, watched</span>}
        {share !== null && leftMs !== null && !isContinuing && (
          <span class="unseen">, {spokenDuration(leftMs)} left</span>
        )}
      </span>
    </>
  );

  if (choosing !== null) {
    return (
      <button
        type="button"
        role="checkbox"
        aria-checked={choosing.isChosen}
        class={styles.tile}
        data-chosen={choosing.isChosen}
        onClick={(event) => choosing.onToggle(event.shiftKey)}
      >
        {inside}
      </button>
    );
  }
  return (
    <>
      <Link
        to={
          isContinuing
            ? { screen: 'play', movieId: tile.id, fileId: null, isFromStart: false }
            : { screen: 'movie', movieId: tile.id }
        }
        class={styles.tile}
        data-spatial-start={isStart ? '' : undefined}
        onClick={(event) => {
          if (!isContinuing) choosePicture(event.currentTarget.querySelector<HTMLElement>('[data-movie]'));
        }}
      >
        {inside}
      </Link>
      {isContinuing && (
        <button
          type="button"
          class={styles.forget}
          aria-label={`Take ${tile.title} off this row`}
          title="Take off this row"
          onClick={() => void attempt(() => cinema.progress.clear(tile.id), `“${tile.title}” is off the row.`)}
        >
          <X aria-hidden="true" />
        </button>
      )}
    </>
  );
}

/** Where a tile will be. */
export function TilePlaceholder() {
  return (
    <span class={styles.tile} aria-hidden="true">
      <span class={classes(styles.frame, styles.upright, styles.blank)} />
      <span class={styles.caption}>
        <span class={styles.blankTitle} />
        <span class={styles.blankMeta} />
      </span>
    </span>
  );
}

export function moviesCounted(total: number): string {
  return counted(total, 'movie');
}
