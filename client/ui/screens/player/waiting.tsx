import { Hourglass } from 'lucide-preact';
import type { Player } from '#client/player/player.ts';
import { Button } from '../../parts/button.tsx';
import { counted } from '../../wording.ts';
import styles from './player.module.css';

interface Props {
  readonly player: Player;
  readonly title: string;
  readonly onLeave: () => void;
}

/** The server converts as many movies as it manages: where this screen stands in the line. It goes on by itself. */
export function PlayerWaiting({ player, title, onLeave }: Props) {
  const place = player.queuePlace.value;
  if (place === null) return null;
  return (
    <div class={styles.trouble}>
      <Hourglass aria-hidden="true" />
      <div role="status">
        <h2>{place === 1 ? 'You are next' : `${counted(place - 1, 'screen')} before you`}</h2>
        <p>
          The server is converting as many movies as it manages. Yours begins by itself when one of them is paused or
          ends.
        </p>
      </div>
      <div class={styles.troubleActions}>
        <Button onClick={onLeave}>{title === '' ? 'Back' : `Back to “${title}”`}</Button>
      </div>
    </div>
  );
}
