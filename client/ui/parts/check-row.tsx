import type { ComponentChildren } from 'preact';
import styles from './check-row.module.css';

/** Rows to tick, one below the other. */
export function CheckRows({ children }: { readonly children: ComponentChildren }) {
  return <ul class={styles.rows}>{children}</ul>;
}

interface Props {
  readonly isChecked: boolean;
  readonly onChecked: (isChecked: boolean) => void;
  /** It is shown, and can't be chosen. */
  readonly isBarred?: boolean;
  /** One of several of this name, of which one is chosen; absent: each is ticked for itself. */
  readonly oneOf?: string | undefined;
  /** A `<small>` in it stands below. */
  readonly children: ComponentChildren;
}

/** One of the rows: pressing anywhere in it ticks it. */
export function CheckRow({ isChecked, onChecked, isBarred = false, oneOf, children }: Props) {
  return (
    <li>
      <label class={styles.row} data-barred={isBarred}>
        <input
          {...(oneOf === undefined ? { type: 'checkbox' } : { type: 'radio', name: oneOf })}
          checked={isChecked}
          disabled={isBarred}
          onChange={(event) => onChecked(event.currentTarget.checked)}
        />
        {children}
      </label>
    </li>
  );
}
