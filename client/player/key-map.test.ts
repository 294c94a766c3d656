import { describe, expect, it } from 'vitest';
import { SPEEDS, keyToCommand, speedAfter } from './key-map.ts';

const press = (key: string, held: Partial<Record<'ctrlKey' | 'altKey' | 'metaKey', boolean>> = {}) =>
  keyToCommand({ key, ctrlKey: false, altKey: false, metaKey: false, ...held });

describe('keys of the player', () => {
  it.each([
    [' ', { kind: 'togglePlay' }],
    ['k', { kind: 'togglePlay' }],
    ['K', { kind: 'togglePlay' }],
    ['j', { kind: 'seekBy', ms: -10_000 }],
    ['l', { kind: 'seekBy', ms: 10_000 }],
    ['ArrowLeft', { kind: 'seekBy', ms: -5_000 }],
    ['ArrowRight', { kind: 'seekBy', ms: 5_000 }],
    ['ArrowUp', { kind: 'volumeBy', share: 0.05 }],
    ['ArrowDown', { kind: 'volumeBy', share: -0.05 }],
    ['m', { kind: 'toggleMute' }],
    ['f', { kind: 'toggleFullScreen' }],
    ['c', { kind: 'toggleCaptions' }],
    ['>', { kind: 'speedBy', steps: 1 }],
    ['<', { kind: 'speedBy', steps: -1 }],
    ['.', { kind: 'frameBy', steps: 1 }],
    [',', { kind: 'frameBy', steps: -1 }],
    ['0', { kind: 'seekToShare', share: 0 }],
    ['9', { kind: 'seekToShare', share: 0.9 }],
    ['Home', { kind: 'seekToShare', share: 0 }],
    ['End', { kind: 'seekToShare', share: 1 }],
    ['i', { kind: 'toggleFacts' }],
    ['n', { kind: 'next' }],
    ['MediaTrackNext', { kind: 'next' }],
    ['a', { kind: 'nextAudio' }],
    ['b', { kind: 'markLoop' }],
    ['Enter', { kind: 'showControls' }],
    ['XF86Back', { kind: 'leave' }],
    ['MediaStop', { kind: 'leave' }],
    ['p', { kind: 'togglePictureInPicture' }],
    ['?', { kind: 'showKeys' }],
    ['Escape', { kind: 'leave' }],
  ])('%j means %o', (key, command) => {
    expect(press(key)).toEqual(command);
  });

  it('what is held with Ctrl, Alt or Meta is the browser’s', () => {
    expect(press('f', { ctrlKey: true })).toBeNull();
    expect(press('ArrowLeft', { altKey: true })).toBeNull();
    expect(press('l', { metaKey: true })).toBeNull();
  });

  it('[PLAY90] up and down are the volume of a keyboard, and the way to the buttons of a remote control', () => {
    const key = { key: 'ArrowUp', ctrlKey: false, altKey: false, metaKey: false };
    expect(keyToCommand(key)).toEqual({ kind: 'volumeBy', share: 0.05 });
    expect(keyToCommand(key, true)).toEqual({ kind: 'showControls' });
    expect(keyToCommand({ ...key, key: 'ArrowLeft' }, true)).toEqual({ kind: 'seekBy', ms: -5_000 });
  });

  it.each(['Tab', 'x', 'F5', 'Shift'])('%s means nothing', (key) => {
    expect(press(key)).toBeNull();
  });

  it('speeds go up and down their row and stop at its ends', () => {
    expect(speedAfter(1, 1)).toBe(1.25);
    expect(speedAfter(1, -1)).toBe(0.75);
    expect(speedAfter(2, 1)).toBe(2.5);
    expect(speedAfter(3, 1)).toBe(3);
    expect(speedAfter(0.25, -1)).toBe(0.25);
    expect(speedAfter(1.1, 1)).toBe(1.25);
    expect(SPEEDS).toContain(1);
  });
});
