import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parseServerFrame } from '#client/net/server-frame.ts';
import {
  AckFrame,
  CallFrame,
  CancelFrame,
  EventFrame,
  FailFrame,
  HelloFrame,
  OkFrame,
  PingFrame,
  PongFrame,
  WelcomeFrame,
} from '#protocol/frame.ts';
import { parseClientFrame } from './client-frame.ts';

/** A schema lets an item that may be anything be absent, too; on the wire a frame has its exact length. */
const isOneOf = (
  schemas: readonly (v.GenericSchema & { readonly items: readonly unknown[] })[],
  value: unknown,
): boolean => schemas.some((schema) => v.is(schema, value) && (value as unknown[]).length === schema.items.length);

/** Values that are often right, and often nearly so. */
const piece = fc.oneof(
  fc.nat(20),
  fc.constantFrom(null, -1, 1.5, Number.NaN, Infinity, 2 ** 53, 2 ** 53 - 1, '', 'key', true, undefined),
  fc.constantFrom({}, [], { protocol: [1, 1], client: { name: 'n', version: 'v' } }, { protocol: [1], client: {} }),
);
const frame = fc.oneof(
  fc.array(piece, { maxLength: 8 }),
  fc.tuple(fc.constant(2), fc.nat(), fc.nat(), piece, fc.oneof(fc.constant(null), piece)),
  fc.tuple(fc.constantFrom(3, 5, 7, 8, 9), piece, piece, piece),
  fc.tuple(fc.constantFrom(4, 6), piece, piece, piece, piece, piece, piece),
  fc.tuple(fc.constant(6), fc.nat(9), fc.constantFrom(null, 'k'), fc.nat(2), fc.nat(9), fc.nat(9), piece),
  fc.tuple(fc.constantFrom(0, 1, 5, 8), piece),
  piece,
);

describe('frames, judged by hand', () => {
  it('[WIRE3] what a client may send is what the schemas say', () => {
    const schemas = [HelloFrame, CallFrame, CancelFrame, AckFrame, PingFrame];
    fc.assert(
      fc.property(frame, (value) => {
        expect(parseClientFrame(value) !== null).toBe(isOneOf(schemas, value));
      }),
      { numRuns: 5_000 },
    );
  });

  it('[WIRE3] what a server may send is what the schemas say', () => {
    const schemas = [WelcomeFrame, OkFrame, FailFrame, EventFrame, PongFrame];
    fc.assert(
      fc.property(frame, (value) => {
        expect(parseServerFrame(value) !== null).toBe(isOneOf(schemas, value));
      }),
      { numRuns: 5_000 },
    );
  });
});
