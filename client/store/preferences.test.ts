import { describe, expect, it } from 'vitest';
import { memoryOf } from '#test/support/memory-server.ts';
import { Preferences } from './preferences.ts';

describe('what this device remembers', () => {
  it('a choice survives the page', () => {
    const memory = memoryOf();
    const before = new Preferences(memory);
    before.volume.value = 0.35;
    before.areCaptionsOn.value = true;
    before.captionSize.value = 'huge';
    const after = new Preferences(memory);
    expect([after.volume.value, after.areCaptionsOn.value, after.captionSize.value]).toEqual([0.35, true, 'huge']);
  });

  it('nothing is written before something is chosen', () => {
    const memory = memoryOf();
    new Preferences(memory);
    expect(memory.values.size).toBe(0);
  });

  it('values that make no sense count as absent', () => {
    const { volume, isMuted, captionSize } = new Preferences(
      memoryOf({ volume: '7', muted: 'maybe', captionSize: 'enormous' }),
    );
    expect([volume.value, isMuted.value, captionSize.value]).toEqual([1, false, 'medium']);
  });
});
