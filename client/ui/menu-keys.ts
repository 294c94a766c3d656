/** The keys of every menu (ARIA Authoring Practices, menu button): up and down go round, Home and End to the ends. */

const ITEMS = ':is([role=menuitem], [role=menuitemradio], [role=menuitemcheckbox]):not([aria-disabled=true])';

/** What of a menu can have the focus, in order. */
export function menuItems(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>(ITEMS) ?? [])];
}

/** The place to go to from `at` among `count`, where -1 is nowhere; `null` for a key that moves nothing. */
export function menuStep(key: string, at: number, count: number): number | null {
  if (count === 0) return null;
  switch (key) {
    case 'ArrowDown':
      return (at + 1) % count;
    case 'ArrowUp':
      return at <= 0 ? count - 1 : at - 1;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

/** Moves the focus in a menu. Whether the key was one that does. */
export function moveInMenu(event: KeyboardEvent, menu: HTMLElement | null): boolean {
  const items = menuItems(menu);
  const to = menuStep(event.key, items.indexOf(document.activeElement as HTMLElement), items.length);
  if (to === null) return false;
  event.preventDefault();
  items[to]?.focus();
  return true;
}
