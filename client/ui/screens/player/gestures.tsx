import { useEffect, useRef } from 'preact/hooks';
import styles from './player.module.css';

/** Two taps or clicks this close in time are one double. */
const DOUBLE_MS = 280;
/** A finger that rests this long wants something else than a tap. */
const HOLD_MS = 500;
/** A finger that has moved this far is on its way somewhere. */
const SWIPE_PX = 14;

interface Props {
  readonly isAwake: boolean;
  readonly onTap: () => void;
  readonly onClick: () => void;
  readonly onDoubleClick: () => void;
  readonly onSeek: (ms: number) => void;
  /** A finger rests on the picture, or no longer does. */
  readonly onHold: (isHeld: boolean) => void;
  /** A finger goes up or down on one side: by which part of the height since the last call. Up is more. */
  readonly onSwipe: (side: 'start' | 'end', share: number) => void;
}

interface Finger {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  lastY: number;
  kind: 'tap' | 'hold' | 'swipe' | 'astray';
}

/**
 * The picture itself as a control. A finger: one tap shows or hides the controls, two on a side jump and each further one jumps again,
 * resting plays at double speed, up and down change brightness on the left and volume on the right.
 * A mouse: a click plays or pauses, two make it full screen.
 */
export function Gestures({ isAwake, onTap, onClick, onDoubleClick, onSeek, onHold, onSwipe }: Props) {
  const last = useRef({ at: 0, side: 0, isJumping: false });
  const single = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const hold = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const finger = useRef<Finger | null>(null);
  useEffect(
    () => () => {
      clearTimeout(single.current);
      clearTimeout(hold.current);
    },
    [],
  );

  const lift = (): Finger['kind'] => {
    const kind = finger.current?.kind ?? 'tap';
    finger.current = null;
    clearTimeout(hold.current);
    if (kind === 'hold') onHold(false);
    return kind;
  };

  return (
    // Everything it does has a button and a key, so it is nothing to screen readers.
    <div
      class={styles.gestures}
      data-awake={isAwake}
      aria-hidden="true"
      onPointerDown={(event) => {
        if (event.pointerType !== 'touch') return;
        // A second finger makes it something that we do not know.
        if (finger.current !== null) {
          clearTimeout(hold.current);
          if (finger.current.kind === 'hold') onHold(false);
          finger.current.kind = 'astray';
          return;
        }
        const down: Finger = {
          ...{ id: event.pointerId, x: event.clientX, y: event.clientY },
          ...{ lastY: event.clientY, kind: 'tap' },
        };
        finger.current = down;
        event.currentTarget.setPointerCapture(event.pointerId);
        hold.current = setTimeout(() => {
          down.kind = 'hold';
          onHold(true);
        }, HOLD_MS);
      }}
      onPointerMove={(event) => {
        const down = finger.current;
        if (down?.id !== event.pointerId) return;
        const box = event.currentTarget.getBoundingClientRect();
        const [acrossPx, alongPx] = [Math.abs(event.clientX - down.x), Math.abs(event.clientY - down.y)];
        if (down.kind === 'tap' && Math.max(acrossPx, alongPx) > SWIPE_PX) {
          clearTimeout(hold.current);
          // From the very edge the phone itself is meant.
          const isFromEdge = down.y - box.top < box.height * 0.08 || box.bottom - down.y < box.height * 0.08;
          down.kind = alongPx > acrossPx * 1.5 && !isFromEdge ? 'swipe' : 'astray';
          down.lastY = event.clientY;
        }
        if (down.kind !== 'swipe') return;
        onSwipe(down.x < box.left + box.width / 2 ? 'start' : 'end', (down.lastY - event.clientY) / (box.height * 0.8));
        down.lastY = event.clientY;
      }}
      onPointerCancel={lift}
      onPointerUp={(event) => {
        if (event.button !== 0) return;
        const isTouch = event.pointerType === 'touch';
        if (isTouch && lift() !== 'tap') return;
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
