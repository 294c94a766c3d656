import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { classes } from '../classes.ts';
import { failureText } from '../failure-text.ts';
import styles from './small-form.module.css';

export interface Sending {
  readonly isBusy: boolean;
  /** Why the server did not take it, to be said beside the field that it is about. */
  readonly problem: string | null;
  readonly send: (action: () => Promise<unknown>) => Promise<void>;
  /** What was put in has changed: what was said of it is not true any more. */
  readonly forget: () => void;
}

/** Sends what a form holds, one time after the other. What fails is kept until it is sent again. */
export function useSending(): Sending {
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (action: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await action();
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, send, forget: () => setProblem(null) };
}

interface Props {
  readonly isBusy: boolean;
  readonly onSend: () => Promise<unknown>;
  readonly class?: string | undefined;
  readonly children: ComponentChildren;
}

/** A few fields, one below the other, with the button that sends them. Enter sends them, too; twice at once nothing is sent. */
export function SmallForm({ isBusy, onSend, class: own, children }: Props) {
  return (
    <form
      class={classes(styles.form, own)}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) void onSend();
      }}
    >
      {children}
    </form>
  );
}
