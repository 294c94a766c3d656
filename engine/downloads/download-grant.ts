/**
 * Addresses of files to save. The part behind `/download/` is signed by this server, so that it works across restarts without being
 * remembered, and can be made by nobody else:
 *
 *     base64url(JSON) . base64url(HMAC-SHA256 of the first part)
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import * as v from 'valibot';
import { Count, Id } from '#protocol/schema/scalar.ts';

/** Longer than any that is given out; what is longer is not even hashed. */
const MAX_LENGTH = 1_024;
const VERSION = 1;
const PURPOSE = 'matinee download grant 1\n';

/** What one address opens. */
export type DownloadGrant = {
  readonly sessionId: string;
  readonly expiresAtMs: number;
} & (
  | {
      /** A movie's file as it is, in this version. */
      readonly kind: 'original';
      readonly fileId: string;
      readonly sizeBytes: number;
      readonly mtimeUs: number;
    }
  | {
      /** The copy of a download. */
      readonly kind: 'copy';
      readonly downloadId: string;
      readonly copyId: string;
    }
);

const Payload = v.variant('k', [
  v.strictObject({ v: v.literal(VERSION), k: v.literal('o'), s: Id, e: Count, f: Id, b: Count, m: Count }),
  v.strictObject({ v: v.literal(VERSION), k: v.literal('c'), s: Id, e: Count, d: Id, c: Id }),
]);

export class DownloadSigner {
  readonly #key: Uint8Array;

  /** `key`: 32 random bytes or more that only this server knows and keeps. */
  constructor(key: Uint8Array) {
    if (key.length < 32) throw new RangeError('a key for addresses has at least 32 bytes');
    this.#key = key;
  }

  sign(grant: DownloadGrant): string {
    const common = { v: VERSION, s: grant.sessionId, e: grant.expiresAtMs } as const;
    const payload: v.InferInput<typeof Payload> =
      grant.kind === 'original'
        ? { ...common, k: 'o', f: grant.fileId, b: grant.sizeBytes, m: grant.mtimeUs }
        : { ...common, k: 'c', d: grant.downloadId, c: grant.copyId };
    const text = Buffer.from(JSON.stringify(v.parse(Payload, payload))).toString('base64url');
    return `${text}.${this.#mac(text).toString('base64url')}`;
  }

  /** Takes as long for a wrong signature as for a right one. */
  open(token: string, nowMs: number): DownloadGrant | 'invalid' | 'expired' {
    if (token.length > MAX_LENGTH) return 'invalid';
    const [, text = '', mac = ''] = /^([\w-]+)\.([\w-]{43})$/.exec(token) ?? [];
    const given = Buffer.from(mac, 'base64url');
    // The text form, too: base64 has several spellings of the same bytes, and an address has one.
    const isCanonical = text !== '' && given.toString('base64url') === mac;
    if (!isCanonical || !timingSafeEqual(given, this.#mac(text))) return 'invalid';
    const parsed = v.safeParse(Payload, JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (!parsed.success) return 'invalid'; // of a version that this server no longer reads
    const { output } = parsed;
    if (output.e <= nowMs) return 'expired';
    const common = { sessionId: output.s, expiresAtMs: output.e };
    return output.k === 'o'
      ? { ...common, kind: 'original', fileId: output.f, sizeBytes: output.b, mtimeUs: output.m }
      : { ...common, kind: 'copy', downloadId: output.d, copyId: output.c };
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.#key).update(PURPOSE).update(text).digest();
  }
}
