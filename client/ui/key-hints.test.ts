import { describe, expect, it } from 'vitest';
import { tellsOfKeyboard } from './key-hints.ts';

describe('[PLAY90] names of keys', () => {
  it.each(['k', 'M', '?', '<', 'ö'])('a hand that types %s has a keyboard', (key) => {
    expect(tellsOfKeyboard({ key, isTrusted: true })).toBe(true);
  });

  it.each(['ArrowUp', 'Enter', 'Escape', '5', ' ', 'MediaPlayPause', 'GoBack', 'Unidentified'])(
    'a remote control has %s, too',
    (key) => {
      expect(tellsOfKeyboard({ key, isTrusted: true })).toBe(false);
    },
  );

  it('a gamepad, whose buttons are turned into keys, is none', () => {
    expect(tellsOfKeyboard({ key: 'k', isTrusted: false })).toBe(false);
  });
});
