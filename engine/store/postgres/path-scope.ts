import type { Sql, TransactionSql } from './connect.ts';

/** Paths at or below `scope`, as a range of the index on (library_id, path): "0" is the character behind "/". */
export const inScope = (sql: Sql | TransactionSql, scope: string) =>
  scope === '' ? sql`true` : sql`(path = ${scope} or (path >= ${`${scope}/`} and path < ${`${scope}0`}))`;
