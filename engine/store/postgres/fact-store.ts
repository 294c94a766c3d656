/** Small facts that this server keeps about itself, by name, each written as a whole. */
import type { Sql } from './connect.ts';

export interface FactStore {
  /** What was last written under this name, `null` where nothing was. */
  read(name: string): Promise<unknown>;
  /** Keeps a value that JSON can carry. */
  write(name: string, value: unknown): Promise<void>;
}

export function createFactStore(sql: Sql): FactStore {
  return {
    async read(name) {
      const [row] = await sql<{ value: string }[]>`select value from server_fact where name = ${name}`;
      return row ? (JSON.parse(row.value) as unknown) : null;
    },
    async write(name, value) {
      await sql`
        insert into server_fact (name, value) values (${name}, ${JSON.stringify(value)})
        on conflict (name) do update set value = excluded.value`;
    },
  };
}
