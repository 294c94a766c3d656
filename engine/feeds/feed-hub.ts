/**
 * All feeds. Owns: the channels that somebody follows, and the pump that turns lines of the change feed into deltas.
 * Trades memory for nothing: no history is kept here. A client that comes back gets what it missed from the change feed in the
 * database, which survives a restart of this process as well.
 */
import { commonFailure } from '#protocol/errors.ts';
import type { FeedEntry } from '#protocol/contract.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { Id } from '#protocol/schema/scalar.ts';
import { is } from 'valibot';
import type { Log } from '#engine/base/log.ts';
import { Channel } from './channel.ts';
import type { FeedSink, Subscriber } from './channel.ts';
import type { Audience, Change, ChangeLog, DurableSource, FeedSource } from './ports.ts';

const BATCH = 500;
/** A cursor that is further behind than this gets a snapshot: cheaper than the sum of its deltas. */
const MAX_CATCH_UP = 2_000;
const RETRY_MS = 1_000;
/** A feed that changes all the time is better begun anew than read again and again. */
const RESUME_ATTEMPTS = 3;

interface OpenChannel {
  readonly channel: Channel;
  readonly source: FeedSource;
  readonly audience: Audience;
  readonly key: string | null;
}

export interface FeedHubOptions {
  readonly changes: ChangeLog;
  readonly sources: readonly FeedSource[];
  /** Epoch of the feeds that live in this process only: another one after each start. */
  readonly processEpoch: string;
  readonly log: Log;
}

export class FeedHub implements AsyncDisposable {
  readonly #options: FeedHubOptions;
  readonly #sources: ReadonlyMap<string, FeedSource>;
  readonly #channels = new Map<string, OpenChannel>();
  readonly #unsubscribe: (() => void | Promise<void>)[] = [];
  /** Everything up to here has been published. */
  #seq = 0;
  #liveSeq = 0;
  #isPumping = false;
  #isDue = false;
  #isDisposed = false;

  private constructor(options: FeedHubOptions) {
    this.#options = options;
    this.#sources = new Map(options.sources.map((source) => [source.feed.name, source]));
  }

  static async start(options: FeedHubOptions): Promise<FeedHub> {
    const hub = new FeedHub(options);
    hub.#seq = await options.changes.latestSeq();
    for (const source of options.sources) {
      if (!source.isDurable) {
        hub.#unsubscribe.push(source.onEntries((entries, audience) => hub.#publishLive(source, entries, audience)));
      }
    }
    hub.#unsubscribe.push(await options.changes.onChange(() => hub.#pump()));
    // A change between the two awaits above would otherwise wait for the next notification [HUB7].
    hub.#pump();
    return hub;
  }

  /** Follows a feed; `null` where there is none of that name. The subscription sends nothing before its `start`. */
  async subscribe(
    viewer: Viewer,
    name: string,
    key: string | null,
    cursor: { epoch: string; seq: number } | undefined,
    sink: FeedSink,
  ): Promise<Subscriber | null> {
    const source = this.#sources.get(name);
    if (!source) return null;
    const { permission, key: keyName } = source.feed;
    if (permission !== 'public' && permission !== 'self' && !viewer.permissions.includes(permission)) {
      throw commonFailure('forbidden', { permission });
    }
    if (keyName === null ? key !== null : !is(Id, key)) {
      const message = keyName === null ? 'this feed has no key' : `must be the ${keyName} of what to follow`;
      throw commonFailure('badRequest', { issues: [{ path: '/key', message }] });
    }
    const audience = source.audienceOf(viewer);
    for (let attempt = 1; cursor && attempt <= RESUME_ATTEMPTS; attempt++) {
      const open = this.#open(source, audience, key);
      if (cursor.epoch !== open.channel.epoch) break;
      const [seq, liveSeq] = [this.#seq, this.#liveSeq];
      const missed = await this.#missed(open, cursor.seq);
      if (missed === null) break;
      // What was published meanwhile went past who was not there yet: it is read again, or a snapshot follows.
      if (this.#seq !== seq || this.#liveSeq !== liveSeq) continue;
      return this.#open(source, audience, key).channel.subscribe(sink, { seq: cursor.seq, missed });
    }
    return this.#open(source, audience, key).channel.subscribe(sink, null);
  }

  /** Channels that somebody follows now. */
  get channelCount(): number {
    return this.#channels.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) await unsubscribe();
  }

  #open(source: FeedSource, audience: Audience, key: string | null): OpenChannel {
    const id = [source.feed.name, key ?? '', audience].join('\0');
    const found = this.#channels.get(id);
    if (found) return found;
    const open: OpenChannel = {
      source,
      audience,
      key,
      channel: new Channel({
        feed: source.feed,
        key,
        epoch: source.isDurable ? this.#options.changes.epoch : this.#options.processEpoch,
        seq: source.isDurable ? this.#seq : this.#liveSeq,
        snapshot: () => source.snapshot(audience, key),
        onFailure: (error) => this.#report(source, error),
        onEmpty: () => this.#channels.delete(id),
      }),
    };
    this.#channels.set(id, open);
    return open;
  }

  /** Entries since a cursor, `null` where only a snapshot will do [HUB6]. */
  async #missed({ channel, source, audience, key }: OpenChannel, since: number): Promise<readonly FeedEntry[] | null> {
    if (since > channel.seq) return null;
    if (since === channel.seq) return [];
    if (!source.isDurable) return null;
    const { changes } = this.#options;
    try {
      const [oldest, missed] = await Promise.all([changes.oldestSeq(), changes.changesAfter(since, MAX_CATCH_UP + 1)]);
      if (since < oldest || missed.length > MAX_CATCH_UP) return null;
      return await this.#entriesOf(source, missed, audience, key);
    } catch (error) {
      this.#report(source, error);
      return null;
    }
  }

  async #entriesOf(source: DurableSource, changes: readonly Change[], audience: Audience, key: string | null) {
    const own = changes.filter((change) => source.concerns(change, audience, key));
    return own.length === 0 ? [] : source.entries(own, audience, key);
  }

  #publishLive(source: FeedSource, entries: readonly FeedEntry[], audience: Audience | undefined): void {
    this.#liveSeq++;
    for (const open of this.#channels.values()) {
      const isMeant = open.source === source && (audience === undefined || open.audience === audience);
      if (isMeant) open.channel.publish(entries, this.#liveSeq);
    }
  }

  /** Publishes what the change feed has that was not published yet; runs once at a time. */
  #pump(): void {
    this.#isDue = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#drain().finally(() => {
      this.#isPumping = false;
      if (this.#isDue && !this.#isDisposed) this.#pump();
    });
  }

  async #drain(): Promise<void> {
    while (this.#isDue && !this.#isDisposed) {
      this.#isDue = false;
      try {
        const changes = await this.#options.changes.changesAfter(this.#seq, BATCH);
        const last = changes.at(-1);
        if (!last) continue;
        if (changes.length === BATCH) this.#isDue = true;
        await this.#publish(changes, last.seq);
      } catch (error) {
        if (this.#isDisposed) return;
        this.#options.log.warn('the change feed could not be read', { error });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
        this.#isDue = true;
      }
    }
  }

  async #publish(changes: readonly Change[], seq: number): Promise<void> {
    const open = [...this.#channels.values()];
    const deltas = await Promise.all(
      open.map(async ({ source, audience, key }) => {
        if (!source.isDurable) return null;
        try {
          return await this.#entriesOf(source, changes, audience, key);
        } catch (error) {
          this.#report(source, error);
          return error instanceof Error ? error : new Error(String(error));
        }
      }),
    );
    this.#seq = seq;
    for (const [index, { channel }] of open.entries()) {
      const entries = deltas[index];
      if (entries instanceof Error) channel.invalidate(seq);
      else if (entries && entries.length > 0) channel.publish(entries, seq);
    }
    // Channels that were opened while the entries were read: nobody knows whether who came has these already.
    for (const late of this.#channels.values()) {
      if (late.source.isDurable && !open.includes(late)) late.channel.invalidate(seq);
    }
  }

  #report(source: FeedSource, error: unknown): void {
    this.#options.log.error('a feed could not be read', { feed: source.feed.name, error });
  }
}
