/**
 * What somebody most likely means while they type, and what they looked for before. Owns the answer to the latest text: an answer to
 * an older one is dropped, and the old answer stays in sight until the new one came.
 */
import { batch, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { Infer, OutputOf } from '#protocol/contract.ts';
import { search } from '#protocol/methods/search.ts';
import type { CollectionCard } from '#protocol/schema/collection.ts';
import type { PersonCard } from '#protocol/schema/person.ts';
import type { Cinema } from './cinema.ts';
import type { Link, Memory, Server } from './ports.ts';

export type Suggestion = OutputOf<typeof search.suggest>['suggestions'][number];

/** Typing this long without a pause is one question. */
const TYPING_MS = 50;
/** Longer than this, and people are told that it takes longer. */
const SLOW_MS = 1_200;
const SUGGESTIONS = 8;
const REMEMBERED = 8;
const MAX_LENGTH = 200;

export interface Suggested {
  /** What was asked. */
  readonly text: string;
  readonly suggestions: readonly Suggestion[];
}

export class SuggestionStore {
  readonly #server: Server;
  readonly #memory: Memory;
  readonly #name: string;
  readonly #suggested = signal<Suggested | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #isSlow = signal(false);
  readonly #recent = signal<readonly string[]>([]);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #slowTimer: ReturnType<typeof setTimeout> | undefined;
  #abort = new AbortController();

  constructor(server: Server, memory: Memory, userId: string) {
    this.#server = server;
    this.#memory = memory;
    this.#name = `searches.${userId}`;
    this.#recent.value = readRecent(memory.read(this.#name));
  }

  /** The latest answer, `null` while nothing was asked. */
  get suggested(): ReadonlySignal<Suggested | null> {
    return this.#suggested;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  get isSlow(): ReadonlySignal<boolean> {
    return this.#isSlow;
  }

  /** What was looked for on this device, the latest first. */
  get recent(): ReadonlySignal<readonly string[]> {
    return this.#recent;
  }

  ask(typed: string): void {
    const text = typed.slice(0, MAX_LENGTH);
    this.#stop();
    if (text.trim() === '') {
      batch(() => {
        this.#suggested.value = null;
        this.#failure.value = null;
      });
      return;
    }
    this.#timer = setTimeout(() => void this.#fetch(text), TYPING_MS);
  }

  remember(text: string): void {
    const kept = text.trim().slice(0, MAX_LENGTH);
    if (kept === '') return;
    const others = this.#recent.peek().filter((other) => other.toLowerCase() !== kept.toLowerCase());
    this.#keep([kept, ...others].slice(0, REMEMBERED));
  }

  forget(text: string | null): void {
    this.#keep(text === null ? [] : this.#recent.peek().filter((other) => other !== text));
  }

  dispose(): void {
    this.#stop();
  }

  #keep(recent: readonly string[]): void {
    this.#recent.value = recent;
    this.#memory.write(this.#name, recent.length === 0 ? null : JSON.stringify(recent));
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#slowTimer);
    this.#abort.abort();
    this.#isSlow.value = false;
  }

  async #fetch(text: string): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#slowTimer = setTimeout(() => {
      this.#isSlow.value = true;
    }, SLOW_MS);
    try {
      const { suggestions } = await this.#server.call(
        search.suggest,
        { query: text, limit: SUGGESTIONS },
        { signal: abort.signal },
      );
      if (abort.signal.aborted) return;
      batch(() => {
        this.#suggested.value = { text, suggestions };
        this.#failure.value = null;
      });
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!isFailure(error)) throw error;
      this.#failure.value = error;
    } finally {
      if (this.#abort === abort) {
        clearTimeout(this.#slowTimer);
        this.#isSlow.value = false;
      }
    }
  }
}

function readRecent(text: string | null): string[] {
  if (text === null) return [];
  try {
    const value: unknown = JSON.parse(text);
    const isText = (entry: unknown): entry is string => typeof entry === 'string' && entry.trim() !== '';
    return Array.isArray(value) ? value.filter(isText).slice(0, REMEMBERED) : [];
  } catch {
    return [];
  }
}

export interface Names {
  readonly people: readonly Infer<typeof PersonCard>[];
  readonly collections: readonly Infer<typeof CollectionCard>[];
}

/** People and collections of that name, the same as long as nobody looks for another. */
export function namesOf(cinema: Cinema, text: string): NameStore {
  return cinema.kept('names', text.trim(), () => new NameStore(cinema.server, cinema.link, text.trim()));
}

/** Nobody waits for these: where they cannot be had, the movies are there without them. */
export class NameStore {
  readonly #server: Server;
  readonly #text: string;
  readonly #names = signal<Names | null>(null);
  readonly #abort = new AbortController();
  readonly #stop: () => void;

  constructor(server: Server, link: Pick<Link, 'state'>, text: string) {
    this.#server = server;
    this.#text = text;
    this.#stop = link.state.subscribe((state) => {
      if (state.kind === 'live') void this.#load();
    });
  }

  get names(): ReadonlySignal<Names | null> {
    return this.#names;
  }

  dispose(): void {
    this.#stop();
    this.#abort.abort();
  }

  async #load(): Promise<void> {
    if (this.#text === '') return;
    try {
      const { people, collections } = await this.#server.call(
        search.find,
        { query: this.#text, limit: 1 },
        { signal: this.#abort.signal },
      );
      this.#names.value = { people, collections };
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  }
}
