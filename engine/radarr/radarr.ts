/**
 * Radarr's part, put together. Owns: how Radarr is reached, the client that asks it, and when it is asked again. `house.ts` hands in
 * what it needs and takes out handlers, routes and the feed. Rules: SPEC.md.
 */
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { radarrFeed } from '#protocol/feeds.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { radarr } from '#protocol/index.ts';
import type { RadarrEvent, RadarrStatus } from '#protocol/schema/radarr.ts';
import { digestOf, factsOf, subjectKeyOf } from './event-facts.ts';
import { dealWith } from './events.ts';
import { checkRadarr } from './folder-check.ts';
import { mappingProblem } from './path-map.ts';
import type { Places } from './placement.ts';
import type {
  FolderPort,
  HealthPort,
  LibraryPort,
  MatchPort,
  RadarrSettingStore,
  RadarrStore,
  RunningWork,
  WorkPort,
} from './ports.ts';
import { RadarrClient, RadarrFailure } from './radarr-client.ts';
import type { RadarrClientOptions } from './radarr-client.ts';
import type { WebhookMessage } from './replies.ts';
import { RadarrSettings } from './settings.ts';
import { syncAll, syncOne } from './sync.ts';
import { webhookRoutes } from './webhook.ts';
import type { WebhookRoute } from './webhook.ts';

export interface RadarrPorts {
  readonly settings: RadarrSettingStore;
  readonly store: RadarrStore;
  readonly libraries: LibraryPort;
  readonly matches: MatchPort;
  readonly folders: FolderPort;
  readonly work: WorkPort;
  readonly health: HealthPort;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RadarrOptions {
  readonly ports: RadarrPorts;
  readonly newId: () => string;
  /** Times of the client, for tests. */
  readonly client?: Pick<RadarrClientOptions, 'timeoutMs' | 'retryMs' | 'restMs'>;
}

export type RadarrEntry =
  | { readonly kind: 'status'; readonly id: 'status'; readonly status: RadarrStatus }
  | { readonly kind: 'event'; readonly id: string; readonly event: RadarrEvent };

export interface RadarrFeedSource {
  readonly feed: typeof radarrFeed;
  readonly isDurable: false;
  audienceOf(): string;
  snapshot(): Promise<{ status: RadarrStatus; events: RadarrEvent[] }>;
  onEntries(listener: (entries: readonly RadarrEntry[]) => void): () => void;
}

const HOUR_MS = 3_600_000;
/** After a message whose movie Radarr did not tell of, or while it is away. */
const MAKE_UP_MS = 5 * 60_000;
const EVENTS_SHOWN = 50;
const EVENTS_KEPT = 1_000;
const MAX_WAITING_EVENTS = 10_000;
const EVENTS_AT_ONCE = 50;
/** Movies that Radarr dropped keep their hints for this long: their files may still be here. */
const KEEP_GONE_MS = 365 * 24 * HOUR_MS;
const ALL = 'all';
const PATHS_FINDING = 'radarrPaths';
const AWAY_FINDING = 'radarrAway';

const SyncOrder = v.object({ radarrId: v.optional(v.nullable(v.number()), null) });
const EventOrder = v.object({ subjectKey: v.string() });

export class RadarrDomain implements Disposable {
  readonly #options: RadarrOptions;
  readonly #ports: RadarrPorts;
  readonly #settings: RadarrSettings;
  readonly #listeners = new Set<(entries: readonly RadarrEntry[]) => void>();
  readonly #stopListening: () => void;
  #client: RadarrClient | null = null;
  /** Counts the servers that were set: what one answered is not noted of the next. */
  #serverCount = 0;
  #timer: Timer | null = null;
  #makingUp: Timer | null = null;

  /** Reads what was set. Registers the work; none of it is begun before the queue starts. */
  static async open(options: RadarrOptions): Promise<RadarrDomain> {
    return new RadarrDomain(options, await RadarrSettings.open(options.ports.settings));
  }

  private constructor(options: RadarrOptions, settings: RadarrSettings) {
    this.#options = options;
    this.#ports = options.ports;
    this.#settings = settings;
    this.#connect();
    const { work } = this.#ports;
    work.handle('radarrSync', { concurrency: 1, title: 'Asking Radarr' }, (payload, job) => this.#sync(payload, job));
    // One at a time: the messages of a movie are dealt with in the order in which they came.
    work.handle('radarrEvent', { concurrency: 1, title: 'Messages of Radarr' }, (payload, job) =>
      this.#dealWithEvents(payload, job),
    );
    this.#stopListening = work.onReturn(() => void this.#orderWaiting());
  }

  /** Takes up what a kill cut short, and makes up for messages that did not come while we were away. Never rejects. */
  async start(): Promise<void> {
    await this.#orderWaiting();
    if (this.#client !== null) await this.#orderSync('normal');
    this.#plan();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#makingUp?.[Symbol.dispose]();
    this.#stopListening();
  }

  get routes(): readonly WebhookRoute[] {
    const { clock, log } = this.#ports;
    return webhookRoutes({
      secret: () => this.#settings.webhookSecret,
      keep: (message) => this.#keep(message),
      clock,
      log,
    });
  }

  readonly feedSource: RadarrFeedSource = {
    feed: radarrFeed,
    isDurable: false,
    audienceOf: () => 'all',
    snapshot: async () => ({ status: this.#settings.status, events: await this.#ports.store.events(EVENTS_SHOWN) }),
    onEntries: (listener) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    },
  };

  readonly handlers: Handlers<typeof radarr> = {
    status: () => this.#settings.status,
    configure: async ({ url, apiKey, mappings, syncEveryHours }, { fail }) => {
      const settings = this.#settings;
      for (const [index, mapping] of (mappings ?? []).entries()) {
        const problem = mappingProblem(mapping, mappings!.slice(0, index));
        if (problem !== null) return fail('badMapping', { from: mapping.from, problem });
      }
      const isElsewhere = url !== undefined && url !== null && originOf(url) !== originOf(settings.url);
      if (isElsewhere && apiKey === undefined && settings.apiKey !== null && settings.url !== null) {
        return fail('keyNeeded', {}, 'Another server is named: its own key is needed.');
      }
      const isOther = (url !== undefined && url !== settings.url) || apiKey !== undefined;
      // The key of another server is never kept beside an address that it is not for, also if this ends in between.
      if (apiKey !== undefined) await settings.setApiKey(null);
      await settings.change({
        ...(url === undefined ? {} : { url }),
        ...(mappings === undefined ? {} : { mappings }),
        ...(syncEveryHours === undefined ? {} : { syncEveryHours }),
      });
      if (apiKey !== undefined) await settings.setApiKey(apiKey);
      if (isOther) {
        this.#serverCount++;
        await settings.forgetFacts();
        this.#ports.health.clear(AWAY_FINDING);
        this.#ports.health.clear(PATHS_FINDING);
        this.#connect();
      }
      this.#plan();
      this.#tellStatus();
      if (this.#client !== null && (isOther || mappings !== undefined)) await this.#orderSync('click');
      return settings.status;
    },
    check: async (_input, { signal, fail }) => {
      // Not the one that may be resting after failures: a person wants to know how it is now.
      const client = this.#newClient();
      if (client === null) return fail('radarrTrouble', { reason: 'notSet', detail: null });
      try {
        const result = await checkRadarr(this.#ports, client, await this.#places(), signal);
        await this.#heard({ instance: result.instanceName, version: result.version });
        this.#connect();
        return result;
      } catch (error) {
        if (!(error instanceof RadarrFailure)) throw error;
        await this.#failed(error);
        return fail('radarrTrouble', { reason: error.reason, detail: error.detail });
      }
    },
    openWebhook: async () => {
      const secret = randomBytes(32).toString('base64url');
      await this.#settings.setWebhookSecret(secret);
      this.#tellStatus();
      return { secret };
    },
    closeWebhook: async () => {
      await this.#settings.setWebhookSecret(null);
      this.#tellStatus();
      return this.#settings.status;
    },
    sync: async ({ radarrId }, { fail }) => {
      if (this.#client === null) return fail('radarrTrouble', { reason: 'notSet', detail: null });
      await this.#ports.work.order([
        radarrId === undefined
          ? { kind: 'radarrSync', payload: {}, key: ALL, urgency: 'click' }
          : { kind: 'radarrSync', payload: { radarrId }, key: String(radarrId), urgency: 'click' },
      ]);
      return {};
    },
    events: async ({ limit }) => ({ events: await this.#ports.store.events(limit) }),
  };

  // Asking.

  #newClient(): RadarrClient | null {
    const { url, apiKey } = this.#settings;
    return url === null || apiKey === null ? null : new RadarrClient({ url, apiKey, ...this.#options.client });
  }

  #connect(): void {
    this.#client = this.#newClient();
  }

  async #places(): Promise<Places> {
    return { mappings: this.#settings.mappings, libraries: await this.#ports.libraries.list() };
  }

  async #heard({ instance, version }: { readonly instance: string; readonly version: string }): Promise<void> {
    await this.#settings.setFacts({ instanceName: instance, version, trouble: null });
    this.#ports.health.clear(AWAY_FINDING);
    this.#tellStatus();
  }

  async #failed({ reason, detail }: RadarrFailure): Promise<void> {
    await this.#settings.setFacts({ trouble: { reason, detail } });
    this.#ports.health.set({
      id: AWAY_FINDING,
      severity: 'warning',
      title: 'Radarr can’t be asked about its movies.',
      action:
        'Open Settings, Radarr: it says what is the matter. New files are still found by the libraries’ own scans.',
    });
    this.#tellStatus();
  }

  // Syncs.

  #plan(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#ports.clock
      .every(this.#settings.syncEveryHours * HOUR_MS, () => {
        if (this.#client !== null) void this.#orderSync('normal');
      })
      .unref();
  }

  /** Never rejects: where the queue is away, the next sync comes with its return or by the clock. */
  async #orderSync(urgency: 'click' | 'normal', delayMs: number = 0): Promise<void> {
    try {
      await this.#ports.work.order([{ kind: 'radarrSync', payload: {}, key: ALL, urgency, delayMs }]);
    } catch (error) {
      this.#ports.log.warn('a sync with Radarr could not be ordered', { error });
    }
  }

  async #sync(payload: unknown, job: RunningWork): ReturnType<Parameters<WorkPort['handle']>[2]> {
    const client = this.#client;
    const server = this.#serverCount;
    if (client === null) return { kind: 'done', note: 'Radarr is not set up.' };
    const { radarrId } = v.parse(SyncOrder, payload);
    const places = await this.#places();
    try {
      if (radarrId !== null) {
        const instance =
          this.#settings.facts.instanceName ?? (await client.status(job.signal)).instanceName ?? 'Radarr';
        const isThere = await syncOne(this.#ports, { client, places, signal: job.signal }, instance, radarrId);
        return { kind: 'done', note: isThere ? 'One movie was read.' : 'Radarr does not have this movie.' };
      }
      const result = await syncAll(this.#ports, {
        client,
        places,
        job,
        onStatus: async (status) => {
          if (server === this.#serverCount) await this.#heard(status);
        },
      });
      // Another server was set meanwhile, and its own sync ordered with it.
      if (server !== this.#serverCount) return { kind: 'done', note: 'Another Radarr was set meanwhile.' };
      await this.#settings.setFacts({ lastSync: result });
      this.#tellStatus();
      this.#showPaths(result.unplaced);
      await this.#ports.store.pruneEvents(EVENTS_KEPT);
      await this.#ports.store.pruneMovies(KEEP_GONE_MS);
      await this.#orderWaiting();
      return { kind: 'done', note: `${result.movies} movies, ${result.known} of ${result.files} files are here.` };
    } catch (error) {
      if (!(error instanceof RadarrFailure) || server !== this.#serverCount) throw error;
      await this.#failed(error);
      return ['away', 'slow', 'broken'].includes(error.reason)
        ? { kind: 'later', afterMs: MAKE_UP_MS, why: error.words }
        : { kind: 'done', note: error.words };
    }
  }

  #showPaths(unplaced: number): void {
    if (unplaced === 0) return this.#ports.health.clear(PATHS_FINDING);
    this.#ports.health.set({
      id: PATHS_FINDING,
      severity: 'warning',
      title: `${unplaced === 1 ? 'A file' : `${unplaced} files`} of Radarr’s can’t be found in any library.`,
      action: 'Open Settings, Radarr, and have its folders checked: it says which of them needs a mapping.',
    });
  }

  // Messages.

  /** [HOOK3] Resolves when the message is in the database; what it brings about comes after. */
  async #keep(message: WebhookMessage): Promise<boolean> {
    let isKept = false;
    try {
      isKept = await this.#write(message);
      return isKept;
    } finally {
      if (!isKept) this.#makeUpLater();
    }
  }

  /** A message was lost, and Radarr does not repeat it: everything is looked at, a while later. */
  #makeUpLater(): void {
    this.#makingUp ??= this.#ports.clock
      .after(MAKE_UP_MS, () => {
        this.#makingUp = null;
        if (this.#client !== null) void this.#orderSync('normal');
      })
      .unref();
  }

  async #write(message: WebhookMessage): Promise<boolean> {
    const { store, log } = this.#ports;
    if ((await store.waitingCount()) >= MAX_WAITING_EVENTS) return false;
    const facts = factsOf(message);
    const id = this.#options.newId();
    const subjectKey = subjectKeyOf(facts);
    const isNew = await store.addEvent({
      id,
      kind: facts.kind,
      subjectKey,
      subject: facts.title ?? message.message,
      isUpgrade: message.isUpgrade,
      digest: digestOf(facts, message),
      facts,
    });
    if (!isNew) return true;
    // Radarr waits for none of this; should it fail, the message is dealt with at the queue's return, the next sync or start.
    void this.#afterKeeping(id, subjectKey).catch((error: unknown) =>
      log.warn('a message of Radarr waits: its work could not be ordered', { error }),
    );
    return true;
  }

  async #afterKeeping(eventId: string, subjectKey: string): Promise<void> {
    await this.#ports.work.order([eventOrder(subjectKey)]);
    await this.#tellEvent(eventId);
  }

  async #orderWaiting(): Promise<void> {
    const { store, work, log } = this.#ports;
    try {
      const keys = await store.waitingSubjects();
      if (keys.length > 0) await work.order(keys.map(eventOrder));
    } catch (error) {
      log.warn('messages of Radarr wait: their work could not be ordered', { error });
    }
  }

  async #dealWithEvents(payload: unknown, job: RunningWork): ReturnType<Parameters<WorkPort['handle']>[2]> {
    const { store } = this.#ports;
    const { subjectKey } = v.parse(EventOrder, payload);
    let dealtWith = 0;
    for (;;) {
      const events = await store.waitingEvents(subjectKey, EVENTS_AT_ONCE);
      if (events.length === 0) return { kind: 'done', note: `${dealtWith} dealt with.` };
      const places = await this.#places();
      for (const event of events) {
        job.signal.throwIfAborted();
        const { outcome, path } = await dealWith(this.#ports, event, {
          client: this.#client,
          places,
          instance: this.#settings.facts.instanceName,
          signal: job.signal,
          onFailure: async (failure) => {
            await this.#failed(failure);
            await this.#orderSync('normal', MAKE_UP_MS);
          },
        });
        await store.endEvent(event.id, outcome, path);
        dealtWith++;
        await this.#tellEvent(event.id);
      }
    }
  }

  // Telling.

  #tellStatus(): void {
    this.#tell({ kind: 'status', id: 'status', status: this.#settings.status });
  }

  async #tellEvent(eventId: string): Promise<void> {
    if (this.#listeners.size === 0) return;
    const event = await this.#ports.store.event(eventId);
    if (event) this.#tell({ kind: 'event', id: eventId, event });
  }

  #tell(entry: RadarrEntry): void {
    for (const listener of this.#listeners) listener([entry]);
  }
}

const eventOrder = (subjectKey: string) =>
  // What a Radarr calls itself may hold any letter; a key of the queue may not.
  ({ kind: 'radarrEvent', payload: { subjectKey }, key: encodeURIComponent(subjectKey) || 'none' }) as const;

/** Scheme, host and port; what is sent to one is not for another. */
const originOf = (url: string | null): string | null => (url === null ? null : (URL.parse(url)?.origin ?? null));
