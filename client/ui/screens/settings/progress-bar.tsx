import styles from './settings.module.css';

interface Props {
  readonly label: string;
  readonly done: number;
  /** `null` while it is not known. */
  readonly total: number | null;
  readonly text: string;
}

export function ProgressBar({ label, done, total, text }: Props) {
  const share = total === null ? null : Math.min(1, total === 0 ? 1 : done / total);
  return (
    <div class={styles.progress}>
      <div
        class={styles.bar}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(share !== null && { 'aria-valuenow': Math.round(share * 100) })}
        aria-valuetext={text}
        data-unknown={share === null}
      >
        <span {...(share !== null && { style: { inlineSize: `${(share * 100).toFixed(1)}%` } })} />
      </div>
      <span>{text}</span>
    </div>
  );
}
