import { createHmac } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
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
  return forgeText(deflateRawSync(Buffer.from(JSON.stringify(payload))), secret);
};
const forgeText = (bytes: Uint8Array, secret: Uint8Array = key): string => {
  const text = Buffer.from(bytes).toString('base64url');
  const mac = createHmac('sha256', secret).update('matinee media grant 2\n').update(text).digest('base64url');
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

  it('[PLAY1] fits a URL with room to spare, even for a file with a hundred and twenty sound tracks', () => {
    const audio = Array.from({ length: 120 }, (_, trackIndex) => ({
      trackIndex,
      output: trackIndex % 3 === 0 ? ({ method: 'copy' } as const) : grant.hls!.audio[1]!.output,
      isDefault: trackIndex === 7,
    }));
    const many = { ...grant, hls: { ...grant.hls!, audio } };
    expect(signer.sign(grant).length).toBeLessThan(400);
    // Proxies and servers take 4 kB of address together with the headers, 8 kB at most.
    expect(signer.sign(many).length).toBeLessThan(1_200);
    expect(open(signer.sign(many))).toEqual(many);
    expect(signer.sign({ ...grant, hls: { ...grant.hls!, video: ladder } }).length).toBeLessThan(600);
    expect(signer.sign(grant)).toMatch(/^[\w.-]+$/);
  });

  it('[PLAY1] what is given out can be read again, whatever a file claims to have', () => {
    const sound = fc.record({
      trackIndex: fc.nat(999),
      output: fc.oneof(
        fc.constant({ method: 'copy' } as const),
        fc.record({
          method: fc.constantFrom('aac', 'ac3', 'eac3'),
          channels: fc.constantFrom(2, 6),
          bitrateBps: fc.nat(2_000_000),
        }),
      ),
      isDefault: fc.boolean(),
    });
    const rung = fc.record({
      heightPx: fc.integer({ min: 2, max: 8_192 }),
      maxBitrateBps: fc.nat(100_000_000),
      level: fc.nat(186),
      method: fc.constantFrom('h264', 'hevc', 'av1'),
    });
    fc.assert(
      fc.property(
        fc.array(sound, { minLength: 200, maxLength: 200 }),
        fc.array(rung, { minLength: 25, maxLength: 25 }),
        (audio, rungs) => {
          const burnIn = 's018f22e2-79b0-7cc3-98c4-dc0c0c073991';
          const burnt = { burnIn, ...(rungs[0]!.level % 2 === 1 && { burnInOffsetMs: -3_600_000 }) };
          const variants = rungs.map((one) => ({ ...encoded, ...one, ...burnt }));
          const hls = { ...grant.hls!, audio, video: { trackIndex: 0, variants } } as unknown as HlsForm;
          expect(open(signer.sign({ ...grant, hls }))).toEqual({ ...grant, hls });
        },
      ),
      { numRuns: 50 },
    );
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
    const packed = Buffer.from(signer.sign(grant).split('.')[0]!, 'base64url');
    const payload = JSON.parse(inflateRawSync(packed).toString()) as unknown[];
    expect(open(forge(payload))).toEqual(grant);
    expect(open(forge(payload, Buffer.alloc(32)))).toBe('invalid');
    expect(open(forge([1, ...payload.slice(1)]))).toBe('invalid');
    for (let at = 0; at < payload.length; at++) {
      expect(open(forge(payload.with(at, { toString: 'x' })))).toBe('invalid');
    }
    expect(open(forge({}))).toBe('invalid');
    expect(open(forge([...payload, 1]))).toBe('invalid');
    // What unpacks to more than any grant is not unpacked, and what is not packed at all is nothing.
    expect(open(forgeText(deflateRawSync(Buffer.alloc(2 << 20, ' '), { level: 9 })))).toBe('invalid');
    expect(open(forge(' '.repeat(100_000)))).toBe('invalid');
    expect(open(forgeText(Buffer.from(JSON.stringify(payload))))).toBe('invalid');
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
