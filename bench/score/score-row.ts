/** One line of a score. `missing`: the reference says something and we say nothing. */
export interface ScoreRow {
  readonly score: string;
  readonly key: string;
  readonly right: number;
  readonly wrong: number;
  readonly missing: number;
  /** `right` of all three, 0 to 1. */
  readonly accuracy: number;
}

export type Verdict = 'right' | 'wrong' | 'missing';

/** Counts verdicts by key, keeps the keys in the order in which they first came, and adds up `all`. */
export class Tally {
  readonly #score: string;
  readonly #counts = new Map<string, Record<Verdict, number>>();

  constructor(score: string) {
    this.#score = score;
  }

  count(key: string, verdict: Verdict): void {
    const counts = this.#counts.get(key) ?? { right: 0, wrong: 0, missing: 0 };
    counts[verdict] += 1;
    this.#counts.set(key, counts);
  }

  rows(totalKey: string | null = 'all'): ScoreRow[] {
    const rows = [...this.#counts].map(([key, counts]) => toRow(this.#score, key, counts));
    if (totalKey === null) return rows;
    const sum = (verdict: Verdict): number => rows.reduce((total, row) => total + row[verdict], 0);
    return [
      ...rows,
      toRow(this.#score, totalKey, { right: sum('right'), wrong: sum('wrong'), missing: sum('missing') }),
    ];
  }
}

function toRow(score: string, key: string, counts: Record<Verdict, number>): ScoreRow {
  const total = counts.right + counts.wrong + counts.missing;
  const accuracy = total === 0 ? 0 : Math.round((counts.right / total) * 10_000) / 10_000;
  return { score, key, ...counts, accuracy };
}

export function printTable(rows: readonly ScoreRow[]): void {
  const width = Math.max(3, ...rows.map((row) => row.key.length));
  const line = (key: string, ...cells: readonly (string | number)[]): string =>
    key.padEnd(width) + cells.map((cell) => String(cell).padStart(9)).join('');
  console.log(line('key', 'right', 'wrong', 'missing', 'accuracy'));
  for (const row of rows) console.log(line(row.key, row.right, row.wrong, row.missing, row.accuracy.toFixed(4)));
}
