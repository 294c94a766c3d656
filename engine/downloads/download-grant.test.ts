import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DownloadSigner } from './download-grant.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${last.toString(16).padStart(12, '0')}`;
const signer = new DownloadSigner(new Uint8Array(32).fill(7));
const copy = { kind: 'copy', sessionId: id(1), downloadId: id(2), copyId: id(3), expiresAtMs: 2_000 } as const;
const original = {
  kind: 'original',
  sessionId: id(1),
  fileId: id(4),
  sizeBytes: 5,
  mtimeUs: 6,
  expiresAtMs: 2_000,
} as const;

describe('addresses of files to save', () => {
  it.each([copy, original])('[DL3] open what they were made for: %j', (grant) =>
    expect(signer.open(signer.sign(grant), 1_999)).toEqual(grant),
  );

  it('[DL3] open nothing when their time is over, or under another key', () => {
    expect(signer.open(signer.sign(copy), 2_000)).toBe('expired');
    expect(new DownloadSigner(new Uint8Array(32).fill(8)).open(signer.sign(copy), 0)).toBe('invalid');
  });

  it('[DL3] open nothing when a character was changed', () => {
    const token = signer.sign(original);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...Array.from('ABCxyz019-_.')), (at, letter) => {
        const changed = token.slice(0, at) + letter + token.slice(at + 1);
        expect(signer.open(changed, 0)).toEqual(changed === token ? original : 'invalid');
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(signer.open(text, 0)).toBe('invalid');
      }),
    );
  });
});
