/** What people set about Radarr, and what was last heard of it. Owns both; everything is in the database before it counts. */
import * as v from 'valibot';
import { Secret } from '#engine/base/secret.ts';
import { PathMapping, RadarrSync, RadarrTrouble } from '#protocol/schema/radarr.ts';
import type { RadarrStatus } from '#protocol/schema/radarr.ts';
import type { RadarrSettingStore } from './ports.ts';

const SETTINGS = 'radarr';
const FACTS = 'radarrFacts';
const API_KEY = 'radarrApiKey';
const WEBHOOK_SECRET = 'radarrWebhookSecret';

const orNull = <S extends v.GenericSchema>(schema: S) => v.fallback(v.optional(v.nullable(schema), null), null);

const StoredSettings = v.object({
  url: orNull(v.string()),
  mappings: v.fallback(v.array(PathMapping), []),
  syncEveryHours: v.fallback(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(168)), 6),
});
type StoredSettings = v.InferOutput<typeof StoredSettings>;

const StoredFacts = v.object({
  instanceName: orNull(v.string()),
  version: orNull(v.string()),
  trouble: orNull(RadarrTrouble),
  lastSync: orNull(RadarrSync),
});
export type RadarrFacts = v.InferOutput<typeof StoredFacts>;

const NO_FACTS: RadarrFacts = { instanceName: null, version: null, trouble: null, lastSync: null };

export class RadarrSettings {
  readonly #store: RadarrSettingStore;
  #settings: StoredSettings;
  #facts: RadarrFacts;
  #apiKey: Secret | null;
  #webhookSecret: Secret | null;

  static async open(store: RadarrSettingStore): Promise<RadarrSettings> {
    const [settings, facts, apiKey, webhookSecret] = await Promise.all([
      store.read(SETTINGS),
      store.read(FACTS),
      store.readSealed(API_KEY),
      store.readSealed(WEBHOOK_SECRET),
    ]);
    const known = v.safeParse(StoredFacts, facts);
    return new RadarrSettings(store, {
      settings: v.parse(StoredSettings, typeof settings === 'object' && settings !== null ? settings : {}),
      facts: known.success ? known.output : NO_FACTS,
      apiKey: apiKey === null ? null : new Secret(apiKey),
      webhookSecret: webhookSecret === null ? null : new Secret(webhookSecret),
    });
  }

  private constructor(
    store: RadarrSettingStore,
    known: { settings: StoredSettings; facts: RadarrFacts; apiKey: Secret | null; webhookSecret: Secret | null },
  ) {
    this.#store = store;
    this.#settings = known.settings;
    this.#facts = known.facts;
    this.#apiKey = known.apiKey;
    this.#webhookSecret = known.webhookSecret;
  }

  get url(): string | null {
    return this.#settings.url;
  }

  get apiKey(): Secret | null {
    return this.#apiKey;
  }

  get mappings(): readonly PathMapping[] {
    return this.#settings.mappings;
  }

  get syncEveryHours(): number {
    return this.#settings.syncEveryHours;
  }

  get webhookSecret(): Secret | null {
    return this.#webhookSecret;
  }

  get facts(): RadarrFacts {
    return this.#facts;
  }

  get status(): RadarrStatus {
    return {
      ...this.#facts,
      ...this.#settings,
      hasApiKey: this.#apiKey !== null,
      isWebhookOpen: this.#webhookSecret !== null,
    };
  }

  async change(change: Partial<StoredSettings>): Promise<void> {
    const next = { ...this.#settings, ...change };
    await this.#store.write(SETTINGS, next);
    this.#settings = next;
  }

  async setApiKey(key: string | null): Promise<void> {
    await this.#store.writeSealed(API_KEY, key);
    this.#apiKey = key === null ? null : new Secret(key);
  }

  async setWebhookSecret(secret: string | null): Promise<void> {
    await this.#store.writeSealed(WEBHOOK_SECRET, secret);
    this.#webhookSecret = secret === null ? null : new Secret(secret);
  }

  async setFacts(change: Partial<RadarrFacts>): Promise<void> {
    const next = { ...this.#facts, ...change };
    if (JSON.stringify(next) === JSON.stringify(this.#facts)) return;
    await this.#store.write(FACTS, next);
    this.#facts = next;
  }

  /** Another server: what was known of the one before is not known of it. */
  async forgetFacts(): Promise<void> {
    await this.setFacts(NO_FACTS);
  }
}
