/** Judges the form of a frame that a client sent. By hand, not by schema: this runs for every frame there is. A test holds it to the schemas of frame.ts. */
import * as v from 'valibot';
import { FRAME, Hello, type ClientFrame } from '#protocol/frame.ts';

/** The frame, or `null` where it is none of those a client may send [WIRE3]. */
export function parseClientFrame(value: unknown): ClientFrame | null {
  if (!Array.isArray(value)) return null;
  const frame = value as readonly unknown[];
  switch (frame[0]) {
    case FRAME.call:
      return frame.length === 5 && isCount(frame[1]) && isCount(frame[2]) && (frame[4] === null || isCount(frame[4]))
        ? (frame as unknown as ClientFrame)
        : null;
    case FRAME.ack:
      return frame.length === 4 &&
        isCount(frame[1]) &&
        (frame[2] === null || typeof frame[2] === 'string') &&
        isCount(frame[3])
        ? (frame as unknown as ClientFrame)
        : null;
    case FRAME.ping:
      return frame.length === 2 && Number.isFinite(frame[1]) ? (frame as unknown as ClientFrame) : null;
    case FRAME.cancel:
      return frame.length === 2 && isCount(frame[1]) ? (frame as unknown as ClientFrame) : null;
    case FRAME.hello: {
      if (frame.length !== 2) return null;
      const hello = v.safeParse(Hello, frame[1]);
      return hello.success ? [FRAME.hello, hello.output] : null;
    }
    default:
      return null;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
