/**
 * Copies, from their order to their end. Owns: the copy that is being made now, and who fetches which copy. The files lie in their folder;
 * the row comes before the file and goes before it, so that a kill at any moment leaves nothing that the next start does not put right.
 *
 * A copy is made once for all who want the same, one at a time.
 * Rules DL8, DL11, DL13 to DL16 and DL28 to DL33 of SPEC.md.
 */
import * as v from 'valibot';
import type { Timer } from '#engine/base/clock.ts';
import { CopyFailed, makeCopy } from './copy-work.ts';
import type { CopyProgress, CopyWorkOptions } from './copy-work.ts';
import { NOT_BEGUN, bytesOf, expiryMs } from './download-view.ts';
import type { MakingFacts } from './download-view.ts';
import type { DownloadJob, DownloadWork, StoredCopy } from './ports.ts';

const SWEEP_EVERY_MS = 10 * 60_000;
const SOONEST_SWEEP_MS = 500;
/** What has ended is shown for as long. */
const ENDED_KEPT_MS = 90 * 24 * 3_600_000;
const JOB_STEPS = 100;

const Order = v.object({ copyId: v.string() });

export interface CopyMakingOptions extends CopyWorkOptions {
  readonly work: DownloadWork;
  /** Of all copies together; 0: none are prepared. */
  readonly quotaBytes: number;
  readonly personQuotaBytes: number;
  /** How long a copy is kept after it was made, or fetched last. */
  readonly keptForMs: number;
  /** Called when something may look different. */
  readonly onChange: () => void;
}

interface Making {
  readonly copyId: string;
  /** Nobody wants it any more. */
  readonly abort: AbortController;
  progress: CopyProgress;
}

export class CopyMaking implements Disposable {
  readonly #options: CopyMakingOptions;
  /** How many fetch a copy now. */
  readonly #fetching = new Map<string, number>();
  readonly #endings: (() => unknown)[] = [];
  #making: Making | null = null;
  #isResting = false;
  #isDisposed = false;
  #sweepTimer: Timer | null = null;

  constructor(options: CopyMakingOptions) {
    this.#options = options;
    const { work } = options;
    work.handle('downloads', { concurrency: 1, attempts: 3, title: 'Preparing downloads' }, async (payload, job) => {
      v.parse(Order, payload);
      await this.#makeNext(job);
      return { kind: 'done' };
    });
    this.#endings.push(
      work.onReturn(() => void this.#orderAll()),
      work.onNews((kind, news) => {
        if (kind === 'downloads' && news.kind === 'cancelled') void this.#cancelAll();
      }),
    );
  }

  /** Puts right what an earlier life left, and begins. Before the work begins. */
  async start(): Promise<void> {
    await this.#options.store.requeue();
    await this.#sweep();
  }

  /** The server is about to end: what is cut short goes on in its next life. */
  rest(): void {
    this.#isResting = true;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#sweepTimer?.[Symbol.dispose]();
    for (const end of this.#endings) end();
  }

  async facts(): Promise<MakingFacts> {
    const copies = await this.#options.store.copies();
    const waiting = copies.filter(({ id, state }) => state !== 'ready' && id !== this.#making?.copyId);
    const { keptForMs } = this.#options;
    return { making: this.#making, queue: waiting.map(({ id }) => id), keptForMs };
  }

  async order(copyId: string, title: string): Promise<void> {
    const { work, log, onChange } = this.#options;
    onChange();
    try {
      await work.order([{ kind: 'downloads', payload: { copyId }, urgency: 'click', key: copyId, subject: title }]);
    } catch (error) {
      // It is in the store, and ordered again when the queue is back.
      log.warn('a copy waits until the queue is back', { copyId, error });
    }
  }

  /** Ends the making of a copy that nobody wants any more, and removes what there is of it. */
  async discard(copyId: string | null): Promise<void> {
    this.#options.onChange();
    if (copyId === null) return;
    // Whoever makes it removes it, when its process has ended.
    if (this.#making?.copyId === copyId) this.#making.abort.abort(new Error('nobody wants it any more'));
    else await this.#options.folder.remove(copyId);
  }

  /** Somebody begins to fetch a copy, or has ended. */
  use(copyId: string, isBeginning: boolean): void {
    const { store, log, onChange } = this.#options;
    const count = (this.#fetching.get(copyId) ?? 0) + (isBeginning ? 1 : -1);
    if (count > 0) this.#fetching.set(copyId, count);
    else this.#fetching.delete(copyId);
    store
      .setUsed(copyId)
      .then(onChange, (error: unknown) => log.warn('that a copy was fetched could not be kept', { error }));
  }

  /** It is not on the disk any more. */
  async lose(copyId: string): Promise<void> {
    const { store, log, onChange } = this.#options;
    // Its row goes first: whoever looked before that finds no file of a copy that was only removed.
    if ((await store.copy(copyId)) === null) return;
    log.warn('a copy is not on the disk any more', { copyId });
    await store.drop(copyId, 'failed', 'lost');
    onChange();
  }

  /** Removes copies that were fetched, the longest unused first, until so much more has room. Returns what is used then. */
  async makeRoom(neededBytes: number): Promise<number> {
    const { store, quotaBytes } = this.#options;
    let copies = await store.copies();
    const had = copies
      .filter(({ state, usedAtMs, id }) => state === 'ready' && usedAtMs !== null && !this.#fetching.has(id))
      .toSorted((a, b) => (a.usedAtMs ?? 0) - (b.usedAtMs ?? 0));
    // Nothing is lost where it would not help.
    if (bytesOf(copies) - bytesOf(had) + neededBytes > quotaBytes) return bytesOf(copies);
    for (const copy of had) {
      if (bytesOf(copies) + neededBytes <= quotaBytes) break;
      await this.#expire(copy);
      copies = copies.filter(({ id }) => id !== copy.id);
    }
    return bytesOf(copies);
  }

  async #orderAll(): Promise<void> {
    for (const { id, state } of await this.#options.store.copies()) if (state === 'queued') await this.order(id, '');
  }

  /** One order, one copy: the one that waits for longest, whichever the order was for. */
  async #makeNext(job: DownloadJob): Promise<void> {
    const { store, folder, log, quotaBytes, personQuotaBytes, onChange } = this.#options;
    const copies = await store.copies();
    const copy = copies.find(({ state }) => state === 'queued');
    if (!copy || this.#making !== null) return;
    const making: Making = { copyId: copy.id, abort: new AbortController(), progress: NOT_BEGUN };
    this.#making = making;
    try {
      const choice = await store.choiceOf(copy.id);
      if (choice === null || !(await store.setState(copy.id, 'preparing'))) return await this.#forget(copy.id);
      onChange();
      const others = bytesOf(copies.filter(({ id }) => id !== copy.id));
      const sizeBytes = await makeCopy(this.#options, copy, choice, {
        maxBytes: Math.max(0, Math.min(personQuotaBytes, quotaBytes - others)),
        signal: AbortSignal.any([job.signal, making.abort.signal]),
        tell: (progress) => {
          making.progress = progress;
          job.progress({ done: Math.round(progress.share * JOB_STEPS), total: JOB_STEPS });
          onChange();
        },
      });
      // Its row may have gone while it was made.
      if (await store.setReady(copy.id, sizeBytes)) await folder.clearWork(copy.id);
      else await folder.remove(copy.id);
    } catch (error) {
      if (making.abort.signal.aborted) return await folder.remove(copy.id);
      if (job.signal.aborted) {
        await store.setState(copy.id, 'queued');
        throw error;
      }
      const failure = error instanceof CopyFailed ? error.failure : 'trouble';
      log.warn('a copy could not be made', { copyId: copy.id, fileId: copy.fileId, failure, error });
      await store.drop(copy.id, 'failed', failure);
      await folder.remove(copy.id);
    } finally {
      this.#making = null;
      onChange();
      this.#planSweep(SOONEST_SWEEP_MS);
    }
  }

  async #forget(copyId: string): Promise<void> {
    await this.#options.store.drop(copyId, 'cancelled', null);
    await this.#options.folder.remove(copyId);
  }

  /** Those who run the server have stopped all of it. */
  async #cancelAll(): Promise<void> {
    const { store, onChange } = this.#options;
    for (const { id, state } of await store.copies()) {
      if (state !== 'ready' && this.#making?.copyId !== id) await this.#forget(id);
    }
    onChange();
  }

  async #expire({ id }: StoredCopy): Promise<void> {
    const { store, folder, onChange } = this.#options;
    await store.drop(id, 'expired', null);
    await folder.remove(id);
    onChange();
  }

  #planSweep(afterMs: number): void {
    if (this.#isDisposed || this.#isResting) return;
    this.#sweepTimer?.[Symbol.dispose]();
    const { clock, log } = this.#options;
    const sweep = (): void =>
      void this.#sweep().catch((error: unknown) => log.warn('copies could not be looked through', { error }));
    this.#sweepTimer = clock.after(afterMs, sweep).unref();
  }

  /** Whose time is over, what has no row, and what nobody ordered. */
  async #sweep(): Promise<void> {
    const { store, folder, clock, keptForMs } = this.#options;
    // Files first: what has one by now had its row before.
    const files = await folder.ids();
    const copies = await store.copies();
    const known = new Set(copies.map(({ id }) => id));
    for (const id of files) if (!known.has(id) && this.#making?.copyId !== id) await folder.remove(id);
    if (this.#making && !known.has(this.#making.copyId)) await this.discard(this.#making.copyId);
    let soonestMs = SWEEP_EVERY_MS;
    for (const copy of copies) {
      if (this.#making?.copyId === copy.id) continue;
      if (copy.state !== 'ready') {
        if ((await store.choiceOf(copy.id)) === null) await this.#forget(copy.id);
        // Not waited for: a queue that is away answers late.
        else void this.order(copy.id, '');
        continue;
      }
      const leftMs = expiryMs(copy, keptForMs) - clock.nowMs();
      if (leftMs <= 0 && !this.#fetching.has(copy.id)) await this.#expire(copy);
      else if ((await folder.sizeOf(copy.id)) === null) await this.lose(copy.id);
      else if ((await store.choiceOf(copy.id)) === null) await this.#forget(copy.id);
      else {
        // Of a life that ended between its being ready and this.
        await folder.clearWork(copy.id);
        soonestMs = Math.min(soonestMs, Math.max(SOONEST_SWEEP_MS, leftMs));
      }
    }
    await store.prune(ENDED_KEPT_MS);
    this.#planSweep(soonestMs);
  }
}
