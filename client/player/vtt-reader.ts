/** Reads the WebVTT that our server writes, while it comes. Anything else in it is passed over; what is in the cues is for the browser to parse. */

export interface VttCue {
  readonly startMs: number;
  readonly endMs: number;
  readonly isTop: boolean;
  /** Cue text of WebVTT. */
  readonly text: string;
}

const TIMES = /^(?:(\d{2,}):)?(\d{2}):(\d{2})\.(\d{3}) --> (?:(\d{2,}):)?(\d{2}):(\d{2})\.(\d{3})(?: (.*))?$/;
const MAX_CUES = 100_000;
/** A block that does not end is no cue. */
const MAX_HELD = 1 << 20;

export class VttReader {
  #held = '';
  #count = 0;

  take(piece: string): VttCue[] {
    const blocks = (this.#held + piece).split('\n\n');
    this.#held = blocks.pop()!.slice(0, MAX_HELD);
    return this.#cuesOf(blocks);
  }

  /** What stands behind the last empty line. */
  end(): VttCue[] {
    const rest = this.#held;
    this.#held = '';
    return this.#cuesOf([rest]);
  }

  #cuesOf(blocks: readonly string[]): VttCue[] {
    const cues = blocks.flatMap((block): VttCue[] => {
      const [head = '', ...lines] = block.replace(/^\n+|\n+$/g, '').split('\n');
      const times = TIMES.exec(head);
      if (times === null || lines.length === 0) return [];
      const startMs = toMs(times.slice(1, 5));
      const endMs = toMs(times.slice(5, 9));
      return endMs > startMs ? [{ startMs, endMs, isTop: times[9] === 'line:0', text: lines.join('\n') }] : [];
    });
    const room = cues.slice(0, Math.max(0, MAX_CUES - this.#count));
    this.#count += room.length;
    return room;
  }
}

function toMs([hours, minutes, seconds, thousandths]: readonly (string | undefined)[]): number {
  return ((Number(hours ?? 0) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000 + Number(thousandths);
}
