/** How metadata is fetched, and whether it can be: the key, languages, and what a person may change about it. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { metadata } from '#protocol/methods/metadata.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { InputOf, OutputOf } from '#protocol/contract.ts';
import type { Link, Server } from './ports.ts';

export type MetadataState = OutputOf<typeof metadata.settings>;
export type MetadataChanges = InputOf<typeof metadata.configure>;

/**
 * Lets the language of the browser that sets the server up be the one of the movies, until somebody chooses another. Nobody waits for
 * it, and where it cannot be done the settings are where they were.
 */
export async function proposeLanguage(server: Server, browserLanguage: string): Promise<void> {
  const proposal = languageOf(browserLanguage);
  if (proposal === null) return;
  try {
    const { isLanguageChosen } = await server.call(metadata.settings, {});
    if (!isLanguageChosen) await server.call(metadata.configure, proposal);
  } catch (error) {
    if (!isFailure(error)) throw error;
  }
}

/** `de` is German as in Germany; `null` where the tag names no language and country that TMDB knows by two letters. */
export function languageOf(tag: string): { readonly language: string; readonly country: string } | null {
  try {
    const { language, region } = new Intl.Locale(tag).maximize();
    if (!/^[a-z]{2}$/.test(language) || region === undefined || !/^[A-Z]{2}$/.test(region)) return null;
    return { language: `${language}-${region}`, country: region };
  } catch {
    return null; // not a well-formed tag
  }
}

/** How long before TMDB is said to be asked again this looks whether it answers. */
const LOOK_AGAIN_MS = 15_000;

export class MetadataSettingsStore {
  readonly #server: Server;
  readonly #settings = signal<MetadataState | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #stop: () => void;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(server: Server, link: Pick<Link, 'state'>) {
    this.#server = server;
    this.#stop = link.state.subscribe((state) => {
      if (state.kind === 'live') void this.load();
    });
  }

  /** `null` until the first reply. */
  get settings(): ReadonlySignal<MetadataState | null> {
    return this.#settings;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  async load(): Promise<void> {
    try {
      this.#take(await this.#server.call(metadata.settings, {}));
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.code !== 'disconnected' && error.code !== 'cancelled') this.#failure.value = error;
    }
  }

  /** Fails with `keyRefused`, `notReachable` or `setByEnvironment`. */
  async configure(changes: MetadataChanges): Promise<void> {
    this.#take(await this.#server.call(metadata.configure, changes));
  }

  dispose(): void {
    clearTimeout(this.#again);
    this.#stop();
  }

  #take(settings: MetadataState): void {
    this.#settings.value = settings;
    this.#failure.value = null;
    clearTimeout(this.#again);
    if (settings.state === 'away') this.#again = setTimeout(() => void this.load(), LOOK_AGAIN_MS);
  }
}
