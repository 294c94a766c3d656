/** Who is at the other end, when some of the peers are proxies that speak for others. */
import { BlockList, isIP } from 'node:net';
import { StartRefusal } from '#engine/base/start-refusal.ts';

export interface Peer {
  /** The client's address as text; IPv4 in its short form also where it came mapped into IPv6. */
  readonly address: string;
  readonly isSecure: boolean;
  /** The host that the client asked for, lower case, with its port where it is not the scheme's own. */
  readonly host: string;
}

/**
 * Proxies whose `X-Forwarded-*` headers are believed, as addresses or networks (`10.0.0.0/8`, `::1`). From anyone else
 * the headers are ignored: they could be written by the client itself (ASVS 4.1.3).
 */
export class TrustedProxies {
  readonly #networks = new BlockList();

  /** Throws `StartRefusal` for what is no address and no network. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      const version = isIP(address);
      const bits = prefix === undefined ? null : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
      const maxBits = version === 6 ? 128 : 32;
      if (version === 0 || (bits !== null && !(Number.isInteger(bits) && bits >= 0 && bits <= maxBits))) {
        throw new StartRefusal(
          `"${network}" is not the address of a proxy. Write an address such as 10.0.0.2, or a network such as 10.0.0.0/8.`,
        );
      }
      const family = version === 6 ? 'ipv6' : 'ipv4';
      if (bits === null) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, bits, family);
    }
  }

  includes(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#networks.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * Reads the client behind the connection. `X-Forwarded-For` is read from its end, because each proxy appends what it
   * saw: the first address that is not a trusted proxy is the client; anything before it is hearsay.
   */
  peerOf(connectedAddress: string, headers: Readonly<Record<string, string | undefined>>): Peer {
    const direct = plainAddress(connectedAddress);
    const host = (headers['host'] ?? '').toLowerCase();
    if (!this.includes(direct)) return { address: direct, isSecure: false, host };
    let address = direct;
    for (const hop of (headers['x-forwarded-for'] ?? '').split(',').toReversed()) {
      const candidate = plainAddress(hop.trim().replace(/^\[([^\]]+)\](?::\d+)?$/, '$1'));
      if (isIP(candidate) === 0) break;
      address = candidate;
      if (!this.includes(candidate)) break;
    }
    const forwardedHost = lastOf(headers['x-forwarded-host'])?.toLowerCase();
    return {
      address,
      isSecure: lastOf(headers['x-forwarded-proto'])?.toLowerCase() === 'https',
      host: forwardedHost ?? host,
    };
  }
}

/** What the nearest proxy wrote: the last of several. `undefined` where there is nothing. */
function lastOf(header: string | undefined): string | undefined {
  const last = header?.split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}

/** `::ffff:10.0.0.1`, also written out in full as uWebSockets.js does, → `10.0.0.1`. */
function plainAddress(address: string): string {
  const mapped = /^(?:0{0,4}:){0,5}:?ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  const hex = /^(?:0000:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/i.exec(address);
  return hex
    ? hex
        .slice(1)
        .map((byte) => Number.parseInt(byte, 16))
        .join('.')
    : address;
}
