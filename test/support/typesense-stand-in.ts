/**
 * A Typesense that is none: it answers the part of the documented API (version 30, typesense.org/docs/30.0/api) that Matinee uses, refuses
 * whatever that documentation does not know, and holds its own replies to it as well. What it finds is a rough copy of the documented
 * rules (every word in some field, the last one may be a beginning, typing errors where nothing is spelled so, verbatim first, then
 * weight, then the order asked for), enough to test an adapter, and no proof of how a real server ranks.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as v from 'valibot';
import { foldText } from '#engine/store/search/transliteration.ts';
import { nearness } from '#engine/store/search/vocabulary.ts';

export const STAND_IN_KEY = 'a key of typesense';

const Name = v.pipe(v.string(), v.regex(/^[\w-]+$/));
const FieldType = v.picklist(['string', 'string[]', 'int32', 'int64', 'float', 'bool']);
const Field = v.strictObject({
  name: v.string(),
  type: FieldType,
  facet: v.optional(v.boolean()),
  infix: v.optional(v.boolean()),
  optional: v.optional(v.boolean()),
  sort: v.optional(v.boolean()),
  locale: v.optional(v.string()),
});
const CollectionSchema = v.strictObject({
  name: Name,
  fields: v.pipe(v.array(Field), v.minLength(1)),
  default_sorting_field: v.optional(v.string()),
});
const CollectionReply = v.strictObject({
  ...CollectionSchema.entries,
  num_documents: v.number(),
  created_at: v.number(),
});
const AliasSchema = v.strictObject({ collection_name: Name });
const AliasReply = v.strictObject({ name: Name, collection_name: Name });
const ErrorReply = v.strictObject({ message: v.string() });

const Whole = v.pipe(v.union([v.number(), v.string()]), v.transform(Number), v.integer(), v.minValue(0));
const Flag = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false'])]),
  v.transform((value) => String(value) === 'true'),
);
const SearchParameters = v.strictObject({
  q: v.string(),
  query_by: v.string(),
  query_by_weights: v.optional(v.string()),
  num_typos: v.optional(v.union([v.string(), v.number()])),
  prefix: v.optional(v.union([v.string(), v.boolean()])),
  infix: v.optional(v.pipe(v.string(), v.regex(/^(?:off|always|fallback)(?:,(?:off|always|fallback))*$/))),
  filter_by: v.optional(v.string()),
  sort_by: v.optional(v.string()),
  prioritize_exact_match: v.optional(Flag),
  typo_tokens_threshold: v.optional(Whole),
  drop_tokens_threshold: v.optional(Whole),
  highlight_fields: v.optional(v.string()),
  include_fields: v.optional(v.string()),
  per_page: v.optional(v.pipe(Whole, v.maxValue(250))),
  page: v.optional(v.pipe(Whole, v.minValue(1))),
});
const SearchReply = v.strictObject({
  found: v.number(),
  out_of: v.number(),
  page: v.number(),
  search_time_ms: v.number(),
  search_cutoff: v.boolean(),
  facet_counts: v.array(v.unknown()),
  hits: v.array(
    v.strictObject({
      document: v.record(v.string(), v.unknown()),
      highlight: v.record(v.string(), v.unknown()),
      highlights: v.array(v.unknown()),
      text_match: v.number(),
    }),
  ),
  request_params: v.strictObject({ collection_name: v.string(), q: v.string(), per_page: v.number() }),
});
const MultiSearch = v.strictObject({
  searches: v.pipe(
    v.array(v.strictObject({ ...SearchParameters.entries, collection: v.string() })),
    v.minLength(1),
    v.maxLength(50),
  ),
});
const ImportParameters = v.strictObject({
  action: v.optional(v.picklist(['create', 'upsert', 'update', 'emplace'])),
  return_id: v.optional(Flag),
  return_doc: v.optional(Flag),
  batch_size: v.optional(Whole),
  dirty_values: v.optional(v.string()),
  // The client sends this option of its own along; the server ignores it.
  throwOnFail: v.optional(v.string()),
});
const ImportLine = v.variant('success', [
  v.strictObject({ success: v.literal(true), id: v.optional(v.string()) }),
  v.strictObject({
    success: v.literal(false),
    error: v.string(),
    code: v.number(),
    document: v.string(),
    id: v.optional(v.string()),
  }),
]);

type Document = Record<string, unknown> & { readonly id: string };
interface Index {
  readonly schema: v.InferOutput<typeof CollectionSchema>;
  readonly documents: Map<string, Document>;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class TypesenseStandIn implements AsyncDisposable {
  readonly indexes = new Map<string, Index>();
  readonly aliases = new Map<string, string>();
  /** What was asked: `POST /multi_search`. */
  readonly asked: string[] = [];
  /** Requests and replies that the documentation does not know: empty, or a test fails. */
  readonly faults: string[] = [];
  /** How it is: `hung` takes requests and never answers, `garbled` answers what is no Typesense. */
  mode: 'well' | 'down' | 'hung' | 'garbled' = 'well';
  /** Documents with this in their title are not taken. */
  refusedTitle: string | null = null;
  /** What happens between a request and what it does. */
  beforeWork: (route: string) => Promise<void> = () => Promise.resolve();
  // Who asks closes what they keep: a server that did so as well would cut off what is just being asked on a busy machine.
  readonly #server = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.#handle(request, response));
  readonly #hung = new Set<ServerResponse>();

  static async start(): Promise<TypesenseStandIn> {
    const stand = new TypesenseStandIn();
    await new Promise<void>((resolve) => {
      stand.#server.listen(0, '127.0.0.1', resolve);
    });
    return stand;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The index that an alias leads to. */
  index(name: string): Index | undefined {
    return this.indexes.get(this.aliases.get(name) ?? name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const url = new URL(request.url ?? '/', this.url);
    const route = `${request.method ?? ''} ${decodeURIComponent(url.pathname)}`;
    this.asked.push(route);
    await this.beforeWork(route);
    if (this.mode === 'hung') {
      this.#hung.add(response);
      return;
    }
    if (this.mode !== 'well') {
      response.statusCode = this.mode === 'down' ? 503 : 200;
      response.setHeader('content-type', this.mode === 'down' ? 'application/json' : 'text/html');
      response.end(this.mode === 'down' ? '{"message":"Not Ready or Lagging"}' : '<html>It works!</html>');
      return;
    }
    try {
      if (request.headers['x-typesense-api-key'] !== STAND_IN_KEY) {
        throw new Refusal(401, 'Forbidden - a valid `x-typesense-api-key` header must be sent.');
      }
      const { status = 200, reply, schema } = this.#answer(route, Object.fromEntries(url.searchParams), body);
      const checked = typeof reply === 'string' ? null : v.safeParse(schema ?? v.unknown(), reply);
      if (checked?.success === false) this.faults.push(`reply to ${route}: ${v.summarize(checked.issues)}`);
      response.statusCode = status;
      response.setHeader('content-type', typeof reply === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
      response.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
    } catch (error) {
      if (!(error instanceof Refusal)) this.faults.push(`${route}: ${(error as Error).message}`);
      response.statusCode = error instanceof Refusal ? error.status : 400;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(v.parse(ErrorReply, { message: (error as Error).message })));
    }
  }

  #answer(
    route: string,
    query: Record<string, string>,
    body: string,
  ): { status?: number; reply: unknown; schema?: v.GenericSchema } {
    const json = (): unknown => JSON.parse(body);
    const is = (pattern: RegExp): string | null => pattern.exec(route)?.[1] ?? null;
    if (route === 'GET /health') return { reply: { ok: true }, schema: v.strictObject({ ok: v.boolean() }) };
    if (route === 'GET /collections') {
      return { reply: [...this.indexes.values()].map(described), schema: v.array(CollectionReply) };
    }
    if (route === 'POST /collections') return { status: 201, reply: this.#create(json()), schema: CollectionReply };
    if (route === 'POST /multi_search') {
      v.parse(v.strictObject({}), query);
      const { searches } = v.parse(MultiSearch, json());
      const results = searches.map(({ collection, ...parameters }) => this.#search(collection, parameters));
      return { reply: { results }, schema: v.strictObject({ results: v.array(SearchReply) }) };
    }
    const alias = is(/^(?:GET|PUT) \/aliases\/([^/]+)$/);
    if (alias !== null) {
      if (route.startsWith('PUT')) this.aliases.set(alias, v.parse(AliasSchema, json()).collection_name);
      const to = this.aliases.get(alias);
      if (to === undefined) throw new Refusal(404, 'Not Found');
      return { reply: { name: alias, collection_name: to }, schema: AliasReply };
    }
    const dropped = is(/^DELETE \/collections\/([^/]+)$/);
    if (dropped !== null) {
      const index = this.#indexOf(dropped);
      this.indexes.delete(dropped);
      return { reply: described(index), schema: CollectionReply };
    }
    const imported = is(/^POST \/collections\/([^/]+)\/documents\/import$/);
    if (imported !== null) {
      v.parse(ImportParameters, query);
      const lines = body.split('\n').map((line) => this.#import(this.#indexOf(imported), line));
      for (const line of lines) v.parse(ImportLine, line);
      return { reply: lines.map((line) => JSON.stringify(line)).join('\n') };
    }
    const emptied = is(/^DELETE \/collections\/([^/]+)\/documents$/);
    if (emptied !== null) {
      const { filter_by: filter } = v.parse(v.strictObject({ filter_by: v.string() }), query);
      const [, ids] = /^id:=\[([\w,-]+)\]$/.exec(filter) ?? [];
      if (ids === undefined) throw new Error(`the stand-in does not understand the filter ${filter}`);
      const { documents } = this.#indexOf(emptied);
      const count = ids.split(',').filter((id) => documents.delete(id)).length;
      return { reply: { num_deleted: count }, schema: v.strictObject({ num_deleted: v.number() }) };
    }
    const searched = is(/^GET \/collections\/([^/]+)\/documents\/search$/);
    if (searched !== null) {
      return { reply: this.#search(searched, v.parse(SearchParameters, query)), schema: SearchReply };
    }
    throw new Error('there is no such route in the documentation of Typesense, or the stand-in lacks it');
  }

  #indexOf(name: string): Index {
    const index = this.index(name);
    if (!index) throw new Refusal(404, `Collection not found`);
    return index;
  }

  #create(value: unknown): unknown {
    const schema = v.parse(CollectionSchema, value);
    if (this.indexes.has(schema.name)) {
      throw new Refusal(409, `A collection with name \`${schema.name}\` already exists.`);
    }
    const sorting = schema.fields.find(({ name }) => name === schema.default_sorting_field);
    if (schema.default_sorting_field !== undefined && !/^(?:int32|int64|float)$/.test(sorting?.type ?? '')) {
      throw new Refusal(400, 'Default sorting field is not a sortable type.');
    }
    const index = { schema, documents: new Map<string, Document>() };
    this.indexes.set(schema.name, index);
    return described(index);
  }

  #import({ schema, documents }: Index, line: string): v.InferInput<typeof ImportLine> {
    const document = JSON.parse(line) as Document;
    const fail = (error: string): v.InferInput<typeof ImportLine> => ({
      ...{ success: false, error, code: 400, document: line },
    });
    for (const { name, type, optional } of schema.fields) {
      const value = document[name];
      if (value === undefined && optional !== true) {
        return fail(`Field \`${name}\` has been declared in the schema, but is not found in the document.`);
      }
      if (value !== undefined && !fits(value, type)) return fail(`Field \`${name}\` must be of type ${type}.`);
    }
    if (this.refusedTitle !== null && String(document['title']).includes(this.refusedTitle)) {
      return fail('Could not be indexed.');
    }
    documents.set(document.id, document);
    return { success: true, id: document.id };
  }

  #search(name: string, parameters: v.InferOutput<typeof SearchParameters>): v.InferInput<typeof SearchReply> {
    const { schema, documents } = this.#indexOf(name);
    const fields = parameters.query_by.split(',');
    const listOf = (text: string | number | boolean | undefined, fallback: string): string[] => {
      const list = String(text ?? fallback).split(',');
      if (list.length !== 1 && list.length !== fields.length) {
        throw new Refusal(400, 'Number of values in a list must be either 1 or match number of query fields.');
      }
      return fields.map((_, at) => list[list.length === 1 ? 0 : at] ?? '');
    };
    const weights = listOf(parameters.query_by_weights, '1').map(Number);
    const typos = listOf(parameters.num_typos, '2').map(Number);
    const prefixes = listOf(parameters.prefix, 'true');
    const infixes = listOf(parameters.infix, 'off');
    for (const [at, field] of fields.entries()) {
      const known = schema.fields.find((one) => one.name === field);
      if (!known?.type.startsWith('string')) {
        throw new Refusal(404, `Could not find a field named \`${field}\` in the schema.`);
      }
      if (infixes[at] !== 'off' && known.infix !== true) {
        throw new Refusal(400, `Could not find \`${field}\` in the infix index.`);
      }
    }
    const hidden = /^hidden:=(true|false)$/.exec(parameters.filter_by ?? 'hidden:=false')?.[1];
    if (hidden === undefined) {
      throw new Error(`the stand-in does not understand the filter ${parameters.filter_by ?? ''}`);
    }
    if (parameters.sort_by !== '_text_match:desc,popularity:desc') throw new Error('the stand-in knows one order only');
    const asked = tokensOf(parameters.q);
    const among = [...documents.values()].filter((document) => String(document['hidden']) === hidden);
    const match = (withTypos: boolean) =>
      among.flatMap((document) => {
        const held = fields.map((field) => [document[field]].flat().map((text) => tokensOf(String(text))));
        const isVerbatim = held.some((texts) => texts.some((tokens) => tokens.join(' ') === asked.join(' ')));
        let cost = 0;
        let weight = 0;
        for (const [place, token] of asked.entries()) {
          let best = Infinity;
          held.forEach((texts, at) => {
            const open = prefixes[at] === 'true' && place === asked.length - 1;
            const most = withTypos ? Math.min(typos[at] ?? 0, token.length < 4 ? 0 : token.length < 7 ? 1 : 2) : 0;
            for (const word of texts.flat()) {
              const own =
                word === token
                  ? 0
                  : open && word.startsWith(token)
                    ? 1
                    : most > 0
                      ? 5 * nearness(token, word, false, most)
                      : Infinity;
              if (own > 10 * Math.max(most, 0.1)) continue;
              if (own <= best) weight = Math.max(weight, weights[at] ?? 0);
              best = Math.min(best, own);
            }
          });
          cost += best;
        }
        return Number.isFinite(cost) ? [{ document, score: (isVerbatim ? 1e6 : 0) - cost * 1_000 + weight }] : [];
      });
    const exact = asked.length === 0 ? [] : match(false);
    const found = exact.length > 0 || asked.length === 0 ? exact : match(true);
    found.sort((a, b) => b.score - a.score || Number(b.document['popularity']) - Number(a.document['popularity']));
    const { page = 1, per_page: perPage = 10 } = parameters;
    const kept = parameters.include_fields?.split(',') ?? null;
    return {
      ...{
        found: found.length,
        out_of: documents.size,
        page,
        search_time_ms: 1,
        search_cutoff: false,
        facet_counts: [],
      },
      hits: found.slice((page - 1) * perPage, page * perPage).map(({ document, score }) => ({
        document: Object.fromEntries(Object.entries(document).filter(([key]) => kept === null || kept.includes(key))),
        ...{ highlight: {}, highlights: [], text_match: score + 1e7 },
      })),
      request_params: { collection_name: name, q: parameters.q, per_page: perPage },
    };
  }
}

const described = ({ schema, documents }: Index): unknown => ({
  ...schema,
  num_documents: documents.size,
  created_at: 1,
});

const tokensOf = (text: string): string[] => foldText(text).match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

function fits(value: unknown, type: v.InferOutput<typeof FieldType>): boolean {
  if (type === 'string[]') return Array.isArray(value) && value.every((one) => typeof one === 'string');
  if (type === 'string') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean';
  return typeof value === 'number' && (type === 'float' || Number.isInteger(value));
}
