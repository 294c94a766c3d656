/**
 * Movies in Typesense, through its own client (3.1; written against the documented API of version 30). One alias, and behind it an index
 * whose name holds the version of its schema: another version of Matinee that needs another schema builds a new one.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Client, Errors } from 'typesense';
import type { CollectionFieldSchema } from 'typesense/lib/Typesense/Collection.js';
import type { MultiSearchRequestsWithoutUnionSchema, SearchParams } from 'typesense/lib/Typesense/Types.js';
import * as v from 'valibot';
import type { RankOptions, SearchDocument, SearchServerPort, Suggestion } from '#engine/search/ports.ts';
import { queryTerms } from './search-words.ts';

export interface TypesenseOptions {
  /** `http://host:8108`. */
  readonly url: string;
  readonly apiKey: string;
  /** Name of the alias, and what the names of all indexes begin with. Default `matinee_movies`. */
  readonly name?: string;
  /** For one request; a bulk of documents has six times as long. */
  readonly timeoutMs?: number;
}

const SCHEMA_VERSION = 1;
const TIMEOUT_MS = 5_000;
/** Most that Typesense gives at once. */
const PAGE = 250;

type Stored = Record<string, unknown>;

const FIELDS: CollectionFieldSchema[] = [
  { name: 'title', type: 'string', infix: true },
  { name: 'original_title', type: 'string', infix: true },
  { name: 'titles', type: 'string[]', infix: true },
  { name: 'keys', type: 'string[]' },
  { name: 'words', type: 'string[]' },
  { name: 'name_words', type: 'string[]' },
  { name: 'overview', type: 'string' },
  { name: 'year', type: 'int32', facet: true },
  { name: 'genres', type: 'string[]', facet: true },
  { name: 'cast', type: 'string[]' },
  { name: 'directors', type: 'string[]', facet: true },
  { name: 'status', type: 'string', facet: true },
  { name: 'resolution', type: 'int32', facet: true },
  { name: 'has_file', type: 'bool', facet: true },
  { name: 'hidden', type: 'bool' },
  { name: 'rating', type: 'float' },
  { name: 'popularity', type: 'float' },
  { name: 'release_date', type: 'int32' },
  { name: 'added_at', type: 'int64' },
];

/** Where a text is looked for: how much it counts there, how many errors are forgiven, whether it may be a beginning, or in the middle. */
interface Place {
  readonly field: keyof SearchDocument;
  readonly weight: number;
  readonly typos: number;
  readonly isOpen: boolean;
  readonly infix: 'off' | 'fallback';
}

const TITLES: readonly Place[] = [
  { field: 'keys', weight: 10, typos: 2, isOpen: true, infix: 'off' },
  { field: 'title', weight: 9, typos: 2, isOpen: true, infix: 'fallback' },
  { field: 'original_title', weight: 8, typos: 2, isOpen: true, infix: 'fallback' },
  { field: 'titles', weight: 7, typos: 2, isOpen: true, infix: 'fallback' },
  { field: 'words', weight: 6, typos: 2, isOpen: true, infix: 'off' },
];
const EVERYWHERE: readonly Place[] = [
  ...TITLES,
  { field: 'name_words', weight: 5, typos: 1, isOpen: true, infix: 'off' },
  { field: 'cast', weight: 4, typos: 1, isOpen: true, infix: 'off' },
  { field: 'directors', weight: 4, typos: 1, isOpen: true, infix: 'off' },
  { field: 'overview', weight: 1, typos: 0, isOpen: false, infix: 'off' },
];

/** What of the replies is used. The client's types promise more than it checks. */
const Hits = v.object({
  found: v.number(),
  hits: v.array(v.object({ document: v.object({ id: v.string() }) })),
});
const MultiHits = v.object({ results: v.array(Hits) });
const TitleHits = v.object({
  hits: v.array(v.object({ document: v.object({ id: v.string(), title: v.string(), year: v.number() }) })),
});
const Health = v.object({ ok: v.literal(true) });

const listed = (places: readonly Place[], of: (place: Place) => string | number | boolean): string =>
  places.map(of).join(',');

/** What is asked, in the spelling of `keys` and `words`. `null`: nothing. */
function toQuery(text: string): string | null {
  const { words } = queryTerms(text);
  return words.length === 0 ? null : words.map((word) => word.number ?? word.text).join(' ');
}

function searchFor(q: string, places: readonly Place[], isHidden: boolean) {
  return {
    q,
    query_by: listed(places, ({ field }) => field),
    query_by_weights: listed(places, ({ weight }) => weight),
    num_typos: listed(places, ({ typos }) => typos),
    prefix: listed(places, ({ isOpen }) => isOpen),
    infix: listed(places, ({ infix }) => infix),
    filter_by: `hidden:=${String(isHidden)}`,
    sort_by: '_text_match:desc,popularity:desc',
    prioritize_exact_match: true,
    // Errors are forgiven where nothing is spelled so, and no word is ever left out.
    typo_tokens_threshold: 1,
    drop_tokens_threshold: 0,
    highlight_fields: 'none',
  };
}

export function createTypesenseSearch(options: TypesenseOptions): SearchServerPort {
  const { name = 'matinee_movies', timeoutMs = TIMEOUT_MS } = options;
  const url = new URL(options.url);
  const open = (withinMs: number): Client =>
    new Client({
      nodes: [{ url: url.href.replace(/\/$/, '') }],
      apiKey: options.apiKey,
      connectionTimeoutSeconds: withinMs / 1_000,
      // Who asks has an answer of the database at hand, and the queue tries again: waiting here helps nobody.
      numRetries: 0,
      retryIntervalSeconds: 0.1,
      // Otherwise a server that failed once is left alone for a minute by the client itself.
      healthcheckIntervalSeconds: 0,
      logLevel: 'silent',
      ...(url.protocol === 'https:'
        ? { httpsAgent: new HttpsAgent({ keepAlive: true }) }
        : { httpAgent: new HttpAgent({ keepAlive: true }) }),
    });
  const client = open(timeoutMs);
  const bulk = open(timeoutMs * 6);
  const versioned = `${name}_v${SCHEMA_VERSION}_`;

  async function pages(q: string, isHidden: boolean, limit: number): Promise<string[]> {
    const search = { ...searchFor(q, EVERYWHERE, isHidden), collection: name, include_fields: 'id', per_page: PAGE };
    const ask = async (numbers: readonly number[]) => {
      const searches = numbers.map((page) => ({ ...search, page }));
      // A part of such a reply may be an error: then it is none that is understood.
      const reply: unknown = await client.multiSearch.perform({ searches } as MultiSearchRequestsWithoutUnionSchema<
        Stored,
        string
      >);
      return v
        .parse(MultiHits, reply)
        .results.map(({ found, hits }) => ({ found, ids: hits.map(({ document }) => document.id) }));
    };
    const [first] = await ask([1]);
    if (first === undefined) throw new Error('Typesense answered a search with nothing');
    const count = Math.min(Math.ceil(Math.min(first.found, limit) / PAGE), Math.ceil(limit / PAGE));
    const others = count > 1 ? await ask(Array.from({ length: count - 1 }, (_, index) => index + 2)) : [];
    return [...new Set([first, ...others].flatMap(({ ids }) => ids))].slice(0, limit);
  }

  async function indexInUse(): Promise<string | null> {
    try {
      const { collection_name: index } = await client.aliases(name).retrieve();
      return index.startsWith(versioned) ? index : null;
    } catch (error) {
      if (error instanceof Errors.ObjectNotFound) return null;
      throw error;
    }
  }

  return {
    async rank(text, { limit, isHidden = false }: RankOptions) {
      const q = toQuery(text);
      return q === null ? [] : pages(q, isHidden, limit);
    },
    async suggest(text, limit) {
      const q = toQuery(text);
      if (q === null) return [];
      const reply: unknown = await client
        .collections<Stored>(name)
        .documents()
        .search({
          ...searchFor(q, TITLES, false),
          include_fields: 'id,title,year',
          per_page: Math.min(limit, PAGE),
        } as unknown as SearchParams<Stored>);
      return v.parse(TitleHits, reply).hits.map(({ document: { id, title, year } }): Suggestion => ({
        kind: 'movie',
        id,
        text: title,
        detail: year === 0 ? null : String(year),
      }));
    },
    async ping() {
      v.parse(Health, await client.health.retrieve());
      // That one needs no key.
      await indexInUse();
    },
    indexInUse,
    async createIndex() {
      const index = `${versioned}${Date.now().toString(36)}`;
      await client.collections().create({ name: index, fields: FIELDS, default_sorting_field: 'popularity' });
      return index;
    },
    async put(index, documents) {
      try {
        await bulk
          .collections<SearchDocument>(index)
          .documents()
          .import([...documents], { action: 'upsert', return_id: true });
        return [];
      } catch (error) {
        if (!(error instanceof Errors.ImportError)) throw error;
        const { importResults } = error;
        return importResults.flatMap((result, at) =>
          result.success ? [] : [{ id: documents[at]?.id ?? result.id ?? '', error: result.error }],
        );
      }
    },
    async remove(index, movieIds) {
      await bulk
        .collections(index)
        .documents()
        .delete({ filter_by: `id:=[${movieIds.join(',')}]` });
    },
    async useIndex(index) {
      await client.aliases().upsert(name, { collection_name: index });
      const all = await client.collections().retrieve();
      for (const { name: other } of all) {
        if (other !== index && other.startsWith(`${name}_v`)) await client.collections(other).delete();
      }
    },
  };
}
