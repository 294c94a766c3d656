/**
 * Turns the texts of a query or a path into what a call's schema wants: the schema says which are numbers, truth values
 * or lists. Only the form is changed here; whether the result is right is for the schema to say, with its own messages.
 */
import type { Schema } from '#protocol/contract.ts';

/** Makes a value of the texts that one name came with, most often one. */
type Reader = (texts: readonly string[]) => unknown;

/** The parts of a schema that say its form. Valibot keeps them as plain properties. */
interface Shape {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly wrapped?: Shape;
  readonly item?: Shape;
  readonly pipe?: readonly Shape[];
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
}

const asText: Reader = (texts) => texts.at(-1);
const asNumber: Reader = (texts) => {
  const text = texts.at(-1) ?? '';
  // `Number('')` is 0, and `Number('0x10')` is 16: a query means neither.
  return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
};
const asBoolean: Reader = (texts) => {
  const text = texts.at(-1);
  return text === 'true' ? true : text === 'false' ? false : text;
};

function readerOf(schema: Shape): Reader {
  switch (schema.type) {
    case 'optional':
    case 'exact_optional':
    case 'undefinedable':
    case 'nullish':
      return readerOf(schema.wrapped!);
    case 'nullable': {
      const read = readerOf(schema.wrapped!);
      return (texts) => (texts.at(-1) === 'null' ? null : read(texts));
    }
    case 'number':
      return asNumber;
    case 'boolean':
      return asBoolean;
    case 'array': {
      const read = readerOf(schema.item!);
      return (texts) => texts.map((text) => read([text]));
    }
    case 'picklist':
      return schema.options!.every((option) => typeof option === 'number') ? asNumber : asText;
    case 'literal':
      return typeof schema.literal === 'number' ? asNumber : typeof schema.literal === 'boolean' ? asBoolean : asText;
    default:
      return asText;
  }
}

/** Reads names and texts as the properties of `schema`. What the schema does not name is left out, as it is on a socket. */
export function inputReader(schema: Schema): (pairs: Iterable<readonly [string, string]>) => Record<string, unknown> {
  const { entries = {} } = schema as unknown as Shape;
  const readers = new Map(Object.entries(entries).map(([name, entry]) => [name, readerOf(entry)]));
  return (pairs) => {
    const texts = new Map<string, string[]>();
    for (const [name, text] of pairs) {
      if (!readers.has(name)) continue;
      const earlier = texts.get(name);
      if (earlier) earlier.push(text);
      else texts.set(name, [text]);
    }
    return Object.fromEntries([...texts].map(([name, values]) => [name, readers.get(name)!(values)]));
  };
}
