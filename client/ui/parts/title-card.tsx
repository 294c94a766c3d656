import styles from './title-card.module.css';

/** Number of tones in the stylesheet. */
const TONES = 6;

/** The same movie always gets the same tone; neighbours in a list, whose ids differ at the end, get different ones. */
export function toneOf(id: string): number {
  let hash = 7;
  for (let at = 0; at < id.length; at++) hash = (hash * 31 + id.charCodeAt(at)) >>> 0;
  return hash % TONES;
}

interface Props {
  readonly id: string;
  readonly title: string;
  readonly year: number | null;
  /** Only its colours: the title stands beside it already. */
  readonly isWordless?: boolean;
}

/** Stands where a movie has no picture yet: its title, set like the card before the first scene. Its words are said by what is around it. */
export function TitleCard({ id, title, year, isWordless = false }: Props) {
  const size = title.length <= 10 ? 'short' : title.length <= 24 ? 'medium' : 'long';
  return (
    <span class={styles.card} data-tone={toneOf(id)} data-size={size} aria-hidden="true">
      {!isWordless && (
        <span class={styles.title} dir="auto">
          {title}
        </span>
      )}
      {!isWordless && year !== null && <span class={styles.year}>{year}</span>}
    </span>
  );
}
