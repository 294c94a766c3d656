/** What stands behind a part that the server refused: hls.js tells the status, and not what came with it. */
import { EXPIRED_STATUS } from './source.ts';
import type { SourceProblem } from './source.ts';

export interface Refusal {
  readonly problem: SourceProblem;
  /** The server's own word (RFC 9457, `code`); `null` where the answer has none. */
  readonly code: string | null;
}

/** Asks again. What is there by then, or is out of reach, says nothing against this device: meanwhile a file may have come or gone. */
export async function lookInto(url: string): Promise<Refusal> {
  try {
    const response = await fetch(url, { cache: 'no-store' });
    if (response.ok) {
      await response.body?.cancel();
      return { problem: 'unreachable', code: null };
    }
    const problem: unknown = await response.json();
    const code = (problem as { readonly code?: unknown } | null)?.code;
    if (typeof code !== 'string') return { problem: 'unreachable', code: null };
    if (EXPIRED_STATUS.has(response.status)) return { problem: 'expired', code };
    return { problem: response.status < 500 ? 'undecodable' : 'unreachable', code };
  } catch {
    return { problem: 'unreachable', code: null };
  }
}
