import { signal } from '@preact/signals';
import { describe, expect, it } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import { playback as calls } from '#protocol/index.ts';
import { placeIn, standInLine } from './transcode-line.ts';
import type { LineServer } from './transcode-line.ts';

/** Tells these places one after the other, and keeps what it was asked. */
function serverTelling(places: (number | null)[], asked: (number | 'leave')[]): LineServer {
  const call = (which: unknown, input: { known?: number }): Promise<{ place?: number | null }> => {
    asked.push(which === calls.leave ? 'leave' : input.known!);
    return Promise.resolve(which === calls.leave ? {} : { place: places.shift() ?? null });
  };
  return { call: call as LineServer['call'] };
}

describe('the line for a transcode', () => {
  it('[PLAY30] shows each place, and ends when it is this device’s turn', async () => {
    const [place, asked, shown] = [signal<number | null>(null), [] as (number | 'leave')[], [] as (number | null)[]];
    place.subscribe((value) => shown.push(value));
    await standInLine(serverTelling([2, 2, 1, 0], asked), 3, place, () => false);
    expect(asked).toEqual([3, 2, 2, 1]);
    expect(shown).toEqual([null, 3, 2, 1, null]);
  });

  it('[PLAY31] leaves when the person does, and asks no more', async () => {
    const [place, asked] = [signal<number | null>(null), [] as (number | 'leave')[]];
    await standInLine(serverTelling([2, 1], asked), 3, place, () => asked.length > 0);
    expect(asked).toEqual([3, 'leave']);
  });

  it('begins anew where its place is lost', async () => {
    const [place, asked] = [signal<number | null>(null), [] as (number | 'leave')[]];
    await standInLine(serverTelling([null], asked), 3, place, () => false);
    expect([asked, place.value]).toEqual([[3], null]);
  });

  it('knows refusals that waiting helps against', () => {
    expect(placeIn(new Failure('tooManyTranscodes', { running: 1, limit: 1, place: 2 }))).toBe(2);
    expect(placeIn(new Failure('tooManyTranscodes', { running: 0, limit: 0, place: null }))).toBeNull();
    expect(placeIn(new Failure('notPlayable', { failure: 'empty' }))).toBeNull();
  });
});
