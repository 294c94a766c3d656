import { useEffect, useRef } from 'preact/hooks';
import type { NextMovie, NextUp } from '#client/player/next-up.ts';
import { Button } from '../../parts/button.tsx';
import styles from './card.module.css';

/** What is played next and in how many seconds; or, after a long evening, the question whether somebody is still there. */
export function NextCard<M extends NextMovie>({ nextUp }: { readonly nextUp: NextUp<M> }) {
  const state = nextUp.state.value;
  const accept = useRef<HTMLDivElement>(null);
  const kind = state.kind;
  useEffect(() => {
    if (kind === 'counting' || kind === 'asking') accept.current?.querySelector('button')?.focus();
  }, [kind]);
  if (state.kind !== 'counting' && state.kind !== 'asking') return null;
  const isCounting = state.kind === 'counting';
  return (
    <section
      class={styles.card}
      aria-label={isCounting ? 'Next' : 'Are you still watching?'}
      data-controls
      data-spatial
    >
      <p class={styles.eyebrow}>{isCounting ? 'Next' : 'Are you still watching?'}</p>
      <p class={styles.name} dir="auto">
        {state.movie.title}
      </p>
      {/* Read once, not with every second. */}
      <p class="unseen" role="status">
        {isCounting
          ? `${state.movie.title} begins in 10 seconds. Escape stops it.`
          : `Are you still watching? ${state.movie.title} waits for you.`}
      </p>
      <div class={styles.actions} ref={accept}>
        <Button look="bright" onClick={() => nextUp.accept()}>
          {isCounting ? `Play now · ${state.secondsLeft}` : 'Yes, go on'}
        </Button>
        <Button look="quiet" onClick={() => nextUp.decline()}>
          {isCounting ? 'Not now' : 'No'}
        </Button>
      </div>
    </section>
  );
}
