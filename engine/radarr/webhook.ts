/**
 * The address that Radarr sends its messages to. Thin: it lets in who knows the secret, keeps the message, and answers; what
 * is to be done is done afterwards. Radarr waits for the answer while it imports, and never sends a message twice.
 * Rules HOOK1 to HOOK4 of SPEC.md.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Secret } from '#engine/base/secret.ts';
import { WebhookMessage } from './replies.ts';

// The gateway's own types by shape: a domain does not import it.
type Headers = Readonly<Record<string, string | undefined>>;
export interface WebhookRequest {
  readonly id: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly address: string;
}
export interface WebhookResponse {
  send(status: number, headers: Readonly<Record<string, string>>, body?: string): void;
}
export interface WebhookRoute {
  readonly method: 'POST' | 'PUT';
  readonly path: `/${string}`;
  readonly access: 'public';
  readonly bodyLimitBytes: number;
  handle(request: WebhookRequest, response: WebhookResponse): Promise<void>;
}

export interface WebhookOptions {
  /** `null`: there is no such address. */
  readonly secret: () => Secret | null;
  /** Resolves when the message is kept. `false`: too many wait, this one was not kept. */
  readonly keep: (message: WebhookMessage) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

export const WEBHOOK_PATH = '/api/v1/webhooks/radarr';
/** An ordinary message is 10 KB; one that renames a hundred files some 200 KB. */
const BODY_LIMIT_BYTES = 1 << 20;
/** Whoever guesses must not fill the log. */
const COMPLAIN_EVERY_MS = 60_000;

export function webhookRoutes(options: WebhookOptions): WebhookRoute[] {
  const { clock, log } = options;
  let complainedMs = -Infinity;

  async function handle(request: WebhookRequest, response: WebhookResponse): Promise<void> {
    const secret = options.secret();
    if (secret === null) return refuse(response, request, 404, 'notFound', 'There is nothing at this address.');
    if (!isAdmitted(request.headers, secret)) {
      if (clock.monotonicMs() - complainedMs > COMPLAIN_EVERY_MS) {
        complainedMs = clock.monotonicMs();
        log.warn('a message to Radarr’s webhook was refused: it lacks the secret', { address: request.address });
      }
      return refuse(
        response,
        request,
        401,
        'unauthenticated',
        'The secret is missing or wrong: take it from Matinee’s settings.',
        {
          'www-authenticate': 'Basic realm="matinee"',
        },
      );
    }
    const message = parse(request.body);
    if (message === null) return refuse(response, request, 400, 'badRequest', 'This is no message of Radarr’s.');
    // Where the database is away this throws, Radarr hears of it, and the next sync makes up for it.
    if (await options.keep(message)) return response.send(202, { 'cache-control': 'no-store' });
    log.warn('a message of Radarr was not kept: too many wait', { kind: message.eventType });
    return refuse(response, request, 503, 'overloaded', 'Too many messages wait to be dealt with.', {
      'retry-after': '60',
    });
  }

  return (['POST', 'PUT'] as const).map((method) => ({
    method,
    path: WEBHOOK_PATH,
    access: 'public',
    bodyLimitBytes: BODY_LIMIT_BYTES,
    handle,
  }));
}

/** Basic with any user name, `Authorization: Bearer`, or `X-Api-Key`. Never the query: proxies write it down. */
function isAdmitted(headers: Headers, secret: Secret): boolean {
  const wanted = digest(secret.reveal());
  const offered = [headers['x-api-key'], ...credentials(headers['authorization'])];
  // All are compared, each in the same time, whatever they are.
  return offered.map((text) => text !== undefined && timingSafeEqual(digest(text), wanted)).includes(true);
}

function credentials(header: string | undefined): string[] {
  const [, scheme = '', value = ''] = /^(basic|bearer) +(\S+)$/i.exec(header ?? '') ?? [];
  if (scheme.toLowerCase() !== 'basic') return value === '' ? [] : [value];
  const text = Buffer.from(value, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  return colon < 0 ? [] : [text.slice(colon + 1)];
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function parse(body: Uint8Array): WebhookMessage | null {
  try {
    const result = v.safeParse(WebhookMessage, JSON.parse(new TextDecoder().decode(body)));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}

/** Problem details (RFC 9457), as everywhere. */
function refuse(
  response: WebhookResponse,
  { id }: WebhookRequest,
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.send(
    status,
    { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    JSON.stringify({ type: `urn:matinee:problem:${code}`, status, detail, code, instance: id }),
  );
}
