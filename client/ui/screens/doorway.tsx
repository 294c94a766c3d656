import type { ComponentChildren } from 'preact';
import { Wordmark } from '../parts/mark.tsx';
import styles from './doorway.module.css';

interface Props {
  readonly title: string;
  readonly lead?: ComponentChildren;
  /** Where one is in the three steps of setting up. */
  readonly step?: 1 | 2 | 3;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

const STEPS = ['You', 'Movies', 'Showtime'] as const;

/** The foyer: what one sees before the house itself. */
export function Doorway({ title, lead, step, isWide = false, children }: Props) {
  return (
    <main class={styles.doorway}>
      <div class={styles.beam} aria-hidden="true" />
      <div class={styles.inner} data-wide={isWide}>
        <header class={styles.header}>
          <Wordmark />
          {step !== undefined && (
            <ol class={styles.steps} aria-label="Setting up">
              {STEPS.map((name, index) => (
                <li key={name} aria-current={index + 1 === step ? 'step' : undefined} data-done={index + 1 < step}>
                  {name}
                </li>
              ))}
            </ol>
          )}
        </header>
        <h1>{title}</h1>
        {lead !== undefined && <p class={styles.lead}>{lead}</p>}
        {children}
      </div>
    </main>
  );
}
