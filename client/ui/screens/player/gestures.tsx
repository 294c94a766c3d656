import { useRef } from 'preact/hooks';
import styles from './player.module.css';

/** Two taps or clicks this close in time are one double. */
const DOUBLE_MS = 280;

interface Props {
  readonly isAwake: boolean;
  readonly onTap: () => void;
  readonly onClick: () => void;
  readonly onDoubleClick: () => void;
  readonly onSeek: (ms: number) => void;
}

/**
 * The picture itself as a control. A finger: one tap shows or hides the controls, two on a side jump, and each further one jumps again.
 * A mouse: a click plays or pauses, two make it full screen.
 */
export function Gestures({ isAwake, onTap, onClick, onDoubleClick, onSeek }: Props) {
  const last = useRef({ at: 0, side: 0, isJumping: false });
  const single = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return (
    // Everything it does has a button and a key, so it is nothing to screen readers.
    <div
      class={styles.gestures}
      data-awake={isAwake}
      aria-hidden="true"
      onPointerUp={(event) => {
        if (event.button !== 0) return;
        const isTouch = event.pointerType === 'touch';
        const box = event.currentTarget.getBoundingClientRect();
        const along = (event.clientX - box.left) / box.width;
        const side = along < 0.35 ? -1 : along > 0.65 ? 1 : 0;
        const isDouble =
          event.timeStamp - last.current.at < DOUBLE_MS * (last.current.isJumping ? 2 : 1) &&
          last.current.side === side;
        last.current = { at: event.timeStamp, side, isJumping: isDouble && isTouch && side !== 0 };
        clearTimeout(single.current);
        if (!isDouble) {
          single.current = setTimeout(isTouch ? onTap : onClick, isTouch ? DOUBLE_MS : 180);
        } else if (isTouch && side !== 0) onSeek(side * 10_000);
        else onDoubleClick();
      }}
    />
  );
}
