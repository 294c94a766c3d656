/**
 * How the files of movies are cut into segments. Owns: the plans that were used lately, so that a request for a segment does not
 * read an index from the store. A plan follows from the file's version, so it never has to be forgotten, only dropped for space.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { mediaPlaylist, picturePlaylist } from '#engine/media/hls-playlist.ts';
import { decodeKeyframeBytes, decodeKeyframes, encodeKeyframes } from '#engine/media/keyframe-index.ts';
import { segmentLoad } from '#engine/media/segment-load.ts';
import type { SegmentLoad } from '#engine/media/segment-load.ts';
import { isPlannable, planFingerprint, planPictures, planRemux, planTranscode } from '#engine/media/segment-plan.ts';
import type { SegmentPlan } from '#engine/media/segment-plan.ts';
import type { PlaybackHosts, PlaybackStore, StoredFile } from './ports.ts';

/**
 * - `remux`: at keyframes of the source
 * - `transcode`: short pieces, aligned with keyframes of the source
 * - `grid`: short pieces without regard to keyframes, which are not known
 */
export const PLAN_KINDS = ['remux', 'transcode', 'grid'] as const;
export type PlanKind = (typeof PLAN_KINDS)[number];

export interface MoviePlan {
  readonly kind: PlanKind;
  /** Text that differs when the plan does. */
  readonly id: string;
  readonly segments: SegmentPlan;
  /** The media playlist, the same for every rendition of the plan. */
  readonly playlist: string;
  /** Of the picture as it is, or of all tracks where the container's index speaks of those; `null` where it was not measured. */
  readonly load: SegmentLoad | null;
}

/** The pictures to look for a place by: their keyframes, and the I-frame playlist that lists them. */
export type PicturePlan = Pick<MoviePlan, 'id' | 'segments' | 'playlist'>;

/** A search through a whole file over a slow share takes minutes. Nobody waits for that: it is played otherwise this time. */
const SEARCH_PATIENCE_MS = 12_000;
/** Each costs a seek: half a millisecond on a disk, a tenth of a second on a slow share. */
const ENTRY_SAMPLES = 6;
const NONE = new Float64Array(0);

export interface MoviePlansOptions {
  readonly store: PlaybackStore;
  readonly hosts: PlaybackHosts;
  readonly clock: Clock;
  readonly log: Log;
}

export class MoviePlans {
  readonly #options: MoviePlansOptions;
  /** A plan of a long movie is about 100 kB with its playlist. */
  readonly #plans = new LRUCache<string, MoviePlan>({ max: 100 });
  readonly #pictures = new LRUCache<string, PicturePlan>({ max: 30 });
  readonly #searches = new Map<string, Promise<Float64Array>>();
  /** Whether players can begin at a version's keyframes. */
  readonly #entries = new LRUCache<string, boolean>({ max: 10_000 });

  constructor(options: MoviePlansOptions) {
    this.#options = options;
  }

  /** The plan of a kind for a file; `null` where the file can't be cut so. Takes only what is known: nothing is searched for. */
  async plan(file: StoredFile, kind: PlanKind): Promise<MoviePlan | null> {
    const cacheKey = `${versionKey(file)} ${kind}`;
    const cached = this.#plans.get(cacheKey);
    if (cached) return cached;
    const durationUs = durationUsOf(file);
    if (durationUs === null) return null;
    const stored = kind === 'grid' ? null : await this.#options.store.keyframes(file.id);
    const keyframesUs = stored && decodeKeyframes(stored);
    if (kind !== 'grid' && keyframesUs === null) return null;
    const frameRate = file.media?.video[0]?.isVariableFrameRate === false ? file.media.video[0].frameRate : null;
    const segments =
      kind === 'remux' ? planRemux(keyframesUs ?? NONE, durationUs) : planTranscode(keyframesUs, durationUs, frameRate);
    if (!segments) return null;
    const bytes = kind === 'remux' && stored ? decodeKeyframeBytes(stored) : null;
    const plan: MoviePlan = {
      kind,
      id: planFingerprint(segments),
      segments,
      playlist: mediaPlaylist(segments),
      load: bytes && keyframesUs && segmentLoad(segments, keyframesUs, bytes),
    };
    this.#plans.set(cacheKey, plan);
    return plan;
  }

  /** The keyframes that an I-frame playlist lists; `null` where none are known. */
  async pictures(file: StoredFile): Promise<PicturePlan | null> {
    const cacheKey = versionKey(file);
    const cached = this.#pictures.get(cacheKey);
    if (cached) return cached;
    const durationUs = durationUsOf(file);
    const keyframesUs = durationUs === null ? null : await this.known(file);
    const pictures = keyframesUs && durationUs !== null ? planPictures(keyframesUs, durationUs) : null;
    if (!pictures) return null;
    const plan = { id: planFingerprint(pictures), segments: pictures, playlist: picturePlaylist(pictures) };
    this.#pictures.set(cacheKey, plan);
    return plan;
  }

  /** Keyframes as far as they are known: empty where it is known that there are none to be had, `null` where nothing is known. */
  async known(file: StoredFile): Promise<Float64Array | null> {
    const bytes = await this.#options.store.keyframes(file.id);
    return bytes && decodeKeyframes(bytes);
  }

  /**
   * Sees to it that keyframes are known, if that can be done while somebody waits, and keeps them [PLAY20]. Several who ask at
   * once wait for one search; it goes on when they have stopped waiting. False where they are still not known.
   */
  async search(file: StoredFile, signal: AbortSignal): Promise<boolean> {
    const { clock, store } = this.#options;
    if ((await store.keyframes(file.id)) !== null) return true;
    const key = versionKey(file);
    let search = this.#searches.get(key);
    if (!search) {
      search = this.#search(file).finally(() => this.#searches.delete(key));
      this.#searches.set(key, search);
    }
    const found = search.then(
      () => true,
      () => false,
    );
    const patience = new AbortController();
    const late = clock.sleep(SEARCH_PATIENCE_MS, AbortSignal.any([signal, patience.signal])).then(() => false);
    try {
      return await Promise.race([found, late]);
    } finally {
      late.catch(() => undefined);
      patience.abort();
    }
  }

  /**
   * Whether players can begin at the borders of a remux, from a sample of them: files are made with one kind of keyframe, and the exceptions
   * with few of the good kind. A file that can't be looked at now counts as fit: what is wrong with it shows elsewhere.
   */
  async hasEntryPoints(file: StoredFile, plan: MoviePlan, signal: AbortSignal): Promise<boolean> {
    const track = file.media?.video[0];
    // Only H.264 has keyframes that players can't begin at, and only MP4 hides pictures.
    const isInDoubt = track?.codec === 'h264' || file.media?.container === 'mp4';
    if (!track || !isInDoubt) return true;
    const known = this.#entries.get(versionKey(file));
    if (known !== undefined) return known;
    const borders = plan.segments.subarray(1, -1);
    const step = Math.max(1, Math.floor(borders.length / ENTRY_SAMPLES));
    const timesUs = Array.from(borders)
      .filter((_, index) => index % step === 0)
      .slice(0, ENTRY_SAMPLES);
    const startMs = file.media?.startMs ?? 0;
    const result = await this.#options.hosts.entryPoints(
      file.path,
      { trackIndex: track.index, startMs, timesUs },
      { signal },
    );
    if (!result.ok) {
      this.#options.log.warn('keyframes could not be looked at', { path: file.path, failure: result.failure });
      return true;
    }
    this.#entries.set(versionKey(file), result.areUsable);
    return result.areUsable;
  }

  async #search(file: StoredFile): Promise<Float64Array> {
    const { hosts, store, log } = this.#options;
    const trackIndex = file.media?.video[0]?.index;
    if (trackIndex === undefined) return NONE;
    const result = await hosts.keyframes(file.path, trackIndex);
    if (!result.ok) log.warn('keyframes could not be found', { path: file.path, failure: result.failure });
    // What can't be had now may be had later, when the share is quicker: only what is about the file itself is kept.
    if (!result.ok && result.failure === 'timeout') throw new Error('the search for keyframes took too long');
    const keyframesUs = result.ok ? result.keyframesUs : NONE;
    await store.saveKeyframes(file, encodeKeyframes(keyframesUs, result.ok ? result.keyframeBytes : null));
    return keyframesUs;
  }
}

/** Length of a movie in µs; `null` where it is not known, or is none that a movie has: then it can't be cut. */
export function durationUsOf({ media }: StoredFile): number | null {
  const durationUs = (media?.durationMs ?? 0) * 1_000;
  return isPlannable(durationUs) ? durationUs : null;
}

const versionKey = ({ id, sizeBytes, mtimeUs }: StoredFile): string => `${id} ${sizeBytes} ${mtimeUs}`;
