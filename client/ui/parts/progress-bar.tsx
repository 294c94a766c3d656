import { classes } from '../classes.ts';
import styles from './progress-bar.module.css';

interface Props {
  readonly label: string;
  /** 0 to 1; `null` while it is not known. */
  readonly share: number | null;
  readonly text: string;
  /** It rests, and goes on by itself. */
  readonly isHeld?: boolean;
  readonly class?: string | undefined;
}

/**
 * How far something is, with words beside it. A screen reader may ask for it; it does not say every step by itself. Below an element with
 * `data-cut` it is what was known last.
 */
export function ProgressBar({ label, share, text, isHeld = false, class: own }: Props) {
  return (
    <div class={classes(styles.progress, own)}>
      <div
        class={styles.bar}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(share !== null && { 'aria-valuenow': Math.floor(share * 100) })}
        aria-valuetext={text}
        data-unknown={share === null}
        data-held={isHeld}
      >
        <span {...(share !== null && { style: { inlineSize: `${(share * 100).toFixed(1)}%` } })} />
      </div>
      <span>{text}</span>
    </div>
  );
}

/** Of things that are counted; `null` while nobody knows how many there are. */
export function shareOf(done: number, total: number | null): number | null {
  if (total === null) return null;
  return total === 0 ? 1 : Math.min(1, done / total);
}
