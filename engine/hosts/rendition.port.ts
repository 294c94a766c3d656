import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { RenditionSpec, SegmentRange } from '#engine/media/rendition-spec.ts';
import type { HardwareKind, HardwareVerdict } from '#protocol/schema/hardware.ts';

export type { RenditionSpec, SegmentRange } from '#engine/media/rendition-spec.ts';

/**
 * What a rendition host does for its parent. It starts without a file, so that a spare one can wait warm. It makes one rendition,
 * or several encoded pictures of one track, which it decodes once where they are at the same place. All calls answer at once and
 * may be sent in one breath; what comes of them arrives as events. `id` is the parent's name for a rendition.
 */
export interface RenditionCalls {
  /** Gives the host a rendition's file and plan, once for each. What is wrong with the file comes as `failed` after `produce`. */
  open(id: number, spec: RenditionSpec): void;
  /**
   * Makes the segments of a range in order, then `idle`. While it works, or later: a range that begins where the rendition
   * stands moves only its end; any other makes it seek there, within the same process. The newest call wins.
   */
  produce(id: number, range: SegmentRange): void;
  /** Lets a rendition come to rest where it stands, as if its range ended there. Answers with `idle`. */
  pause(id: number): void;
  /** Nothing is heard of a rendition after this. The last one ends with its host instead. */
  close(id: number): void;
}

export interface RenditionHostEvent {
  readonly id: number;
  readonly event: RenditionEvent;
}

/** The events of one `produce`, in order. A segment's file is complete when its event arrives. */
export type RenditionEvent =
  /** `init.mp4` is there. Once in a host's life, before its first segment. */
  | { readonly kind: 'init'; readonly sizeBytes: number }
  | { readonly kind: 'segment'; readonly index: number; readonly sizeBytes: number }
  /** The range is done, or it was paused; `next` is the segment that it can go on with for the least price. */
  | { readonly kind: 'idle'; readonly next: number }
  /** It waits for something outside, to make segment `index`: for subtitles that are still being read. Told again from time to time, to the hosts' keeper only. */
  | { readonly kind: 'waiting'; readonly index: number }
  /** Hardware failed at a segment, and the processor goes on in its place, with this segment and those behind it. */
  | {
      readonly kind: 'hardwareFailed';
      readonly hardware: HardwareKind;
      readonly verdict: HardwareVerdict;
      readonly detail: string | null;
      readonly index: number;
    }
  /** Segment `index` cannot be made, and the range ends here. `detail` is for the log; it holds no text of the file or FFmpeg. */
  | { readonly kind: 'failed'; readonly failure: MediaFailure; readonly index: number; readonly detail: string };
