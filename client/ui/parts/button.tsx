import type { AriaAttributes, ComponentChildren, TargetedMouseEvent } from 'preact';
import { classes } from '../classes.ts';
import { Link } from './link.tsx';
import type { LinkProps } from './link.tsx';
import styles from './button.module.css';

/** `bright` is the one thing to do here; `plain` the others; `quiet` what may be overlooked; `grave` what can't be undone. */
type Look = 'bright' | 'plain' | 'quiet' | 'grave';

type Aria = Pick<AriaAttributes, 'aria-pressed' | 'aria-expanded' | 'aria-haspopup' | 'aria-controls'>;

interface PressProps extends Aria {
  readonly class?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly tabIndex?: number;
  readonly 'data-spatial-start'?: string | undefined;
  /** Where the focus goes when a screen takes it in. */
  readonly 'data-first'?: string | undefined;
  readonly onClick?: ((event: TargetedMouseEvent<HTMLButtonElement>) => void) | undefined;
}

interface ButtonProps extends PressProps {
  readonly look?: Look;
  readonly type?: 'button' | 'submit';
  readonly icon?: ComponentChildren;
  readonly isBusy?: boolean;
  readonly children?: ComponentChildren;
}

export function Button({
  look = 'plain',
  type = 'button',
  icon,
  isBusy = false,
  children,
  class: extra,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      class={classes(styles.button, styles[look], extra)}
      aria-busy={isBusy}
      aria-disabled={isBusy}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {isBusy ? <span class={styles.spinner} aria-hidden="true" /> : icon}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

interface ButtonLinkProps extends LinkProps {
  readonly look?: Look;
  readonly icon?: ComponentChildren;
}

export function ButtonLink({ look = 'plain', icon, children, class: extra, ...rest }: ButtonLinkProps) {
  return (
    <Link {...rest} class={classes(styles.button, styles[look], extra)}>
      {icon}
      <span>{children}</span>
    </Link>
  );
}

interface IconButtonProps extends PressProps {
  /** What it does: read out, and shown as its tip. */
  readonly label: string;
  readonly children: ComponentChildren;
}

export function IconButton({ label, children, class: extra, ...rest }: IconButtonProps) {
  return (
    <button type="button" aria-label={label} title={label} {...rest} class={classes(styles.iconButton, extra)}>
      {children}
    </button>
  );
}
