/**
 * Whether names of keys help the person: beside something to hover with there is a keyboard, and where a letter was typed there is one, too.
 * On a phone, or with a remote control, they would only be noise.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

/** Arrows, digits and Enter are on remote controls as well, and what a gamepad presses comes from no hand on a keyboard. */
export function tellsOfKeyboard({ key, isTrusted }: Pick<KeyboardEvent, 'key' | 'isTrusted'>): boolean {
  return isTrusted && /^[\p{L}?<>,.]$/u.test(key);
}

/** A phone's own keyboard comes up for a line to type in. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof Element && target.matches('input, textarea, [contenteditable]');

let hasKeyboard: ReadonlySignal<boolean> | undefined;

export function keyboardHere(): ReadonlySignal<boolean> {
  if (hasKeyboard !== undefined) return hasKeyboard;
  const known = signal(matchMedia('(any-hover: hover)').matches);
  const onKey = (event: KeyboardEvent): void => {
    if (!tellsOfKeyboard(event) || isTyping(event.target)) return;
    known.value = true;
    document.removeEventListener('keydown', onKey, { capture: true });
  };
  if (!known.peek()) document.addEventListener('keydown', onKey, { capture: true });
  hasKeyboard = known;
  return known;
}

/** `Mute (M)` where there is an M to press. */
export function withKey(text: string, key: string): string {
  return keyboardHere().value ? `${text} (${key})` : text;
}
