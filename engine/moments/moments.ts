/**
 * Moving about in movies: pictures to seek by, and where intros, recaps and credits are. Owns the shelf of previews and the orders for
 * both kinds of work; marks are in the store. Rules PLAY60 to PLAY69 of engine/playback/SPEC.md.
 */
import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { MIN_CONFIDENCE, markersOfChapters, onePerKind } from '#engine/media/marker-finding.ts';
import { sheetAt } from '#engine/media/preview-plan.ts';
import type { EntryOf, SnapshotOf } from '#protocol/contract.ts';
import { momentsFeed } from '#protocol/feeds.ts';
import type { Handlers, SignedInContext } from '#protocol/handler.ts';
import type { moments as calls } from '#protocol/index.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { Marker, MarkerKind, NextMovie, PreviewPlan } from '#protocol/schema/moments.ts';
import { Count, Id } from '#protocol/schema/scalar.ts';
import { RULES, studyFile } from './marker-study.ts';
import type {
  MarkMode,
  MomentFile,
  MomentStore,
  MomentWork,
  PreviewMode,
  SheetCache,
  StoredMarker,
  StudyHosts,
} from './ports.ts';
import { SEES_ALL } from './ports.ts';
import { PreviewShelf } from './preview-shelf.ts';

/** The player itself comes first: who moves the pointer to the bar before that gets their picture at once. */
const FIRST_SHEET_AFTER_MS = 1_500;
const REST_AFTER_MS = 3_000;
const LOOK_AFTER_START_MS = 2 * 60_000;
const LOOK_EVERY_MS = 15 * 60_000;
/** Of what is likely to be watched next. */
const LIKELY = 40;
/** Files ordered for a study at a time: the queue never holds the whole library. */
const STUDIES = 200;
/** Made ahead up to this share of the space: the rest is for what people really open. */
const AHEAD_SHARE = 0.7;
const WAIT_FOR_VIEWERS_MS = 2 * 60_000;
const CREDITS_KNOWN_MS = 60_000;
/** Credits that begin earlier are somebody's mistake, and make nobody's movie a watched one. */
const EARLIEST_CREDITS_SHARE = 0.6;
/** Files of one length are one movie in several qualities. */
const SAME_LENGTH_MS = 3_000;

const EDITOR = 'editor';

const PreviewOrder = v.object({ fileId: Id, atMs: v.optional(Count, 0), isAhead: v.optional(v.boolean(), false) });
const StudyOrder = v.object({ fileId: Id, isAhead: v.optional(v.boolean(), false) });

export interface MomentsOptions {
  readonly store: MomentStore;
  readonly hosts: StudyHosts;
  readonly cache: SheetCache;
  readonly work: MomentWork;
  readonly clock: Clock;
  readonly log: Log;
  readonly previews: PreviewMode;
  readonly marks: MarkMode;
  readonly previewQuotaBytes: number;
  /** For what hosts write while they look into a file. Absolute; emptied at the start. */
  readonly scratchFolder: string;
}

type Changes = readonly { readonly feed: string; readonly kind: string; readonly entityId: string }[];

export class Moments implements Disposable {
  readonly #options: MomentsOptions;
  readonly #shelf: PreviewShelf;
  readonly #timers = new Set<Timer>();
  /** Where the credits of a movie begin, by movie and length. */
  readonly #credits = new LRUCache<string, { startMs: number | null; atMs: number }>({ max: 1_000 });

  constructor(options: MomentsOptions) {
    this.#options = options;
    this.#shelf = new PreviewShelf(options);
    const { work, previews, marks } = options;
    if (previews !== 'off') {
      work.handle('previews', { concurrency: 1, attempts: 2, title: 'Making previews' }, async (payload, job) => {
        const { fileId, atMs, isAhead } = v.parse(PreviewOrder, payload);
        if (isAhead && (await this.#isInUse())) return AFTER_VIEWERS;
        const file = await options.store.file(fileId, SEES_ALL);
        if (file !== null) await this.#shelf.complete(file, atMs, job);
        return { kind: 'done' };
      });
    }
    if (marks === 'all') {
      const title = 'Looking for intros and credits';
      work.handle('marks', { concurrency: 1, attempts: 2, title }, async (payload, job) => {
        const { fileId, isAhead } = v.parse(StudyOrder, payload);
        if (isAhead && (await this.#isInUse())) return AFTER_VIEWERS;
        const file = await options.store.file(fileId, SEES_ALL);
        if (file === null || (await options.store.study(file, RULES)) !== null) return { kind: 'done' };
        return (await studyFile(options, file, job.signal)) === 'away' ? WHEN_BACK : { kind: 'done' };
      });
    }
  }

  /** Begins to look for what can be made ready while nobody watches. */
  start(): void {
    const { clock, log } = this.#options;
    const look = (): void =>
      void this.lookAhead().catch((error: unknown) => log.warn('nothing was made ahead', { error }));
    this.#timers.add(clock.after(LOOK_AFTER_START_MS, look).unref());
    this.#timers.add(clock.every(LOOK_EVERY_MS, look).unref());
  }

  /** [PLAY63] [PLAY66] Orders previews of what is likely to be watched next, and studies of what nobody has looked into. */
  async lookAhead(): Promise<void> {
    const { store, work, previews, marks, previewQuotaBytes } = this.#options;
    if (previews === 'ahead' && this.#shelf.totalBytes < previewQuotaBytes * AHEAD_SHARE) {
      for (const fileId of await store.likelyNext(LIKELY)) {
        const file = await store.file(fileId, SEES_ALL);
        if (file === null) continue;
        const { there, total } = await this.#shelf.count(file);
        if (there === total) continue;
        const payload = { fileId, isAhead: true };
        await work.order([{ kind: 'previews', payload, urgency: 'bulk', key: `ahead-${fileId}` }]);
      }
    }
    if (marks === 'all') {
      const orders = (await store.unstudied(RULES, STUDIES)).map((fileId) => ({
        kind: 'marks' as const,
        payload: { fileId, isAhead: true },
        urgency: 'bulk' as const,
        key: `ahead-${fileId}`,
      }));
      if (orders.length > 0) await work.order(orders);
    }
  }

  /** Somebody is about to watch a file: what they may want is begun, and what is there is told. Never fails, never takes long. */
  async opened(
    file: MomentFile,
    atMs: number,
    userId: string,
  ): Promise<{ previews: PreviewPlan | null; markers: Marker[]; next: NextMovie | null }> {
    const { store, log } = this.#options;
    const previews = this.previews(file);
    if (previews !== null) this.#prepare(file, previews, atMs);
    try {
      const [markers, next] = await Promise.all([this.#markersOf([file]), store.nextOf(userId, file.movieId)]);
      this.#orderStudy(file);
      return { previews, markers: markers.get(file.id) ?? [], next };
    } catch (error) {
      log.warn('a movie is played without its marks', { movieId: file.movieId, error });
      return { previews, markers: [], next: null };
    }
  }

  previews(file: MomentFile): PreviewPlan | null {
    return this.#options.previews === 'off' ? null : this.#shelf.plan(file);
  }

  async sheet(file: MomentFile, sheet: number, signal: AbortSignal): Promise<string | null> {
    if (this.#options.previews === 'off') return null;
    try {
      return await this.#shelf.sheet(file, sheet, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.warn('previews could not be made', { path: file.path, sheet, error });
      return null;
    }
  }

  /** [PLAY69] Where the credits of a movie of this length begin; `null` where nobody knows. */
  async creditsStartMs(movieId: string, durationMs: number): Promise<number | null> {
    const { store, clock } = this.#options;
    const key = `${movieId} ${durationMs}`;
    const known = this.#credits.get(key);
    if (known !== undefined && clock.monotonicMs() - known.atMs < CREDITS_KNOWN_MS) return known.startMs;
    const files = (await store.filesOf(movieId, SEES_ALL)).filter(
      ({ isExtra, media }) => !isExtra && Math.abs((media?.durationMs ?? 0) - durationMs) <= SAME_LENGTH_MS,
    );
    const starts = [...(await this.#markersOf(files)).values()]
      .flat()
      .flatMap(({ kind, startMs }) => (kind === 'credits' ? [startMs] : []))
      .filter((startMs) => startMs >= durationMs * EARLIEST_CREDITS_SHARE);
    const startMs = starts.length === 0 ? null : Math.min(...starts);
    this.#credits.set(key, { startMs, atMs: clock.monotonicMs() });
    return startMs;
  }

  readonly handlers: Handlers<typeof calls> = {
    markers: async ({ fileId }, context) => await this.#ofFile(await this.#find(fileId, context)),
    setMarker: async ({ fileId, kind, startMs, endMs }, context) => {
      const file = await this.#find(fileId, context);
      const durationMs = file.media?.durationMs ?? 0;
      if (startMs >= endMs || endMs > durationMs + 1_000) return context.fail('notInFile', { durationMs });
      const span = { startMs, endMs: Math.min(endMs, durationMs) };
      await this.#options.store.setByPerson(fileId, context.viewer.id, { kind, span });
      this.#credits.clear();
      return await this.#ofFile(file);
    },
    removeMarker: async ({ fileId, kind }, context) => {
      const file = await this.#find(fileId, context);
      await this.#options.store.setByPerson(fileId, context.viewer.id, { kind, span: null });
      this.#credits.clear();
      return await this.#ofFile(file);
    },
    resetMarker: async ({ fileId, kind }, context) => {
      const file = await this.#find(fileId, context);
      await this.#options.store.forgetPerson(fileId, kind);
      this.#credits.clear();
      return await this.#ofFile(file);
    },
  };

  readonly feedSource = {
    feed: momentsFeed,
    isDurable: true as const,
    // [HIDE2] Who edits sees what was put away.
    audienceOf: ({ permissions }: Viewer): string => (permissions.includes('movies:edit') ? EDITOR : 'all'),
    snapshot: async (audience: string, movieId: string | null): Promise<SnapshotOf<typeof momentsFeed>> => ({
      files: movieId === null ? [] : await this.#ofMovie(movieId, audience),
    }),
    concerns: ({ feed, entityId }: Changes[number], _audience: string, movieId: string | null): boolean =>
      feed === 'moments' && entityId === movieId,
    entries: async (
      _changes: Changes,
      audience: string,
      movieId: string | null,
    ): Promise<readonly EntryOf<typeof momentsFeed>[]> =>
      movieId === null
        ? []
        : (await this.#ofMovie(movieId, audience)).map(({ fileId, markers }) => ({
            kind: 'markers',
            id: fileId,
            markers,
          })),
  };

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  async #find(
    fileId: string,
    { viewer, fail }: Pick<SignedInContext<(typeof calls)[keyof typeof calls]>, 'viewer' | 'fail'>,
  ): Promise<MomentFile> {
    const sight = { withHidden: viewer.permissions.includes('movies:edit') };
    return (await this.#options.store.file(fileId, sight)) ?? fail('notFound', { what: 'file', id: fileId });
  }

  async #ofFile(file: MomentFile): Promise<{ markers: Marker[]; said: MarkerKind[] }> {
    const stored = (await this.#options.store.markers([file.id])).get(file.id) ?? [];
    const said = stored.flatMap(({ kind, source }) => (source === 'person' ? [kind] : []));
    return { markers: this.#judge(file, stored), said };
  }

  async #ofMovie(movieId: string, audience: string): Promise<{ fileId: string; markers: Marker[] }[]> {
    const sight = { withHidden: audience === EDITOR };
    const files = (await this.#options.store.filesOf(movieId, sight)).filter(({ isExtra }) => !isExtra);
    const markersById = await this.#markersOf(files);
    return files.map(({ id }) => ({ fileId: id, markers: markersById.get(id) ?? [] }));
  }

  async #markersOf(files: readonly MomentFile[]): Promise<Map<string, Marker[]>> {
    const stored = await this.#options.store.markers(files.map(({ id }) => id));
    return new Map(files.map((file) => [file.id, this.#judge(file, stored.get(file.id) ?? [])]));
  }

  /** [PLAY67] Of each kind, what a person said, else the surest that the settings allow. */
  #judge({ media, isExtra }: MomentFile, stored: readonly StoredMarker[]): Marker[] {
    if (isExtra || media === null) return [];
    const { marks } = this.#options;
    const named = marks === 'off' ? [] : markersOfChapters(media.chapters, media.durationMs ?? 0);
    const allowed = stored.filter(({ source }) => source === 'person' || marks === 'all');
    const denied = new Set(allowed.flatMap(({ source, span, kind }) => (source === 'person' && !span ? [kind] : [])));
    const kept = allowed.flatMap(({ kind, source, span, confidence }): Marker[] =>
      span === null ? [] : [{ kind, source, confidence, ...span }],
    );
    return onePerKind(
      [...named, ...kept].filter(({ kind, confidence }) => !denied.has(kind) && confidence >= MIN_CONFIDENCE),
    );
  }

  /** [PLAY63] The sheet around the place where they go on for who looks at once, then the rest, which is promised at once. */
  #prepare(file: MomentFile, plan: PreviewPlan, atMs: number): void {
    const { clock, work, log } = this.#options;
    const failed = (error: unknown): void => log.warn('a movie is played without previews', { path: file.path, error });
    const timer = clock
      .after(FIRST_SHEET_AFTER_MS, () => {
        this.#timers.delete(timer);
        this.#shelf.sheet(file, sheetAt(plan, atMs)).catch(failed);
      })
      .unref();
    this.#timers.add(timer);
    void (async () => {
      const { there, total } = await this.#shelf.count(file);
      if (there === total) return;
      const payload = { fileId: file.id, atMs: Math.round(atMs) };
      const order = { kind: 'previews', payload, urgency: 'click', key: `open-${file.id}` } as const;
      await work.order([{ ...order, delayMs: REST_AFTER_MS }]);
    })().catch(failed);
  }

  /** Its credits are known by the time they come. */
  #orderStudy(file: MomentFile): void {
    const { store, work, log, marks } = this.#options;
    if (marks !== 'all' || file.isExtra) return;
    void (async () => {
      if ((await store.study(file, RULES)) !== null) return;
      const order = { kind: 'marks', payload: { fileId: file.id }, urgency: 'click', key: `open-${file.id}` } as const;
      await work.order([{ ...order, delayMs: REST_AFTER_MS }]);
    })().catch((error: unknown) => log.warn('nobody looks for the marks of a movie', { path: file.path, error }));
  }

  /** Whether somebody watches something that is made for them. */
  async #isInUse(): Promise<boolean> {
    return (await this.#options.hosts.status()).renditions > 0;
  }
}

/** The next look orders it sooner, if its disk is back by then. */
const WHEN_BACK = { kind: 'later', afterMs: 6 * 3_600_000, why: 'A file cannot be read just now.' } as const;
const AFTER_VIEWERS = { kind: 'later', afterMs: WAIT_FOR_VIEWERS_MS, why: 'Somebody is watching.' } as const;
