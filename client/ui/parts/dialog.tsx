import { X } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Button, IconButton } from './button.tsx';
import { classes } from '../classes.ts';
import styles from './dialog.module.css';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly isWide?: boolean;
  /** On phones it comes up from the lower edge, as wide as the screen. */
  readonly isSheet?: boolean;
  readonly children: ComponentChildren;
}

/** A native modal dialog: the browser keeps the focus inside, gives it back afterwards, and closes it on Escape. */
export function Dialog({ title, onClose, isWide = false, isSheet = false, children }: Props) {
  const titleId = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  // At once, not with the next frame: a key in between would still be of the page below, and Escape would leave it.
  useLayoutEffect(() => {
    const element = dialog.current;
    // A click beside it closes it too, where the browser knows how.
    element?.setAttribute('closedby', 'any');
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={classes(styles.dialog, isWide && styles.wide, isSheet && styles.sheet)}
      aria-labelledby={titleId}
      onClose={onClose}
    >
      <div class={styles.content}>
        <header class={styles.header}>
          <h2 id={titleId}>{title}</h2>
          <IconButton label="Close" onClick={() => dialog.current?.close()}>
            <X aria-hidden="true" />
          </IconButton>
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface QuestionProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** What happens, as a verb: the label of the button. */
  readonly verb: string;
  readonly isBusy?: boolean;
  readonly onYes: () => void;
  readonly onClose: () => void;
}

/** Asks before something that can't be undone. */
export function Question({ title, children, verb, isBusy = false, onYes, onClose }: QuestionProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div class={styles.text}>{children}</div>
      <div class={styles.actions}>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button look="grave" isBusy={isBusy} onClick={onYes}>
          {verb}
        </Button>
      </div>
    </Dialog>
  );
}
