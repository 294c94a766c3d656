import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createSettingStore } from './setting-store.ts';

describe('what people set in the browser', () => {
  const key = randomBytes(32);
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is there again, and gone when it is forgotten', async () => {
    const settings = createSettingStore(database.sql, key);
    expect(await settings.read('metadata')).toBeNull();
    await settings.write('metadata', { language: 'de' });
    expect(await settings.read('metadata')).toEqual({ language: 'de' });
    await settings.write('metadata', null);
    expect(await settings.read('metadata')).toBeNull();
  });

  it('keeps secrets sealed: no copy of the database tells them', async () => {
    const settings = createSettingStore(database.sql, key);
    await settings.writeSealed('tmdbKey', 'pássword-1');
    expect(await settings.readSealed('tmdbKey')).toBe('pássword-1');
    const rows = await database.sql<{ value: string }[]>`select value from server_fact`;
    expect(rows.map(({ value }) => value).join()).not.toContain('ssword');
    expect(await createSettingStore(database.sql, randomBytes(32)).readSealed('tmdbKey')).toBeNull();
  });

  it('takes no sealed value under another name', async () => {
    const settings = createSettingStore(database.sql, key);
    await settings.writeSealed('a', 'secret');
    await database.sql`
      insert into server_fact select 'setting.b', value from server_fact where name = 'setting.a'`;
    expect(await settings.readSealed('b')).toBeNull();
  });
});
