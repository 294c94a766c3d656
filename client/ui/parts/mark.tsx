import styles from './mark.module.css';

/** The sun over the edge of the screen: an afternoon show. */
export function Mark() {
  return (
    <svg class={styles.mark} viewBox="0 0 28 20" aria-hidden="true">
      <path d="M3 15a11 11 0 0 1 22 0z" fill="var(--ember)" />
      <path d="M1.5 18.5h25" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span class={styles.wordmark}>
      <Mark />
      Matinee
    </span>
  );
}
