/** The value below which `share` (0 to 1) of the values lie, by the nearest rank. Throws where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new Error('there is no quantile of nothing: the bench measured no round');
  return value;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
