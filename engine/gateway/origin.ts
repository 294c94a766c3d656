/**
 * Whether a browser's request comes from a page of ours [HTTP4].
 *
 * A WebSocket and a form are not held back by the same-origin policy: any page that a signed-in person visits can open
 * or send them, and the browser adds the cookie. What the page cannot forge are `Origin` and `Sec-Fetch-Site`.
 */
import { StartRefusal } from '#engine/base/start-refusal.ts';
import type { Peer } from './client-address.ts';

export class OriginPolicy {
  readonly #allowed: ReadonlySet<string>;

  /** `allowed`: origins besides the server's own address, such as `https://movies.example.org`. Throws `StartRefusal` for what is none. */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(
      allowed.map((text) => {
        const url = URL.canParse(text) ? new URL(text) : null;
        if (url === null || !/^https?:$/.test(url.protocol)) {
          throw new StartRefusal(
            `"${text}" is not an origin. Write scheme and host, such as https://movies.example.org.`,
          );
        }
        return url.origin;
      }),
    );
  }

  /** Whether `origin` is a page of this server: its host is the one that was asked for, or it is on the list. */
  isOurs(origin: string, peer: Pick<Peer, 'host'>): boolean {
    if (this.#allowed.has(origin)) return true;
    // `null` (a sandboxed frame, a file) and anything else without a host is nobody's.
    if (!URL.canParse(origin)) return false;
    const url = new URL(origin);
    if (!/^https?:$/.test(url.protocol)) return false;
    // Scheme is not compared: a proxy that ends TLS without telling would lock everyone out, and a page on the same
    // host and port is ours by either scheme.
    return url.host !== '' && url.host === withoutOwnPort(peer.host, url.protocol);
  }

  /**
   * Whether a request that changes something may use the cookie it carries. `Sec-Fetch-Site` decides where the browser
   * sends it, then `Origin`. Every browser sends one of the two with such a request (Fetch, "append a request `Origin`
   * header"), so with neither it is a script that was given the cookie.
   */
  mayUseCookie(headers: Readonly<Record<string, string | undefined>>, peer: Pick<Peer, 'host'>): boolean {
    const origin = headers['origin'];
    const site = headers['sec-fetch-site'];
    if (site === 'same-origin') return true;
    if (origin !== undefined) return this.isOurs(origin, peer);
    // `none`: typed into the address bar, no page was involved.
    return site === undefined || site === 'none';
  }
}

const withoutOwnPort = (host: string, protocol: string): string =>
  host.replace(protocol === 'https:' ? /:443$/ : /:80$/, '');
