/** Judges the form of a frame that a server sent. */
import * as v from 'valibot';
import { EVENT, FRAME, Welcome, type ServerFrame } from '#protocol/frame.ts';

/** The frame, or `null` where it is none of those a server may send [WIRE3]. */
export function parseServerFrame(value: unknown): ServerFrame | null {
  if (!Array.isArray(value)) return null;
  const frame = value as readonly unknown[];
  const isFrame = (): boolean => {
    switch (frame[0]) {
      case FRAME.ok:
        return frame.length === 3 && isCount(frame[1]);
      case FRAME.fail:
        return frame.length === 5 && isCount(frame[1]) && typeof frame[2] === 'string' && typeof frame[4] === 'string';
      case FRAME.event:
        return (
          frame.length === 7 &&
          isCount(frame[1]) &&
          (frame[2] === null || typeof frame[2] === 'string') &&
          (frame[3] === EVENT.delta || frame[3] === EVENT.snapshot) &&
          isCount(frame[4]) &&
          isCount(frame[5])
        );
      case FRAME.pong:
        return frame.length === 3 && Number.isFinite(frame[1]) && Number.isFinite(frame[2]);
      case FRAME.welcome:
        return frame.length === 2 && v.is(Welcome, frame[1]);
      default:
        return false;
    }
  };
  return isFrame() ? (frame as unknown as ServerFrame) : null;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
