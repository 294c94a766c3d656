import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SERVER_FRAME_LIMITS, FrameError, decode, encode, findProblem } from './codec.ts';
import { LIMITS } from './frame.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const nested = (levels: number): Uint8Array =>
  Uint8Array.from({ length: levels + 1 }, (_, at) => (at < levels ? 0x91 : 0xc0));

/** What JSON carries, without `-0` (msgpack keeps it, `toEqual` tells it from 0) and without `__proto__`, which is refused. */
const json = fc
  .jsonValue({ maxDepth: 6 })
  .map((value) => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'p')) as unknown);

describe('codec', () => {
  it('[CON5] gives back what JSON can carry', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(decode(encode(value), LIMITS)).toEqual(value);
      }),
    );
  });

  it('[WIRE2] leaves out undefined properties, and writes only types that every msgpack reader knows', () => {
    expect(decode(encode({ a: undefined, b: [undefined, 1] }), LIMITS)).toEqual({ b: [null, 1] });
    // Written by hand from the msgpack specification: fixarray, positive fixint, fixmap, fixstr, nil, false, true, float 64.
    expect(Buffer.from(encode([2, { id: 'x' }, null, false, true, 1.5])).toString('hex')).toBe(
      '960281a26964a178c0c2c3cb3ff8000000000000',
    );
  });

  it('[WIRE2] reads every integer width that another language may choose', () => {
    const widths = {
      cc05: 5,
      cd0005: 5,
      ce00000005: 5,
      cf0000000000000005: 5,
      d0fb: -5,
      d1fffb: -5,
      d2fffffffb: -5,
      d3fffffffffffffffb: -5,
    };
    for (const [bytes, value] of Object.entries(widths)) expect(decode(hex(bytes), LIMITS)).toBe(value);
    expect(decode(hex('cf001fffffffffffff'), LIMITS)).toBe(Number.MAX_SAFE_INTEGER);
    expect(decode(hex('d3ffe0000000000001'), LIMITS)).toBe(Number.MIN_SAFE_INTEGER);
  });

  it('copies bytes, because the socket takes its memory back', () => {
    const frame = encode([new Uint8Array([1, 2, 3])]);
    const source = Uint8Array.from(frame);
    const [bytes] = decode(source, LIMITS) as [Uint8Array];
    source.fill(0);
    expect([...bytes]).toEqual([1, 2, 3]);
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', hex(''), 'empty'],
    ['more bytes than the limit', new Uint8Array(LIMITS.frameBytes + 1), 'tooLarge'],
    ['one level too many', nested(LIMITS.nesting + 1), 'tooDeep'],
    ['a million levels', nested(1_000_000), 'tooDeep'],
    ['more values than the limit', hex(`dd00010001${'c0'.repeat(65_537)}`), 'tooManyValues'],
    ['an array that claims four billion items', hex('ddffffffff'), 'truncated'],
    ['a map that claims four billion pairs', hex('dfffffffff'), 'truncated'],
    ['text that claims four gigabytes', hex('dbffffffff61'), 'truncated'],
    ['bytes that claim more than there are', hex('c4030102'), 'truncated'],
    ['a length cut in half', hex('da00'), 'truncated'],
    ['a number cut in half', hex('cb3ff8'), 'truncated'],
    ['a second value', hex('c0c0'), 'trailingBytes'],
    ['undefined as msgpackr writes it', hex('d40000'), 'extensionType'],
    ['a timestamp', hex('d6ff00000000'), 'extensionType'],
    ['a record definition', hex('d4724000'), 'extensionType'],
    ['an extension of any length', hex('c70101'), 'extensionType'],
    ['the byte that msgpack never uses', hex('91c1'), 'reservedByte'],
    ['a number as key', hex('8101c0'), 'keyNotText'],
    ['a map as key', hex('8180c0'), 'keyNotText'],
    ['__proto__ as key', encodeKey('__proto__'), 'forbiddenKey'],
    ['__proto__ as key of a long text form', hex('81d9095f5f70726f746f5f5f80'), 'forbiddenKey'],
    ['an unsigned integer beyond 2^53 - 1', hex('cf0020000000000000'), 'integerOutOfRange'],
    ['a signed integer beyond 2^53 - 1', hex('d30020000000000000'), 'integerOutOfRange'],
    ['a signed integer below -(2^53 - 1)', hex('d3ffe0000000000000'), 'integerOutOfRange'],
  ])('[LIM1] [LIM2] [WIRE2] refuses %s', (_, bytes, problem) => {
    expect(findProblem(bytes, LIMITS)).toBe(problem);
    expect(() => decode(bytes, LIMITS)).toThrow(new FrameError(problem as FrameError['problem']));
  });

  it('[LIM2] takes a frame of exactly the deepest nesting', () => {
    expect(findProblem(nested(LIMITS.nesting), LIMITS)).toBeNull();
  });

  it('[WIRE2] keeps the last of two equal keys, and touches no prototype', () => {
    const twice = decode(hex('82a16101a16102'), LIMITS) as Record<string, unknown>;
    expect(twice).toEqual({ a: 2 });
    decode(hex('81ab636f6e7374727563746f72a178'), LIMITS);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  it('[WIRE1] whatever passes the first look decodes, and whatever does not is a FrameError', () => {
    const mutated = fc
      .tuple(json, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(4))
      .map(([value, changes, cut]) => {
        const bytes = Uint8Array.from(encode(value));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes.subarray(0, Math.max(0, bytes.length - cut));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        const problem = findProblem(bytes, LIMITS);
        if (problem === null) {
          const value = decode(bytes, LIMITS);
          expect(findProblem(encode(value), SERVER_FRAME_LIMITS)).toBeNull();
        } else {
          expect(() => decode(bytes, LIMITS)).toThrow(FrameError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

function encodeKey(key: string): Uint8Array {
  return Uint8Array.from([0x81, 0xa0 + key.length, ...new TextEncoder().encode(key), 0xc0]);
}
