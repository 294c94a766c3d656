/**
 * A gamepad as a remote control. Its buttons become the keys that a remote control has, so every screen that works by keys works
 * by gamepad, too. Buttons are numbered as in the standard layout (W3C Gamepad, section 10).
 */

/** What a button is, by its number. A press of the lower button works what has the focus. */
const KEYS: ReadonlyMap<number, string> = new Map([
  [0, 'Enter'],
  [1, 'Escape'],
  [3, 'c'],
  [4, 'MediaRewind'],
  [5, 'MediaFastForward'],
  [6, 'PageDown'],
  [7, 'PageUp'],
  [9, 'MediaPlayPause'],
  [12, 'ArrowUp'],
  [13, 'ArrowDown'],
  [14, 'ArrowLeft'],
  [15, 'ArrowRight'],
]);
/** How far a stick has to lean. */
const LEAN = 0.6;
/** Held down, a direction repeats as a key does. */
const REPEAT_AFTER_MS = 400;
const REPEAT_MS = 120;
const REPEATING: ReadonlySet<string> = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight']);

/** What is read of a gamepad. */
export interface PadState {
  readonly buttons: readonly { readonly pressed: boolean }[];
  readonly axes: readonly number[];
}

/** The keys that the buttons and the left stick hold down. */
export function keysOf({ buttons, axes }: PadState): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const [index, key] of KEYS) if (buttons[index]?.pressed === true) keys.add(key);
  const [across = 0, along = 0] = axes;
  if (across <= -LEAN) keys.add('ArrowLeft');
  if (across >= LEAN) keys.add('ArrowRight');
  if (along <= -LEAN) keys.add('ArrowUp');
  if (along >= LEAN) keys.add('ArrowDown');
  return keys;
}

/** Turns what is held down from moment to moment into presses. */
export class PadKeys {
  readonly #dueAt = new Map<string, number>();

  /** The keys that are pressed at this moment. */
  read(held: ReadonlySet<string>, nowMs: number): string[] {
    for (const key of [...this.#dueAt.keys()]) if (!held.has(key)) this.#dueAt.delete(key);
    const pressed: string[] = [];
    for (const key of held) {
      const dueAt = this.#dueAt.get(key);
      if (dueAt === undefined) {
        pressed.push(key);
        this.#dueAt.set(key, nowMs + REPEAT_AFTER_MS);
      } else if (REPEATING.has(key) && nowMs >= dueAt) {
        pressed.push(key);
        this.#dueAt.set(key, nowMs + REPEAT_MS);
      }
    }
    return pressed;
  }
}

function press(key: string): void {
  const target = document.activeElement ?? document.body;
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
  const isFree = target.dispatchEvent(event);
  if (!isFree) return;
  // What a browser does with a key by itself it does not do with ours.
  if (key === 'Enter' && target instanceof HTMLElement && target.matches('a, button, summary, [role^=menuitem]')) {
    target.click();
  } else if (key === 'Escape') {
    const dialog = [...document.querySelectorAll<HTMLDialogElement>('dialog[open]')].at(-1);
    const popover = document.querySelector<HTMLElement>(':popover-open');
    if (popover !== null) popover.hidePopover();
    else if (dialog !== undefined) dialog.close();
    else history.back();
  }
}

/** Listens as long as a gamepad is there. Returns how to stop. */
export function enableGamepads(): () => void {
  const keys = new PadKeys();
  let frame: number | null = null;
  const look = (nowMs: number): void => {
    const pads = navigator.getGamepads().filter((pad) => pad !== null);
    const held = new Set(pads.flatMap((pad) => [...keysOf(pad)]));
    if (document.hasFocus()) for (const key of keys.read(held, nowMs)) press(key);
    frame = pads.length === 0 ? null : requestAnimationFrame(look);
  };
  const onConnected = (): void => {
    frame ??= requestAnimationFrame(look);
  };
  addEventListener('gamepadconnected', onConnected);
  if ('getGamepads' in navigator && navigator.getGamepads().some((pad) => pad !== null)) onConnected();
  return () => {
    removeEventListener('gamepadconnected', onConnected);
    if (frame !== null) cancelAnimationFrame(frame);
  };
}
