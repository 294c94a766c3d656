/**
 * What this device learned follows what the server keeps of it: a lesson that the server once had and has no more was forgotten, on
 * whichever screen, and is forgotten here. One that the server never heard of stays.
 */
import { effect } from '@preact/signals';
import type { DeviceLessons } from './device-lessons.ts';
import type { WishStore } from './wishes.ts';

export class LessonFollowing {
  readonly #stop: () => void;

  /** `personId`: who is signed in; what others learned on this device is none of theirs. */
  constructor(wishes: Pick<WishStore, 'isKnown' | 'lessons'>, here: DeviceLessons, personId: string) {
    this.#stop = effect(() => {
      const lessons = wishes.lessons.value;
      if (!wishes.isKnown) return;
      const ofHere = lessons.filter(({ deviceId, browser }) => deviceId === here.deviceId && browser === here.browser);
      here.follow(
        ofHere.map(({ form }) => form),
        personId,
      );
    });
  }

  dispose(): void {
    this.#stop();
  }
}
