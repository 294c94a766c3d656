import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { moveInMenu } from '../menu-keys.ts';
import { IconButton } from './button.tsx';
import styles from './menu.module.css';

export interface MenuItem {
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly onChoose: () => void;
  /** A line above it. */
  readonly isApart?: boolean;
}

/** Left free around it. */
const AIR_PX = 16;

/** Opens the list towards a side that has room for it; where neither has, it stands where the window has, and scrolls only if that is too low. */
function place(list: HTMLElement, opener: HTMLElement): void {
  const { top, bottom } = opener.getBoundingClientRect();
  const bar = document.querySelector('header')?.getBoundingClientRect().bottom ?? 0;
  const below = innerHeight - bottom - AIR_PX;
  const above = top - bar - AIR_PX;
  const { scrollHeight, offsetHeight, clientHeight } = list;
  const wholeHeight = scrollHeight + offsetHeight - clientHeight;
  const isUp = wholeHeight > below && wholeHeight <= above;
  const room = isUp ? above : innerHeight - bar - 2 * AIR_PX;
  list.dataset['up'] = String(isUp);
  list.style.setProperty('--room', `${room}px`);
  list.style.setProperty('--lift', `${isUp ? 0 : Math.max(0, Math.min(wholeHeight, room) - below)}px`);
}

interface Props {
  /** What it is a menu of. */
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly items: readonly MenuItem[];
}

/** A button that opens a list of things to do. Arrow keys move in it, Escape and a click beside it close it. */
export function Menu({ label, icon, items }: Props) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const list = useRef<HTMLDivElement>(null);

  const close = (givesBackFocus: boolean): void => {
    setOpen(false);
    if (givesBackFocus) box.current?.querySelector('button')?.focus();
  };

  // The page below an open menu still changes: what arrives late moves its opener, a window turns with the phone.
  useLayoutEffect(() => {
    const [opener, element] = [box.current, list.current];
    if (!isOpen || opener === null || element === null) return;
    const settle = (): void => place(element, opener);
    settle();
    const observer = new ResizeObserver(settle);
    observer.observe(document.body);
    observer.observe(element);
    addEventListener('resize', settle);
    return () => {
      observer.disconnect();
      removeEventListener('resize', settle);
    };
  }, [isOpen]);

  // At once, not with the next frame: a key in between would be of what the menu opened from.
  useLayoutEffect(() => {
    if (!isOpen) return;
    list.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const onPointer = (event: PointerEvent): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) !== true) close(false);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [isOpen]);

  return (
    <span
      class={styles.box}
      ref={box}
      onFocusOut={(event) => {
        const isInside = event.relatedTarget instanceof Node && box.current?.contains(event.relatedTarget) === true;
        if (isOpen && event.relatedTarget !== null && !isInside) close(false);
      }}
    >
      <IconButton
        label={label}
        class={styles.opener}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => (isOpen ? close(true) : setOpen(true))}
      >
        {icon}
      </IconButton>
      {isOpen && (
        <div
          id={id}
          class={styles.list}
          role="menu"
          aria-label={label}
          tabIndex={-1}
          ref={list}
          onKeyDown={(event) => {
            if (moveInMenu(event, list.current) || event.key !== 'Escape') return;
            event.preventDefault();
            event.stopPropagation();
            close(true);
          }}
        >
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              data-apart={item.isApart === true}
              onClick={() => {
                close(true);
                item.onChoose();
              }}
            >
              {item.icon}
              <span>{item.label}</span>
            </button>
          ))}
        </div>
      )}
    </span>
  );
}
