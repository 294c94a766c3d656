import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NextUp, Streak } from './next-up.ts';
import type { NextMovie } from './next-up.ts';

describe('what is played next', () => {
  const second = { movieId: '2', title: 'The Second' };
  let streak: Streak;
  let played: NextMovie[];
  const nextUp = () => new NextUp<NextMovie>(streak, (movie) => played.push(movie));

  beforeEach(() => {
    vi.useFakeTimers();
    streak = new Streak();
    played = [];
  });
  afterEach(() => vi.useRealTimers());

  it('[PLAY94] begins by itself after ten seconds that are counted down', () => {
    const next = nextUp();
    next.offer(second);
    expect(next.state.value).toEqual({ kind: 'counting', movie: second, secondsLeft: 10 });
    vi.advanceTimersByTime(9_000);
    expect(next.state.value).toMatchObject({ secondsLeft: 1 });
    expect(played).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(played).toEqual([second]);
    expect(next.state.value).toEqual({ kind: 'none' });
  });

  it('[PLAY94] who declines stays, and is not asked again at this end', () => {
    const next = nextUp();
    next.offer(second);
    vi.advanceTimersByTime(4_000);
    next.decline();
    next.offer(second);
    vi.advanceTimersByTime(60_000);
    expect(played).toEqual([]);
    expect(next.state.value).toEqual({ kind: 'declined' });
  });

  it('[PLAY94] a movie that plays on before the count is over takes the offer back, and its end makes it again', () => {
    const next = nextUp();
    next.offer(second);
    next.withdraw();
    vi.advanceTimersByTime(60_000);
    expect(played).toEqual([]);
    next.offer(second);
    expect(next.state.value.kind).toBe('counting');
  });

  it('[PLAY95] after two that began by themselves somebody is asked for, and nothing begins without an answer', () => {
    for (let movie = 0; movie < 2; movie++) {
      nextUp().offer(second);
      vi.advanceTimersByTime(10_000);
    }
    expect(played).toHaveLength(2);
    const next = nextUp();
    next.offer(second);
    expect(next.state.value.kind).toBe('asking');
    vi.advanceTimersByTime(3_600_000);
    expect(played).toHaveLength(2);
    next.accept();
    expect(played).toHaveLength(3);
    nextUp().offer(second);
    expect(streak.isLong).toBe(false);
  });

  it('[PLAY95] a touch in between counts as somebody', () => {
    for (let movie = 0; movie < 3; movie++) {
      streak.touched();
      nextUp().offer(second);
      vi.advanceTimersByTime(10_000);
    }
    expect(played).toHaveLength(3);
  });
});
