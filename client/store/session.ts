/**
 * Who is signed in here. Owns the way from an unknown server to a signed-in person, and back.
 *
 * starting → unreachable (tries again by itself) | unclaimed (no admin yet) | signedOut | signedIn
 */
import { computed, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { session as sessionCalls } from '#protocol/methods/accounts.ts';
import { server as serverCalls, setup } from '#protocol/methods/server.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { Permission } from '#protocol/permission.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { Link, Server } from './ports.ts';

export type SessionState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'unreachable'; readonly failure: Failure }
  | { readonly kind: 'unclaimed' }
  | { readonly kind: 'signedOut'; readonly hasEnded: boolean }
  | { readonly kind: 'signedIn'; readonly viewer: Viewer };

/** Waiting times between tries to reach a server that does not answer. */
const RETRY_MS = [1_000, 2_000, 3_000, 5_000] as const;

export class SessionStore {
  readonly #server: Pick<Server, 'request'>;
  readonly #link: Link;
  readonly #state = signal<SessionState>({ kind: 'starting' });
  readonly serverName = signal('Matinee');
  readonly serverVersion = signal('');
  readonly viewer: ReadonlySignal<Viewer | null> = computed(() =>
    this.#state.value.kind === 'signedIn' ? this.#state.value.viewer : null,
  );
  #retry: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;

  constructor(server: Pick<Server, 'request'>, link: Link) {
    this.#server = server;
    this.#link = link;
    link.state.subscribe((state) => {
      if (state.kind === 'signedOut' && this.#state.peek().kind === 'signedIn') {
        this.#state.value = { kind: 'signedOut', hasEnded: true };
      }
    });
  }

  get state(): ReadonlySignal<SessionState> {
    return this.#state;
  }

  may(permission: Permission): boolean {
    return this.viewer.value?.permissions.includes(permission) ?? false;
  }

  /** Finds out how things stand. Called once at the start, and again by itself while the server does not answer. */
  async start(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      const about = await this.#server.request(serverCalls.info, {});
      this.serverName.value = about.name;
      this.serverVersion.value = about.version;
      this.#tries = 0;
      if (about.isSetUp) await this.#enter();
      else this.#state.value = { kind: 'unclaimed' };
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#state.value = { kind: 'unreachable', failure: error };
      const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)]!;
      this.#retry = setTimeout(() => void this.start(), wait);
    }
  }

  /** Fails with `wrongCode`, `alreadySetUp` or a common failure. */
  async createAdmin(code: string, name: string, password: string): Promise<void> {
    await this.#server.request(setup.createAdmin, { code: code.trim(), name, password });
    await this.#enter();
  }

  /** Fails with `wrongCredentials`, `lockedOut` or a common failure. */
  async signIn(name: string, password: string): Promise<void> {
    const { viewer } = await this.#server.request(sessionCalls.create, { name, password });
    this.#welcome(viewer);
  }

  async signOut(): Promise<void> {
    await this.#server.request(sessionCalls.end, {});
    this.forget();
  }

  /** Back to the door, after the session was ended by someone else's hand or ours. */
  forget(): void {
    this.#link.close();
    this.#state.value = { kind: 'signedOut', hasEnded: false };
  }

  async #enter(): Promise<void> {
    try {
      const { viewer } = await this.#server.request(sessionCalls.current, {});
      this.#welcome(viewer);
    } catch (error) {
      if (!isFailure(error) || error.code !== 'unauthenticated') throw error;
      this.#state.value = { kind: 'signedOut', hasEnded: false };
    }
  }

  #welcome(viewer: Viewer): void {
    this.#state.value = { kind: 'signedIn', viewer };
    this.#link.open();
  }
}
