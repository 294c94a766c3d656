/** The screens of the `feed` bench: sockets that follow one feed, and tell when the last of them has heard of a change. */
import { encode } from '#protocol/codec.ts';
import { EVENT, FRAME, SUBPROTOCOL } from '#protocol/frame.ts';
import { feed as feedCalls } from '#protocol/methods/feeds.ts';
import { LoadSocket, messageOf } from '../load-socket.ts';
import { answerWith } from '../program.ts';

export interface Seats {
  /** Names this audience from here on. */
  readonly name: string;
  readonly port: number;
  readonly sockets: number;
  /** Whoever has none sends neither hello nor subscription: the peer knows neither. */
  readonly token: string | null;
  readonly feed: { readonly id: number; readonly name: string };
}

export interface Heard {
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  /** What the last one heard. */
  readonly bytes: Uint8Array;
}

const HELLO = messageOf(encode([FRAME.hello, { protocol: [1, 1], client: { name: 'bench', version: '0' } }]));

class Audience implements Disposable {
  readonly #seats: Seats;
  readonly #sockets: LoadSocket[] = [];
  readonly #problems: string[] = [];
  #heard = 0;
  #firstNs = 0n;
  #last: PromiseWithResolvers<Heard> = Promise.withResolvers();
  #seq = 0;

  constructor(seats: Seats) {
    this.#seats = seats;
  }

  async open(): Promise<void> {
    const { port, sockets, token, feed } = this.#seats;
    const subscribe = messageOf(encode([FRAME.call, 1, feedCalls.subscribe.id, { feed: feed.name, key: null }, null]));
    while (this.#sockets.length < sockets) {
      const ready = Promise.withResolvers<void>();
      const isOurs = token !== null;
      const socket = await LoadSocket.open({
        port,
        path: isOurs ? '/live' : '/fan-out',
        ...(isOurs ? { subprotocol: SUBPROTOCOL, cookie: `matinee_session=${token}` } : {}),
        onMessage: (bytes) => {
          if (bytes[1] !== FRAME.event) return this.#onOther(bytes, socket, subscribe);
          // [6, feedId, key, event, …]: these four take one byte each.
          if (bytes[4] === EVENT.snapshot) ready.resolve();
          else this.#hear(bytes);
        },
        onLost: (reason) => {
          ready.reject(new Error(reason));
          this.#last.reject(new Error(reason));
        },
      });
      this.#sockets.push(socket);
      if (!isOurs) continue;
      socket.write(HELLO);
      await ready.promise;
    }
  }

  /** Resolves when all have heard of the next change. To be asked before it is made. */
  async next(): Promise<Heard> {
    if (this.#heard !== 0) throw new Error(`${this.#heard} had heard before the change was made`);
    const heard = await this.#last.promise;
    this.#heard = 0;
    this.#last = Promise.withResolvers();
    if (this.#problems.length > 0) throw new Error(this.#problems.join('\n'));
    return heard;
  }

  /** As clients do a quarter of a second after an event; here between two changes, so that it is in nobody's way. */
  acknowledge(): void {
    if (this.#seats.token === null) return;
    const ack = messageOf(encode([FRAME.ack, this.#seats.feed.id, null, this.#seq]));
    for (const socket of this.#sockets) socket.write(ack);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket[Symbol.dispose]();
  }

  #hear(bytes: Uint8Array): void {
    if (this.#heard++ === 0) this.#firstNs = process.hrtime.bigint();
    if (this.#heard < this.#sockets.length) return;
    this.#seq++;
    this.#last.resolve({ firstNs: this.#firstNs, lastNs: process.hrtime.bigint(), bytes: Uint8Array.from(bytes) });
  }

  #onOther(bytes: Uint8Array, socket: LoadSocket, subscribe: Uint8Array): void {
    if (bytes[1] === FRAME.welcome) return socket.write(subscribe);
    if (bytes[1] === FRAME.ok) return;
    this.#problems.push(`an answer that is none: ${Buffer.from(bytes).toString('hex')}`);
  }
}

const audiences = new Map<string, Audience>();

function audience(name: string): Audience {
  const found = audiences.get(name);
  if (!found) throw new Error(`there is no audience called ${name}`);
  return found;
}

const answers = {
  open: async (seats: Seats): Promise<void> => {
    const one = new Audience(seats);
    audiences.set(seats.name, one);
    await one.open();
  },
  next: (name: string): Promise<Heard> => audience(name).next(),
  acknowledge: (name: string): void => audience(name).acknowledge(),
  close: (name: string): void => audience(name)[Symbol.dispose](),
};
export type AudienceProgram = typeof answers;
answerWith(answers);
