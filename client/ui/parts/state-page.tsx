import type { ComponentChildren } from 'preact';
import { classes } from '../classes.ts';
import styles from './state-page.module.css';

interface Props {
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly actions?: ComponentChildren;
  /** Fills the window, where there is nothing else. */
  readonly isWhole?: boolean;
  readonly level?: 'h1' | 'h2';
}

/** A screen or a part of one that has nothing to show but a sentence and a way on. */
export function StatePage({ title, children, actions, isWhole = false, level: Heading = 'h1' }: Props) {
  const Box = isWhole ? 'main' : 'div';
  return (
    <Box class={classes(styles.page, isWhole && styles.whole)}>
      <svg class={styles.sun} viewBox="0 0 120 70" aria-hidden="true">
        <path d="M20 60a40 40 0 0 1 80 0z" />
        <path d="M6 66h108" />
      </svg>
      <Heading>{title}</Heading>
      <div class={styles.text}>{children}</div>
      {actions !== undefined && <div class={styles.actions}>{actions}</div>}
    </Box>
  );
}

/** The light before the first picture: shown only when waiting takes long enough to notice. */
export function Waiting({ label = 'Loading' }: { readonly label?: string }) {
  return (
    <div class={styles.waiting} role="status">
      <span class={styles.dots} aria-hidden="true">
        <span />
        <span />
        <span />
      </span>
      <span class="unseen">{label}</span>
    </div>
  );
}
