import { classes } from '../classes.ts';
import styles from './share-line.module.css';

interface Props {
  /** 0 to 1. */
  readonly share: number;
  /** Says how long and how high it is, where it is not as usual. */
  readonly class?: string | undefined;
}

/** How much of something there is, as a thin line. The words beside it say the same: to those who listen it is nothing. */
export function ShareLine({ share, class: own }: Props) {
  return (
    <span class={classes(styles.line, own)} aria-hidden="true">
      <span style={{ inlineSize: `${(share * 100).toFixed(1)}%` }} />
    </span>
  );
}
