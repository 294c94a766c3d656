import { describe, expect, it } from 'vitest';
import { PadKeys, keysOf } from './gamepad.ts';

const pad = (pressed: readonly number[], axes: readonly number[] = [0, 0]) => ({
  buttons: Array.from({ length: 16 }, (_, index) => ({ pressed: pressed.includes(index) })),
  axes,
});

describe('a gamepad', () => {
  it.each<[string, Parameters<typeof keysOf>[0], string[]]>([
    ['the lower button', pad([0]), ['Enter']],
    ['the right button goes back', pad([1]), ['Escape']],
    ['the cross', pad([12, 15]), ['ArrowUp', 'ArrowRight']],
    ['the stick', pad([], [-0.9, 0.1]), ['ArrowLeft']],
    ['a stick that trembles', pad([], [0.2, -0.3]), []],
    ['a pad without sticks', pad([9], []), ['MediaPlayPause']],
  ])('[PLAY90] %s', (_, state, expected) => {
    expect([...keysOf(state)]).toEqual(expected);
  });

  it('[PLAY90] a direction that is held repeats as a key does, a button does not', () => {
    const keys = new PadKeys();
    const held = new Set(['ArrowRight', 'Enter']);
    expect(keys.read(held, 0)).toEqual(['ArrowRight', 'Enter']);
    expect(keys.read(held, 300)).toEqual([]);
    expect(keys.read(held, 400)).toEqual(['ArrowRight']);
    expect(keys.read(held, 450)).toEqual([]);
    expect(keys.read(held, 520)).toEqual(['ArrowRight']);
    expect(keys.read(new Set(), 600)).toEqual([]);
    expect(keys.read(held, 610)).toEqual(['ArrowRight', 'Enter']);
  });
});
