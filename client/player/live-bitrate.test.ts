import { describe, expect, it } from 'vitest';
import { LiveBitrate } from './live-bitrate.ts';

describe('the bit rate of the moment', () => {
  it('[PLAY96] is that of picture and sound near the place that plays', () => {
    const live = new LiveBitrate();
    expect(live.bps(0)).toBeNull();
    live.add('main', 0, 2, 500_000);
    live.add('main', 2, 2, 1_000_000);
    live.add('audio', 0, 4, 64_000);
    live.add('main', 100, 2, 9_000_000);
    expect(live.bps(2)).toBe(3_000_000 + 128_000);
  });

  it('[PLAY96] a segment that is loaded again in another variant counts once', () => {
    const live = new LiveBitrate();
    live.add('main', 0, 2, 4_000_000);
    live.add('main', 0, 2, 250_000);
    expect(live.bps(0)).toBe(1_000_000);
  });
});
