/** How a session travels by HTTP: in a cookie that only the server reads, or as a bearer token from scripts. */

/** 400 days: the longest that browsers keep a cookie. The session itself ends when the server says so. */
const MAX_AGE_SECONDS = 400 * 24 * 3600;

/**
 * Behind TLS the name begins with `__Host-`: then the browser itself holds that it is `Secure`, for this host and path `/`,
 * and a neighbouring subdomain cannot plant one (RFC 6265bis, section 4.1.3.2).
 */
export const cookieName = (isSecure: boolean): string => (isSecure ? '__Host-matinee_session' : 'matinee_session');

/**
 * `SameSite=Strict`: the page itself needs no cookie, and what it loads is same-site also after a link from elsewhere, so
 * nothing is lost by the strictest setting. A `null` token clears the cookie.
 */
export function setCookieHeader(token: string | null, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  const maxAge = token === null ? 0 : MAX_AGE_SECONDS;
  return `${cookieName(isSecure)}=${token ?? ''}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/** Session tokens are URL-safe text. Anything else is no token, whatever the look-up would make of it. */
const TOKEN = /^[\w.~+/=-]{16,512}$/;

export interface Credentials {
  readonly token: string;
  /** A cookie is added by the browser, whoever sends the request; a bearer token only by who knows it. */
  readonly by: 'cookie' | 'bearer';
}

/** The session token of a request, `null` where there is none. A bearer token counts before a cookie. */
export function credentialsOf(
  headers: Readonly<Record<string, string | undefined>>,
  isSecure: boolean,
): Credentials | null {
  const bearer = /^bearer +(\S+) *$/i.exec(headers['authorization'] ?? '')?.[1];
  if (bearer !== undefined) return TOKEN.test(bearer) ? { token: bearer, by: 'bearer' } : null;
  const wanted = cookieName(isSecure);
  for (const pair of (headers['cookie'] ?? '').split(';')) {
    const separator = pair.indexOf('=');
    if (separator < 0 || pair.slice(0, separator).trim() !== wanted) continue;
    const token = pair.slice(separator + 1).trim();
    return TOKEN.test(token) ? { token, by: 'cookie' } : null;
  }
  return null;
}
