/** What is true of the player at this moment. The parts of the player write it, screens read it through `Player`. */
import { signal } from '@preact/signals';
import type { Infer } from '#protocol/contract.ts';
import type { Failure } from '#protocol/errors.ts';
import type { AudioChoice, PlayMethod, Playback } from '#protocol/schema/playback.ts';
import type { SubtitleChoice } from '#protocol/schema/subtitle.ts';
import type { SourceFacts, SourceVariant } from './source.ts';

export type AudioOption = Infer<typeof AudioChoice>;
export type SubtitleOption = Infer<typeof SubtitleChoice>;

export type PlayerPhase = 'opening' | 'ready' | 'ended' | 'failed';

export type PlayerFailure =
  /** The server would not open the movie. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** Every way of playing was tried on this device. */
  | { readonly kind: 'undecodable'; readonly tried: readonly PlayMethod[]; readonly detail: string }
  /** The server answers calls but not for the media itself. */
  | { readonly kind: 'unreachable' };

/** The file that was played is gone: another one is waited for, or has taken its place. */
export type FileChange = 'awaited' | 'replaced';

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Live numbers for the info panel. */
export interface PlayerFacts {
  readonly source: SourceFacts | null;
  readonly width: number;
  readonly height: number;
  readonly droppedFrames: number;
  readonly totalFrames: number;
  readonly bufferedAheadMs: number;
  /** Times that the picture stood still for want of something to show, since the movie was opened. */
  readonly stalls: number;
}

/** How good the picture may be: a rung of the ladder, a limit for a movie that comes in one form only, or whatever goes. */
export type QualityChoice =
  | { readonly kind: 'auto' }
  | { readonly kind: 'variant'; readonly index: number }
  | { readonly kind: 'limit'; readonly maxBitrateBps: number };

export interface PlayerMovie {
  readonly movieId: string;
  readonly fileId: string | null;
  readonly isFromStart: boolean;
  /** The file was asked for at another time: of a movie that is cut into several, it goes on in the part where it was left. */
  readonly isFileStale?: boolean;
  /** Where in the whole movie to begin, whatever was seen of it; absent: as `isFromStart` says. */
  readonly startMs?: number | undefined;
}

export class PlayerState {
  readonly phase = signal<PlayerPhase>('opening');
  /** What the server opened; `null` before its first answer. */
  readonly playback = signal<Playback | null>(null);
  readonly failure = signal<PlayerFailure | null>(null);
  /** Place in the line for a transcode, 1 is the next; `null`: none is waited for. */
  readonly queuePlace = signal<number | null>(null);
  readonly isPlaying = signal(false);
  /** The person wants it to play and it does not yet. */
  readonly isBuffering = signal(true);
  /** The browser wants a click before it makes a sound. */
  readonly isBlocked = signal(false);
  /** Where the file is, or is being sought to. */
  readonly positionMs = signal(0);
  readonly durationMs = signal(0);
  readonly buffered = signal<readonly Span[]>([]);
  readonly rate = signal(1);
  readonly isInPicture = signal(false);
  /** What has become of the file that was played; `null` as long as it is there. */
  readonly fileChange = signal<FileChange | null>(null);

  /** What the source can switch between while it plays; none where it comes in one form only. */
  readonly variants = signal<readonly SourceVariant[]>([]);
  /** The one on the screen. */
  readonly variant = signal<SourceVariant | null>(null);
  readonly quality = signal<QualityChoice>({ kind: 'auto' });
  /** The line did not carry the movie as it was, and it was opened again to fit: how much it carries. */
  readonly softenedBps = signal<number | null>(null);
  readonly stalls = signal(0);

  wantsPlaying = true;
  /** Something of the movie was seen since the player was made. */
  hasPlayed = false;
  /** Of a seek that is on its way. */
  seekTargetMs: number | null = null;

  /** Where in the movie the file begins that plays. */
  partOffsetMs(): number {
    return this.playback.peek()?.part?.offsetMs ?? 0;
  }

  /** The place in the whole movie. */
  placeMs(): number {
    return this.partOffsetMs() + (this.seekTargetMs ?? this.positionMs.peek());
  }
}
