/** The places where this person is signed in, and their password. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { account, session } from '#protocol/methods/accounts.ts';
import type { Infer } from '#protocol/contract.ts';
import type { Session } from '#protocol/schema/account.ts';
import type { Server } from './ports.ts';

export type Place = Infer<typeof Session>;

export class PlacesStore {
  readonly #server: Server;
  readonly #places = signal<readonly Place[] | null>(null);

  constructor(server: Server) {
    this.#server = server;
  }

  /** `null` until loaded. */
  get places(): ReadonlySignal<readonly Place[] | null> {
    return this.#places;
  }

  async load(): Promise<void> {
    const { sessions } = await this.#server.call(session.list, {});
    // This place first, then the others as the server orders them.
    this.#places.value = sessions.toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent));
  }

  async end(sessionId: string): Promise<void> {
    await this.#server.call(session.endOne, { sessionId });
    this.#places.value = (this.#places.peek() ?? []).filter((place) => place.id !== sessionId);
  }

  /** Everywhere else; this place stays signed in. */
  async endOthers(): Promise<number> {
    const { ended } = await this.#server.call(session.endAll, { keepCurrent: true });
    this.#places.value = (this.#places.peek() ?? []).filter((place) => place.isCurrent);
    return ended;
  }

  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    await this.#server.call(account.changePassword, { currentPassword, newPassword });
    await this.load();
  }
}
