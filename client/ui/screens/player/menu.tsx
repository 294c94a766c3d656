import { Check, ChevronLeft, ChevronRight } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import { classes } from '../../classes.ts';
import { IconButton } from '../../parts/button.tsx';
import styles from './menu.module.css';

export interface Group {
  readonly title: string;
  readonly value: string;
  /** A third part says why an option can't be chosen. */
  readonly options: readonly (readonly [value: string, text: string, unavailable?: string | undefined])[];
  readonly onValue: (value: string) => void;
}

/** Something that a menu does at once. */
export interface Action {
  readonly text: string;
  /** How things are. */
  readonly state?: string | undefined;
  readonly onDo: () => void;
}

interface Props {
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly groups: readonly Group[];
  /** Many choices: one line for each group, which opens it. */
  readonly isPaged?: boolean;
  /** Below the groups. */
  readonly actions?: readonly Action[];
  readonly isOn?: boolean;
  readonly isHeld: Signal<boolean>;
}

const ITEMS = '[role=menuitemradio]:not([aria-disabled=true]), [role=menuitem]';

/** A button that opens choices above it. The browser's own popover closes it on Escape and on a click elsewhere. */
export function Menu({ label, icon, groups, isPaged = false, actions = [], isOn = false, isHeld }: Props) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const place = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);
  /** Title of the group that is open. */
  const [page, setPage] = useState<string | null>(null);

  const focusFirst = (): void => {
    const element = popover.current;
    (
      element?.querySelector<HTMLElement>('[aria-checked=true]') ??
      element?.querySelector<HTMLElement>('[data-left]') ??
      element?.querySelector<HTMLElement>(ITEMS)
    )?.focus();
  };

  useEffect(() => {
    const element = popover.current;
    if (element === null) return;
    const onToggle = (event: Event): void => {
      const opened = (event as ToggleEvent).newState === 'open';
      setOpen(opened);
      isHeld.value = opened;
      if (opened) focusFirst();
      else setPage(null);
    };
    element.addEventListener('toggle', onToggle);
    return () => {
      element.removeEventListener('toggle', onToggle);
      isHeld.value = false;
    };
  }, []);

  // Another page has other things in it: the focus goes along.
  const left = useRef<string | null>(null);
  useEffect(() => {
    if (isOpen) focusFirst();
    left.current = page;
  }, [page]);

  const move = (event: KeyboardEvent): void => {
    const options = [...(popover.current?.querySelectorAll<HTMLElement>(ITEMS) ?? [])];
    const at = options.indexOf(document.activeElement as HTMLElement);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: options.length - 1,
    };
    if (event.key === 'Tab') popover.current?.hidePopover();
    if (isPaged && page === null && event.key === 'ArrowRight' && options[at]?.ariaHasPopup === 'true') {
      event.preventDefault();
      options[at].click();
    }
    if (page !== null && (event.key === 'ArrowLeft' || event.key === 'Backspace')) {
      event.preventDefault();
      setPage(null);
    }
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    options[(next + options.length) % options.length]?.focus();
  };

  const optionsOf = (group: Group) =>
    group.options.map(([value, text, unavailable]) => (
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
    ));

  const opened = isPaged ? groups.find(({ title }) => title === page) : undefined;
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
        {opened !== undefined ? (
          <div role="group" aria-label={opened.title}>
            <button
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={styles.back}
              aria-label="Back to all settings"
              onClick={() => setPage(null)}
            >
              <ChevronLeft aria-hidden="true" />
              <span>{opened.title}</span>
            </button>
            {optionsOf(opened)}
          </div>
        ) : (
          groups.map((group) =>
            isPaged ? (
              <button
                key={group.title}
                type="button"
                role="menuitem"
                tabIndex={-1}
                aria-haspopup="true"
                data-left={left.current === group.title ? '' : undefined}
                class={styles.line}
                onClick={() => setPage(group.title)}
              >
                <span>{group.title}</span>
                <span class={styles.state} dir="auto">
                  {group.options.find(([value]) => value === group.value)?.[1]}
                </span>
                <ChevronRight aria-hidden="true" />
              </button>
            ) : (
              <div key={group.title} role="group" aria-label={group.title}>
                <p class={styles.title} aria-hidden="true">
                  {group.title}
                </p>
                {optionsOf(group)}
              </div>
            ),
          )
        )}
        {opened === undefined &&
          actions.map(({ text, state, onDo }) => (
            <button
              key={text}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={styles.line}
              onClick={() => {
                popover.current?.hidePopover();
                onDo();
              }}
            >
              <span>{text}</span>
              {state !== undefined && <span class={styles.state}>{state}</span>}
            </button>
          ))}
      </div>
    </span>
  );
}
