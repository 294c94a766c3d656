import { Check, Minus } from 'lucide-preact';
import type { MatchCandidate } from '#protocol/schema/match.ts';
import { isDoubt, likeness, reasonName } from '../match-words.ts';
import { Poster } from './picture.tsx';
import styles from './candidate.module.css';
import { ShareLine } from './share-line.tsx';

interface Props {
  readonly candidate: MatchCandidate;
  /** The key that picks it. */
  readonly number?: number;
  readonly isPicked: boolean;
  readonly onPick: () => void;
}

/** A movie of TMDB that a movie of a folder may be. */
export function Candidate({ candidate, number, isPicked, onPick }: Props) {
  const { title, originalTitle, year, overview, score, reasons, tmdbId } = candidate;
  const { words, rest } = likeness(reasons);
  return (
    <button
      type="button"
      role="radio"
      aria-checked={isPicked}
      class={styles.candidate}
      data-picked={isPicked}
      onClick={onPick}
    >
      <span class={styles.poster}>
        <Poster movie={{ id: String(tmdbId), title, year, poster: candidate.poster }} sizes="7rem" isEager />
        {number !== undefined && number <= 9 && (
          <kbd class={styles.key} aria-hidden="true">
            {number}
          </kbd>
        )}
        {isPicked && (
          <span class={styles.picked}>
            <Check aria-hidden="true" />
          </span>
        )}
      </span>
      <span class={styles.words}>
        <span class={styles.title} dir="auto">
          {title} {year !== null && <span class={styles.year}>{year}</span>}
        </span>
        {originalTitle !== null && originalTitle !== title && (
          <span class={styles.original} dir="auto">
            {originalTitle}
          </span>
        )}
        {words !== null && (
          <span class={styles.score}>
            {score !== null && <ShareLine share={score} class={styles.line} />}
            {words}
          </span>
        )}
        {rest.length > 0 && (
          <span class={styles.reasons}>
            {rest.map((reason) => (
              <span key={reason} data-doubt={isDoubt(reason)}>
                {isDoubt(reason) ? <Minus aria-hidden="true" /> : <Check aria-hidden="true" />}
                {reasonName(reason)}
              </span>
            ))}
          </span>
        )}
        {overview !== null && overview !== '' && (
          <span class={styles.overview} dir="auto">
            {overview}
          </span>
        )}
      </span>
    </button>
  );
}
