import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Call, Schema } from '#protocol/contract.ts';
import { contract } from '#protocol/index.ts';
import { plainTestOf } from './plain-input.ts';

const ID = '0190f3a2-5c1e-7b44-9d1f-3a6f0c2b8e71';
const calls: Call[] = Object.values(contract).flatMap((group) => Object.values(group) as Call[]);
const TEXTS = [
  ID,
  ID.toUpperCase(),
  '',
  'a',
  't3',
  'movie',
  '/media/films',
  'x'.repeat(200),
  'x'.repeat(5_000),
  'né\0',
];
const NUMBERS = [0, 1, 20, 100, 2_634_210, -1, 1.5, 2 ** 53 - 1, 2 ** 53, -0, Infinity, NaN];

/** Values such as a schema takes, now and then almost. */
function near(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 20, arbitrary: shaped(schema) }, { weight: 1, arbitrary: fc.anything() });
}

type Anatomy = Schema & {
  readonly wrapped?: Schema;
  readonly item?: Schema;
  readonly entries?: Record<string, Schema>;
  readonly options?: readonly unknown[];
};

function shaped(schema: Schema): fc.Arbitrary<unknown> {
  const { type, wrapped, item, entries, options } = schema as Anatomy;
  const leaf = (candidates: readonly unknown[]): fc.Arbitrary<unknown> => {
    const good = candidates.filter((candidate) => v.is(schema, candidate));
    const all = fc.constantFrom(...candidates);
    return good.length === 0 ? all : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...good) }, all);
  };
  if (type === 'string') return leaf(TEXTS);
  if (type === 'number') return leaf(NUMBERS);
  if (type === 'boolean') return fc.boolean();
  if (options) return fc.constantFrom(...options, 'other');
  if (type === 'nullable') return fc.oneof(near(wrapped!), fc.constant(null));
  if (wrapped) return near(wrapped);
  if (item) return fc.array(near(item), { maxLength: 4 });
  if (!entries) throw new Error(`teach this test values of the schema “${type}”`);
  const parts = Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, near(entry)]));
  const required = Object.keys(entries).filter((key) => entries[key]!.type !== 'optional');
  const record = (requiredKeys: string[]): fc.Arbitrary<object> =>
    fc.record(parts, { requiredKeys: requiredKeys as never[], noNullPrototype: true });
  // As most calls come: what has a default, and few of many wishes. Of twenty wishes one would nearly always be wrong.
  const hasNoDefault = (key: string): boolean =>
    entries[key]!.type === 'optional' && (entries[key] as v.OptionalSchema<Schema, unknown>).default === undefined;
  const [wishes, always] = [
    Object.keys(entries).filter(hasNoDefault),
    Object.keys(entries).filter((key) => !hasNoDefault(key)),
  ];
  const usual = fc
    .subarray(wishes, { maxLength: Math.min(3, wishes.length) })
    .chain((chosen) =>
      fc.record(Object.fromEntries([...always, ...chosen].map((key) => [key, parts[key]!])), { noNullPrototype: true }),
    );
  return fc.oneof(
    { weight: 9, arbitrary: usual },
    { weight: 9, arbitrary: record(Object.keys(entries)) },
    { weight: 6, arbitrary: record(required) },
    { weight: 1, arbitrary: record([]) },
    { weight: 1, arbitrary: record(required).map((value) => ({ ...value, unknown: 1 })) },
  );
}

describe('the first look at an input', () => {
  it.each(calls.map((call) => [call.name, call] as const))('%s: says yes only to what parses to itself', (_, call) => {
    const isPlain = plainTestOf(call.input);
    if (!isPlain) return;
    let yes = 0;
    fc.assert(
      fc.property(near(call.input), (value) => {
        if (!isPlain(value)) return;
        yes++;
        const parsed = v.safeParse(call.input, value, { abortPipeEarly: true });
        expect(parsed.success).toBe(true);
        expect(parsed.output).toStrictEqual(value);
      }),
      { numRuns: 400 },
    );
    expect(yes, 'it never says yes, so it is of no use').toBeGreaterThan(0);
  });

  it('knows the inputs of the calls that come by the thousand', () => {
    expect(plainTestOf(contract.progress.report.input)?.({ movieId: ID, positionMs: 1 })).toBe(true);
    expect(plainTestOf(contract.movies.get.input)).not.toBeNull();
  });

  it.each<[string, Schema, unknown]>([
    ['a property that the schema does not have', v.object({ a: v.number() }), { a: 1, b: 2 }],
    ['a property without a value', v.object({ a: v.optional(v.number()) }), { a: undefined }],
    ['a missing property with a default', v.object({ a: v.optional(v.number(), 1) }), {}],
    ['a list for an object', v.object({ a: v.number() }), Object.assign([1], { a: 1 })],
    ['an unknown property deep inside', v.object({ a: v.array(v.object({})) }), { a: [{}, { b: 1 }] }],
    ['a prototype’s property', v.object({ constructor: v.optional(v.string()) }), {}],
  ])('leaves %s to valibot', (_, schema, value) => {
    expect(plainTestOf(schema)?.(value)).toBe(false);
  });

  it.each<[string, Schema]>([
    ['transforms', v.pipe(v.string(), v.trim())],
    ['falls back', v.fallback(v.number(), 1)],
    ['is of another kind', v.object({ a: v.union([v.string(), v.number()]) })],
    ['validates in a way not known here', v.pipe(v.string(), v.email())],
    ['is piped twice', v.pipe(v.pipe(v.string(), v.maxLength(3)), v.trim())],
  ])('knows nothing of a schema that %s', (_, schema) => {
    expect(plainTestOf(schema)).toBeNull();
  });

  it('knows a pipe in a pipe', () => {
    const isPlain = plainTestOf(v.pipe(v.pipe(v.string(), v.maxLength(3)), v.minLength(2)))!;
    expect(['a', 'ab', 'abc', 'abcd'].map(isPlain)).toEqual([false, true, true, false]);
  });
});
