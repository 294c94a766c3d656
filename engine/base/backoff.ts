/** How long to wait between attempts. */
export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Growth from one attempt to the next, 2 unless told. */
  readonly factor?: number;
}

/**
 * The wait before the attempt after `failures` failures (1 or more), in ms: between half of the exponential
 * step and all of it. The lower half is kept as a floor so that a retry is never immediate; the upper half is spread
 * at random so that clients cut off together do not come back together.
 */
export function backoffMs(failures: number, policy: BackoffPolicy, random: () => number = Math.random): number {
  const exponent = Math.max(0, failures - 1);
  const stepMs = Math.min(policy.maxMs, policy.firstMs * (policy.factor ?? 2) ** exponent);
  return stepMs / 2 + (stepMs / 2) * random();
}
