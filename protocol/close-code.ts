/** Why the server ends a connection, and what a client should do about it. Codes 4000–4999 are ours (RFC 6455 section 7.4.2). */

/** What a client does after a close: come back with backoff, come back after a while, update itself, sign in again, or stay away. */
export type ClosePolicy = 'retry' | 'retryAfter' | 'upgradeClient' | 'signIn' | 'never';

export const CLOSE = {
  normal: { code: 1000, policy: 'never', reason: 'closed by agreement' },
  goingAway: { code: 1001, policy: 'retry', reason: 'the server is shutting down' },
  restart: { code: 1012, policy: 'retry', reason: 'the server is restarting' },
  tryLater: { code: 1013, policy: 'retryAfter', reason: 'the server has too many connections' },
  badFrame: { code: 4400, policy: 'never', reason: 'a frame could not be understood' },
  signIn: { code: 4401, policy: 'signIn', reason: 'no session, or the session has ended' },
  protocolVersion: { code: 4406, policy: 'upgradeClient', reason: 'no protocol version in common' },
  helloTimeout: { code: 4408, policy: 'retry', reason: 'no hello within the time limit' },
  idle: { code: 4409, policy: 'retry', reason: 'no sign of life' },
  frameTooLarge: { code: 4413, policy: 'never', reason: 'a frame was larger than the limit' },
  tooManyCalls: { code: 4429, policy: 'retryAfter', reason: 'more calls than the limits allow' },
  slowReader: { code: 4430, policy: 'retry', reason: 'replies were not read in time' },
  outOfOrder: {
    code: 4431,
    policy: 'never',
    reason: 'a frame came in a state that does not allow it, or was replayed',
  },
} as const satisfies Record<string, { code: number; policy: ClosePolicy; reason: string }>;

export type CloseName = keyof typeof CLOSE;

const POLICY_BY_CODE = new Map<number, ClosePolicy>(Object.values(CLOSE).map(({ code, policy }) => [code, policy]));

/** The policy for a code that a socket closed with. Unknown codes (1006 above all: the line dropped) mean `retry`. */
export function closePolicy(code: number): ClosePolicy {
  return POLICY_BY_CODE.get(code) ?? 'retry';
}
