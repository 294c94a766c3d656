/**
 * The thread that searches: it has the index, reads it over connections of its own, and follows the change feed by itself, so that a ranking
 * waits here for what was committed before it was asked.
 */
import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { Log, LogFields } from '#engine/base/log.ts';
import type { SearchIndexPort } from '#engine/search/ports.ts';
import { openChangeLog } from '../postgres/change-feed.ts';
import type { PostgresChangeLog } from '../postgres/change-feed.ts';
import { connectPostgres } from '../postgres/connect.ts';
import type { PostgresAddress } from '../postgres/connect.ts';
import { PostgresSearch } from './postgres-search.ts';

export interface SearchThreadSettings {
  readonly address: PostgresAddress;
}

export type SearchOrder =
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly name: keyof SearchIndexPort;
      readonly args: readonly unknown[];
    }
  | { readonly kind: 'withdraw'; readonly id: number }
  /** The thread ends by itself then. */
  | { readonly kind: 'stop' };

export type SearchNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly reason: string }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: LogFields;
    };

/** And one more that listens. Together with the engine's and the queue's they stay well below the 60 of the built-in server. */
const CONNECTIONS = 3;

if (!parentPort) throw new Error('This entry is a thread of the engine: SearchThread starts it.');
const port = parentPort;
const tell = (news: SearchNews): void => port.postMessage(news);
const { address } = workerData as SearchThreadSettings;
const log = logTo();
const sql = connectPostgres(address, { applicationName: 'matinee search', max: CONNECTIONS });

let opened: Promise<PostgresChangeLog> | undefined;
/** The database may be away while a thread starts: `PostgresSearch` tries again. */
function changes(): Promise<PostgresChangeLog> {
  opened ??= openChangeLog(sql, (error) => log.warn('the change feed could not be heard', { error })).catch(
    (error: unknown) => {
      opened = undefined;
      throw error;
    },
  );
  return opened;
}

const search = new PostgresSearch({
  sql,
  changes: {
    latestSeq: async () => (await changes()).latestSeq(),
    changesAfter: async (seq, limit) => (await changes()).changesAfter(seq, limit),
    onChange: async (listener) => (await changes()).onChange(listener),
  },
  log,
});

/** Questions that somebody still waits for. */
const waiting = new Set<number>();

async function answer({ id, name, args }: Extract<SearchOrder, { kind: 'ask' }>): Promise<void> {
  waiting.add(id);
  try {
    await search.readable();
    if (!waiting.has(id)) return;
    const method = search[name] as (...args: readonly unknown[]) => Promise<unknown>;
    const value = await method.apply(search, [...args]);
    if (waiting.has(id)) tell({ kind: 'answer', id, value });
  } catch (error) {
    tell({ kind: 'refusal', id, reason: error instanceof Error ? error.message : String(error) });
  } finally {
    waiting.delete(id);
  }
}

async function stop(): Promise<void> {
  await search[Symbol.asyncDispose]();
  await sql.end({ timeout: 1 });
  port.close();
}

/** Errors travel as text: what hangs on one might not be cloned. */
function logTo(): Log {
  const write =
    (level: Extract<SearchNews, { kind: 'log' }>['level']) =>
    (message: string, fields: LogFields = {}): void => {
      const plain = Object.entries(fields).map(([key, value]) => [
        key,
        value instanceof Error ? inspect(value) : value,
      ]);
      tell({ kind: 'log', level, message, fields: Object.fromEntries(plain) as LogFields });
    };
  const own: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => own,
  };
  return own;
}

port.on('message', (order: SearchOrder) => {
  switch (order.kind) {
    case 'ask':
      return void answer(order);
    case 'withdraw':
      return void waiting.delete(order.id);
    case 'stop':
      return void stop();
  }
});
tell({ kind: 'ready' });
