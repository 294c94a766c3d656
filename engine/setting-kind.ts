/** How the text of a setting becomes a value, and back. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { NewPassword, UserName } from '#protocol/schema/account.ts';
import { HARDWARE_KINDS } from '#protocol/schema/hardware.ts';
import { Secret } from './base/secret.ts';
import { parseHardwareWish } from './media/hardware-plan.ts';
import { parseDatabaseUrl } from './store/postgres/connect.ts';

/** Where a relative path begins, and what `~` means. */
export interface Place {
  readonly folder: string;
  readonly home: string | null;
}

/** How a text becomes a value, and a value a text again. `parse` throws an `Error` that ends “… is not”: `is not a port`. */
export interface Kind<T> {
  /** What stands for a value in `--help`. */
  readonly placeholder: string;
  parse(text: string, place: Place): T;
  show(value: T): string;
}

export const folderKind: Kind<string> = {
  placeholder: 'DIR',
  parse(value, { folder: base, home }) {
    if (value.includes('\0')) throw new Error('holds a zero byte');
    if (value !== '~' && !value.startsWith('~/')) return resolve(base, value);
    if (home === null) throw new Error('begins with ~, but this user has no home folder');
    return resolve(home, value.slice(2));
  },
  show: (value) => value,
};

export function integer(min: number, max: number): Kind<number> {
  return {
    placeholder: 'N',
    parse(value) {
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < min || number > max) {
        throw new Error(`is not a whole number from ${min} to ${max}`);
      }
      return number;
    },
    show: String,
  };
}

/** `auto`, `off`, a kind of hardware, or a kind with its device. */
export const hardwareKind: Kind<string> = {
  placeholder: 'auto|off|KIND[:DEVICE]',
  parse(value) {
    if (parseHardwareWish(value) === null) {
      throw new Error(
        `is none of auto, off, ${HARDWARE_KINDS.join(', ')}, or one of these with a device behind a colon`,
      );
    }
    return value;
  },
  show: (value) => value,
};

/** One of a closed set. */
export function choice<const C extends string>(choices: readonly C[]): Kind<C> {
  return {
    placeholder: choices.join('|'),
    parse(value) {
      const found = choices.find((candidate) => candidate === value);
      if (found === undefined) throw new Error(`is none of ${choices.join(', ')}`);
      return found;
    },
    show: (value) => value,
  };
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Bytes. */
export const size: Kind<number> = {
  placeholder: 'SIZE',
  parse(value) {
    const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?) ?([KMGT]?i?B)?$/i.exec(value) ?? [];
    const bytes = Math.round(Number(number) * (SIZE_UNITS[unit.toUpperCase()] ?? Number.NaN));
    if (!Number.isSafeInteger(bytes)) throw new Error('is not a size such as 500MB, 20GB or 1.5TB');
    return bytes;
  },
  show: (value) =>
    showUnit(value, [
      [1e12, 'TB'],
      [1e9, 'GB'],
      [1e6, 'MB'],
      [1, 'B'],
    ]),
};

const BITRATE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** Bits per second, 200 kbit/s at least: less is no picture. */
export const bitrate: Kind<number> = {
  placeholder: 'BITS',
  parse(value) {
    const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([kMG]?)(?:bit\/s|bps)?$/.exec(value) ?? [];
    const bps = Math.round(Number(number) * (BITRATE_UNITS[unit] ?? Number.NaN));
    if (!Number.isSafeInteger(bps) || bps < 200e3) {
      throw new Error('is not a bit rate of 200k or more, such as 800k, 8M or 20M');
    }
    return bps;
  },
  show: (value) =>
    showUnit(value, [
      [1e9, 'G'],
      [1e6, 'M'],
      [1e3, 'k'],
    ]),
};

const DURATION_UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

/** Milliseconds. */
export function duration(minMs: number, maxMs: number): Kind<number> {
  const show = (value: number): string =>
    showUnit(value, [
      [86_400e3, 'd'],
      [3_600e3, 'h'],
      [60e3, 'm'],
      [1e3, 's'],
    ]);
  return {
    placeholder: 'TIME',
    parse(value) {
      const [, number, unit = ''] = /^(\d+) ?([smhd])$/.exec(value) ?? [];
      const ms = Number(number) * (DURATION_UNITS[unit] ?? Number.NaN);
      if (!(ms >= minMs && ms <= maxMs)) {
        throw new Error(`is not a time from ${show(minMs)} to ${show(maxMs)}, such as 90s, 15m, 12h or 30d`);
      }
      return ms;
    },
    show,
  };
}

function showUnit(value: number, units: readonly (readonly [number, string])[]): string {
  const [factor, unit] = units.find(([candidate]) => value >= candidate && value % candidate === 0) ?? [1, ''];
  return `${value / factor}${unit}`;
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

export const hostKind: Kind<string> = {
  placeholder: 'ADDR',
  parse(value) {
    const bare = value.replace(/^\[(.*)\]$/, '$1');
    if (isIP(bare) === 0 && !HOST_NAME.test(bare)) {
      throw new Error('is not an address such as 0.0.0.0, ::1 or localhost');
    }
    return bare;
  },
  show: (value) => value,
};

/** Scheme, host and port of a web address: what a browser sends as `Origin`. */
export const originKind: Kind<string> = {
  placeholder: 'URL',
  parse(value) {
    const url = parseHttpUrl(value);
    if (url.pathname !== '/') {
      throw new Error('has a path: give scheme, host and port only, as in https://films.example');
    }
    return url.origin;
  },
  show: (value) => value,
};

export const httpUrl: Kind<string> = {
  placeholder: 'URL',
  parse: (value) => parseHttpUrl(value).href,
  show: (value) => value,
};

function parseHttpUrl(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new Error('is not an http or https address');
  }
  return url;
}

/** An address or a network in CIDR form, as in RFC 4632 and RFC 4291. */
export const network: Kind<string> = {
  placeholder: 'NET',
  parse(value) {
    const [address = '', bits, ...rest] = value.split('/');
    const family = isIP(address);
    const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
    if (family === 0 || !isMask || rest.length > 0) {
      throw new Error('is not an address or network such as 127.0.0.1, 10.0.0.0/8 or fd00::/8');
    }
    return value;
  },
  show: (value) => value,
};

export const userName: Kind<string> = {
  placeholder: 'NAME',
  parse(value) {
    if (!v.is(UserName, value)) throw new Error('is not a name of 1 to 64 characters without spaces at its ends');
    return value;
  },
  show: (value) => value,
};

function secret(check: (value: string) => void): Kind<Secret> {
  return {
    placeholder: 'SECRET',
    parse(value) {
      check(value);
      return new Secret(value);
    },
    show: String,
  };
}

export const password = secret((value) => {
  if (!v.is(NewPassword, value)) throw new Error('is not 8 to 256 characters long');
});

export const databaseUrl = secret((value) => {
  try {
    parseDatabaseUrl(value);
  } catch (error) {
    throw new Error(`cannot be used: ${(error as Error).message}`, { cause: error });
  }
});

export const redisUrl = secret((value) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw new Error('is not of the form redis://user:password@host:6379/0, with rediss: for TLS');
  }
});

export const anySecret = secret(() => {});

export const proxyUrl = secret((value) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new Error('is not of the form http://user:password@proxy.example:3128');
  }
});

export const typesenseUrl = secret((value) => void parseHttpUrl(value));

export function optional<T>(kind: Kind<T>): Kind<T | null> {
  return { ...kind, show: (value) => (value === null ? '' : kind.show(value)) };
}

export function many(kind: Kind<string>): Kind<readonly string[]> {
  return {
    placeholder: kind.placeholder,
    parse: (value, place) => [kind.parse(value, place)],
    show: (values) => values.map((value) => kind.show(value)).join(', '),
  };
}
