/**
 * Intro, recap and credits of what plays: which are known, whether the person is in one, and whether it is offered to be skipped.
 * Owns the offer: it comes when playing runs into a mark and leaves after ten seconds. Nothing is skipped unless the person said so
 * in their settings, and then once: whoever goes back to see it sees it.
 */
import { batch, effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { momentsFeed } from '#protocol/feeds/moments.ts';
import type { Marker, MarkerKind } from '#protocol/schema/moments.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import type { PlaybackPreferences } from '#protocol/schema/preferences.ts';
import type { Server } from '#client/store/ports.ts';

const OFFERED_MS = 10_000;
/** With less of it left, skipping saves nothing. */
const WORTH_SKIPPING_MS = 2_000;
/** Credits that end this near to the end of the file are the last of it. */
const TO_THE_END_MS = 5_000;
/** A step longer than this between two looks is a seek, and not playing. */
const STEP_MS = 1_500;

/** The part of a player that this needs. */
export interface SkippingPlayer {
  readonly playback: ReadonlySignal<Playback | null>;
  readonly positionMs: ReadonlySignal<number>;
  readonly durationMs: ReadonlySignal<number>;
  readonly isPlaying: ReadonlySignal<boolean>;
  readonly rate: ReadonlySignal<number>;
  seekTo(ms: number): void;
}

export class SkipMarks {
  readonly #player: SkippingPlayer;
  readonly #byFile = signal<ReadonlyMap<string, readonly Marker[]>>(new Map());
  readonly #wishes: ReadonlySignal<Pick<PlaybackPreferences, 'skips'>>;
  readonly #current = signal<Marker | null>(null);
  readonly #offer = signal<Marker | null>(null);
  /** What was skipped by itself just now, to be said. */
  readonly #skipped = signal<Marker | null>(null);
  /** Kinds of this file that were skipped, or were let pass. */
  readonly #done = new Set<MarkerKind>();
  readonly #disposers: (() => void)[] = [];
  #fileId: string | null = null;
  #lastMs = Number.NaN;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    server: Pick<Server, 'follow'>,
    player: SkippingPlayer,
    movieId: string,
    wishes: ReadonlySignal<Pick<PlaybackPreferences, 'skips'>>,
  ) {
    this.#player = player;
    this.#wishes = wishes;
    this.#disposers.push(
      server.follow(momentsFeed, movieId, {
        onSnapshot: ({ files }) => {
          this.#byFile.value = new Map(files.map(({ fileId, markers }) => [fileId, markers]));
        },
        onEntries: (entries) => {
          this.#byFile.value = new Map([
            ...this.#byFile.peek(),
            ...entries.map(({ id, markers }) => [id, markers] as const),
          ]);
        },
      }),
      effect(() => this.#look()),
    );
  }

  /** Of the file that plays, in order. */
  get markers(): readonly Marker[] {
    const playback = this.#player.playback.value;
    if (playback === null) return [];
    return this.#byFile.value.get(playback.fileId) ?? playback.markers;
  }

  /** The one that the person is in and that their settings let them skip. */
  get current(): ReadonlySignal<Marker | null> {
    return this.#current;
  }

  /** The same while it is offered; `null` once ten seconds have passed or the person went on. */
  get offer(): ReadonlySignal<Marker | null> {
    return this.#offer;
  }

  get skipped(): ReadonlySignal<Marker | null> {
    return this.#skipped;
  }

  /** The credits roll that end the file, and have not ended: also their last seconds, which are not worth skipping. */
  get isRollingOut(): boolean {
    const [nowMs, lastMs] = [this.#player.positionMs.value, this.#player.durationMs.value - TO_THE_END_MS];
    if (this.#wishes.value.skips.credits === 'nothing') return false;
    return this.markers.some(({ kind, startMs, endMs }) => kind === 'credits' && startMs <= nowMs && endMs >= lastMs);
  }

  /** To the end of the one that the person is in. Whether there was one. */
  skip(): boolean {
    const marker = this.#current.peek();
    if (marker === null) return false;
    this.#done.add(marker.kind);
    this.#withdraw();
    this.#player.seekTo(marker.endMs);
    return true;
  }

  /** The offer was not wanted. */
  dismiss(): void {
    this.#withdraw();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const dispose of this.#disposers) dispose();
  }

  #look(): void {
    const playback = this.#player.playback.value;
    const nowMs = this.#player.positionMs.value;
    const isPlaying = this.#player.isPlaying.value;
    const { skips } = this.#wishes.value;
    if (playback?.fileId !== this.#fileId) {
      this.#fileId = playback?.fileId ?? null;
      this.#done.clear();
      this.#lastMs = Number.NaN;
    }
    const marker =
      this.markers.find(
        ({ kind, startMs, endMs }) =>
          skips[kind] !== 'nothing' && nowMs >= startMs && nowMs < endMs - WORTH_SKIPPING_MS,
      ) ?? null;
    const before = this.#lastMs;
    this.#lastMs = nowMs;
    const known = this.#current.peek();
    if (marker !== null && known !== null && isSame(marker, known)) return;
    batch(() => {
      this.#current.value = marker;
      this.#skipped.value = null;
      this.#withdraw();
      if (marker === null) return;
      // Whoever goes to a place in it wants to see it.
      const stepMs = STEP_MS * Math.max(1, this.#player.rate.peek());
      const ranInto = isPlaying && (Number.isNaN(before) || (nowMs >= before && nowMs - before < stepMs));
      if (skips[marker.kind] === 'skip' && ranInto && !this.#done.has(marker.kind)) {
        this.#done.add(marker.kind);
        this.#skipped.value = marker;
        this.#player.seekTo(marker.endMs);
        return;
      }
      this.#offer.value = marker;
      this.#timer = setTimeout(() => this.#withdraw(), OFFERED_MS);
    });
  }

  #withdraw(): void {
    clearTimeout(this.#timer);
    this.#offer.value = null;
  }
}

function isSame(a: Marker, b: Marker): boolean {
  return a.kind === b.kind && a.startMs === b.startMs && a.endMs === b.endMs;
}
