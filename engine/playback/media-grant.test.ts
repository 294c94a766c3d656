import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrantSigner } from './media-grant.ts';
import type { HlsForm, MediaGrant } from './media-grant.ts';

const key = Buffer.alloc(32, 7);
const signer = new GrantSigner(key);
const nowMs = 1_800_000_000_000;
const grant: MediaGrant = {
  sessionId: '018f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  fileId: '018f22e2-79b0-7cc3-98c4-dc0c0c073990',
  sizeBytes: 40_000_000_000,
  mtimeUs: 1_700_000_000_123_456,
  expiresAtMs: nowMs + 1,
  viewerId: 'abcd_-12',
  hls: {
    plan: 'transcode',
    planId: 'k3j2h1',
    video: {
      trackIndex: 0,
      variants: [
        {
          method: 'h264',
          encoder: 'software',
          heightPx: 720,
          level: 31,
          crf: 23,
          maxBitrateBps: 3_500_000,
          preset: 'veryfast',
          toneMap: true,
          deinterlace: false,
        },
      ],
    },
    audio: [
      { trackIndex: 1, output: { method: 'copy' }, isDefault: false },
      { trackIndex: 2, output: { method: 'eac3', channels: 6, bitrateBps: 384_000 }, isDefault: true },
    ],
  },
};
const encoded = grant.hls!.video!.variants[0]!;
/** The largest there is: a copy and eight rungs of three codecs. */
const ladder: HlsForm['video'] = {
  trackIndex: 0,
  variants: [{ method: 'copy' }, ...Array.from({ length: 24 }, () => encoded)],
};
const open = (token: string) => signer.open(token, nowMs);
const forge = (payload: unknown, secret: Uint8Array = key): string => {
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
  const mac = createHmac('sha256', secret).update('matinee media grant 1\n').update(text).digest('base64url');
  return `${text}.${mac}`;
};

describe('a media grant', () => {
  it.each<[string, MediaGrant]>([
    ['a transcode', grant],
    [
      'a remux',
      { ...grant, hls: { ...grant.hls!, plan: 'remux', video: { trackIndex: 3, variants: [{ method: 'copy' }] } } },
    ],
    [
      'a remux without its Dolby Vision',
      {
        ...grant,
        hls: {
          ...grant.hls!,
          plan: 'remux',
          video: { trackIndex: 3, variants: [{ method: 'copy', withoutDolbyVision: true }, encoded] },
        },
      },
    ],
    ['a ladder', { ...grant, hls: { ...grant.hls!, video: ladder } }],
    ['sound alone', { ...grant, hls: { ...grant.hls!, video: null } }],
    ['the file as it is', { ...grant, hls: null }],
  ])('[PLAY1] carries everything by itself: %s', (_what, each) => {
    expect(open(signer.sign(each))).toEqual(each);
    // Another process with the same key, as after a restart.
    expect(new GrantSigner(Buffer.from(key)).open(signer.sign(each), nowMs)).toEqual(each);
  });

  it('[PLAY1] fits a URL with room to spare, even for a file with thirty sound tracks', () => {
    const audio = Array.from({ length: 30 }, (_, trackIndex) => ({
      trackIndex,
      output: { method: 'copy' } as const,
      isDefault: false,
    }));
    expect(signer.sign(grant).length).toBeLessThan(400);
    expect(signer.sign({ ...grant, hls: { ...grant.hls!, audio } }).length).toBeLessThan(1_000);
    // Proxies and servers take 4 kB of address together with the headers, 8 kB at most.
    expect(signer.sign({ ...grant, hls: { ...grant.hls!, video: ladder } }).length).toBeLessThan(2_600);
    expect(signer.sign(grant)).toMatch(/^[\w.-]+$/);
  });

  it('[PLAY2] opens nothing once any bit of it is changed', () => {
    const token = signer.sign(grant);
    fc.assert(
      fc.property(fc.nat({ max: token.length - 1 }), fc.nat({ max: 63 }), (at, letter) => {
        const replaced = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[letter]!;
        fc.pre(token[at] !== replaced);
        expect(open(token.slice(0, at) + replaced + token.slice(at + 1))).toBe('invalid');
      }),
      { numRuns: 500 },
    );
  });

  it('[PLAY2] opens nothing when it is cut, extended, doubled or empty', () => {
    const token = signer.sign(grant);
    for (let length = 0; length < token.length; length++) expect(open(token.slice(0, length))).toBe('invalid');
    const [text, mac] = token.split('.');
    const others = [`${token}A`, `${token}=`, `${token}.${mac}`, `${text}..${mac}`, `.${mac}`, `${text}.`, ` ${token}`];
    for (const other of others) expect(open(other)).toBe('invalid');
  });

  it('[PLAY2] opens nothing made with another key, of another size, or of bytes that are no text', () => {
    expect(open(new GrantSigner(Buffer.alloc(32, 8)).sign(grant))).toBe('invalid');
    expect(open('A'.repeat(10_240))).toBe('invalid');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(open(text)).toBe('invalid');
      }),
    );
  });

  it('[PLAY2] is read with care even when the signature is right', () => {
    const payload = JSON.parse(Buffer.from(signer.sign(grant).split('.')[0]!, 'base64url').toString()) as unknown[];
    expect(open(forge(payload))).toEqual(grant);
    expect(open(forge(payload, Buffer.alloc(32)))).toBe('invalid');
    expect(open(forge([1, ...payload.slice(1)]))).toBe('invalid');
    for (let at = 0; at < payload.length; at++) {
      expect(open(forge(payload.with(at, { toString: 'x' })))).toBe('invalid');
    }
    expect(open(forge({}))).toBe('invalid');
    expect(open(forge([...payload, 1]))).toBe('invalid');
  });

  it('[PLAY3] ends at its time', () => {
    const token = signer.sign(grant);
    expect(signer.open(token, grant.expiresAtMs - 1)).toEqual(grant);
    expect(signer.open(token, grant.expiresAtMs)).toBe('expired');
  });

  it('is not given out when it could not be read again', () => {
    expect(() => signer.sign({ ...grant, sizeBytes: Number.NaN })).toThrow('Invalid');
  });

  it('needs a real key', () => {
    expect(() => new GrantSigner(Buffer.alloc(16))).toThrow(RangeError);
  });
});
