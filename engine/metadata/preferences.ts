/** How metadata is fetched, as people set it. Owns: the preferences and where the key is from. What the environment says wins. */
import * as v from 'valibot';
import { Secret } from '#engine/base/secret.ts';
import type { SettingPort } from './ports.ts';

export interface Preferences {
  readonly language: string;
  readonly fallbackLanguage: string | null;
  readonly country: string;
  readonly writesNfoBesideMovies: boolean;
}

const DEFAULTS: Preferences = {
  language: 'en-US',
  // Of help as soon as another language is chosen.
  fallbackLanguage: 'en-US',
  country: 'US',
  writesNfoBesideMovies: false,
};

/** What is kept may be from another version: what does not fit is as if it were not there. */
const Kept = v.object({
  language: v.fallback(v.pipe(v.string(), v.regex(/^[a-z]{2}(-[A-Z]{2})?$/)), DEFAULTS.language),
  fallbackLanguage: v.fallback(
    v.nullable(v.pipe(v.string(), v.regex(/^[a-z]{2}(-[A-Z]{2})?$/))),
    DEFAULTS.fallbackLanguage,
  ),
  country: v.fallback(v.pipe(v.string(), v.regex(/^[A-Z]{2}$/)), DEFAULTS.country),
  writesNfoBesideMovies: v.fallback(v.boolean(), DEFAULTS.writesNfoBesideMovies),
  isLanguageChosen: v.fallback(v.boolean(), true),
});

const NAME = 'metadata';
const KEY_NAME = 'tmdbKey';

export class MetadataPreferences {
  readonly #settings: SettingPort;
  readonly #environmentKey: Secret | null;
  #values: Preferences;
  #isLanguageChosen: boolean;
  #ownKey: Secret | null;

  private constructor(
    settings: SettingPort,
    environmentKey: Secret | null,
    values: Preferences,
    isLanguageChosen: boolean,
    ownKey: Secret | null,
  ) {
    this.#settings = settings;
    this.#environmentKey = environmentKey;
    this.#values = values;
    this.#isLanguageChosen = isLanguageChosen;
    this.#ownKey = ownKey;
  }

  static async open(settings: SettingPort, environmentKey: Secret | null): Promise<MetadataPreferences> {
    const kept = v.safeParse(Kept, await settings.read(NAME));
    const key = await settings.readSealed(KEY_NAME);
    const values = kept.success ? kept.output : DEFAULTS;
    const ownKey = key === null ? null : new Secret(key);
    return new MetadataPreferences(
      settings,
      environmentKey,
      values,
      kept.success && kept.output.isLanguageChosen,
      ownKey,
    );
  }

  get values(): Preferences {
    return this.#values;
  }

  get isLanguageChosen(): boolean {
    return this.#isLanguageChosen;
  }

  get key(): Secret | null {
    return this.#environmentKey ?? this.#ownKey;
  }

  get keyFrom(): 'environment' | 'settings' | null {
    return this.#environmentKey !== null ? 'environment' : this.#ownKey !== null ? 'settings' : null;
  }

  async change(change: Partial<Preferences>): Promise<void> {
    this.#values = { ...this.#values, ...change };
    this.#isLanguageChosen ||= change.language !== undefined;
    await this.#settings.write(NAME, { ...this.#values, isLanguageChosen: this.#isLanguageChosen });
  }

  async changeKey(key: Secret | null): Promise<void> {
    await this.#settings.writeSealed(KEY_NAME, key?.reveal() ?? null);
    this.#ownKey = key;
  }
}
