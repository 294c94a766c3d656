/** Radarr, for those who manage the server: how it is reached, its folders, its messages. The screen that shows it disposes of it. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Infer, InputOf } from '#protocol/contract.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import { radarrFeed } from '#protocol/feeds/radarr.ts';
import { radarr as calls } from '#protocol/methods/radarr.ts';
import type { PathMapping, RadarrCheck, RadarrEvent, RadarrStatus } from '#protocol/schema/radarr.ts';
import type { Server } from './ports.ts';

export type Status = Infer<typeof RadarrStatus>;
export type Message = Infer<typeof RadarrEvent>;
export type Check = Infer<typeof RadarrCheck>;
export type RootFolder = Check['rootFolders'][number];
export type Mapping = Infer<typeof PathMapping>;

const MOST_EVENTS = 50;

const latestFirst = (events: readonly Message[]): readonly Message[] =>
  events.toSorted((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1)).slice(0, MOST_EVENTS);

export class RadarrLink {
  readonly #server: Server;
  readonly #status = signal<Status | null>(null);
  readonly #events = signal<readonly Message[]>([]);
  readonly #check = signal<Check | null>(null);
  readonly #checkFailure = signal<Failure | null>(null);
  readonly #isChecking = signal(false);
  readonly #secret = signal<string | null>(null);
  readonly #unfollow: () => void;
  #checking = 0;

  constructor(server: Server) {
    this.#server = server;
    this.#unfollow = server.follow(radarrFeed, null, {
      onSnapshot: (snapshot) => {
        this.#status.value = snapshot.status;
        this.#events.value = latestFirst(snapshot.events);
      },
      onEntries: (entries) => {
        const byId = new Map(this.#events.peek().map((event) => [event.id, event]));
        for (const entry of entries) {
          if (entry.kind === 'status') this.#status.value = entry.status;
          else byId.set(entry.id, entry.event);
        }
        this.#events.value = latestFirst([...byId.values()]);
      },
    });
  }

  /** `null` until the first snapshot. */
  get status(): ReadonlySignal<Status | null> {
    return this.#status;
  }

  get events(): ReadonlySignal<readonly Message[]> {
    return this.#events;
  }

  /** What Radarr answered when it was asked last; `null` where it was not, or did not answer. */
  get check(): ReadonlySignal<Check | null> {
    return this.#check;
  }

  get checkFailure(): ReadonlySignal<Failure | null> {
    return this.#checkFailure;
  }

  get isChecking(): ReadonlySignal<boolean> {
    return this.#isChecking;
  }

  /** The secret that was just made: it is told once, and gone with this screen. */
  get secret(): ReadonlySignal<string | null> {
    return this.#secret;
  }

  /** Saves what changed, then asks Radarr with it. Rejects with the failure where it was not saved. */
  async configure(change: InputOf<typeof calls.configure>): Promise<void> {
    this.#status.value = await this.#server.call(calls.configure, change);
    await this.look();
  }

  /** Asks Radarr who it is and what it has. Never rejects: the failure is shown where the answer would be. */
  async look(): Promise<void> {
    const status = this.#status.peek();
    if (status === null || status.url === null || !status.hasApiKey) {
      this.#check.value = null;
      this.#checkFailure.value = null;
      return;
    }
    const checking = ++this.#checking;
    this.#isChecking.value = true;
    try {
      const check = await this.#server.call(calls.check, {});
      if (checking !== this.#checking) return;
      this.#check.value = check;
      this.#checkFailure.value = null;
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (checking !== this.#checking) return;
      this.#check.value = null;
      this.#checkFailure.value = error;
    } finally {
      if (checking === this.#checking) this.#isChecking.value = false;
    }
  }

  async useMapping(mapping: Mapping): Promise<void> {
    const mappings = this.#status.peek()?.mappings ?? [];
    await this.configure({ mappings: [...mappings.filter(({ from }) => from !== mapping.from), mapping] });
  }

  async removeMapping(mapping: Mapping): Promise<void> {
    const mappings = this.#status.peek()?.mappings ?? [];
    await this.configure({ mappings: mappings.filter(({ from }) => from !== mapping.from) });
  }

  async sync(): Promise<void> {
    await this.#server.call(calls.sync, {});
  }

  async openWebhook(): Promise<void> {
    this.#secret.value = (await this.#server.call(calls.openWebhook, {})).secret;
  }

  async closeWebhook(): Promise<void> {
    this.#status.value = await this.#server.call(calls.closeWebhook, {});
    this.#secret.value = null;
  }

  dispose(): void {
    this.#checking++;
    this.#unfollow();
  }
}
