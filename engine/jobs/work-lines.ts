/**
 * What the jobs screen shows of durable work: one line for each kind, while there is some or while failures are kept.
 * Owns: the lines as they were last told. The orders are with the queue's server, which is asked for their number when something
 * happened, and every few seconds while there are any [LINE2]. Rules: SPEC.md, LINE1 to LINE6.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Job } from '#protocol/schema/job.ts';
import type { DurableWork, FailedWork, WorkNews } from './durable-work.ts';
import type { JobEntry } from './job-board.ts';
import { WORK_KINDS } from './ports.ts';
import type { QueueCounts, WorkKind, WorkProgress } from './ports.ts';

/** What is over within this is not shown at all: lines that flash by tell nobody anything. */
const SHOW_AFTER_MS = 300;
const TELL_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 3_000;
const MAX_NOTE_CHARACTERS = 500;

export type LineWork = Pick<
  DurableWork,
  'isAway' | 'kinds' | 'counts' | 'onNews' | 'onReturn' | 'cancel' | 'failures' | 'retry' | 'forget'
>;

/** Since when there is something to do, and what came of it so far. */
interface Opening {
  readonly sinceMs: number;
  done: number;
  /** Something was put off, so what waits for its time belongs to what is left, and is no plan for later. */
  hasPutOff: boolean;
}

class Line {
  readonly kind: WorkKind;
  readonly id: string;
  readonly title: string;
  counts: QueueCounts = { waiting: 0, delayed: 0, running: 0, failed: 0 };
  opening: Opening | null = null;
  /** Done or failed since the last look, which belongs to the opening that the next look finds. */
  ended = 0;
  /** Why what waits for its time waits. */
  why: string | null = null;
  progress: WorkProgress = {};
  latestFailure: FailedWork | null = null;
  told: Job | null = null;
  lastLookMs = -Infinity;
  timer: Timer | null = null;
  timerAtMs = Infinity;
  isLooking = false;
  isLate = false;

  constructor(kind: WorkKind, title: string) {
    this.kind = kind;
    this.title = title;
    this.id = lineId(kind);
  }
}

export class WorkLines implements Disposable {
  readonly #work: LineWork;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lines = new Map<WorkKind, Line>();
  readonly #listeners = new Set<(entries: readonly JobEntry[]) => void>();
  readonly #endings: (() => void)[];
  #isDisposed = false;

  constructor(options: { work: LineWork; clock: Clock; log: Log }) {
    this.#work = options.work;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#endings = [
      this.#work.onNews((kind, news) => this.#onNews(kind, news)),
      this.#work.onReturn(() => this.lookAtAll()),
    ];
  }

  /** Looks at what earlier processes left. Call when every kind has its handler. */
  lookAtAll(): void {
    for (const { kind } of this.#work.kinds()) this.#lookSoon(this.#line(kind), 0);
  }

  /** The lines to show: what is to be done, then what failed. */
  list(): Job[] {
    return [...this.#lines.values()].flatMap(({ told }) => told ?? []);
  }

  onEntries(listener: (entries: readonly JobEntry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get isAway(): boolean {
    return this.#work.isAway;
  }

  /** The kind that a line stands for; `null` where the id is no line's. */
  kindOf(jobId: string): WorkKind | null {
    return this.#work.kinds().find(({ kind }) => lineId(kind) === jobId)?.kind ?? null;
  }

  /** Stops a kind, and returns its line as it was left; `null` where there was nothing to stop. */
  async cancel(kind: WorkKind): Promise<Job | null> {
    const line = this.#line(kind);
    const before = line.told;
    if (before === null || line.opening === null) return null;
    await this.#work.cancel(kind);
    line.why = null;
    await this.#look(line);
    return { ...before, state: 'cancelled', done: before.done, endedAt: this.#clock.nowMs(), note: null };
  }

  failures(kind: WorkKind, limit: number): Promise<FailedWork[]> {
    return this.#work.failures(kind, limit);
  }

  async retry(kind: WorkKind, ids: ReadonlySet<string> | null): Promise<number> {
    const count = await this.#work.retry(kind, ids);
    await this.#look(this.#line(kind));
    return count;
  }

  async forget(kind: WorkKind, ids: ReadonlySet<string> | null): Promise<void> {
    await this.#work.forget(kind, ids);
    await this.#look(this.#line(kind));
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const end of this.#endings) end();
    for (const { timer } of this.#lines.values()) timer?.[Symbol.dispose]();
  }

  #line(kind: WorkKind): Line {
    let line = this.#lines.get(kind);
    if (line === undefined) {
      const title = this.#work.kinds().find((known) => known.kind === kind)?.title ?? kind;
      line = new Line(kind, title);
      this.#lines.set(kind, line);
    }
    return line;
  }

  #onNews(kind: WorkKind, news: WorkNews): void {
    const line = this.#line(kind);
    if (news.kind === 'later' || news.kind === 'retrying') line.why = news.why;
    if (news.kind === 'done') line.why = null;
    if (news.kind === 'done' || news.kind === 'failed') line.ended += 1;
    if (news.kind === 'began') line.progress = {};
    if (news.kind === 'progress') line.progress = { ...line.progress, ...news.progress };
    this.#lookSoon(line, line.told === null ? SHOW_AFTER_MS : 0);
  }

  #lookSoon(line: Line, afterMs: number): void {
    if (this.#isDisposed) return;
    const nowMs = this.#clock.monotonicMs();
    const atMs = Math.max(nowMs + afterMs, line.lastLookMs + TELL_EVERY_MS);
    if (atMs >= line.timerAtMs) return;
    line.timer?.[Symbol.dispose]();
    line.timerAtMs = atMs;
    line.timer = this.#clock.after(atMs - nowMs, () => void this.#look(line)).unref();
  }

  async #look(line: Line): Promise<void> {
    line.timer?.[Symbol.dispose]();
    line.timer = null;
    line.timerAtMs = Infinity;
    // One at a time: an older answer must not come after a newer one.
    line.isLate = line.isLooking;
    if (line.isLooking || this.#isDisposed) return;
    line.isLooking = true;
    line.lastLookMs = this.#clock.monotonicMs();
    try {
      const ended = line.ended;
      const counts = await this.#work.counts(line.kind);
      if (counts.failed !== line.counts.failed) {
        line.latestFailure = counts.failed === 0 ? null : ((await this.#work.failures(line.kind, 1))[0] ?? null);
      }
      line.counts = counts;
      line.ended -= ended;
      this.#update(line, ended);
    } catch (error) {
      // The health screen tells that the server is away; the lines stay as they were.
      this.#log.debug('a line of work could not be counted', { kind: line.kind, error });
    }
    line.isLooking = false;
    if (line.isLate) this.#lookSoon(line, 0);
    else if (line.opening !== null) this.#lookSoon(line, LOOK_AGAIN_MS);
  }

  #update(line: Line, ended: number): void {
    const { waiting, running, delayed } = line.counts;
    if (waiting + running > 0 || (delayed > 0 && line.why !== null)) {
      line.opening ??= { sinceMs: this.#clock.nowMs(), done: 0, hasPutOff: false };
      line.opening.done += ended;
      line.opening.hasPutOff ||= line.why !== null;
    } else {
      line.opening = null;
      line.why = null;
      line.progress = {};
    }
    const job = toJob(line);
    if (JSON.stringify(job) === JSON.stringify(line.told)) return;
    line.told = job;
    for (const listener of this.#listeners) listener([{ kind: 'job', id: line.id, job }]);
  }
}

/** Ids of their own, the same in every process, and older than every job's. */
function lineId(kind: WorkKind): string {
  return `00000000-0000-7000-8000-${(WORK_KINDS.indexOf(kind) + 1).toString().padStart(12, '0')}`;
}

function toJob(line: Line): Job | null {
  const { kind, id, title, counts, opening, latestFailure } = line;
  const common = { id, kind, subject: title, libraryId: null, failed: counts.failed };
  if (opening === null) {
    if (counts.failed === 0 || latestFailure === null) return null;
    const endedAt = latestFailure.failedAtMs;
    const note = short(latestFailure.reason);
    return { ...common, state: 'failed', done: 0, total: null, note, createdAt: endedAt, startedAt: null, endedAt };
  }
  const left = counts.waiting + counts.running + (opening.hasPutOff ? counts.delayed : 0);
  const { progress } = line;
  // One long work has steps to tell of; of many short ones their number says more.
  const isOne = opening.done + left === 1;
  return {
    ...common,
    state: counts.waiting + counts.running > 0 ? 'running' : 'waiting',
    done: isOne ? (progress.done ?? 0) : opening.done,
    total: isOne ? (progress.total ?? null) : opening.done + left,
    note: short(line.why ?? progress.note ?? null),
    createdAt: opening.sinceMs,
    startedAt: opening.sinceMs,
    endedAt: null,
  };
}

const short = (text: string | null): string | null => text?.slice(0, MAX_NOTE_CHARACTERS) ?? null;
