/**
 * Arrow keys as a remote control: inside `[data-spatial]`, and anywhere in an open dialog, they move the focus to the nearest thing in
 * that direction, so that every screen works from a sofa. Selects, sliders and menus keep them; a line of text keeps left and right.
 * A field that they came to they also leave, without changing it on the way, and there Enter does what a remote control has no other key for.
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
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"]';
/** Elements that use arrow keys themselves. */
const OWN_KEYS =
  'input[type=range], input[type=number], input[type=date], [role=combobox], textarea, select, [role=slider], [role=menu] *, [popover] *';

/** What nobody could leave who has only arrows: those that can't mean anything there go on, in selects all. */
const FIELDS = 'select, textarea, input[type=range], input[type=number], input[type=date]';

/** Up and down leave it; the other arrows move its cursor. */
const TEXT_LINE = 'input:not([type=checkbox]):not([type=radio]):not([type=submit])';

/** How far sideways a step may go for each pixel that it goes ahead. */
const SIDEWAYS = 2.2;

/** Steps closer together than this are one movement. */
const QUICK_MS = 260;

/** Lower is better; `null` when the candidate does not lie in the direction at all. `isAcross`: left and right may leave their row. */
export function stepCost(from: Box, to: Box, direction: Direction, isAcross = false): number | null {
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
  if (!isVertical && overlap <= 0 && !isAcross) return null;
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

/** The part of a screen that something stands in, where there are parts side by side. */
const partOf = (element: HTMLElement): Element | null => element.closest('main :is(nav, aside)');

/** `isAcross`: only into another part of the screen, and beside nothing there as well. */
function nearest(from: HTMLElement, direction: Direction, isAcross = false): HTMLElement | null {
  const dialog = openDialog();
  const fromBox = from.getBoundingClientRect();
  let best: HTMLElement | null = null;
  let bestCost = Infinity;
  for (const candidate of document.querySelectorAll<HTMLElement>(FOCUSABLE)) {
    if (candidate === from || candidate.tabIndex < 0) continue;
    if (dialog === null ? candidate.closest('[data-spatial]') === null : !dialog.contains(candidate)) continue;
    if (isAcross && (candidate.closest('main') === null || partOf(candidate) === partOf(from))) continue;
    const cost = stepCost(fromBox, candidate.getBoundingClientRect(), direction, isAcross);
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
    ...document.querySelectorAll<HTMLElement>(`main :is(${FOCUSABLE}):is([data-spatial] *)`),
  ].filter((candidate) => candidate.tabIndex >= 0 && isVisible(candidate));
  const isInSight = (element: HTMLElement): boolean => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  return candidates.find(isInSight) ?? candidates[0] ?? null;
}

/** Whether a field to which an arrow came has no use for this one. */
function leavesField(field: Element, direction: Direction): boolean {
  const isVertical = direction === 'up' || direction === 'down';
  if (field instanceof HTMLSelectElement) return true;
  if (!(field instanceof HTMLTextAreaElement)) return isVertical;
  const { selectionStart, selectionEnd, value } = field;
  return direction === 'up' ? selectionStart === 0 : direction === 'down' && selectionEnd === value.length;
}

/** Opens the list of a select. Where the browser wants a real key for that, as with a gamepad, the next choice is taken. */
function openList(select: HTMLSelectElement): void {
  try {
    select.showPicker();
  } catch {
    select.selectedIndex = (select.selectedIndex + 1) % select.options.length;
    for (const type of ['input', 'change']) select.dispatchEvent(new Event(type, { bubbles: true }));
  }
}

/** Enter where a keyboard has Space. Whether it did something. */
function enterField(field: Element | null): boolean {
  if (field instanceof HTMLSelectElement) openList(field);
  else if (field instanceof HTMLInputElement && field.matches('[type=checkbox], [type=radio]')) field.click();
  else return false;
  return true;
}

/** Listens on the whole page. Returns how to stop. */
export function enableSpatialKeys(): () => void {
  let lastStepAt = -Infinity;
  /** What an arrow brought the focus to, as long as it is there. */
  let reached: Element | null = null;
  const onFocus = ({ target }: FocusEvent): void => {
    if (target !== reached) reached = null;
  };
  const onKey = (event: KeyboardEvent): void => {
    const direction = DIRECTIONS[event.key];
    const isHeldDown = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    if (event.defaultPrevented || isHeldDown) return;
    const active = document.activeElement;
    const isReached = active !== null && active === reached;
    if (event.key === 'Enter' && isReached && enterField(active)) event.preventDefault();
    if (direction === undefined) return;
    const dialog = openDialog();
    const isLeft = isReached && active.matches(FIELDS) && leavesField(active, direction);
    if (active?.matches(OWN_KEYS) === true && !isLeft) return;
    // What has the focus only to be announced, as a new screen does, is no place to go on from.
    const isSomewhere =
      active instanceof HTMLElement &&
      active.localName !== 'main' &&
      (dialog?.contains(active) === true || active.tabIndex >= 0 || active.closest('[data-spatial]') !== null);
    if (isSomewhere) {
      if (active.matches(TEXT_LINE) && (direction === 'left' || direction === 'right')) return;
      if (dialog === null ? active.closest('[data-spatial]') === null : !dialog.contains(active)) return;
      const isAside = direction === 'left' || direction === 'right';
      const isInMain = dialog === null && active.closest('main') !== null;
      const next = nearest(active, direction) ?? (isAside && isInMain ? nearest(active, direction, true) : null);
      if (next === null) {
        // At the end of a form: a select would take the next of its choices.
        if (isLeft) event.preventDefault();
        return;
      }
      event.preventDefault();
      reached = next;
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
    reached = start;
    start.focus();
  };
  document.addEventListener('keydown', onKey);
  document.addEventListener('focusin', onFocus);
  return () => {
    document.removeEventListener('keydown', onKey);
    document.removeEventListener('focusin', onFocus);
  };
}
