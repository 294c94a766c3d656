import { useEffect, useState } from 'preact/hooks';
import { useLobby } from '../house.ts';
import styles from './line-banner.module.css';

/** Losses shorter than this heal unseen. */
const PATIENCE_MS = 1_200;

/** Says that the line to the server is gone, what is being done about it, and when. Goes away by itself. */
export function LineBanner() {
  const { link } = useLobby();
  const state = link.state.value;
  const isDown = state.kind === 'lost' || state.kind === 'connecting';
  const [isShown, setShown] = useState(false);
  const [, setNow] = useState(0);

  useEffect(() => {
    if (!isDown) {
      setShown(false);
      return;
    }
    const patience = setTimeout(() => setShown(true), PATIENCE_MS);
    const clock = setInterval(() => setNow(Date.now()), 1_000);
    return () => {
      clearTimeout(patience);
      clearInterval(clock);
    };
  }, [isDown]);

  const seconds = state.kind === 'lost' ? Math.ceil((state.retryAt - Date.now()) / 1_000) : 0;
  return (
    <div class={styles.place} role="status">
      {isShown && (
        <div class={styles.banner}>
          <span class={styles.pulse} aria-hidden="true" />
          <span>
            {state.kind === 'lost' && state.isRestarting ? 'The server is restarting.' : 'The server can’t be reached.'}{' '}
            <span aria-hidden="true" class={styles.wait}>
              {seconds > 1 ? `Trying again in ${seconds} s` : 'Connecting…'}
            </span>
          </span>
          <button type="button" onClick={() => link.open()}>
            Try now
          </button>
        </div>
      )}
    </div>
  );
}
