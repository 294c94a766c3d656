/**
 * How a call and a feed are declared. One value per call: the gateway dispatches on it, the client calls with it, and the
 * HTTP bridge, the OpenAPI document, the permission list and the route census are derived from it. See SPEC.md.
 */
import type * as v from 'valibot';
import type { Permission } from './permission.ts';

/** Any synchronous schema. Parsing is synchronous by rule [CON4]: a frame is judged before anything waits. */
export type Schema = v.GenericSchema;
export type Infer<S extends Schema> = v.InferOutput<S>;

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Where the JSON bridge offers a call. `{name}` in the path is a property of the input; the rest comes from the query (GET, DELETE) or the body. */
export interface HttpRoute {
  readonly method: HttpMethod;
  /** Below `/api/v1`. */
  readonly path: `/${string}`;
}

/** Failures that a call declares beside the common ones: code → schema of its data. */
export type FailureSchemas = Readonly<Record<string, Schema>>;

export interface Call<
  Input extends Schema = Schema,
  Output extends Schema = Schema,
  Failures extends FailureSchemas = FailureSchemas,
> {
  /** Number on the wire. Never reused, never changed [CON1]. */
  readonly id: number;
  /** `group.verb`: the name in scripts, logs and documents. */
  readonly name: string;
  /** First protocol version that has it. */
  readonly since: number;
  readonly summary: string;
  readonly permission: Permission;
  readonly input: Input;
  readonly output: Output;
  readonly failures: Failures;
  readonly http?: HttpRoute;
  /** HTTP status of the call's own failures on the bridge; 409 where it does not say. */
  readonly statusByFailure?: Readonly<Record<string, number>>;
  /** `http` for calls that set or clear the session cookie, `socket` for calls that only make sense on one; both when absent. */
  readonly only?: 'http' | 'socket';
  /** Milliseconds after which the call fails with `timeout`; 15,000 when absent. */
  readonly deadlineMs?: number;
}

// What nobody calls is left out of the client's build.
/* @__NO_SIDE_EFFECTS__ */
export function defineCall<const I extends Schema, const O extends Schema, const F extends FailureSchemas>(
  call: Call<I, O, F>,
): Call<I, O, F> {
  return Object.freeze(call);
}

export type InputOf<C extends Call> = v.InferInput<C['input']>;
export type ParsedInputOf<C extends Call> = v.InferOutput<C['input']>;
export type OutputOf<C extends Call> = v.InferOutput<C['output']>;

/**
 * A piece of state that the server keeps synchronized: a snapshot, then deltas. A delta is a list of entries; an entry replaces
 * whatever an earlier entry of the same `kind` and `id` said, so any run of deltas can be merged into one [FEED5].
 */
export interface Feed<Snapshot extends Schema = Schema, Entry extends Schema = Schema> {
  /** Number on the wire. Never reused, never changed [CON1]. */
  readonly id: number;
  readonly name: string;
  readonly since: number;
  readonly summary: string;
  readonly permission: Permission;
  /** What the part after the slash names (`movie/<id>`), `null` for a feed without one. */
  readonly key: 'movieId' | null;
  readonly snapshot: Snapshot;
  readonly entry: Entry;
}

/* @__NO_SIDE_EFFECTS__ */
export function defineFeed<const S extends Schema, const E extends Schema>(feed: Feed<S, E>): Feed<S, E> {
  return Object.freeze(feed);
}

export type SnapshotOf<F extends Feed> = v.InferOutput<F['snapshot']>;
export type EntryOf<F extends Feed> = v.InferOutput<F['entry']>;

/** What every feed entry has, whatever else it carries. */
export interface FeedEntry {
  readonly kind: string;
  readonly id: string;
}
