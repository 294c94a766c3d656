/**
 * How this person likes to watch, the same on every device, and what failed on their devices. A change shows at once; what the server does
 * not take is taken back. Volume and the like belong to the device: `preferences.ts`.
 */
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { preferencesFeed } from '#protocol/feeds/preferences.ts';
import { preferences as calls } from '#protocol/methods/preferences.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { PlaybackLesson, PlaybackPreferences, PreferenceChanges } from '#protocol/schema/preferences.ts';
import type { Cinema } from './cinema.ts';
import type { Server } from './ports.ts';

/** Of the person who is signed in; followed from the first screen that asks. */
export function wishesOf(cinema: Cinema): WishStore {
  return cinema.kept('wishes', '', () => new WishStore(cinema.server));
}

export class WishStore {
  readonly #server: Server;
  /** As the server said last; `null` until the first snapshot. */
  readonly #confirmed = signal<PlaybackPreferences | null>(null);
  /** Changes on their way, in order. */
  readonly #pending = signal<readonly PreferenceChanges[]>([]);
  readonly #lessons = signal<readonly PlaybackLesson[]>([]);
  readonly #shown = computed(() =>
    this.#pending.value.reduce<PlaybackPreferences>(join, this.#confirmed.value ?? DEFAULT_PREFERENCES),
  );
  readonly #unfollow: () => void;

  constructor(server: Server) {
    this.#server = server;
    this.#unfollow = server.follow(preferencesFeed, null, {
      onSnapshot: ({ preferences, lessons }) => {
        this.#lessons.value = lessons;
        this.#confirmed.value = preferences;
      },
      onEntries: (entries) => {
        for (const entry of entries) {
          if (entry.kind === 'preferences') this.#confirmed.value = entry.preferences;
          else this.#takeLesson(entry.id, entry.lesson);
        }
      },
    });
  }

  /** Whether the server has said what is set. Until then `preferences` are those of somebody who has set nothing. */
  get isKnown(): boolean {
    return this.#confirmed.value !== null;
  }

  get preferences(): ReadonlySignal<PlaybackPreferences> {
    return this.#shown;
  }

  /** The latest first. */
  get lessons(): ReadonlySignal<readonly PlaybackLesson[]> {
    return this.#lessons;
  }

  /** Fails as the call does; what was shown meanwhile is then taken back. */
  async change(changes: PreferenceChanges): Promise<void> {
    this.#pending.value = [...this.#pending.peek(), changes];
    try {
      const { preferences } = await this.#server.call(calls.change, changes);
      this.#confirmed.value = preferences;
    } finally {
      this.#pending.value = this.#pending.peek().filter((one) => one !== changes);
    }
  }

  /** Forgets one lesson, or all of them; returns how many the server had. */
  async forget(lessonId: string | null): Promise<number> {
    const { forgotten } = await this.#server.call(calls.forget, lessonId === null ? {} : { lessonId });
    return forgotten;
  }

  dispose(): void {
    this.#unfollow();
  }

  #takeLesson(id: string, lesson: PlaybackLesson | null): void {
    const others = this.#lessons.peek().filter((one) => one.id !== id);
    this.#lessons.value = lesson === null ? others : [lesson, ...others];
  }
}

function join(preferences: PlaybackPreferences, changes: PreferenceChanges): PlaybackPreferences {
  const said = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...preferences, ...(Object.fromEntries(said) as Partial<PlaybackPreferences>) };
}
