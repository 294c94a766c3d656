/** A `Server` for the client's stores that lives in the test: replies are functions, feeds are pushed by hand, the line goes up and down at will. */
import { signal } from '@preact/signals';
import type { Call, EntryOf, Feed, InputOf, OutputOf, SnapshotOf } from '#protocol/contract.ts';
import { Failure } from '#protocol/errors.ts';
import type { FollowHandlers, Link, LinkState, Memory, Server } from '#client/store/ports.ts';

export interface SentCall {
  readonly name: string;
  readonly input: unknown;
  readonly way: 'call' | 'request';
  readonly isKeptAlive: boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- each answer knows the input and output of its own call
type Answer = (input: any, signal: AbortSignal | undefined) => any;

export class MemoryServer implements Server {
  readonly sent: SentCall[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #followers = new Map<string, FollowHandlers<Feed>>();
  readonly #state = signal<LinkState>({ kind: 'closed' });
  readonly link: Link = {
    state: this.#state,
    open: () => this.setLive(true),
    close: () => {
      this.#state.value = { kind: 'closed' };
    },
  };
  timeMs = 1_800_000_000_000;

  /** What a call is answered with; a thrown or rejected `Failure` fails it. */
  answer<C extends Call>(
    call: C,
    reply: (input: InputOf<C>, signal?: AbortSignal) => OutputOf<C> | Promise<OutputOf<C>>,
  ): void {
    this.#answers.set(call.name, reply);
  }

  setLive(isLive: boolean): void {
    this.#state.value = isLive ? { kind: 'live' } : { kind: 'lost', retryAt: 0, isRestarting: false };
  }

  setLink(state: LinkState): void {
    this.#state.value = state;
  }

  snapshot<F extends Feed>(feed: F, snapshot: SnapshotOf<F>, key: string | null = null): void {
    this.#follower(feed, key).onSnapshot(snapshot);
  }

  entries<F extends Feed>(feed: F, entries: readonly EntryOf<F>[], key: string | null = null): void {
    this.#follower(feed, key).onEntries(entries);
  }

  isFollowed(feed: Feed, key: string | null = null): boolean {
    return this.#followers.has(`${feed.name}/${key ?? ''}`);
  }

  call<C extends Call>(call: C, input: InputOf<C>, options?: { readonly signal?: AbortSignal }): Promise<OutputOf<C>> {
    if (this.#state.peek().kind !== 'live') return Promise.reject(new Failure('disconnected', {}));
    return this.#send(call, input, 'call', options?.signal, false);
  }

  request<C extends Call>(
    call: C,
    input: InputOf<C>,
    options?: { readonly signal?: AbortSignal; readonly keepalive?: boolean },
  ): Promise<OutputOf<C>> {
    return this.#send(call, input, 'request', options?.signal, options?.keepalive === true);
  }

  follow<F extends Feed>(feed: F, key: string | null, handlers: FollowHandlers<F>): () => void {
    const name = `${feed.name}/${key ?? ''}`;
    this.#followers.set(name, handlers);
    return () => this.#followers.delete(name);
  }

  now(): number {
    return this.timeMs;
  }

  sentOf(call: Call): SentCall[] {
    return this.sent.filter(({ name }) => name === call.name);
  }

  async #send<C extends Call>(
    call: C,
    input: InputOf<C>,
    way: SentCall['way'],
    abort: AbortSignal | undefined,
    isKeptAlive: boolean,
  ): Promise<OutputOf<C>> {
    this.sent.push({ name: call.name, input, way, isKeptAlive });
    const answer = this.#answers.get(call.name);
    if (answer === undefined) throw new Failure('internal', { errorId: `the test answers no ${call.name}` });
    const aborted = new Promise<never>((_, reject) => {
      abort?.addEventListener('abort', () => reject(new Failure('cancelled', {})), { once: true });
    });
    const answered: Promise<OutputOf<C>> = Promise.resolve(answer(input, abort));
    return Promise.race([answered, aborted]);
  }

  #follower(feed: Feed, key: string | null): FollowHandlers<Feed> {
    const follower = this.#followers.get(`${feed.name}/${key ?? ''}`);
    if (follower === undefined) throw new Error(`Nobody follows ${feed.name}. Make the store before pushing to it.`);
    return follower;
  }
}

export function memoryOf(
  initial: Readonly<Record<string, string>> = {},
): Memory & { readonly values: Map<string, string> } {
  const values = new Map(Object.entries(initial));
  return {
    values,
    read: (name) => values.get(name) ?? null,
    write(name, value) {
      if (value === null) values.delete(name);
      else values.set(name, value);
    },
  };
}
