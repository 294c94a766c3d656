/** What a bench is and what it tells. */

/** One measured number beside a peer's from the same run. Printed as one JSON object a line. */
export interface BenchRow {
  readonly bench: string;
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  /** `null` where there is no peer, or it is not installed. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /** Above 1 ours is better, whatever the unit. `null` without a peer. */
  readonly ratio: number | null;
}

export interface Measurement {
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  /** Left out where nothing is there to compare with. */
  readonly peer?: number;
  readonly peerName?: string;
  /** Which way is better: throughput is, the `more`; time and processor use, the `less`. */
  readonly better: 'more' | 'less';
}

export interface BenchReport {
  row(measurement: Measurement): void;
  /** Something to know about the numbers, and peers that are missing with the command that installs them. */
  note(text: string): void;
}

export interface Bench {
  readonly name: string;
  /** One sentence for the list of benches. */
  readonly about: string;
  run(report: BenchReport): Promise<void>;
}

export function toRow(bench: string, { metric, unit, ours, peer, peerName, better }: Measurement): BenchRow {
  const ratio = peer === undefined ? null : better === 'more' ? ours / peer : peer / ours;
  return {
    bench,
    metric,
    unit,
    ours: round(ours),
    peer: peer === undefined ? null : round(peer),
    peerName: peer === undefined ? null : (peerName ?? null),
    ratio: ratio === null || !Number.isFinite(ratio) ? null : round(ratio),
  };
}

/** Four significant digits: more would pretend to a precision that no run has. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
