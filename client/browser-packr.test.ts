import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SERVER_FRAME_LIMITS, decode, encode } from '#protocol/codec.ts';
import { Packr } from './browser-packr.ts';

const browser = new Packr({});

/** Everything the wire can hold: JSON, and bytes. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ maxLength: 40 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
}));

/** Node's Buffer is a Uint8Array of another class, and lone surrogates become U+FFFD on the way: neither matters here. */
function plain(given: unknown): unknown {
  if (given instanceof Uint8Array) return [...given];
  if (Array.isArray(given)) return given.map(plain);
  if (typeof given === 'string') return given.toWellFormed();
  if (typeof given !== 'object' || given === null) return Object.is(given, -0) ? 0 : given;
  return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, plain(item)]));
}

describe('msgpack in the browser', () => {
  it('writes what the server reads', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(plain(decode(browser.pack(given), SERVER_FRAME_LIMITS))).toEqual(plain(given));
      }),
    );
  });

  it('reads what the server writes', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(plain(browser.unpack(encode(given)))).toEqual(plain(given));
      }),
    );
  });

  it.each([
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    -32,
    -33,
    -128,
    -129,
    65_535,
    65_536,
    -32_768,
    -32_769,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
    0.1,
    1e300,
  ])('the number %d goes both ways', (number) => {
    expect(decode(browser.pack(number), SERVER_FRAME_LIMITS)).toBe(number);
    expect(browser.unpack(encode(number))).toBe(number);
  });

  it.each([0, 15, 16, 31, 32, 255, 256, 65_535, 65_536])(
    'text, bytes and lists of length %d go both ways',
    (length) => {
      const given = { text: 'x'.repeat(length), bytes: new Uint8Array(length), list: Array.from({ length }, () => 1) };
      expect(plain(decode(browser.pack(given), SERVER_FRAME_LIMITS))).toEqual(plain(given));
      expect(plain(browser.unpack(encode(given)))).toEqual(plain(given));
    },
  );

  it('64-bit integers of another writer are read as numbers', () => {
    expect(browser.unpack(new Uint8Array([0xcf, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))).toBe(2 ** 53 - 1);
    expect(browser.unpack(new Uint8Array([0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))).toBe(-1);
    expect(browser.unpack(new Uint8Array([0xca, 0x3f, 0xc0, 0, 0]))).toBe(1.5);
  });

  it('leaves out what is undefined in a map, and makes it nil in a list, as JSON does', () => {
    expect(decode(browser.pack({ a: undefined, b: [undefined] }), SERVER_FRAME_LIMITS)).toEqual({ b: [null] });
  });

  it('refuses what the wire has no form for', () => {
    expect(() => browser.pack(1n)).toThrow(/bigint/);
    expect(() => browser.unpack(new Uint8Array([0xc1]))).toThrow(/0xc1/);
  });

  it('a result is not written to by what is packed after it', () => {
    const first = browser.pack('first');
    browser.pack('later');
    expect(browser.unpack(first)).toBe('first');
  });
});
