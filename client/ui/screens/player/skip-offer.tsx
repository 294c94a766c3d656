import { SkipForward } from 'lucide-preact';
import { useEffect } from 'preact/hooks';
import type { SkipMarks } from '#client/player/skip-marks.ts';
import { SKIPPED_TEXTS, SKIP_TEXTS } from '../../marker-words.ts';
import { Button } from '../../parts/button.tsx';
import type { FlashBoard } from './flash-board.ts';
import styles from './moments.module.css';

interface Props {
  readonly marks: SkipMarks;
  readonly board: Pick<FlashBoard, 'say'>;
  /** The controls show, and so does the offer as long as it makes sense. */
  readonly areControlsUp: boolean;
  /** What follows is offered in the same place, which leads past the credits, too. */
  readonly isNextOffered: boolean;
}

/** The offer to skip what plays: for ten seconds, and whenever the controls are up. It never takes the focus. */
export function SkipOffer({ marks, board, areControlsUp, isNextOffered }: Props) {
  const skipped = marks.skipped.value;
  useEffect(() => {
    if (skipped !== null) board.say(SKIPPED_TEXTS[skipped.kind], 'end');
  }, [skipped]);
  const offered = marks.offer.value;
  const marker = offered ?? (areControlsUp ? marks.current.value : null);
  if (marker === null || skipped !== null || isNextOffered) return null;
  return (
    <div class={styles.offer} data-lifted={areControlsUp} data-controls data-spatial>
      <Button look="bright" icon={<SkipForward aria-hidden="true" />} onClick={() => marks.skip()}>
        {SKIP_TEXTS[marker.kind]}
      </Button>
      {/* Said once, when it comes. */}
      <span class="unseen" role="status">
        {offered !== null && `${SKIP_TEXTS[offered.kind]}: press S`}
      </span>
    </div>
  );
}
