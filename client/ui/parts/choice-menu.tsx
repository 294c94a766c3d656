import { Check, ChevronLeft, ChevronRight } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Signal } from '@preact/signals';
import { classes } from '../classes.ts';
import { PopoverMenu } from './popover-menu.tsx';
import type { OpenMenu } from './popover-menu.tsx';
import styles from './popover-menu.module.css';

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

/** Something that is on or off. */
export interface Switch {
  readonly text: string;
  /** What it does, in a few words. */
  readonly note: string;
  readonly isOn: boolean;
  readonly onSwitch: (isOn: boolean) => void;
}

interface Content {
  readonly groups: readonly Group[];
  /** Many choices: one line for each group, which opens it. */
  readonly isPaged?: boolean;
  /** Below the groups. */
  readonly switches?: readonly Switch[];
  /** Below those. */
  readonly actions?: readonly Action[];
}

interface Props extends Content {
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly isOn?: boolean;
  readonly isHeld?: Signal<boolean> | undefined;
}

/** A button that opens choices above it. */
export function ChoiceMenu({ label, icon, isOn = false, isHeld, ...content }: Props) {
  /** Title of the group that is open. */
  const [page, setPage] = useState<string | null>(null);
  const onKey = (event: KeyboardEvent): void => {
    const { activeElement } = document;
    if (page === null && event.key === 'ArrowRight' && activeElement?.ariaHasPopup === 'true') {
      event.preventDefault();
      (activeElement as HTMLElement).click();
    } else if (page !== null && (event.key === 'ArrowLeft' || event.key === 'Backspace')) {
      event.preventDefault();
      setPage(null);
    }
  };
  return (
    <PopoverMenu label={label} icon={icon} isOn={isOn} isHeld={isHeld} onKey={onKey}>
      {(menu) => <Choices menu={menu} page={page} onPage={setPage} {...content} />}
    </PopoverMenu>
  );
}

interface ChoicesProps extends Content {
  readonly menu: OpenMenu;
  readonly page: string | null;
  readonly onPage: (page: string | null) => void;
}

function Choices({ menu, page, onPage, groups, isPaged = false, switches = [], actions = [] }: ChoicesProps) {
  useEffect(() => {
    if (!menu.isOpen) onPage(null);
  }, [menu.isOpen]);

  // Another page has other things in it: the focus goes along.
  const left = useRef<string | null>(null);
  useEffect(() => {
    if (menu.isOpen) menu.focusFirst();
    left.current = page;
  }, [page]);

  const optionsOf = (group: Group) =>
    group.options.map(([value, text, unavailable]) => (
      <button
        key={value}
        type="button"
        role="menuitemradio"
        tabIndex={-1}
        aria-checked={value === group.value}
        aria-disabled={unavailable !== undefined}
        class={classes(styles.item, styles.option)}
        onClick={() => {
          if (unavailable !== undefined) return;
          group.onValue(value);
          menu.close();
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
  if (opened !== undefined) {
    return (
      <div role="group" aria-label={opened.title}>
        <button
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={classes(styles.item, styles.back)}
          aria-label="Back to all settings"
          onClick={() => onPage(null)}
        >
          <ChevronLeft aria-hidden="true" />
          <span>{opened.title}</span>
        </button>
        {optionsOf(opened)}
      </div>
    );
  }
  return (
    <>
      {groups.map((group) =>
        isPaged ? (
          <button
            key={group.title}
            type="button"
            role="menuitem"
            tabIndex={-1}
            aria-haspopup="true"
            data-left={left.current === group.title ? '' : undefined}
            class={classes(styles.item, styles.line)}
            onClick={() => onPage(group.title)}
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
      )}
      {switches.map(({ text, note, isOn, onSwitch }) => (
        <button
          key={text}
          type="button"
          role="menuitemcheckbox"
          tabIndex={-1}
          aria-checked={isOn}
          class={classes(styles.item, styles.option)}
          onClick={() => {
            onSwitch(!isOn);
            menu.close();
          }}
        >
          <Check aria-hidden="true" />
          <span>
            {text}
            <small>{note}</small>
          </span>
        </button>
      ))}
      {actions.map(({ text, state, onDo }) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={classes(styles.item, styles.line)}
          onClick={() => {
            menu.close();
            onDo();
          }}
        >
          <span>{text}</span>
          {state !== undefined && <span class={styles.state}>{state}</span>}
        </button>
      ))}
    </>
  );
}
