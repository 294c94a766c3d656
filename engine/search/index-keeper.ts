/**
 * Keeps the index of a search server as the database is. Owns its place in the change feed, which lies in the database [SEARCH6], and
 * whether the index has everything. It works through the queue: `index` sends what changed since that place, `reindex` builds
 * a new index beside the one in use [SEARCH7]. Both may run twice after a kill and leave the same.
 */
import * as v from 'valibot';
import type { Log } from '#engine/base/log.ts';
import type {
  ChangeFeedPort,
  DocumentPort,
  FactPort,
  IndexingOutcome,
  RunningIndexing,
  SearchServerPort,
  WorkQueuePort,
} from './ports.ts';

export interface IndexKeeperOptions {
  readonly server: SearchServerPort;
  readonly documents: DocumentPort;
  readonly changes: ChangeFeedPort;
  readonly facts: FactPort;
  readonly queue: WorkQueuePort;
  readonly log: Log;
  /** For tests: how long a server that is away is left alone. */
  readonly laterMs?: number;
}

const FACT = 'typesenseIndex';
const DOCUMENTS_AT_ONCE = 500;
const CHANGES_AT_ONCE = 2_000;
const LATER_MS = 15_000;
/** Changes of this long are sent together [SEARCH3]. */
const GATHER_MS = 300;

/** Everything of the change feed up to `seq` is in `index`. */
const Place = v.object({ index: v.string(), epoch: v.string(), seq: v.pipe(v.number(), v.safeInteger()) });
type Place = v.InferOutput<typeof Place>;

export class IndexKeeper implements AsyncDisposable {
  readonly #options: IndexKeeperOptions;
  #isCurrent = false;
  #isOrdered = false;
  #isStale = false;
  #isClosed = false;
  #unlisten: (() => Promise<void>) | null = null;
  /** The index in use is changed by one at a time; a new one is filled beside it. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: IndexKeeperOptions) {
    this.#options = options;
    const { queue } = options;
    queue.handle('index', { concurrency: 1, title: 'Bringing the search up to date' }, () =>
      this.#attempt(() => this.#alone(() => this.#follow())),
    );
    queue.handle('reindex', { concurrency: 1, title: 'Building the search index' }, (_payload, job) =>
      this.#attempt(() => this.#rebuild(job)),
    );
  }

  /** The index had everything when it was last looked at, and follows. */
  isCurrent(): boolean {
    return this.#isCurrent;
  }

  async start(): Promise<void> {
    this.#unlisten = await this.#options.changes.onChange(() => this.look());
    this.look();
  }

  /** Something changed, or the server is back. */
  look(): void {
    this.#isStale = true;
    if (this.#isOrdered || this.#isClosed) return;
    this.#isOrdered = true;
    this.#options.queue
      .order([{ kind: 'index', payload: {}, key: 'index', delayMs: GATHER_MS }])
      .catch((error: unknown) => {
        // The next change, or the next start, orders it again.
        this.#isOrdered = false;
        this.#options.log.warn('the search index could not be brought up to date', { error });
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#unlisten?.();
    await this.#turn.catch(() => undefined);
  }

  async #attempt(work: () => Promise<IndexingOutcome>): Promise<IndexingOutcome> {
    try {
      return await work();
    } catch (error) {
      this.#isCurrent = false;
      this.#options.log.debug('the search index is behind', { error });
      return { kind: 'later', afterMs: this.#options.laterMs ?? LATER_MS, why: 'Typesense does not answer.' };
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#turn.then(work, work);
    this.#turn = running;
    return running;
  }

  async #place(): Promise<Place | null> {
    const { facts, changes, server } = this.#options;
    const read = v.safeParse(Place, await facts.read(FACT));
    const index = await server.indexInUse();
    const isOurs = read.success && read.output.index === index && read.output.epoch === changes.epoch;
    if (!isOurs) return null;
    // What lies behind the oldest change that is kept cannot be told any more.
    return read.output.seq >= (await changes.oldestSeq()) ? read.output : null;
  }

  async #follow(): Promise<IndexingOutcome> {
    this.#isOrdered = false;
    this.#isStale = false;
    const place = await this.#place();
    if (place === null) {
      this.#isCurrent = false;
      await this.#options.queue.order([{ kind: 'reindex', payload: {}, key: 'reindex' }]);
      return { kind: 'done', note: 'There is no index yet: it is built.' };
    }
    await this.#sendChanges(place, (now) => this.#options.facts.write(FACT, now));
    this.#isCurrent = true;
    if (this.#isStale) this.look();
    return { kind: 'done' };
  }

  /** Sends what changed after `place`, and returns the new one; `onStep` is told each one between. */
  async #sendChanges(place: Place, onStep?: (place: Place) => Promise<void>): Promise<Place> {
    const { changes, documents, server } = this.#options;
    let { seq } = place;
    for (;;) {
      const found = await changes.changesAfter(seq, CHANGES_AT_ONCE);
      const last = found.at(-1);
      if (last === undefined) return { ...place, seq };
      const ids = [...new Set(found.filter(({ kind }) => kind === 'movie').map(({ entityId }) => entityId))];
      for (let at = 0; at < ids.length; at += DOCUMENTS_AT_ONCE) {
        const slice = ids.slice(at, at + DOCUMENTS_AT_ONCE);
        const there = await documents.documentsOf(slice);
        const thereIds = new Set(there.map(({ id }) => id));
        await this.#put(place.index, there);
        const gone = slice.filter((id) => !thereIds.has(id));
        if (gone.length > 0) await server.remove(place.index, gone);
      }
      seq = last.seq;
      await onStep?.({ ...place, seq });
    }
  }

  async #rebuild(job: RunningIndexing): Promise<IndexingOutcome> {
    const { changes, documents, server, facts } = this.#options;
    const seq = await changes.latestSeq();
    const index = await server.createIndex();
    const total = await documents.count();
    let done = 0;
    let after: string | null = null;
    for (;;) {
      job.signal.throwIfAborted();
      const batch: readonly { readonly id: string }[] = await this.#batch(index, after);
      done += batch.length;
      job.progress({ done, total });
      after = batch.at(-1)?.id ?? null;
      if (batch.length < DOCUMENTS_AT_ONCE) break;
    }
    // Most of what changed while it was built; the old index followed meanwhile, and still answers.
    const nearly = await this.#sendChanges({ index, epoch: changes.epoch, seq });
    await this.#alone(async () => {
      const place = await this.#sendChanges(nearly);
      await server.useIndex(index);
      await facts.write(FACT, place);
    });
    this.#isCurrent = true;
    this.look();
    return { kind: 'done', note: `${done} movies` };
  }

  async #batch(index: string, after: string | null): Promise<readonly { readonly id: string }[]> {
    const batch = await this.#options.documents.documentsAfter(after, DOCUMENTS_AT_ONCE);
    await this.#put(index, batch);
    return batch;
  }

  async #put(index: string, documents: Parameters<SearchServerPort['put']>[1]): Promise<void> {
    if (documents.length === 0) return;
    for (const { id, error } of await this.#options.server.put(index, documents)) {
      this.#options.log.warn('Typesense would not take a movie, so it is found by the built-in search only', {
        movieId: id,
        reason: error,
      });
    }
  }
}
