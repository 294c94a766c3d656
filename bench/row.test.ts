import { describe, expect, it } from 'vitest';
import { toRow } from './row.ts';

describe('a bench row', () => {
  it('has a ratio above 1 where ours is better, whatever the unit', () => {
    const faster = {
      metric: 'files',
      unit: 'files/s',
      ours: 600,
      peer: 120,
      peerName: 'minidlna',
      better: 'more',
    } as const;
    expect(toRow('scan', faster)).toEqual({
      bench: 'scan',
      metric: 'files',
      unit: 'files/s',
      ours: 600,
      peer: 120,
      peerName: 'minidlna',
      ratio: 5,
    });
    expect(
      toRow('scan', { metric: 'wait', unit: 'ms', ours: 70, peer: 100, peerName: 'x', better: 'less' }).ratio,
    ).toBe(1.429);
  });

  it('says nothing about a peer that is not there', () => {
    expect(toRow('rpc', { metric: 'calls', unit: 'calls/s', ours: 12_345.678, better: 'more' })).toMatchObject({
      ours: 12_350,
      peer: null,
      peerName: null,
      ratio: null,
    });
  });
});
