/**
 * Sheets of previews. Owns: which are being made, and which could not be made lately. The sheets themselves are files in a cache of
 * bounded size: every one can be made again, and none is ever half there. Rules PLAY60 to PLAY63 of engine/playback/SPEC.md.
 *
 * Two lanes. Who waits: one sheet at a time, the latest wish first, wishes that nobody holds any more dropped. Who does not wait:
 * sheet after sheet in the background, with a rest between while the machine encodes for somebody.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { planPreviews, sheetCount, sheetOrder, sheetTimesMs } from '#engine/media/preview-plan.ts';
import type { PreviewPlan } from '#protocol/schema/moments.ts';
import type { MomentFile, SheetCache, StudyHosts } from './ports.ts';

/** Part of every name: another way of making sheets makes others. */
const EDITION = 1;
/** What failed is not tried again for so long, whoever asks. */
const FORGIVE_AFTER_MS = 10 * 60_000;
/** Sheets of one file that fail in a row, after which the rest of it is left. */
const FAILURES_IN_A_ROW = 3;
/** Between two sheets in the background while somebody's picture is encoded: a share of what the last one took. */
const REST_SHARE = 2;
const MIN_REST_MS = 500;

interface Wish {
  readonly name: string;
  readonly make: () => Promise<string | null>;
  readonly done: PromiseWithResolvers<string | null>;
  waiting: number;
}

export class PreviewShelf {
  readonly #hosts: StudyHosts;
  readonly #cache: SheetCache;
  readonly #clock: Clock;
  readonly #log: Log;
  /** In order of age: the last is the next. */
  readonly #wishes: Wish[] = [];
  #running: Wish | null = null;
  readonly #failed: LRUCache<string, number>;

  constructor(options: { hosts: StudyHosts; cache: SheetCache; clock: Clock; log: Log }) {
    this.#hosts = options.hosts;
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#failed = new LRUCache({ max: 10_000 });
  }

  get totalBytes(): number {
    return this.#cache.totalBytes;
  }

  plan({ media, state }: Pick<MomentFile, 'media' | 'state'>): PreviewPlan | null {
    return media !== null && state === 'playable' ? planPreviews(media) : null;
  }

  /** Path of a sheet, made for who waits. `null` where there is none or it can't be made. Rejects with the signal's reason. */
  async sheet(file: MomentFile, sheet: number, signal?: AbortSignal): Promise<string | null> {
    signal?.throwIfAborted();
    const plan = this.plan(file);
    if (plan === null || sheet >= sheetCount(plan)) return null;
    const name = nameOf(file, plan, sheet);
    const there = await this.#cache.find(name);
    if (there !== null) return there;
    if (this.#hasFailed(name)) return null;
    const wish = this.#wishFor(name, () => this.#make(file, plan, sheet, 'interactive'));
    return await this.#waitFor(wish, signal);
  }

  /** How many sheets of a file are there, of how many. */
  async count(file: MomentFile): Promise<{ readonly there: number; readonly total: number }> {
    const plan = this.plan(file);
    if (plan === null) return { there: 0, total: 0 };
    const total = sheetCount(plan);
    let there = 0;
    for (let sheet = 0; sheet < total; sheet += 1) {
      if ((await this.#cache.find(nameOf(file, plan, sheet))) !== null) there += 1;
    }
    return { there, total };
  }

  /** Makes what is missing, in the background, from a place in the movie on. Stops at the signal; what is made stays. */
  async complete(
    file: MomentFile,
    atMs: number,
    job: { readonly signal: AbortSignal; progress(progress: { done: number; total: number }): void },
  ): Promise<void> {
    const plan = this.plan(file);
    if (plan === null) return;
    const order = sheetOrder(plan, atMs);
    let failures = 0;
    for (const [done, sheet] of order.entries()) {
      job.signal.throwIfAborted();
      job.progress({ done, total: order.length });
      const name = nameOf(file, plan, sheet);
      if ((await this.#cache.find(name)) !== null || this.#hasFailed(name)) continue;
      const startMs = this.#clock.monotonicMs();
      const path = await this.#make(file, plan, sheet, 'background', job.signal);
      failures = path === null ? failures + 1 : 0;
      if (failures >= FAILURES_IN_A_ROW) return;
      const { transcodes } = await this.#hosts.status();
      if (transcodes === 0) continue;
      const restMs = Math.max(MIN_REST_MS, (this.#clock.monotonicMs() - startMs) * REST_SHARE);
      await this.#clock.sleep(restMs, job.signal);
    }
    job.progress({ done: order.length, total: order.length });
  }

  #wishFor(name: string, make: () => Promise<string | null>): Wish {
    const known = this.#running?.name === name ? this.#running : this.#wishes.find((wish) => wish.name === name);
    if (known !== undefined) {
      // Wished for again: it is the latest wish.
      const at = this.#wishes.indexOf(known);
      if (at >= 0) this.#wishes.push(...this.#wishes.splice(at, 1));
      return known;
    }
    const wish: Wish = { name, make, done: Promise.withResolvers(), waiting: 0 };
    wish.done.promise.catch(() => undefined); // told to whoever still waits
    this.#wishes.push(wish);
    // After the one who wishes has begun to wait.
    queueMicrotask(() => this.#next());
    return wish;
  }

  #next(): void {
    if (this.#running !== null) return;
    const wish = this.#wishes.pop();
    if (wish === undefined) return;
    this.#running = wish;
    void wish
      .make()
      .then(wish.done.resolve, wish.done.reject)
      .finally(() => {
        this.#running = null;
        this.#next();
      });
  }

  async #waitFor(wish: Wish, signal: AbortSignal | undefined): Promise<string | null> {
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    wish.waiting += 1;
    try {
      return await Promise.race([wish.done.promise, left.promise]);
    } finally {
      signal?.removeEventListener('abort', leave);
      wish.waiting -= 1;
      // One that is being made is finished: it takes a moment, and is wanted again sooner or later.
      const at = this.#wishes.indexOf(wish);
      if (wish.waiting === 0 && at >= 0) this.#wishes.splice(at, 1);
    }
  }

  async #make(
    file: MomentFile,
    plan: PreviewPlan,
    sheet: number,
    priority: 'interactive' | 'background',
    signal?: AbortSignal,
  ): Promise<string | null> {
    const name = nameOf(file, plan, sheet);
    // Made meanwhile by the other lane.
    const there = await this.#cache.find(name);
    if (there !== null) return there;
    const { media } = file;
    const track = media?.video[0];
    if (media === null || track === undefined) return null;
    const { columns, widthPx, heightPx } = plan;
    const timesMs = sheetTimesMs(plan, sheet, media.durationMs ?? 0);
    const request = { track, startMs: media.startMs, timesMs, columns, widthPx, heightPx };
    const result = await this.#hosts.previewSheet(file.path, request, { priority, signal });
    if (!result.ok) {
      this.#failed.set(name, this.#clock.monotonicMs());
      this.#log.warn('previews could not be made', { path: file.path, sheet, failure: result.failure });
      return null;
    }
    await this.#cache.put(name, result.bytes);
    return await this.#cache.find(name);
  }

  #hasFailed(name: string): boolean {
    const atMs = this.#failed.get(name);
    return atMs !== undefined && this.#clock.monotonicMs() - atMs < FORGIVE_AFTER_MS;
  }
}

/** Another version of the file, another plan and another way of making them have other names. */
function nameOf({ id, sizeBytes, mtimeUs }: MomentFile, plan: PreviewPlan, sheet: number): string {
  const { intervalMs, count, columns, rows, widthPx, heightPx } = plan;
  const parts = [EDITION, id, sizeBytes, mtimeUs, intervalMs, count, columns, rows, widthPx, heightPx];
  return `${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}-${sheet}.webp`;
}
