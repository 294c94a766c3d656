import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import { classes } from '../classes.ts';
import { menuItems, moveInMenu } from '../menu-keys.ts';
import { IconButton } from './button.tsx';
import styles from './popover-menu.module.css';

/** Left free beside it. */
const AIR_PX = 8;

export interface OpenMenu {
  readonly isOpen: boolean;
  readonly close: () => void;
  /** To what counts now, else to where one came from, else to the first thing. */
  readonly focusFirst: () => void;
}

interface Props {
  readonly label: string;
  /** Where the menu is not called as its button is. */
  readonly menuLabel?: string;
  readonly icon: ComponentChildren;
  readonly isOn?: boolean;
  /** Pictures in it: as wide as it may be. */
  readonly isWide?: boolean;
  /** Told as long as it is open. */
  readonly isHeld?: Signal<boolean> | undefined;
  /** Asked before the keys of every menu; a key that it has used is prevented. */
  readonly onKey?: (event: KeyboardEvent) => void;
  readonly children: (menu: OpenMenu) => ComponentChildren;
}

/** A button that opens a menu above it. The browser's own popover closes it on Escape and on a click elsewhere. */
export function PopoverMenu({
  label,
  menuLabel = label,
  icon,
  isOn = false,
  isWide = false,
  isHeld,
  onKey,
  children,
}: Props) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const place = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);

  const settle = (): void => {
    const element = popover.current;
    const box = place.current?.getBoundingClientRect();
    if (element === null || box === undefined) return;
    const endPx = Math.max(AIR_PX, innerWidth - box.right);
    element.style.setProperty('--end', `${endPx}px`);
    element.style.setProperty('--bottom', `${innerHeight - box.top + AIR_PX}px`);
    // Of a button further left the menu would begin outside of a narrow window.
    const outsidePx = AIR_PX - element.getBoundingClientRect().left;
    if (outsidePx > 0 && element.matches(':popover-open')) {
      element.style.setProperty('--end', `${Math.max(AIR_PX, endPx - outsidePx)}px`);
    }
  };

  const focusFirst = (): void => {
    const element = popover.current;
    const current = element?.querySelector<HTMLElement>('[aria-current=true]');
    current?.scrollIntoView({ block: 'center' });
    (
      current ??
      element?.querySelector<HTMLElement>('[role=menuitemradio][aria-checked=true]') ??
      element?.querySelector<HTMLElement>('[data-left]') ??
      menuItems(element)[0]
    )?.focus();
  };

  useEffect(() => {
    const element = popover.current;
    if (element === null) return;
    const onToggle = (event: Event): void => {
      const opened = (event as ToggleEvent).newState === 'open';
      setOpen(opened);
      if (isHeld !== undefined) isHeld.value = opened;
    };
    element.addEventListener('toggle', onToggle);
    return () => {
      element.removeEventListener('toggle', onToggle);
      if (isHeld !== undefined) isHeld.value = false;
    };
  }, []);

  // At once, not with the next frame: an arrow key in between would still move among what the menu opened from.
  useLayoutEffect(() => {
    if (!isOpen) return;
    focusFirst();
    // What is in it may have come with its opening, and a window turns with the phone.
    settle();
    addEventListener('resize', settle);
    return () => removeEventListener('resize', settle);
  }, [isOpen]);

  const close = (): void => popover.current?.hidePopover();
  return (
    <span class={styles.place} ref={place}>
      <IconButton
        label={label}
        class={classes(isOn && styles.on)}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => {
          popover.current?.togglePopover();
          // The browser tells of it a moment later.
          setOpen(popover.current?.matches(':popover-open') === true);
          settle();
        }}
      >
        {icon}
      </IconButton>
      <div
        ref={popover}
        id={id}
        popover="auto"
        class={classes(styles.menu, isWide && styles.wide)}
        role="menu"
        tabIndex={-1}
        aria-label={menuLabel}
        onKeyDown={(event) => {
          onKey?.(event);
          if (event.defaultPrevented) return;
          if (event.key === 'Tab') close();
          else moveInMenu(event, popover.current);
        }}
      >
        {/* oxlint-disable-next-line react/refs -- they are called when something happens, not while it is drawn */}
        {children({ isOpen, close, focusFirst })}
      </div>
    </span>
  );
}
