/** Waiting in the line for a transcode: the server tells the place, and whose turn it is opens the movie. */
import type { Signal } from '@preact/signals';
import type { InputOf, OutputOf } from '#protocol/contract.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import { playback as calls } from '#protocol/index.ts';

/** The part of the server that the line needs. */
export interface LineServer {
  call(call: typeof calls.wait, input: InputOf<typeof calls.wait>): Promise<OutputOf<typeof calls.wait>>;
  call(call: typeof calls.leave, input: InputOf<typeof calls.leave>): Promise<OutputOf<typeof calls.leave>>;
}

/** The place that a refusal gives; `null` where it gives none. */
export function placeIn(failure: Failure): number | null {
  if (failure.code !== 'tooManyTranscodes') return null;
  const { place } = failure.data as { readonly place?: number | null };
  return place ?? null;
}

/**
 * Waits from a place on until it is this device's turn, or its place is lost: then it resolves, for the movie to be opened anew. Rejects with
 * the failure of a call. `place` shows where it stands, and is `null` before and after. Once `isOver` says so, the line is left.
 */
export async function standInLine(
  server: LineServer,
  first: number,
  place: Signal<number | null>,
  isOver: () => boolean,
): Promise<void> {
  try {
    let known: number | null = first;
    while (known !== null && known > 0 && !isOver()) {
      place.value = known;
      ({ place: known } = await server.call(calls.wait, { known }));
    }
    if (isOver()) {
      await server.call(calls.leave, {}).catch((error: unknown) => {
        if (!isFailure(error)) throw error; // forgotten by itself in a quarter of a minute
      });
    }
  } finally {
    if (!isOver()) place.value = null;
  }
}
