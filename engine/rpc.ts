/**
 * The command line of the contract: `npm run rpc -- CALL [JSON]` prints the reply as JSON, or the failure and ends with 1;
 * `npm run rpc -- --watch FEED[/KEY]` prints what a feed says, one JSON a line, until it is interrupted.
 *
 * It signs in by HTTP with MATINEE_NAME and MATINEE_PASSWORD at MATINEE_URL, and out again at the end, whatever happens
 * between. Nothing but JSON is written to standard output: scripts read it.
 */
import { fileURLToPath } from 'node:url';
import { editDistance } from './config.ts';
import { Connection } from '#client/net/connection.ts';
import { createHttpCalls, type HttpCalls } from '#client/net/http-calls.ts';
import { ConnectionLost } from '#client/net/net-error.ts';
import { liveUrl, webSocketOpener } from '#client/net/socket.ts';
import type { Call, Feed } from '#protocol/contract.ts';
import { Failure, isFailure } from '#protocol/errors.ts';
import { calls, feeds, session } from '#protocol/index.ts';

const DEFAULT_URL = 'http://127.0.0.1:8420';

export interface RpcOptions {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Takes one line of JSON, without its end. */
  readonly print: (line: string) => void;
  /** Ends a `--watch`, or a call that takes too long for the person. */
  readonly signal: AbortSignal;
  /** JSON over several lines, for people. */
  readonly isIndented?: boolean;
}

/** Runs one command and returns its exit code. Never rejects. */
export async function runRpc(options: RpcOptions): Promise<0 | 1> {
  const print = (value: unknown): void => options.print(JSON.stringify(value, null, options.isIndented ? 2 : 0));
  let caller: Caller | null = null;
  try {
    const command = parseCommand(options.args);
    caller = new Caller(options);
    if (command.kind === 'watch') {
      await caller.watch(command.feed, command.key, (value) => options.print(JSON.stringify(value)));
    } else print(await caller.call(command.call, command.input));
    return 0;
  } catch (error) {
    // Interrupting is how a watch ends.
    if (options.signal.aborted) return 0;
    print(failureText(error));
    return 1;
  } finally {
    await caller?.signOut();
  }
}

/** What the person sees: a failure as the wire has it, whatever went wrong. */
function failureText(error: unknown): { code: string; data: unknown; message: string } {
  if (isFailure(error)) return { code: error.code, data: error.data, message: error.message };
  if (error instanceof ConnectionLost) {
    return { code: 'connectionLost', data: { closeCode: error.code }, message: error.message };
  }
  return { code: 'clientError', data: {}, message: error instanceof Error ? error.message : String(error) };
}

type Command =
  | { readonly kind: 'call'; readonly call: Call; readonly input: unknown }
  | { readonly kind: 'watch'; readonly feed: Feed; readonly key: string | null };

function parseCommand(args: readonly string[]): Command {
  const [first, second, ...rest] = args;
  if (first === undefined || first === '--help' || rest.length > 0) {
    const names = calls.map(({ name }) => name);
    throw new Failure(
      'usage',
      { calls: names, feeds: feeds.map(({ name }) => name) },
      'rpc CALL [JSON], or rpc --watch FEED[/KEY]',
    );
  }
  if (first === '--watch') return parseFeed(second ?? '');
  const call = calls.find(({ name }) => name === first);
  if (!call) {
    throw new Failure('unknownMethod', { method: first }, `There is no call “${first}”. ${nearest(first, calls)}`);
  }
  return { kind: 'call', call, input: parseInput(second) };
}

function parseFeed(text: string): Command {
  const slash = text.indexOf('/');
  const name = slash < 0 ? text : text.slice(0, slash);
  const key = slash < 0 ? null : text.slice(slash + 1);
  const feed = feeds.find((one) => one.name === name);
  if (!feed) throw new Failure('unknownFeed', { feed: name }, `There is no feed “${name}”. ${nearest(name, feeds)}`);
  if ((feed.key === null) !== (key === null)) {
    const message =
      feed.key === null
        ? `${name} is one feed, without a key.`
        : `${name} is a feed for each ${feed.key}: write ${name}/ID.`;
    throw new Failure('badRequest', { issues: [{ path: '/key', message }] }, message);
  }
  return { kind: 'watch', feed, key };
}

function parseInput(text: string | undefined): unknown {
  if (text === undefined || text.trim() === '') return {};
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    const message = `The input is not JSON: ${(error as Error).message}`;
    throw new Failure('badRequest', { issues: [{ path: '', message }] }, message);
  }
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  const message = 'The input must be a JSON object, such as \'{"limit":5}\'.';
  throw new Failure('badRequest', { issues: [{ path: '', message }] }, message);
}

/** Talks to one server as one person, signing in when that is first needed. */
class Caller {
  readonly #options: RpcOptions;
  readonly #url: string;
  readonly #http: HttpCalls;
  #token: string | null = null;

  /** Throws a failure where MATINEE_URL is no address. */
  constructor(options: RpcOptions) {
    this.#options = options;
    const text = options.environment['MATINEE_URL'] || DEFAULT_URL;
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
      throw new Failure(
        'badRequest',
        { issues: [] },
        `MATINEE_URL is “${text}”; write an address such as ${DEFAULT_URL}.`,
      );
    }
    this.#url = text;
    this.#http = createHttpCalls({
      serverUrl: text,
      headers: () => this.#headers(),
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        // Whatever call it was that signed in: the session is ended with the command.
        for (const cookie of response.headers.getSetCookie()) {
          const token = /^(?:__Host-)?matinee_session=([^;]*)/.exec(cookie)?.[1];
          if (token !== undefined) this.#token = token === '' ? null : token;
        }
        return response;
      },
    });
  }

  async call(call: Call, input: unknown): Promise<unknown> {
    const { signal } = this.#options;
    if (call.permission !== 'public') await this.#signIn();
    // By HTTP where it must be, and where a socket would need a session that nobody asked for.
    if (call.only === 'http' || call.permission === 'public') return await this.#http.request(call, input, { signal });
    using connection = this.#connect();
    return await connection.call(call, input, { signal });
  }

  /** Prints until the signal, or until the server refuses; then it throws. */
  async watch(feed: Feed, key: string | null, print: (value: unknown) => void): Promise<void> {
    await this.#signIn();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal } = this.#options;
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) return;
    using connection = this.#connect();
    connection.onState((state) => {
      if (state.name === 'signedOut') reject(new Failure('unauthenticated', {}, 'The session has ended.'));
      if (state.name === 'outdated') reject(new Error(`The ${state.side} must be updated.`));
      if (state.name === 'refused') reject(new ConnectionLost(state.code, false, state.reason));
    });
    connection.follow(feed, key, {
      onSnapshot: (snapshot) => print({ snapshot }),
      onEntries: (entries) => print({ entries }),
      onRefused: reject,
    });
    await promise;
  }

  /** Ends the session that this command began. What goes wrong is of no interest: the session ends by itself one day. */
  async signOut(): Promise<void> {
    if (this.#token === null) return;
    await this.#http.request(session.end, {}).catch(() => undefined);
    this.#token = null;
  }

  async #signIn(): Promise<void> {
    const { MATINEE_NAME: name, MATINEE_PASSWORD: password } = this.#options.environment;
    if (!name || !password) {
      throw new Failure(
        'unauthenticated',
        {},
        'Set MATINEE_NAME and MATINEE_PASSWORD to the account that is to be used.',
      );
    }
    await this.#http.request(session.create, { name, password }, { signal: this.#options.signal });
    if (this.#token === null) throw new Error(`${this.#url} accepted the password, but gave no session.`);
  }

  #connect(): Connection {
    const connection = new Connection({
      openSocket: webSocketOpener(liveUrl(this.#url), () => this.#headers()),
      client: { name: 'rpc', version: this.#options.version },
    });
    connection.start();
    return connection;
  }

  #headers(): Readonly<Record<string, string>> {
    return {
      'user-agent': `matinee-rpc/${this.#options.version}`,
      ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
    };
  }
}

/** A sentence with the three names that are nearest to what was typed. */
function nearest(typed: string, named: readonly { readonly name: string }[]): string {
  const names = named
    .map(({ name }) => ({ name, distance: distance(typed.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3);
  return `The nearest: ${names.map(({ name }) => name).join(', ')}.`;
}

/** Edits, where a part that is the same at either side of the dot counts as near. */
function distance(a: string, b: string): number {
  const isPartEqual = a.split('.').some((part) => part.length > 2 && b.split('.').includes(part));
  return editDistance(a, b) / (isPartEqual ? 2 : 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());
  // Whoever read is gone (`rpc … | head -1`).
  process.stdout.on('error', () => abort.abort());
  const {
    default: { version },
  } = await import('../package.json', { with: { type: 'json' } });
  process.exitCode = await runRpc({
    args: process.argv.slice(2),
    environment: process.env,
    version,
    print: (line) => void process.stdout.write(`${line}\n`),
    signal: abort.signal,
    isIndented: process.stdout.isTTY,
  });
  // A connection that is kept alive for the next request must not keep the command.
  process.stdout.write('', () => process.exit());
}
