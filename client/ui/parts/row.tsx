import { ChevronLeft, ChevronRight } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { IconButton } from './button.tsx';
import styles from './row.module.css';

interface Props {
  readonly title: string;
  /** How wide its things are: posters, wide pictures, or round faces. */
  readonly shape?: 'poster' | 'wide' | 'face';
  /** How many there are; the reach of the row is measured anew when it changes. */
  readonly length: number;
  readonly aside?: ComponentChildren;
  /** List items. */
  readonly children: ComponentChildren;
}

/** A row that scrolls sideways: by touch, wheel, arrow keys, or its two buttons. */
export function Row({ title, shape = 'poster', length, aside, children }: Props) {
  const headingId = useId();
  const row = useRef<HTMLUListElement>(null);
  const [reach, setReach] = useState({ back: false, on: false });

  useEffect(() => {
    const element = row.current;
    if (element === null) return;
    const measure = (): void => {
      const hidden = element.scrollWidth - element.clientWidth;
      // Right-to-left rows scroll into negative numbers.
      const at = Math.abs(element.scrollLeft);
      setReach({ back: at > 4, on: at < hidden - 4 });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [length]);

  const turn = (direction: 1 | -1): void => {
    const element = row.current;
    if (element === null) return;
    const sign = getComputedStyle(element).direction === 'rtl' ? -1 : 1;
    element.scrollBy({ left: direction * sign * element.clientWidth * 0.85, behavior: 'smooth' });
  };

  return (
    <section class={styles.shelf} aria-labelledby={headingId}>
      <header class={styles.header}>
        <h2 id={headingId}>{title}</h2>
        {aside}
        {(reach.back || reach.on) && (
          <span class={styles.turns}>
            <IconButton label={`${title}: back`} disabled={!reach.back} tabIndex={-1} onClick={() => turn(-1)}>
              <ChevronLeft aria-hidden="true" />
            </IconButton>
            <IconButton label={`${title}: forward`} disabled={!reach.on} tabIndex={-1} onClick={() => turn(1)}>
              <ChevronRight aria-hidden="true" />
            </IconButton>
          </span>
        )}
      </header>
      <ul class={styles.row} data-shape={shape} ref={row} data-spatial>
        {children}
      </ul>
    </section>
  );
}
