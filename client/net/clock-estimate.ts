/**
 * What the server's clock says now, from the pings of one connection. Of the last samples the one with the shortest round
 * trip is believed: queues only ever make a trip longer, so the shortest is the nearest to the truth (NTP's clock filter,
 * RFC 5905, section 10). The error is at most half of that round trip.
 */

interface Sample {
  readonly roundTripMs: number;
  readonly offsetMs: number;
  readonly atMs: number;
}

const MAX_SAMPLES = 16;
/** Clocks drift by some 50 ms in a thousand seconds at worst: an old sample is worth less than it looks. */
const MAX_AGE_MS = 10 * 60_000;

export class ClockEstimate {
  #samples: Sample[] = [];

  /** A pong: when the ping left and the pong came by the local monotonic clock, and what the server's clock said between. */
  add(sentMs: number, receivedMs: number, serverMs: number): void {
    const roundTripMs = receivedMs - sentMs;
    if (!(roundTripMs >= 0)) return;
    const offsetMs = serverMs - (sentMs + roundTripMs / 2);
    this.#samples = this.#samples
      .filter(({ atMs }) => receivedMs - atMs < MAX_AGE_MS)
      .concat({ roundTripMs, offsetMs, atMs: receivedMs })
      .slice(-MAX_SAMPLES);
  }

  /** Another server may be at the other end now, with another clock. */
  reset(): void {
    this.#samples = [];
  }

  /** The shortest round trip among the samples, `null` before the first. */
  get roundTripMs(): number | null {
    return this.#best?.roundTripMs ?? null;
  }

  /** What to add to the local monotonic clock to get the server's calendar time, `null` before the first sample. */
  get offsetMs(): number | null {
    return this.#best?.offsetMs ?? null;
  }

  get #best(): Sample | undefined {
    let best: Sample | undefined;
    for (const sample of this.#samples) if (!best || sample.roundTripMs <= best.roundTripMs) best = sample;
    return best;
  }
}
