import { expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { HealthBoard } from './health-board.ts';

const finding = (id: string, severity: 'info' | 'warning' | 'error', title = id) => ({
  id,
  severity,
  title,
  action: 'mend it',
});

it('shows the worst first, then the oldest', async () => {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  for (const [id, severity] of [
    ['a', 'info'],
    ['b', 'error'],
    ['c', 'warning'],
    ['d', 'error'],
  ] as const) {
    board.set(finding(id, severity));
    await clock.advance(1_000);
  }
  expect(board.items().map(({ id }) => id)).toEqual(['b', 'd', 'c', 'a']);
});

it('tells of what changed and keeps since when it holds', async () => {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  const heard: unknown[] = [];
  const stop = board.onEntries((entries) => heard.push(...entries));
  const since = clock.nowMs();
  board.set(finding('a', 'warning'));
  await clock.advance(5_000);
  board.set(finding('a', 'warning'));
  board.set(finding('a', 'error', 'worse'));
  board.clear('a');
  board.clear('a');
  expect(heard).toEqual([
    { kind: 'health', id: 'a', item: { ...finding('a', 'warning'), since } },
    { kind: 'health', id: 'a', item: { ...finding('a', 'error', 'worse'), since } },
    { kind: 'health', id: 'a', item: null },
  ]);
  stop();
  board.set(finding('b', 'info'));
  expect(heard).toHaveLength(3);
});
