import { describe, expect, it } from 'vitest';
import { stepCost } from './spatial.ts';
import type { Box, Direction } from './spatial.ts';

const box = (left: number, top: number, width = 100, height = 60): Box => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

/** A grid of tiles with a gap, and a narrow button above its left end. */
const tiles = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => box(column * 120, 100 + row * 80)));
const button = box(0, 0, 60, 40);

function step(from: Box, direction: Direction): Box | null {
  let best: Box | null = null;
  let least = Infinity;
  for (const candidate of [button, ...tiles]) {
    const cost = candidate === from ? null : stepCost(from, candidate, direction);
    if (cost !== null && cost < least) [best, least] = [candidate, cost];
  }
  return best;
}

describe('arrow keys', () => {
  it('go to the neighbour in each direction', () => {
    expect(step(tiles[4]!, 'left')).toBe(tiles[3]);
    expect(step(tiles[4]!, 'right')).toBe(tiles[5]);
    expect(step(tiles[4]!, 'up')).toBe(tiles[1]);
    expect(step(tiles[4]!, 'down')).toBe(tiles[7]);
  });

  it('left and right end with the row, they do not wrap into another', () => {
    expect(step(tiles[2]!, 'right')).toBeNull();
    expect(step(tiles[3]!, 'left')).toBeNull();
  });

  it('upwards from any column the row above that is shorter is found', () => {
    expect(step(tiles[0]!, 'up')).toBe(button);
    expect(step(tiles[2]!, 'up')).toBe(button);
    expect(step(button, 'down')).toBe(tiles[0]);
  });

  it('between parts of a screen left and right may leave the row, in their direction', () => {
    const beside = box(400, 300);
    expect(stepCost(button, beside, 'right')).toBeNull();
    expect(stepCost(button, beside, 'right', true)).toBeGreaterThan(stepCost(button, box(400, 100), 'right', true)!);
    expect(stepCost(beside, button, 'right', true)).toBeNull();
  });

  it('below the last row there is nothing', () => {
    expect(step(tiles[7]!, 'down')).toBeNull();
  });
});
