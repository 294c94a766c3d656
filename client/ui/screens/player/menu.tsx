import { Check } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import { classes } from '../../classes.ts';
import { IconButton } from '../../parts/button.tsx';
import styles from './menu.module.css';

interface Group {
  readonly title: string;
  readonly value: string;
  /** A third part says why an option can't be chosen. */
  readonly options: readonly (readonly [value: string, text: string, unavailable?: string | undefined])[];
  readonly onValue: (value: string) => void;
}

interface Props {
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly groups: readonly Group[];
  readonly isOn?: boolean;
  readonly isHeld: Signal<boolean>;
}

/** A button that opens choices above it. The browser's own popover closes it on Escape and on a click elsewhere. */
export function Menu({ label, icon, groups, isOn = false, isHeld }: Props) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const place = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);

  useEffect(() => {
    const element = popover.current;
    if (element === null) return;
    const onToggle = (event: Event): void => {
      const opened = (event as ToggleEvent).newState === 'open';
      setOpen(opened);
      isHeld.value = opened;
      if (opened) {
        const options = element.querySelectorAll<HTMLElement>('[role=menuitemradio]');
        (element.querySelector<HTMLElement>('[aria-checked=true]') ?? options[0])?.focus();
      }
    };
    element.addEventListener('toggle', onToggle);
    return () => {
      element.removeEventListener('toggle', onToggle);
      isHeld.value = false;
    };
  }, []);

  const move = (event: KeyboardEvent): void => {
    const options = [
      ...(popover.current?.querySelectorAll<HTMLElement>('[role=menuitemradio]:not([aria-disabled=true])') ?? []),
    ];
    const at = options.indexOf(document.activeElement as HTMLElement);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: options.length - 1,
    };
    const next = steps[event.key];
    if (event.key === 'Tab') popover.current?.hidePopover();
    if (next === undefined) return;
    event.preventDefault();
    options[(next + options.length) % options.length]?.focus();
  };

  return (
    <span class={styles.place} ref={place}>
      <IconButton
        label={label}
        class={classes(isOn && styles.on)}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => {
          const element = popover.current;
          const box = place.current?.getBoundingClientRect();
          if (element === null || box === undefined) return;
          element.style.setProperty('--end', `${Math.max(8, innerWidth - box.right)}px`);
          element.style.setProperty('--bottom', `${innerHeight - box.top + 8}px`);
          element.togglePopover();
          // Of a button further left the menu would begin outside of a narrow window.
          const outside = 8 - element.getBoundingClientRect().left;
          if (outside > 0) element.style.setProperty('--end', `${Math.max(8, innerWidth - box.right - outside)}px`);
        }}
      >
        {icon}
      </IconButton>
      <div
        ref={popover}
        id={id}
        popover="auto"
        class={styles.menu}
        role="menu"
        tabIndex={-1}
        aria-label={label}
        onKeyDown={move}
      >
        {groups.map((group) => (
          <div key={group.title} role="group" aria-label={group.title}>
            <p class={styles.title} aria-hidden="true">
              {group.title}
            </p>
            {group.options.map(([value, text, unavailable]) => (
              <button
                key={value}
                type="button"
                role="menuitemradio"
                tabIndex={-1}
                aria-checked={value === group.value}
                aria-disabled={unavailable !== undefined}
                class={styles.option}
                onClick={() => {
                  if (unavailable !== undefined) return;
                  group.onValue(value);
                  popover.current?.hidePopover();
                }}
              >
                <Check aria-hidden="true" />
                <span dir="auto">
                  {text}
                  {unavailable !== undefined && <small>{unavailable}</small>}
                </span>
              </button>
            ))}
          </div>
        ))}
      </div>
    </span>
  );
}
