/** Words about subtitles. */

/** `+0.25 s`; as the file says, `±0 s`. */
export function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return '±0 s';
  const seconds = Math.abs(offsetMs) / 1_000;
  return `${offsetMs < 0 ? '−' : '+'}${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}
