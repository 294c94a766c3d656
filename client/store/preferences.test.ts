import { describe, expect, it } from 'vitest';
import { memoryOf } from '#test/support/memory-server.ts';
import { Preferences } from './preferences.ts';

describe('what this device remembers', () => {
  it('a choice survives the page', () => {
    const memory = memoryOf();
    const before = new Preferences(memory);
    before.volume.value = 0.35;
    before.areCaptionsOn.value = true;
    const after = new Preferences(memory);
    expect([after.volume.value, after.areCaptionsOn.value]).toEqual([0.35, true]);
  });

  it('nothing is written before something is chosen', () => {
    const memory = memoryOf();
    new Preferences(memory);
    expect(memory.values.size).toBe(0);
  });

  it('values that make no sense count as absent', () => {
    const { volume, isMuted } = new Preferences(memoryOf({ volume: '7', muted: 'maybe' }));
    expect([volume.value, isMuted.value]).toEqual([1, false]);
  });
});
