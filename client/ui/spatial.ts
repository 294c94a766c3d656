/**
 * Arrow keys as a remote control: inside `[data-spatial]`, and anywhere in an open dialog, they move the focus to the nearest thing in
 * that direction, so that every screen works from a sofa. Selects, sliders and menus keep them; a line of text keeps left and right.
 */

export type Direction = 'up' | 'down' | 'left' | 'right';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};

const FOCUSABLE =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), summary, [tabindex="0"]';
/** Elements that use arrow keys themselves. */
const OWN_KEYS =
  'input[type=range], input[type=number], input[type=date], [role=combobox], textarea, select, [role=slider], [role=menu] *, [popover] *';

/** Up and down leave it; the other arrows move its cursor. */
const TEXT_LINE = 'input:not([type=checkbox]):not([type=radio]):not([type=submit])';

/** How far sideways a step may go for each pixel that it goes ahead. */
const SIDEWAYS = 2.2;

/** Steps closer together than this are one movement. */
const QUICK_MS = 260;

/** Lower is better; `null` when the candidate does not lie in the direction at all. */
export function stepCost(from: Box, to: Box, direction: Direction): number | null {
  const isVertical = direction === 'up' || direction === 'down';
  const ahead =
    direction === 'down'
      ? to.top - from.bottom
      : direction === 'up'
        ? from.top - to.bottom
        : direction === 'right'
          ? to.left - from.right
          : from.left - to.right;
  // A little overlap is allowed: shadows and focus rings make neighbours touch.
  if (ahead < -8) return null;
  const overlap = isVertical
    ? Math.min(from.right, to.right) - Math.max(from.left, to.left)
    : Math.min(from.bottom, to.bottom) - Math.max(from.top, to.top);
  // Left and right stay in their row; up and down may go to a row that is shorter.
  if (!isVertical && overlap <= 0) return null;
  const middle = isVertical
    ? Math.abs((from.left + from.right) / 2 - (to.left + to.right) / 2)
    : Math.abs((from.top + from.bottom) / 2 - (to.top + to.bottom) / 2);
  return Math.max(0, ahead) + (overlap > 0 ? middle * 0.25 : middle * SIDEWAYS);
}

function isVisible(element: HTMLElement): boolean {
  return element.checkVisibility({ visibilityProperty: true }) && element.closest('[inert]') === null;
}

/** The dialog on top, which keeps the focus inside; else `null`. */
const openDialog = (): HTMLElement | null => [...document.querySelectorAll<HTMLElement>('dialog[open]')].at(-1) ?? null;

function nearest(from: HTMLElement, direction: Direction): HTMLElement | null {
  const dialog = openDialog();
  const fromBox = from.getBoundingClientRect();
  let best: HTMLElement | null = null;
  let bestCost = Infinity;
  for (const candidate of document.querySelectorAll<HTMLElement>(FOCUSABLE)) {
    if (candidate === from || candidate.tabIndex < 0) continue;
    if (dialog === null ? candidate.closest('[data-spatial]') === null : !dialog.contains(candidate)) continue;
    const cost = stepCost(fromBox, candidate.getBoundingClientRect(), direction);
    if (cost !== null && cost < bestCost && isVisible(candidate)) {
      best = candidate;
      bestCost = cost;
    }
  }
  return best;
}

/** Whatever is to do here first: what a screen says itself, else what is in sight, else what is there at all. */
function firstThing(): HTMLElement | null {
  const candidates = [
    ...document.querySelectorAll<HTMLElement>('[data-spatial-start]'),
    ...document.querySelectorAll<HTMLElement>(`main [data-spatial] :is(${FOCUSABLE})`),
  ].filter((candidate) => candidate.tabIndex >= 0 && isVisible(candidate));
  const isInSight = (element: HTMLElement): boolean => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  return candidates.find(isInSight) ?? candidates[0] ?? null;
}

/** Listens on the whole page. Returns how to stop. */
export function enableSpatialKeys(): () => void {
  let lastStepAt = -Infinity;
  const onKey = (event: KeyboardEvent): void => {
    const direction = DIRECTIONS[event.key];
    const isHeldDown = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    if (direction === undefined || event.defaultPrevented || isHeldDown) return;
    const active = document.activeElement;
    const dialog = openDialog();
    if (active?.matches(OWN_KEYS) === true) return;
    // What has the focus only to be announced, as a new screen does, is no place to go on from.
    const isSomewhere =
      active instanceof HTMLElement &&
      (dialog?.contains(active) === true || active.tabIndex >= 0 || active.closest('[data-spatial]') !== null);
    if (isSomewhere) {
      if (active.matches(TEXT_LINE) && (direction === 'left' || direction === 'right')) return;
      if (dialog === null ? active.closest('[data-spatial]') === null : !dialog.contains(active)) return;
      const next = nearest(active, direction);
      if (next === null) return;
      event.preventDefault();
      next.focus({ preventScroll: true });
      // Quick presses outrun a smooth scroll, and then the next row is not drawn yet.
      const isQuick = event.timeStamp - lastStepAt < QUICK_MS;
      lastStepAt = event.timeStamp;
      next.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: isQuick ? 'instant' : 'smooth' });
      return;
    }
    if (dialog !== null) return;
    // Nothing is focused: the first press shows where one is.
    const start = firstThing();
    if (start === null) return;
    event.preventDefault();
    start.focus();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
