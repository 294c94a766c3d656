/** Everyone who has an account, for those who may manage them. Not a feed: it changes only by the hand that looks at it. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { users } from '#protocol/methods/accounts.ts';
import type { Infer } from '#protocol/contract.ts';
import type { Role } from '#protocol/permission.ts';
import type { User } from '#protocol/schema/account.ts';
import type { Server } from './ports.ts';

export type Person = Infer<typeof User>;

export class PeopleStore {
  readonly #server: Server;
  readonly #people = signal<readonly Person[] | null>(null);

  constructor(server: Server) {
    this.#server = server;
  }

  /** `null` until loaded. */
  get people(): ReadonlySignal<readonly Person[] | null> {
    return this.#people;
  }

  async load(): Promise<void> {
    this.#people.value = (await this.#server.call(users.list, {})).users;
  }

  async add(name: string, password: string, role: Role): Promise<void> {
    const { user } = await this.#server.call(users.create, { name, password, role });
    this.#people.value = [...(this.#people.peek() ?? []), user];
  }

  async remove(userId: string): Promise<void> {
    await this.#server.call(users.remove, { userId });
    this.#people.value = (this.#people.peek() ?? []).filter((person) => person.id !== userId);
  }
}
