import type { WrittenSegment } from './fmp4-segment-writer.ts';

/** Makes the segments of one track in order, a little at a time, so that its host can listen between the steps. */
export interface SegmentProducer extends Disposable {
  /** The segment that will be finished next, while nothing makes it go elsewhere. */
  readonly next: number;
  /** Goes to where segment `index` begins. What was begun and not finished is dropped. */
  start(index: number): void;
  /** Says up to which segment it is asked to work, before it is asked to step. */
  aim?(until: number): void;
  /** It can't take a step before something outside of it has happened. What it says may change by itself; ask again. */
  readonly mustWait?: boolean;
  /** Nothing is asked of it for now. */
  rest?(): void;
  /**
   * Works for some milliseconds: a packet or so. Finished segments go to the `OnSegment` it was made with.
   * False when the plan's last segment is finished. Throws `MediaError` for a segment that cannot be made.
   */
  step(): boolean;
}

export type OnSegment = (index: number, written: WrittenSegment) => void;
