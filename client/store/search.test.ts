import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import type { Memory, Server } from './ports.ts';
import { SuggestionStore } from './search.ts';

const text = (suggestions: SuggestionStore) => suggestions.suggested.value?.suggestions.map((one) => one.text);

describe('SuggestionStore', () => {
  const held = new Map<string, string>();
  const memory: Memory = {
    read: (name) => held.get(name) ?? null,
    write: (name, value) => void (value === null ? held.delete(name) : held.set(name, value)),
  };
  let asked: {
    query: string;
    answer: (texts: string[]) => void;
    fail: (failure: Failure) => void;
    signal: AbortSignal;
  }[];
  let store: SuggestionStore;

  beforeEach(() => {
    vi.useFakeTimers();
    held.clear();
    asked = [];
    const call = (_call: unknown, input: { query: string }, options: { signal: AbortSignal }) =>
      new Promise((resolve, reject) => {
        asked.push({
          query: input.query,
          signal: options.signal,
          answer: (texts) =>
            resolve({
              suggestions: texts.map((one) => ({ kind: 'movie', id: one, text: one, detail: null, picture: null })),
            }),
          fail: reject,
        });
      });
    store = new SuggestionStore({ call } as unknown as Server, memory, 'ada');
  });
  afterEach(() => vi.useRealTimers());

  it('asks once for what is typed in one go, and not for nothing', async () => {
    store.ask('m');
    store.ask('ma');
    await vi.advanceTimersByTimeAsync(60);
    expect(asked.map(({ query }) => query)).toEqual(['ma']);
    store.ask('   ');
    await vi.advanceTimersByTimeAsync(60);
    expect(asked).toHaveLength(1);
    expect(store.suggested.value).toBeNull();
  });

  it('drops the answer to an older text, and keeps the old one in sight meanwhile', async () => {
    store.ask('ma');
    await vi.advanceTimersByTimeAsync(60);
    asked[0]!.answer(['Matrix']);
    await vi.advanceTimersByTimeAsync(0);
    store.ask('mad');
    await vi.advanceTimersByTimeAsync(60);
    expect(text(store)).toEqual(['Matrix']);
    store.ask('madm');
    expect(asked[1]!.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(60);
    asked[1]!.answer(['Madagascar']);
    await vi.advanceTimersByTimeAsync(0);
    expect(text(store)).toEqual(['Matrix']);
    asked[2]!.answer(['Mad Max']);
    await vi.advanceTimersByTimeAsync(0);
    expect(text(store)).toEqual(['Mad Max']);
  });

  it('says when it takes long, and what went wrong, until there is an answer', async () => {
    store.ask('ma');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(store.isSlow.value).toBe(true);
    asked[0]!.fail(new Failure('timeout', {}));
    await vi.advanceTimersByTimeAsync(0);
    expect(store.failure.value?.code).toBe('timeout');
    expect(store.isSlow.value).toBe(false);
    store.ask('mat');
    await vi.advanceTimersByTimeAsync(60);
    asked[1]!.answer([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.failure.value).toBeNull();
    expect(store.suggested.value?.suggestions).toEqual([]);
  });

  it('remembers the latest searches of one person on this device, each once', () => {
    for (const one of ['a', 'b', 'A', ' ', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) store.remember(one);
    expect(store.recent.value).toEqual(['i', 'h', 'g', 'f', 'e', 'd', 'c', 'A']);
    const again = new SuggestionStore({} as Server, memory, 'ada');
    expect(again.recent.value).toEqual(store.recent.value);
    expect(new SuggestionStore({} as Server, memory, 'bob').recent.value).toEqual([]);
    again.forget('h');
    expect(again.recent.value).not.toContain('h');
    again.forget(null);
    expect(held.size).toBe(0);
    held.set('searches.ada', '{"not": "a list"');
    expect(new SuggestionStore({} as Server, memory, 'ada').recent.value).toEqual([]);
  });
});
