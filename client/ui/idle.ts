/** Not before the page has drawn what was asked for, and not much later either. */
const PATIENCE_MS = 2_000;

/** Runs `action` once the page has nothing else to do. The returned function takes it back. */
export function whenIdle(action: () => void): () => void {
  // Safari tells nobody when it is idle.
  if (!('requestIdleCallback' in globalThis)) {
    const timer = setTimeout(action, PATIENCE_MS);
    return () => clearTimeout(timer);
  }
  const wish = requestIdleCallback(action, { timeout: PATIENCE_MS });
  return () => cancelIdleCallback(wish);
}
