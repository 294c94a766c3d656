import type { ComponentChildren } from 'preact';
import { classes } from '../classes.ts';
import styles from './screen-head.module.css';

interface Props {
  /** A `<span>` in it is said more quietly: how many there are. */
  readonly title: ComponentChildren;
  readonly class?: string | undefined;
  /** Beside the title, where there is room. */
  readonly children?: ComponentChildren;
}

/** What a screen begins with: its name, and what belongs to all of it. */
export function ScreenHead({ title, class: own, children }: Props) {
  return (
    <header class={classes(styles.head, own)} data-spatial>
      <h1>{title}</h1>
      {children}
    </header>
  );
}
