import { expect, it } from 'vitest';
import { watchElement } from './element-watch.ts';
import { PlayerState } from './player-state.ts';

/** The part of a video element that seeks: where it is sent it arrives, but for places where there is nothing to show. */
class Element extends EventTarget {
  seeking = false;
  readyState = 4;
  duration = 120;
  readonly sentTo: number[] = [];
  #at = 0;
  readonly #nothingFrom: number;
  readonly #nothingUntil: number;

  constructor(nothingFrom: number, nothingUntil: number) {
    super();
    this.#nothingFrom = nothingFrom;
    this.#nothingUntil = nothingUntil;
  }

  get currentTime(): number {
    return this.#at;
  }

  set currentTime(to: number) {
    this.sentTo.push(to);
    this.#at = to >= this.#nothingFrom && to < this.#nothingUntil ? this.#nothingUntil : to;
  }
}

function stage(nothingFrom = Infinity, nothingUntil = Infinity) {
  const state = new PlayerState();
  const element = new Element(nothingFrom, nothingUntil);
  const nothing = (): void => undefined;
  watchElement(element as unknown as HTMLVideoElement, state, {
    ...{ onPlaying: nothing, onMilestone: nothing, onMoved: nothing, onNativeDrawing: nothing },
    onEnded: () => false,
  });
  const arrive = (): void => void element.dispatchEvent(new Event('seeked'));
  return { state, element, arrive };
}

it('a seek that a new source answered with its own beginning is made again', () => {
  const { state, element, arrive } = stage();
  state.seekTargetMs = 60_000;
  arrive();
  expect(element.sentTo).toEqual([60]);
  arrive();
  expect(element.sentTo).toEqual([60]);
  expect([state.seekTargetMs, state.positionMs.peek()]).toEqual([null, 60_000]);
});

it('a place where nothing can be shown is asked for once more, and then the one behind it is good enough', () => {
  const { state, element, arrive } = stage(57, 64);
  state.seekTargetMs = 60_000;
  element.currentTime = 60;
  for (let turn = 0; turn < 5; turn++) arrive();
  expect(element.sentTo).toEqual([60, 60]);
  expect([state.seekTargetMs, state.positionMs.peek()]).toEqual([null, 64_000]);
  // The next wish is a wish again.
  state.seekTargetMs = 30_000;
  element.currentTime = 30;
  arrive();
  expect(state.positionMs.peek()).toBe(30_000);
});

it('while a newer seek is on its way nothing is asked for', () => {
  const { state, element, arrive } = stage();
  state.seekTargetMs = 60_000;
  element.seeking = true;
  arrive();
  expect(element.sentTo).toEqual([]);
  expect(state.seekTargetMs).toBe(60_000);
});
