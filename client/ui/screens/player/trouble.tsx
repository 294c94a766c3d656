import { TriangleAlert } from 'lucide-preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Failure } from '#protocol/errors.ts';
import type { Player } from '#client/player/player.ts';
import type { PlayerFailure } from '#client/player/player-state.ts';
import { failureText } from '../../failure-text.ts';
import { isMediaFailure, mediaFailureText } from '../../media-text.ts';
import { Button } from '../../parts/button.tsx';
import styles from './player.module.css';

function refusalText(failure: Failure): string {
  if (failure.code !== 'notPlayable') return failureText(failure);
  const { failure: code } = failure.data as { readonly failure: string };
  return `Its file ${mediaFailureText(code)}`;
}

function textOf(failure: PlayerFailure): readonly [title: string, text: string] {
  switch (failure.kind) {
    case 'refused':
      return ['The movie does not start', refusalText(failure.failure)];
    case 'undecodable':
      if (isMediaFailure(failure.detail)) {
        return ['The movie can’t go on', `Its file ${mediaFailureText(failure.detail)}`];
      }
      return [
        'This device could not play the movie',
        failure.tried.includes('transcode')
          ? 'It was sent as it is, repackaged and converted, and each time the device gave up. The file may be damaged: try another movie, and look at the libraries page for its file.'
          : 'It was sent in every way the server has for this file, and the device gave up. Try another browser or device.',
      ];
    case 'unreachable':
      return [
        'The movie does not arrive',
        'The server answers, but the movie’s data does not come through. The disk may be asleep or the line too slow. Try again in a moment.',
      ];
  }
}

interface Props {
  readonly player: Player;
  readonly title: string;
  readonly onLeave: () => void;
}

/** Why there is no picture, and what can be done. */
export function PlayerTrouble({ player, title, onLeave }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  const failure = player.failure.value;
  if (failure === null) return null;
  const [heading, text] = textOf(failure);
  return (
    <div class={styles.trouble} role="alert" ref={box} tabIndex={-1}>
      <TriangleAlert aria-hidden="true" />
      <h2>{heading}</h2>
      <p>{text}</p>
      <div class={styles.troubleActions}>
        <Button look="bright" onClick={() => player.tryAgain()}>
          Try again
        </Button>
        <Button onClick={onLeave}>{title === '' ? 'Back' : `Back to “${title}”`}</Button>
      </div>
    </div>
  );
}
