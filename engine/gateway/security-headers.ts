/** Headers that every reply carries, and the content policies of the two kinds of page that are served. */
import type { ReplyHeaders } from './http.ts';

/** For everything that is not a page: nothing may be loaded by it, nothing may frame it. */
const NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const COMMON: ReplyHeaders = {
  'content-security-policy': NO_CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  // Also keeps signed media URLs out of what other sites are told.
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};

const SECURE: ReplyHeaders = {
  ...COMMON,
  'strict-transport-security': 'max-age=31536000',
  // Without TLS browsers ignore it, and complain of it on every page.
  'cross-origin-opener-policy': 'same-origin',
};

export const securityHeaders = (isSecure: boolean): ReplyHeaders => (isSecure ? SECURE : COMMON);

/**
 * The client's page: everything from here. `blob:` for what the player makes itself (media sources, its worker, drawn
 * pictures), `data:` for small pictures and fonts that the build puts inside other files. The socket is named in full,
 * because Safari before 15.4 does not take `'self'` for `ws:`.
 */
export function pagePolicy(host: string): string {
  const own = /^[\w.:[\]-]+$/.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    `connect-src 'self'${own}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * Of a script of the client, which is a policy only where it runs as a worker: the one that draws styled subtitles is WebAssembly, and
 * loads that and the fonts from here. The page itself may not compile any.
 */
export const WORKER_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self'",
  "worker-src 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** The page of the API: swagger-ui has pictures inside its style sheet. */
export const API_PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
