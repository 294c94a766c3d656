/**
 * A first look at inputs, for those that are just what their schema says, which is nearly all. Valibot makes a record for
 * each value it looks at, and so costs as much as all the rest that the gateway does for a call; this makes nothing.
 *
 * It may only ever say yes, and then what valibot would give must equal what came in. Otherwise valibot is asked, and has
 * the last word and the issues. It knows the few kinds of schemas that inputs are made of; where a schema has any other in
 * it, the answer is always no. A test holds it against valibot with every call of the contract.
 */
import type * as v from 'valibot';
import type { Schema } from '#protocol/contract.ts';

/** True only where parsing the value would succeed, and give its equal. */
export type PlainTest = (value: unknown) => boolean;

/** The test for one schema, `null` where it has a part that is not known here. */
export function plainTestOf(schema: Schema): PlainTest | null {
  const known = schema as KnownSchema & { readonly pipe?: readonly unknown[]; readonly fallback?: unknown };
  if (known.fallback !== undefined) return null;
  if (known.pipe === undefined) return bareTest(known);
  // The first of a pipe is the schema itself, as it was before it was given one.
  const [first, ...actions] = known.pipe as readonly [Schema, ...KnownAction[]];
  let all = plainTestOf(first);
  for (const action of actions) {
    if ((action.kind as string) === 'metadata') continue;
    all = all && withAction(all, action);
  }
  return all;
}

type AnyObject = v.ObjectSchema<v.ObjectEntries, undefined>;
type KnownSchema =
  | v.StringSchema<undefined>
  | v.NumberSchema<undefined>
  | v.BooleanSchema<undefined>
  | v.PicklistSchema<readonly (string | number)[], undefined>
  | v.LiteralSchema<string | number | boolean, undefined>
  | v.NullableSchema<Schema, undefined>
  | v.OptionalSchema<Schema, unknown>
  | v.ArraySchema<Schema, undefined>
  | AnyObject;

function bareTest(schema: KnownSchema): PlainTest | null {
  switch (schema.type) {
    case 'string':
      return (value) => typeof value === 'string';
    case 'number':
      return (value) => typeof value === 'number' && !Number.isNaN(value);
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'picklist': {
      const { options } = schema;
      return (value) => options.includes(value as string);
    }
    case 'literal': {
      const { literal } = schema;
      return (value) => value === literal;
    }
    case 'nullable': {
      const test = plainTestOf(schema.wrapped);
      return test && ((value) => value === null || test(value));
    }
    // Whether it may be missing is for the object to say. Present without a value is nothing that msgpack or JSON can bring.
    case 'optional':
      return plainTestOf(schema.wrapped);
    case 'array': {
      const test = plainTestOf(schema.item);
      return test && ((value) => Array.isArray(value) && value.every(test));
    }
    case 'object':
      return objectTest(schema);
    default:
      return null;
  }
}

function objectTest({ entries }: AnyObject): PlainTest | null {
  const fields: { readonly key: string; readonly mayMiss: boolean; readonly test: PlainTest }[] = [];
  for (const [key, schema] of Object.entries(entries)) {
    const test = plainTestOf(schema);
    if (!test) return null;
    // Where there is a default, valibot puts it in.
    const mayMiss = schema.type === 'optional' && (schema as v.OptionalSchema<Schema, unknown>).default === undefined;
    fields.push({ key, mayMiss, test });
  }
  return (value) => {
    // Lists and bytes are objects too; valibot would make plain ones of them.
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
    let expected = 0;
    for (const { key, mayMiss, test } of fields) {
      const part = (value as Record<string, unknown>)[key];
      if (part === undefined) {
        if (!mayMiss) return false;
      } else {
        if (!test(part)) return false;
        expected++;
      }
    }
    // A property that the schema does not have: valibot leaves it out.
    for (const _key in value) expected--;
    return expected === 0;
  };
}

type KnownAction =
  | v.MinLengthAction<string, number, undefined>
  | v.MaxLengthAction<string, number, undefined>
  | v.RegexAction<string, undefined>
  | v.SafeIntegerAction<number, undefined>
  | v.IntegerAction<number, undefined>
  | v.FiniteAction<number, undefined>
  | v.MinValueAction<number, number, undefined>
  | v.MaxValueAction<number, number, undefined>
  | v.CheckAction<unknown, undefined>;

/** `test`, and what a validation of its pipe asks for; `null` where that is not known here. */
function withAction(test: PlainTest, action: KnownAction): PlainTest | null {
  switch (action.type) {
    case 'min_length':
      return (value) => test(value) && (value as string).length >= action.requirement;
    case 'max_length':
      return (value) => test(value) && (value as string).length <= action.requirement;
    case 'regex':
      return (value) => test(value) && action.requirement.test(value as string);
    case 'safe_integer':
      return (value) => test(value) && Number.isSafeInteger(value);
    case 'integer':
      return (value) => test(value) && Number.isInteger(value);
    case 'finite':
      return (value) => test(value) && Number.isFinite(value);
    case 'min_value':
      return (value) => test(value) && (value as number) >= action.requirement;
    case 'max_value':
      return (value) => test(value) && (value as number) <= action.requirement;
    case 'check':
      return (value) => test(value) && action.requirement(value);
    default:
      return null;
  }
}
