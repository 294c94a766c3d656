import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Feed } from '#protocol/contract.ts';
import type { Marker } from '#protocol/schema/moments.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { PlaybackPreferences } from '#protocol/schema/preferences.ts';
import type { FollowHandlers } from '#client/store/ports.ts';
import { SkipMarks } from './skip-marks.ts';

const FILE = '01890000-0000-7000-8000-00000000000a';
const INTRO: Marker = { kind: 'intro', startMs: 30_000, endMs: 90_000, source: 'detected', confidence: 90 };
const CREDITS: Marker = { kind: 'credits', startMs: 500_000, endMs: 600_000, source: 'chapters', confidence: 95 };

let stage: ReturnType<typeof setUp>;
beforeEach(() => {
  vi.useFakeTimers();
  stage = setUp();
});
afterEach(() => {
  stage.marks.dispose();
  vi.useRealTimers();
});

function setUp(markers: readonly Marker[] = [INTRO, CREDITS]) {
  const wishes = signal(DEFAULT_PREFERENCES);
  const feeds = new Map<string, FollowHandlers<Feed>>();
  const player = {
    playback: signal({ fileId: FILE, markers } as unknown as Playback),
    positionMs: signal(0),
    durationMs: signal(603_000),
    isPlaying: signal(true),
    rate: signal(1),
    seekTo: vi.fn((ms: number) => {
      player.positionMs.value = ms;
    }),
  };
  const marks = new SkipMarks(
    {
      follow: (feed, _key, handlers) => {
        feeds.set(feed.name, handlers);
        return () => undefined;
      },
    },
    player,
    'movie',
    wishes,
  );
  const prefer = (skips: Partial<PlaybackPreferences['skips']>): void => {
    wishes.value = { ...DEFAULT_PREFERENCES, skips: { ...DEFAULT_PREFERENCES.skips, ...skips } };
  };
  /** As a player does, four times a second. */
  const playTo = (ms: number): void => {
    for (let at = player.positionMs.peek(); at < ms; at += 250) player.positionMs.value = at;
    player.positionMs.value = ms;
  };
  return { player, marks, feeds, prefer, playTo };
}

describe('[PLAY94] the credits that end a movie', () => {
  it('roll until it has ended: what is said of the next movie meanwhile, or refused, is said once', () => {
    const { player, marks, prefer } = stage;
    const rollingAt = (ms: number): boolean => {
      player.positionMs.value = ms;
      return marks.isRollingOut;
    };
    expect([499_000, 500_000, 597_000, 599_500, 602_900].map(rollingAt)).toEqual([false, true, true, true, true]);
    prefer({ credits: 'nothing' });
    expect(marks.isRollingOut).toBe(false);
    prefer({ credits: 'offer' });
    // Something follows them.
    player.durationMs.value = 700_000;
    expect(rollingAt(599_000)).toBe(false);
  });
});

describe('marks while playing', () => {
  it('[PLAY68] are offered for ten seconds when playing runs into them, and skipped by a press', async () => {
    const { player, marks, playTo } = stage;
    expect(marks.offer.value).toBeNull();
    playTo(30_100);
    expect(marks.offer.value).toEqual(INTRO);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(marks.offer.value).toBeNull();
    expect(marks.current.value).toEqual(INTRO);
    expect(player.seekTo).not.toHaveBeenCalled();
    expect(marks.skip()).toBe(true);
    expect(player.seekTo).toHaveBeenCalledExactlyOnceWith(90_000);
    expect(marks.current.value).toBeNull();
    expect(marks.skip()).toBe(false);
  });

  it('[PLAY68] skip nothing by themselves unless the person said so, and then once', () => {
    const { player, marks, prefer, playTo } = stage;
    prefer({ intro: 'skip' });
    playTo(30_250);
    expect(player.seekTo).toHaveBeenCalledExactlyOnceWith(90_000);
    // Who goes back to see it sees it, and may still skip it.
    player.positionMs.value = 20_000;
    playTo(31_000);
    expect(player.seekTo).toHaveBeenCalledTimes(1);
    expect(marks.offer.value).toEqual(INTRO);
  });

  it('[PLAY68] are not skipped for whoever seeks into one', () => {
    const { player, marks, prefer } = stage;
    prefer({ intro: 'skip' });
    player.positionMs.value = 10_000;
    player.positionMs.value = 50_000;
    expect(player.seekTo).not.toHaveBeenCalled();
    expect(marks.offer.value).toEqual(INTRO);
  });

  it('[PLAY68] are not offered where the person wants nothing of it, nor in their last moments', () => {
    const { marks, prefer, playTo, player } = stage;
    prefer({ intro: 'nothing' });
    playTo(40_000);
    expect(marks.current.value).toBeNull();
    player.positionMs.value = 599_000;
    expect(marks.current.value).toBeNull();
  });

  it('[PLAY67] change while the movie plays, when somebody corrects them', () => {
    const { marks, feeds, playTo } = stage;
    playTo(35_000);
    expect(marks.offer.value).toEqual(INTRO);
    const corrected = { ...INTRO, startMs: 60_000, source: 'person' as const };
    feeds.get('moments')!.onEntries([{ kind: 'markers', id: FILE, markers: [corrected] }]);
    expect(marks.offer.value).toBeNull();
    expect(marks.markers).toEqual([corrected]);
    playTo(60_000);
    expect(marks.offer.value).toEqual(corrected);
  });
});
